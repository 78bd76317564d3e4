"""The version, kept apart so that building the package does not import JAX."""

__version__ = "0.1.0"
