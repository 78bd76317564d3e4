"""Second order in the displacement at any wave vector and frequency: the moment per phonon as a mean over the zone.

The formula is that of docs/theory.md 5.3. With k shifted, every k needs the states 1 at k - q/2 and 2 at k + q/2 only,
and one vertex g between them:

    m_q[O] = 1/(2 M omega) (1/N) sum_k sum_{s = +-1} Tr O M^s,
    M^s_ba = sum_c W_bc W*_ac K(e_a, e_b, e_c; s omega),
    s = +1: a, b in 2, c in 1, W = g;    s = -1: a, b in 1, c in 2, W = g^+,

where M is the density matrix that one phonon pumps, and any number of observables is as cheap as one. (The mesh is
symmetric in k, so that what time reversal cancels between k and -k cancels on it to rounding.)

**From K to matrix products.** Let a, b stand for the poles z_a, z_b below the axis, C = z_c + omega, and let D be the
divided difference of H(z) - H(z - omega), as H is that of H. Then

    K = -(1/pi) Im H[a, b, C] - (i/2 pi) (D[b, C, a*] - D[b, C*, a*]).

In the second term no denominator b - a* = e_b - e_a - 2 i Gamma or b - C* is small. With
Y_bc = D[b, C] - D[b, C*], functions of pairs,

    D[b, C, a*] - D[b, C*, a*] = (Y_bc + Y*_ac)/(b - a*),    sum_c W_bc W*_ac (...) = (T + T^+)_ba/(b - a*),
    T = (W.Y) W^+,

a dot for the product element by element. In the first term the denominator is that of a and C, unless they resonate:

    H[a, b, C] = (H[a, b] - H[b, C])/(a - C),    or  H[a, a, b] + (C - a) H[a, a, a, b],

again pairs, so that G_ba = sum_c W_bc W*_ac H[a, b, C] is a few matrix products, and the term is (i/2 pi) (G - G^+)_ba.
Degenerate levels need no special case, and the result does not depend on the basis chosen among them.

Exchanging the two sides turns omega into -omega, D[b, C] into -D[C, b] and D[b, C*] into -D[C, b*]*.
All energies below are in units of 2 pi k_B T, and H is phi of `pairs`.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Complex, Float

from orbiphon.electrons import TightBinding
from orbiphon.electrons.bloch import BlochSum
from orbiphon.electrons.structure import Steps
from orbiphon.response.pairs import RESONANT, Jet, close, doubled, jet, pair, scaled
from orbiphon.units import k_B
from orbiphon.zone import AbstractIntegrand


class Side(eqx.Module):
    """Levels and eigenvectors (orbital band) at one end of the vertex."""

    levels: Float[Array, "band"]
    vectors: Complex[Array, "orbital band"]


class FiniteWave(AbstractIntegrand):
    """The integrand: sum_s Tr O M^s for each row of `quanta` and each observable, flattened.

    `vertex` is g in real space for each polarisation, `observables` are matrices, both between the orbitals in the
    order of the sectors; `half` (dim,) are the phases exp(-i q a_j/2).
    """

    electrons: TightBinding
    vertex: Complex[Array, "polarisation cell orbital orbital"]
    observables: Complex[Array, "observable orbital orbital"]
    half: Complex[Array, "dim"]
    quanta: Float[Array, "out polarisation"]
    frequency: Float[Array, ""]
    broadening: Float[Array, ""]
    fermi_level: Float[Array, ""]
    temperature: Float[Array, ""]
    steps: Steps = eqx.field(static=True)

    def prepare(self, phases: Complex[Array, "dim"]) -> tuple[Side, Side, Complex[Array, "polarisation above below"]]:
        """States at k - q/2 and at k + q/2, and the vertex between them."""
        here, there = (BlochSum(self.electrons, self.steps, phases * z) for z in (jnp.conj(self.half), self.half))
        below, above = _side(here, self.electrons), _side(there, self.electrons)
        orbitals = tuple(range(self.electrons.size))
        blocks = jnp.stack([here.block(vertex, orbitals, orbitals) for vertex in self.vertex])
        if not _trivial(self.electrons):
            blocks = jnp.conj(above.vectors).T @ blocks @ below.vectors
        return below, above, blocks

    def respond(
        self, prepared: tuple[Side, Side, Complex[Array, "polarisation above below"]]
    ) -> Float[Array, "component"]:
        """sum_s Tr O M^s, flattened from (out observable)."""
        below, above, vertex = prepared
        unit = 2.0 * np.pi * k_B * self.temperature
        x_1, x_2 = ((side.levels - self.fermi_level) / unit for side in (below, above))
        forward, backward = pumped(vertex, x_2, x_1, self.frequency / unit, self.broadening / unit)
        if not _trivial(self.electrons):
            forward, backward = (
                side.vectors @ m @ jnp.conj(side.vectors).T for side, m in ((above, forward), (below, backward))
            )
        matrix = scaled(1.0 / unit**2, forward + backward)
        # Tr O M; both are hermitian
        o = self.observables
        moments = jnp.tensordot(matrix.real, o.real, ((1, 2), (1, 2))) + jnp.tensordot(
            matrix.imag, o.imag, ((1, 2), (1, 2))
        )
        return (self.quanta @ moments).ravel()


def pumped(
    vertex: Complex[Array, "polarisation above below"],
    above: Float[Array, "above"],
    below: Float[Array, "below"],
    frequency: Float[Array, ""],
    broadening: Float[Array, ""],
) -> tuple[Complex[Array, "polarisation above above"], Complex[Array, "polarisation below below"]]:
    """M^+ and M^- between eigenstates, energies from the Fermi level on and in units of 2 pi k_B T."""
    # The barriers keep XLA from computing a table once more for each of its uses.
    levels = above, above - frequency, below, below + frequency
    up, up_less, down, down_more = lax.optimization_barrier([jet(x, broadening) for x in levels])
    to_below, to_above = pair(up.column, down_more.row), pair(up_less.column, down.row)  # H[2, 1 + w], H[2 - w, 1]
    # h(z) = H(z) - H(z - w) at the poles 2 and 1 + w, without cancellation at small w
    h_up, h_down = (scaled(frequency, pair(*jets)) for jets in ((up, up_less), (down_more, down)))
    detuning = above[:, None] - below[None, :] - frequency
    same = to_below - to_above  # D[b, C]
    opposite = (h_up[:, None] - jnp.conj(h_down)[None, :]) * _over(detuning, broadening)  # D[b, C*]
    resonant = close(up.column, down_more.row, RESONANT)
    tables = to_below, to_above, same - opposite, jnp.conj(opposite) - same
    to_below, to_above, y, reverse = lax.optimization_barrier(tables)
    forward = _pumped(vertex, up, to_below, y, detuning, resonant, broadening)
    backward = _pumped(_adjoint(vertex), down, to_above.T, reverse.T, -detuning.T, resonant.T, broadening)
    return forward, backward


def _pumped(
    w: Complex[Array, "polarisation a c"],
    jet_a: Jet,
    to_c: Complex[Array, "a c"],
    y: Complex[Array, "a c"],
    detuning: Float[Array, "a c"],
    resonant: Bool[Array, "a c"],
    broadening: Float[Array, ""],
) -> Complex[Array, "polarisation a a"]:
    """M_ba = (i/2 pi) [(G - G^+)_ba - (T + T^+)_ba/(e_b - e_a - 2 i Gamma)]."""
    to_b = pair(jet_a.column, jet_a.row)
    to_b, second, third = lax.optimization_barrier((to_b, *doubled(jet_a.column, jet_a.row, to_b)))
    zero = jnp.zeros_like(detuning)
    far = jnp.where(resonant, zero, 1.0 / jnp.where(resonant, 1.0, detuning))  # 1/(a - C)
    adjoints = [
        _adjoint(scaled(part[None], w)) for part in (far, resonant.astype(float), jnp.where(resonant, -detuning, zero))
    ]
    plain, near, slope = (w @ adjoint for adjoint in adjoints)
    g = to_b[None] * plain - (w * to_c[None]) @ adjoints[0] + second.T[None] * near + third.T[None] * slope
    t = (w * y[None]) @ _adjoint(w)
    m = g - _adjoint(g) - (t + _adjoint(t)) * _over(jet_a.x[:, None] - jet_a.x[None, :], broadening)[None]
    return 0.5j / np.pi * m


def _over(difference: Float[Array, "a b"], broadening: Float[Array, ""]) -> Complex[Array, "a b"]:
    """1/(difference - 2 i broadening)."""
    scale = 1.0 / (difference**2 + 4.0 * broadening**2)
    return lax.complex(difference * scale, 2.0 * broadening * scale)


def _adjoint(matrices: Complex[Array, "... a b"]) -> Complex[Array, "... b a"]:
    return jnp.conj(jnp.swapaxes(matrices, -1, -2))


def _trivial(electrons: TightBinding) -> bool:
    """Whether every orbital is an eigenstate."""
    return all(len(sector) == 1 for sector in electrons.sectors)


def _side(bloch: BlochSum, electrons: TightBinding) -> Side:
    """All states together, sector by sector."""
    levels, vectors = bloch.states()
    return Side(jnp.concatenate(levels), jax.scipy.linalg.block_diag(*vectors))
