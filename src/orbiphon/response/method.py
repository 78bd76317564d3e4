"""What a response method is."""

from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar, NamedTuple

import equinox as eqx
import numpy as np

from orbiphon.errors import InputError
from orbiphon.response.problem import Numerics, Problem
from orbiphon.zone import AbstractIntegrand, ZoneMean

Progress = Callable[[int, int], None]
"""Called with the number of finished states and of all states."""


class PerPhonon(NamedTuple):
    """Moments per phonon: `value` and `error` (wave observable), `converged` (wave,), evaluated `points` in all."""

    value: np.ndarray
    error: np.ndarray
    converged: np.ndarray
    points: int


class Prepared(NamedTuple):
    """A method applied to a problem: `moments(fermi_level, temperature index, Numerics)` of a state, and words.

    `integrand(fermi_level, temperature index)` is there if the moments are one zone mean: it makes maps of the zone.
    `per_phonon(fermi_level, temperature index, Numerics)` is there for drives on the modes of a crystal: what one
    phonon of each wave pumps.
    """

    moments: Callable[[float, int, Numerics], ZoneMean]
    description: str
    integrand: Callable[[float, int], AbstractIntegrand] | None = None
    per_phonon: Callable[[float, int, Numerics], PerPhonon] | None = None


class AbstractMethod(eqx.Module):
    """A road to the response. One file each: `name`, the `orders` it has, and `prepare`.

    `long_wave`: acoustic waves enter by their direction and polarisation only, n and -n alike. `reactive`: there is no
    absorption at second order, so that time reversal, which reverses the waves, is a symmetry (docs/theory.md 5.7).

    `prepare` checks the problem (raising `InputError`) and does what all states share; `solve` then asks for one state
    after the other. The moments are those per cell of the problem's observables.
    """

    name: eqx.AbstractClassVar[str]
    orders: eqx.AbstractClassVar[tuple[int, ...]]
    broadening: eqx.AbstractVar[float]
    long_wave: ClassVar[bool] = False
    reactive: ClassVar[bool] = False

    @abstractmethod
    def prepare(self, problem: Problem) -> Prepared:
        """The problem, ready to be asked for each of its states."""


def check_order(problem: Problem, method: AbstractMethod) -> None:
    """Raise `InputError` if the method does not have the problem's order."""
    if problem.order not in method.orders:
        raise InputError(f"Method `{method.name}` must be asked for order {method.orders}, but is for {problem.order}.")


def with_extra_error(mean: ZoneMean, extra: np.ndarray) -> ZoneMean:
    """The same mean with another part of its error added."""
    return mean._replace(error=mean.error + extra)
