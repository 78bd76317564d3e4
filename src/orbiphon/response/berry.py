"""The Berry curvature in the space of displacements."""

from typing import ClassVar

from orbiphon.drives import AbstractModeDrive
from orbiphon.response.kernels import berry
from orbiphon.response.lattice_waves import prepare_lattice
from orbiphon.response.long_wave import long_wave, prepare_long_wave
from orbiphon.response.method import AbstractMethod, Prepared
from orbiphon.response.problem import Problem
from orbiphon.response.slow_wave import slow


class Berry(AbstractMethod):
    """(19): the change of the electrons' displacement-space Berry curvature with a Zeeman field that couples to O.

    Long waves with broadening << hbar omega << level spacings: occupations stay what they are while the lattice moves.
    `Adiabatic` is the other limit, hbar omega << broadening; for broadening -> 0 the two agree if the coupling has no
    elements within a band (docs/theory.md 5.4). Where bands cross within a few k_B T of the Fermi level the sum over
    the zone has poles and does not converge; the answer is then flagged, and a map of the zone still has its meaning.
    The sum is adaptive: gaps as small as the model has them are resolved.
    """

    broadening: ClassVar[float] = 0.0
    name: ClassVar[str] = "berry"
    orders: ClassVar[tuple[int, ...]] = (2,)
    long_wave: ClassVar[bool] = True
    reactive: ClassVar[bool] = True

    def prepare(self, problem: Problem) -> Prepared:
        """Long waves; on the modes of a crystal, slow waves of any wave vector."""
        if isinstance(problem.drive, AbstractModeDrive):
            words = "any wave vector, broadening << frequency << level spacings, Berry curvature"
            return prepare_lattice(problem, slow(berry), 0.0, words, reactive=self.reactive)
        words = "long waves, broadening << frequency << level spacings, Berry curvature"
        return prepare_long_wave(long_wave(problem, berry, resonant=True), 0.0, words)
