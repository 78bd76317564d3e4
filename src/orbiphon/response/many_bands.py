"""The conserving long-wave second order for many bands and states: weights that states share, and tables of pairs.

With W = gamma, and once more with W = gamma^+ and the opposite sign (`second_order`), the moment at one k is

    Re sum_abc O_ab W_bc W*_ac K'(a, b, c),
    K' = -(1/pi) Im H[a, b, c, c] - (i/2 pi) (H'[b, c, a*] - H'[b, c*, a*]),

`conserving` of `kernels` in the notation of `finite_wave`. What depends on the Fermi level and the temperature can be
written with two levels at a time: with P_xc = H[x, c, c] and Q_xc = H[x, x, c, c],

    H[a, b, c, c] = (P_bc - P_ac)/(b - a),    or  (Q_ac + Q_bc)/2  where a and b are close,
    H'[b, c, a*] - H'[b, c*, a*] + (likewise, conjugate) = 2 Y_bc/(b - a*) + ...,
    Y_bc = H'[b, c] - (H'(b) - H'(c)*)/(b - c*).

The sum over a does not: with X' standing for the real and X'' for the imaginary part of X,

    moment = (1/pi) sum_bc { Y'_bc G''_bc + Y''_bc G'_bc - 2 P''_bc A_bc - 2 Q''_bc B_bc },
    G_bc = W_bc sum_a W*_ac O_ab/(b - a*),
    A_bc = Re W_bc sum_a W*_ac O_ab/(b - a)  over far a,    B_bc = Re W_bc sum_a W*_ac O_ab/2  over close ones.

Degenerate levels need no special case. In sums over k even the tables of pairs are avoided: `energy_moments` collects
what levels add to cells of energies, once for all Fermi levels and temperatures. H is phi of `pairs`.
"""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Complex, Float

from orbiphon.electrons import TightBinding
from orbiphon.electrons.bloch import BlochSum
from orbiphon.electrons.structure import Steps
from orbiphon.response.energy_cells import ORDER, EnergyCells
from orbiphon.response.energy_moments import energy_moments
from orbiphon.response.finite_wave import adjoint
from orbiphon.response.integrand import AbstractStateIntegrand
from orbiphon.response.pairs import RESONANT, doubled, jets, opposed, over, pair
from orbiphon.units import k_B

_FEW = 64  # wave vectors at a time, so that their pairs stay in the caches


class ManyBands(AbstractStateIntegrand):
    """The integrand sum_abc O_ab [...] K' of `second_order`, flattened from (state polarisation observable).

    `strain` is gamma in real space for each polarisation; `states` (state 2) are Fermi levels in eV and temperatures in
    kelvin.
    """

    electrons: TightBinding
    strain: Complex[Array, "polarisation cell orbital orbital"]
    observables: Complex[Array, "observable orbital orbital"]
    broadening: Float[Array, ""]
    states: Float[Array, "state 2"]
    cells: EnergyCells
    steps: Steps = eqx.field(static=True)

    @property
    def temperature(self) -> Float[Array, ""]:
        """The lowest of all states, in kelvin."""
        return jnp.min(self.states[:, 1])

    def prepare(self, phases: Complex[Array, "dim"]) -> tuple[Array, Array]:
        """Levels (band,) and `pair_weights`."""
        bloch, orbitals = BlochSum(self.electrons, self.steps, phases), tuple(range(self.electrons.size))
        levels, vectors = jnp.linalg.eigh(bloch.block(self.electrons.hopping, orbitals, orbitals))
        strain = jnp.stack([bloch.block(strain, orbitals, orbitals) for strain in self.strain])
        strain, moment = (adjoint(vectors) @ x @ vectors for x in (strain, self.observables))
        return levels, pair_weights(levels, strain, moment, self.broadening, self.temperature)

    def respond(self, prepared: tuple[Array, Array]) -> Float[Array, "component"]:
        """The moments of every state."""
        levels, weights = prepared

        def moments(state: Float[Array, "2"]) -> Float[Array, "polarisation observable"]:
            tables = lax.optimization_barrier(pair_tables(levels, self.broadening, state[0], state[1]))
            return jnp.einsum("poxbc,xbc->po", weights, tables)

        return lax.map(moments, self.states).ravel()

    def block_sums(
        self, phases: Complex[Array, "dim point"], weight: Float[Array, "point"]
    ) -> Float[Array, "2 moment"]:
        """Moments of the cells, twice."""
        levels, weights = lax.optimization_barrier(jax.vmap(self.prepare, in_axes=1)(phases))
        points, bands = levels.shape
        weights = weight[:, None, None, None, None] * weights.reshape(points, -1, 4, bands, bands)

        def add(total: Array, part: tuple[Array, Array]) -> tuple[Array, None]:
            levels, weights = lax.optimization_barrier((part[0].T, jnp.moveaxis(part[1], 0, -1)))  # wave vectors last
            return total + energy_moments(self.cells, levels, weights, self.broadening).ravel(), None

        few = math.gcd(points, _FEW)
        parts = (x.reshape(-1, few, *x.shape[1:]) for x in (levels, weights))
        total = jnp.zeros(self.cells.count * (ORDER + 1) * 2 * weights.shape[1])
        found, _ = lax.scan(add, total, tuple(parts))
        return jnp.stack([found, found])

    def finished(self, sums: Float[np.ndarray, "2 moment"]) -> Float[np.ndarray, "2 component"]:
        """The moments of every state, and the sum of the moduli of what cells add to them."""
        moments = sums[0].reshape(self.cells.count, ORDER + 1, 2, -1)  # (cell n part component)
        used = np.flatnonzero(np.any(moments != 0.0, axis=(1, 2, 3)))
        series = self.cells.series(np.asarray(self.states), float(self.broadening), used)
        parts = np.stack([np.real(series), np.imag(series)])  # (part n state cell)
        found = np.einsum("jnpc,pnsj->jsc", moments[used], parts)
        return np.stack([np.sum(found, axis=0).ravel(), np.sum(np.abs(found), axis=0).ravel()])


def pair_weights(
    levels: Float[Array, "band"],
    strain: Complex[Array, "polarisation b c"],
    moment: Complex[Array, "observable a b"],
    broadening: Float[Array, ""],
    temperature: Float[Array, ""],
) -> Float[Array, "polarisation observable 4 b c"]:
    """G'', G', A and B with their factors, W = gamma less W = gamma^+; for states of `temperature` and above."""
    difference = levels[:, None] - levels[None, :]  # b - a
    near = jnp.abs(difference) < RESONANT * (broadening + np.pi * k_B * temperature)
    far = jnp.where(near, 0.0, 1.0 / jnp.where(near, 1.0, difference)).astype(complex)
    over_a = jnp.stack([over(difference, broadening), far, jnp.where(near, 0.5, 0.0).astype(complex)])
    turned = jnp.swapaxes(moment, 1, 2)[:, None] * over_a[None]  # (observable 3 b a)

    def weights(w: Complex[Array, "polarisation b c"]) -> Float[Array, "polarisation observable 4 b c"]:
        g, a, b = jnp.moveaxis(w[:, None, None] * (turned[None] @ jnp.conj(w)[:, None, None]), 2, 0)
        return jnp.stack([g.imag, g.real, -2.0 * a.real, -2.0 * b.real], axis=2) / np.pi

    return weights(strain) - weights(adjoint(strain))


def pair_tables(
    levels: Float[Array, "band"],
    broadening: Float[Array, ""],
    fermi_level: Float[Array, ""],
    temperature: Float[Array, ""],
) -> Float[Array, "4 b c"]:
    """Y', Y'', P'' and Q'', in 1/eV^2 and the last in 1/eV^3."""
    unit = 2.0 * np.pi * k_B * temperature
    x, gamma = (levels - fermi_level) / unit, broadening / unit
    own, _ = jets([x, x], gamma, order=5)  # XLA undoes a loop over one set
    slope, b, c = own.derivative, own.column, own.row
    p_transposed = doubled(c, b, pair(c, b))  # H[c, c, b] as (b, c)
    q = opposed(b, c, p_transposed.T, p_transposed)
    y = pair(slope.column, slope.row) - (own.slope[:, None] - jnp.conj(own.slope)[None, :]) * over(
        x[:, None] - x[None, :], gamma
    )
    return jnp.stack([y.real, y.imag, p_transposed.imag, q.imag / unit]) / unit**2
