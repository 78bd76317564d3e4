"""Couplings by name."""

from orbiphon._checks import check_choice
from orbiphon.coupling.abstract import Coupling
from orbiphon.coupling.quadrupole import Quadrupole
from orbiphon.coupling.two_centre import TwoCentre
from orbiphon.electrons import TightBinding

_KINDS = {"two_centre": TwoCentre, "quadrupole": Quadrupole}
COUPLINGS = tuple(_KINDS)
"""The kinds that `make_coupling` knows."""


def make_coupling(kind: str, electrons: TightBinding) -> Coupling:
    """The coupling of that name: `two_centre` (exact) or `quadrupole` (the paper's (10)).

    **Raises:** `InputError` for another name.
    """
    check_choice("coupling", kind, COUPLINGS)
    return _KINDS[kind](electrons)
