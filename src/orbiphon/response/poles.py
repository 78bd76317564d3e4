"""The Fermi function as a sum of few simple poles.

    f(x) = 1/(e^x + 1) = 1/2 - sum_p R_p [1/(x - i xi_p) + 1/(x + i xi_p)],        x = (e - mu)/k_B T.

Matsubara's poles have xi_p = (2p - 1) pi and R_p = 1 and converge as 1/p. Cutting the continued fraction of tanh x/2
gives 1/xi_p as the positive eigenvalues of the tridiagonal 2P x 2P matrix B_{j,j+1} = 1/(2 sqrt(4 j^2 - 1)), and
R_p = (first component of the eigenvector)^2 xi_p^2/4. The lowest poles are Matsubara's; the others are spread so that P
of them reach |x| of the order P^2 with an accuracy that improves exponentially. Beyond that, f tends to 1/2.

Source: T. Ozaki, Phys. Rev. B 75, 035123 (2007); C. Karrasch et al., Phys. Rev. B 82, 125114 (2010).
"""

import functools
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from orbiphon._checks import check_positive
from orbiphon.errors import InputError

_MOST = 400
_PROBES = 2001


class FermiPoles(NamedTuple):
    """`height` xi_p and `residue` R_p, (pole,), without unit."""

    height: Float[np.ndarray, "pole"]
    residue: Float[np.ndarray, "pole"]

    def __call__(self, x: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """The sum of poles at real x."""
        x = np.asarray(x, dtype=float)[..., None]
        return 0.5 - np.sum(2.0 * self.residue * x / (x**2 + self.height**2), axis=-1)


def fermi_poles(reach: float, accuracy: float) -> FermiPoles:
    """The fewest poles that give f(x) to `accuracy` (absolute) for all |x| <= `reach`. Raises `InputError`."""
    check_positive("reach", reach)
    check_positive("accuracy", accuracy)
    x = np.linspace(0.0, reach, _PROBES)
    exact = 0.5 * (1.0 - np.tanh(x / 2.0))
    low, high = 0, 1
    while not _good(high, x, exact, accuracy):
        if high >= _MOST:
            raise InputError(
                f"Argument `temperature` must be high enough for {_MOST} poles of the Fermi function, but the levels "
                f"reach {reach:.3g} k_B T from the Fermi level. Raise the temperature, or ask for less accuracy."
            )
        low, high = high, min(2 * high, _MOST)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _good(middle, x, exact, accuracy) else (middle, high)
    return _poles(high)


def _good(count: int, x: np.ndarray, exact: np.ndarray, accuracy: float) -> bool:
    return bool(np.max(np.abs(_poles(count)(x) - exact)) <= accuracy)


@functools.cache
def _poles(count: int) -> FermiPoles:
    j = np.arange(1.0, 2 * count)
    beside = 0.5 / np.sqrt(4.0 * j**2 - 1.0)
    inverse, vectors = np.linalg.eigh(np.diag(beside, 1) + np.diag(beside, -1))
    upper = slice(None, count - 1, -1)  # the positive ones, from the largest down
    return FermiPoles(1.0 / inverse[upper], vectors[0, upper] ** 2 / (4.0 * inverse[upper] ** 2))
