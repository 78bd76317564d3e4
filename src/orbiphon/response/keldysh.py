"""The static second order at any wave vector and frequency."""

from typing import ClassVar

from orbiphon._checks import check_not_negative
from orbiphon.response.limit import at_zero_broadening
from orbiphon.response.method import AbstractMethod, Prepared
from orbiphon.response.problem import Problem
from orbiphon.response.wave_sum import wave_sum


class Keldysh(AbstractMethod):
    """Second order at the waves' own q and omega, with the same `broadening` (eV, >= 0) in every Green's function.

    Closed form, for any crystal. Resonances are as wide as 2 `broadening` over the velocity of the bands, and the mesh
    must resolve them. Zero broadening is the limit. Source: docs/theory.md 5.3; arXiv:2511.11272, (S130).
    """

    broadening: float
    name: ClassVar[str] = "keldysh"
    orders: ClassVar[tuple[int, ...]] = (2,)

    def __check_init__(self):
        check_not_negative("broadening", self.broadening)

    def prepare(self, problem: Problem) -> Prepared:
        """The exact vertex between states at k and k + q."""
        waves, words = wave_sum(problem), "second order at finite q and frequency, conserving broadening"
        if self.broadening == 0.0:
            return at_zero_broadening(problem, waves.moments, words)
        return Prepared(
            lambda level, index, numerics: waves.moments(self.broadening, level, index, numerics),
            words,
            (lambda level, index: waves.excess(0, self.broadening, level, index)) if waves.single else None,
        )
