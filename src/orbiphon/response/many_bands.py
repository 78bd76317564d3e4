"""The conserving long-wave second order for many bands: matrix products of pair tables in place of a sum over triples.

With W = gamma, and once more with W = gamma^+ and the opposite sign (`second_order`), the pumped density matrix is

    M_ba = sum_c W_bc W*_ac K'(a, b, c),
    K'   = -(1/pi) Im H[a, b, c, c] - (i/2 pi) (H'[b, c, a*] - H'[b, c*, a*]),

`conserving` of `kernels` in the notation of `finite_wave`. In the sea, with P_xc = H[x, c, c] and Q_xc = H[x, x, c, c],

    H[a, b, c, c] = (P_bc - P_ac)/(b - a),    or  (Q_ac + Q_bc)/2  where a and b are close,

and only imaginary parts count: with z = (W . Im P) W^+ and v = (W . Im Q) W^+, a dot for the product by elements,

    sea_ba = -(1/pi) { (z - z^+)_ba/(b - a),  or  (v + v^+)_ba/2 }.

In the surface no denominator is small: with Y_bc = H'[b, c] - (H'(b) - H'(c)*)/(b - c*) and T = (W . Y) W^+,

    surface_ba = -(i/2 pi) (T + T^+)_ba/(b - a*).

Degenerate levels need no special case. The eigensystem at a k serves all states, that is Fermi levels, temperatures and
broadenings. Energies are in units of 2 pi k_B T, and H is phi of `pairs`.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Complex, Float

from orbiphon.electrons import TightBinding
from orbiphon.electrons.bloch import BlochSum
from orbiphon.electrons.structure import Steps
from orbiphon.response.finite_wave import adjoint
from orbiphon.response.integrand import AbstractStateIntegrand
from orbiphon.response.pairs import RESONANT, close, doubled, jets, opposed, over, pair
from orbiphon.units import k_B


class ManyBands(AbstractStateIntegrand):
    """The integrand sum_abc O_ab [...] K' of `second_order`, flattened from (state polarisation observable).

    `strain` is gamma in real space for each polarisation; `states` (state 3) are broadening and Fermi level in eV and
    temperature in kelvin.
    """

    electrons: TightBinding
    strain: Complex[Array, "polarisation cell orbital orbital"]
    observables: Complex[Array, "observable orbital orbital"]
    states: Float[Array, "state 3"]
    steps: Steps = eqx.field(static=True)

    @property
    def broadening(self) -> Float[Array, ""]:
        """The smallest of all states, in eV."""
        return jnp.min(self.states[:, 0])

    @property
    def temperature(self) -> Float[Array, ""]:
        """The lowest of all states, in kelvin."""
        return jnp.min(self.states[:, 2])

    def prepare(self, phases: Complex[Array, "dim"]) -> tuple[Array, Array, Array]:
        """Levels (band,), and strains and observables between eigenstates."""
        bloch, orbitals = BlochSum(self.electrons, self.steps, phases), tuple(range(self.electrons.size))
        levels, vectors = jnp.linalg.eigh(bloch.block(self.electrons.hopping, orbitals, orbitals))
        strain = jnp.stack([bloch.block(strain, orbitals, orbitals) for strain in self.strain])
        return levels, *(adjoint(vectors) @ x @ vectors for x in (strain, self.observables))

    def respond(self, prepared: tuple[Array, Array, Array]) -> Float[Array, "component"]:
        """Re Tr O M for every state."""
        levels, strain, observables = prepared

        def moments(state: Float[Array, "3"]) -> Float[Array, "polarisation observable"]:
            unit = 2.0 * np.pi * k_B * state[2]
            matrices = pumped_long((levels - state[1]) / unit, strain, state[0] / unit)
            return jnp.real(jnp.einsum("oab,pba->po", observables, matrices)) / unit**3

        return lax.map(moments, self.states).ravel()


def pumped_long(
    levels: Float[Array, "band"], strain: Complex[Array, "polarisation b c"], broadening: Float[Array, ""]
) -> Complex[Array, "polarisation band band"]:
    """M[gamma] - M[gamma^+] between eigenstates; energies from the Fermi level on and in units of 2 pi k_B T."""
    (own,) = jets([levels], broadening, order=5)
    slope = own.derivative
    sea_pair = doubled(own.row, own.column, pair(own.row, own.column))  # H[c, c, x]
    both = opposed(own.column, own.row, sea_pair.T, sea_pair)
    difference = levels[:, None] - levels[None, :]
    gap = over(difference, broadening)  # 1/(b - a*)
    y = pair(slope.column, slope.row) - (own.slope[:, None] - jnp.conj(own.slope)[None, :]) * gap
    near = close(own.column, own.row, RESONANT)
    far = jnp.where(near, 0.0, 1.0 / jnp.where(near, 1.0, difference)).astype(complex)
    half = jnp.where(near, 0.5, 0.0).astype(complex)
    p, q, y = lax.optimization_barrier((sea_pair.imag.astype(complex), both.imag.astype(complex), y))

    w = jnp.stack([strain, adjoint(strain)])
    far, half, gap, *tables = (table[None, None] for table in (far, half, gap, p, q, y))
    z, v, t = ((w * table) @ adjoint(w) for table in tables)
    sea = -((z - adjoint(z)) * far + (v + adjoint(v)) * half) / np.pi
    surface = -0.5j / np.pi * (t + adjoint(t)) * gap
    total = sea + surface
    return total[0] - total[1]
