"""Sums over levels that serve every Fermi level and temperature at once.

What a response takes from the state of the electrons is h(e) = phi((e - mu)/(2 pi k_B T)) of `pairs`, its derivative
and its divided differences, all linear. h has its nearest pole pi k_B T + Gamma above e = mu. Let X be the middle of a
cell of energies, d its distance from the nearest pole of any state, and t = (e - X)/d. Close to X

    h(e) = sum_n a_n t^n,    a_n = h^(n)(X) d^n/n!,    |a_n| no more than |h| near the pole,

so that a sum over levels sum_l c_l h(e_l) = sum_cells sum_n a_n M_n with moments M_n = sum_l c_l t_l^n, which do not
know the state. Of two levels close to X the divided differences are those of t^n: complete homogeneous symmetric
polynomials, which need no quotient,

    h[b, c] = (1/d) sum_n a_n p_(n-1)(t_b, t_c),    p_n(.., y) = p_n(..) + y p_(n-1)(.., y),    p_n(x) = x^n.

Cells are as wide as `_WIDTH` d. Between the lowest and the highest Fermi level d is constant; beyond them cells widen
with their distance, so that their number grows with the logarithm of the width of the bands.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float, Int
from scipy.special import digamma

from orbiphon.units import k_B

_WIDTH = 0.2
CLOSE = 0.17
"""Of d: levels whose series in t converge."""
ORDER = 12
"""Of these series: their errors are CLOSE^(ORDER + 1) = 1e-10 at worst."""
_CIRCLE, _RADIUS = 32, 0.4  # points, and d: a_n has a relative error of 0.4^32
_ROUND = 256  # cells: one compiled program serves many broadenings


class EnergyCells(eqx.Module):
    """Cells for levels from `-reach` to `reach` (eV) and `states` (state 2): Fermi levels in eV, temperatures in K."""

    lowest: Float[Array, ""]
    highest: Float[Array, ""]
    nearest: Float[Array, ""]
    start: Float[Array, ""]
    count: int = eqx.field(static=True)

    def __init__(self, states: Float[np.ndarray, "state 2"], broadening: float, reach: float):
        nearest = np.pi * k_B * np.min(states[:, 1]) + broadening
        low, high = np.min(states[:, 0]), np.max(states[:, 0])
        self.lowest, self.highest, self.nearest = (jnp.asarray(x, dtype=float) for x in (low, high, nearest))
        below, above = (float(self._place(jnp.asarray(x, dtype=float))) for x in (-reach, reach))
        self.start = jnp.asarray(below, dtype=float)
        self.count = _ROUND * int(np.ceil((above - below + 1.0) / _ROUND))

    def find(self, e: Float[Array, "..."]) -> Int[Array, "..."]:
        """The cell of each energy."""
        return jnp.clip(jnp.floor(self._place(e) - self.start), 0, self.count - 1).astype(jnp.int32)

    def middle(self, cell: Int[Array, "..."]) -> Float[Array, "..."]:
        """X, in eV."""
        place = _WIDTH * (self.start + cell.astype(float) + 0.5)
        inside = (self.highest - self.lowest) / self.nearest
        beyond = jnp.minimum(place, 0.0) + jnp.maximum(place - inside, 0.0)
        return self.lowest + self.nearest * (jnp.clip(place, 0.0, inside) + jnp.sinh(beyond))

    def distance(self, middle: Float[Array, "..."]) -> Float[Array, "..."]:
        """d, in eV."""
        return jnp.hypot(self._beyond(middle), self.nearest)

    def series(
        self, states: Float[np.ndarray, "state 2"], broadening: float, cell: Int[np.ndarray, "cell"]
    ) -> Complex[np.ndarray, "n state cell"]:
        """The a_n for every state in some cells, by Cauchy's integrals around X."""
        middle, distance = (np.asarray(x) for x in _middles(self))
        middle, distance = middle[cell], distance[cell]
        fermi_level, unit = states[:, 0][:, None], 2.0 * np.pi * k_B * states[:, 1][:, None]
        turns = np.exp(2j * np.pi * np.arange(_CIRCLE) / _CIRCLE)
        values = [
            digamma(0.5 + (broadening + 1j * (middle + _RADIUS * distance * z - fermi_level)) / unit) for z in turns
        ]
        scaled = np.fft.fft(np.stack(values), axis=0)[: ORDER + 1] / _CIRCLE
        return scaled / _RADIUS ** np.arange(ORDER + 1)[:, None, None]

    def _place(self, e: Float[Array, "..."]) -> Float[Array, "..."]:
        """In units of cells, not from `start` but from the lowest Fermi level on."""
        inside = (jnp.clip(e, self.lowest, self.highest) - self.lowest) / self.nearest
        return (inside + jnp.arcsinh(self._beyond(e) / self.nearest)) / _WIDTH

    def _beyond(self, e: Float[Array, "..."]) -> Float[Array, "..."]:
        """Above the highest or, negative, below the lowest Fermi level."""
        return jnp.minimum(e - self.lowest, 0.0) + jnp.maximum(e - self.highest, 0.0)


@eqx.filter_jit
def _middles(cells: EnergyCells) -> tuple[Float[Array, "cell"], Float[Array, "cell"]]:
    middle = cells.middle(jnp.arange(cells.count))
    return middle, cells.distance(middle)
