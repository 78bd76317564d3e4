"""Linear response at any wave vector and frequency."""

from typing import ClassVar

from orbiphon._checks import check_not_negative
from orbiphon.response.first_order import conserving, prepare_first_order
from orbiphon.response.method import AbstractMethod, Prepared
from orbiphon.response.problem import Problem


class Kubo(AbstractMethod):
    """First order at the wave's own q and omega, with the same `broadening` (eV, >= 0) in every Green's function.

    Resonances lie at hbar omega = |e_a(k+q) - e_b(k)|. Zero broadening is the limit, (S84) of arXiv:2511.11272.
    """

    broadening: float
    name: ClassVar[str] = "kubo"
    orders: ClassVar[tuple[int, ...]] = (1,)

    def __check_init__(self):
        check_not_negative("broadening", self.broadening)

    def prepare(self, problem: Problem) -> Prepared:
        """The exact vertex between states at k and k + q."""
        words = "linear response at finite q and frequency, conserving broadening"
        return prepare_first_order(problem, conserving, self.broadening, words, long_wave=False)
