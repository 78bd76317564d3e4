"""The few kinds of trouble that orbiphon reports; a message names the argument, the rule, the value found, the fix."""


class OrbiphonError(Exception):
    """Base of every error that orbiphon raises on purpose."""


class InputError(OrbiphonError, ValueError):
    """The caller's input breaks a rule; nothing was computed."""


class ToleranceWarning(UserWarning):
    """A result was returned although its error estimate is above the tolerance that was asked for."""
