"""The long-wave, low-frequency limit with a broadening that conserves."""

from typing import ClassVar

from orbiphon._checks import check_not_negative
from orbiphon.drives import AbstractModeDrive
from orbiphon.response.first_order import conserving_low_frequency, prepare_first_order
from orbiphon.response.kernels import conserving, conserving_sea, conserving_surface
from orbiphon.response.lattice_waves import lattice_waves, prepare_lattice
from orbiphon.response.limit import at_zero_broadening
from orbiphon.response.long_wave import long_wave, prepare_long_wave
from orbiphon.response.long_wave_many import has_many, prepare_many
from orbiphon.response.method import AbstractMethod, Prepared
from orbiphon.response.problem import Problem
from orbiphon.response.slow_wave import slow


class Adiabatic(AbstractMethod):
    """Every Green's function has the same `broadening` (eV, >= 0): each orbital in contact with a wide-band bath.

    Leading order in wave vector and frequency, for hbar omega << broadening, k_B T and level spacings. Zero broadening
    is the limit: the Fermi sea is evaluated there, the Fermi-surface part, a principal value, extrapolated to it.
    Source: docs/theory.md 5.1 and 5.2; arXiv:2511.11272, (20), (21) for broadening -> 0.
    """

    broadening: float
    name: ClassVar[str] = "adiabatic"
    orders: ClassVar[tuple[int, ...]] = (1, 2)
    long_wave: ClassVar[bool] = True
    reactive: ClassVar[bool] = True

    def __check_init__(self):
        check_not_negative("broadening", self.broadening)

    def prepare(self, problem: Problem) -> Prepared:
        """Long waves, low frequencies."""
        words = "long waves, low frequency, conserving broadening"
        if isinstance(problem.drive, AbstractModeDrive):
            return self._prepare_modes(problem)
        if problem.order == 1:
            return prepare_first_order(problem, conserving_low_frequency, self.broadening, words, long_wave=True)
        if self.broadening > 0.0 and has_many(problem.electrons):
            return prepare_many(problem, self.broadening, f"{words}, zone folded by symmetry")
        if self.broadening > 0.0:
            return prepare_long_wave(long_wave(problem, conserving), self.broadening, words)
        sea = prepare_long_wave(long_wave(problem, conserving_sea), 0.0, "")
        return at_zero_broadening(problem, long_wave(problem, conserving_surface).moments, words, sea.moments)

    def _prepare_modes(self, problem: Problem) -> Prepared:
        """Slow waves of any wave vector, on the modes of a crystal."""
        words = "any wave vector, low frequency, conserving broadening"
        if self.broadening > 0.0:
            return prepare_lattice(problem, slow(conserving), self.broadening, words, reactive=self.reactive)
        sea = prepare_lattice(problem, slow(conserving_sea), 0.0, "", reactive=self.reactive)
        surface = lattice_waves(problem, slow(conserving_surface), reactive=self.reactive)
        return at_zero_broadening(problem, surface.moments, words, sea.moments)
