"""The static second order at any wave vector and frequency."""

import itertools
from typing import ClassVar

import numpy as np

from orbiphon._checks import check_not_negative, check_positive
from orbiphon.drives import AbstractModeDrive
from orbiphon.response.finite_wave import pumped
from orbiphon.response.lattice_waves import prepare_lattice
from orbiphon.response.limit import extrapolate
from orbiphon.response.method import AbstractMethod, Prepared
from orbiphon.response.problem import Numerics, Problem
from orbiphon.response.wave_sum import WaveSum, wave_sum
from orbiphon.units import k_B
from orbiphon.zone import ZoneMean

_STEPS = 5  # broadenings k_B T/2, k_B T/4, ... from which the limit of zero broadening is extrapolated
_POWER_LAW = 0.7  # successive changes of a series in powers of the broadening fall at least by this factor


class Keldysh(AbstractMethod):
    """Second order at the waves' own q and omega, with the same `broadening` (eV, >= 0) in every Green's function.

    Closed form, for any crystal. Resonances are as wide as 2 `broadening` over the velocity of the bands, and the mesh
    must resolve them. Zero broadening is the limit, which exists off resonance. On resonance, what the waves excite
    decays at the rate 2 `broadening` only and may grow without bound; that is flagged as not converged.
    Source: docs/theory.md 5.3; arXiv:2511.11272, (S130).
    """

    broadening: float
    name: ClassVar[str] = "keldysh"
    orders: ClassVar[tuple[int, ...]] = (2,)

    def __check_init__(self):
        check_not_negative("broadening", self.broadening)

    def prepare(self, problem: Problem) -> Prepared:
        """The exact vertex between states at k and k + q."""
        words = "second order at finite q and frequency, conserving broadening"
        if isinstance(problem.drive, AbstractModeDrive):
            check_positive("broadening", self.broadening)
            return prepare_lattice(problem, pumped, self.broadening, words, reactive=self.reactive)
        waves = wave_sum(problem, pumped)
        if self.broadening == 0.0:
            return Prepared(
                lambda level, index, numerics: _limit(waves, level, index, numerics),
                words + ", limit of zero broadening",
            )
        return Prepared(
            lambda level, index, numerics: waves.moments(self.broadening, level, index, numerics),
            words,
            (lambda level, index: waves.excess(0, self.broadening, level, index)) if waves.single else None,
        )


def _limit(waves: WaveSum, fermi_level: float, index: int, numerics: Numerics) -> ZoneMean:
    """Extrapolated in powers of the broadening; where the changes do not fall like powers, they are the error."""
    start = 0.5 * k_B * float(waves.problem.state.temperature[index])
    means = [waves.moments(start / 2**j, fermi_level, index, numerics) for j in range(_STEPS)]
    limit = extrapolate(means)
    *_, before, last = (np.abs(fine.value - coarse.value) for coarse, fine in itertools.pairwise(means))
    noticed = last > np.maximum(limit.error, numerics.rtol * np.abs(limit.value))
    divergent = noticed & (last > _POWER_LAW * before)
    error = np.where(divergent, np.maximum(limit.error, _STEPS * last), limit.error)
    return limit._replace(error=error, converged=limit.converged and not bool(np.any(divergent)))
