"""The paper's formulas as printed."""

from typing import ClassVar

import equinox as eqx

from orbiphon._checks import check_choice, check_positive
from orbiphon.errors import InputError
from orbiphon.response.first_order import PUBLISHED as PUBLISHED_FIRST, prepare_first_order
from orbiphon.response.kernels import POWERS, PUBLISHED
from orbiphon.response.long_wave import long_wave, prepare_long_wave
from orbiphon.response.method import AbstractMethod, Prepared
from orbiphon.response.problem import Problem
from orbiphon.response.second_order import SecondOrder


class Published(AbstractMethod):
    """(18), (21), (24) and (S89) with a broadening put into each denominator; `broadening` in eV, > 0.

    The paper does not say how its broadening enters. `published_broadening` is `lorentz` (1/E -> E/(E^2 + G^2)),
    `lorentz_squared` (and 1/E^2 -> 1/(E^2 + G^2)) or `complex_powers` (real parts of powers of 1/(E + iG)), which is
    one that matches the print, not one that the paper states. None of them conserves: full bands contribute. For
    crystals whose bands belong to different sectors only; `InputError` otherwise. Source: arXiv:2511.11272.
    """

    broadening: float
    published_broadening: str = eqx.field(default="complex_powers")
    name: ClassVar[str] = "published"
    orders: ClassVar[tuple[int, ...]] = (1, 2)
    long_wave: ClassVar[bool] = True
    reactive: ClassVar[bool] = True

    def __check_init__(self):
        check_positive("broadening", self.broadening)
        check_choice("published_broadening", self.published_broadening, tuple(POWERS))

    def prepare(self, problem: Problem) -> Prepared:
        """Long waves, low frequencies, interband terms only."""
        words = f"as published: long waves, low frequency, broadening by {self.published_broadening.replace('_', ' ')}"
        if problem.order == 1:
            susceptibility = PUBLISHED_FIRST[self.published_broadening]
            return prepare_first_order(problem, susceptibility, self.broadening, words, long_wave=True)
        waves = long_wave(problem, PUBLISHED[self.published_broadening])
        _check_sectors(waves.template)
        return prepare_long_wave(waves, self.broadening, words)


def _check_sectors(integrand: SecondOrder) -> None:
    for triple in integrand.triples:
        if len(set(triple)) < 3 or any(len(integrand.electrons.sectors[sector]) > 1 for sector in triple):
            raise InputError(
                "Method `published` must be given bands that the Hamiltonian never mixes, and no coupling "
                "within a band, but this crystal has some: the paper's formula has no term for them. Use `Adiabatic`."
            )
