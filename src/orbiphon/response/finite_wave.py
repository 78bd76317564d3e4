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

from collections.abc import Callable, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Complex, Float

from orbiphon.electrons import TightBinding
from orbiphon.electrons.bloch import BlochSum
from orbiphon.electrons.structure import Steps
from orbiphon.response.integrand import AbstractStateIntegrand
from orbiphon.response.pairs import RESONANT, Jet, close, doubled, jets, over, pair, tripled
from orbiphon.units import k_B

_FEW_BANDS = 3
"""Up to so many, matrices at all k are multiplied element by element; more are left to matrix products."""
Pump = Callable[[Array, Array, Array, Array], Array]
"""M^s (2 wave polarisation band band) from vertex, levels, frequency and broadening, as `pumped`."""
AtWaveVector = tuple[Array, Array, Array]
"""Levels (2 band), eigenvectors (2 orbital band), vertex (wave polarisation above below) at one wave vector."""


class FiniteWave(AbstractStateIntegrand):
    """The integrand: sum_s Tr O M^s for each row of `quanta` and each observable, flattened.

    Modes of one q: `frequency` is that of each `wave`, and each may have several polarisations. `vertex` is g in real
    space for each of them, `observables` are matrices, both between the orbitals in the order of the sectors; `half`
    (dim,) are the phases exp(-i q a_j/2). `pump` makes the M^s: here `pumped`.
    """

    electrons: TightBinding
    vertex: Complex[Array, "wave polarisation cell orbital orbital"]
    observables: Complex[Array, "observable orbital orbital"]
    half: Complex[Array, "dim"]
    quanta: Float[Array, "out wave_polarisation"]
    frequency: Float[Array, "wave"]
    broadening: Float[Array, ""]
    fermi_level: Float[Array, ""]
    temperature: Float[Array, ""]
    steps: Steps = eqx.field(static=True)
    pump: Pump = eqx.field(static=True)

    def prepare(self, phases: Complex[Array, "dim"]) -> AtWaveVector:
        """Levels (side band) and eigenvectors (side orbital band) at k + q/2 and k - q/2, the vertex between them."""
        there, here = (phases * z for z in (self.half, jnp.conj(self.half)))
        levels, vectors = (jnp.stack(both) for both in zip(*map(self.states, (there, here)), strict=True))
        return self.between(here, levels, vectors)

    def between(self, here: Complex[Array, "dim"], levels: Array, vectors: Array) -> AtWaveVector:
        """The same from the states at k + q and k, the phases of k being `here`."""
        bloch, orbitals = BlochSum(self.electrons, self.steps, here), tuple(range(self.electrons.size))
        waves, polarisations = self.vertex.shape[:2]
        every = self.vertex.reshape(waves * polarisations, *self.vertex.shape[2:])
        vertex = jnp.stack([bloch.block(one, orbitals, orbitals) for one in every])
        vertex = vertex if self._diagonal else adjoint(vectors[0]) @ vertex @ vectors[1]
        return levels, vectors, vertex.reshape(waves, polarisations, *vertex.shape[1:])

    def respond(self, prepared: AtWaveVector) -> Float[Array, "component"]:
        """sum_s Tr O M^s, flattened from (out observable)."""
        levels, vectors, vertex = prepared
        unit = 2.0 * np.pi * k_B * self.temperature
        levels, omega, width = ((x / unit) for x in (levels - self.fermi_level, self.frequency, self.broadening))
        matrices = self.pump(vertex, levels, omega, width)
        matrices = matrices.reshape(2, -1, *matrices.shape[3:])
        if not self._diagonal:
            matrices = vectors[:, None] @ matrices @ adjoint(vectors)[:, None]
        total, o, axes = jnp.sum(matrices, axis=0), self.observables, ((1, 2), (1, 2))
        # Tr O M of hermitian matrices
        moments = jnp.tensordot(total.real, o.real, axes) + jnp.tensordot(total.imag, o.imag, axes)
        return (self.quanta @ moments / unit**2).ravel()

    @property
    def _diagonal(self) -> bool:
        """Whether every orbital is an eigenstate."""
        return all(len(sector) == 1 for sector in self.electrons.sectors)

    def states(self, phases: Complex[Array, "dim"]) -> tuple[Float[Array, "band"], Complex[Array, "orbital band"]]:
        """Of all sectors, one after the other."""
        levels, vectors = BlochSum(self.electrons, self.steps, phases).states()
        return jnp.concatenate(levels), jax.scipy.linalg.block_diag(*vectors)


def pumped(
    vertex: Complex[Array, "wave polarisation above below"],
    levels: Float[Array, "2 band"],
    frequency: Float[Array, "wave"],
    broadening: Float[Array, ""],
) -> Complex[Array, "2 wave polarisation band band"]:
    """M^+ and M^- between eigenstates, energies from the Fermi level on and in units of 2 pi k_B T."""
    return _pumped(vertex, levels, frequency, broadening)


@jax.custom_batching.custom_vmap
def _pumped(vertex: Array, levels: Array, frequency: Array, broadening: Array) -> Array:
    return _pumped_at_all(vertex[..., None], levels[..., None], frequency, broadening)[..., 0]


@_pumped.def_vmap
def _mapped(size: int, is_mapped: Sequence[bool], *arguments: Array) -> tuple[Array, bool]:
    """Matrices of few bands at many k: with k as the last axis, which compilers make vector instructions of."""
    vertex, levels, *state = arguments
    if list(is_mapped) == [True, True, False, False] and levels.shape[-1] <= _FEW_BANDS:
        last = (jnp.moveaxis(one, 0, -1) for one in (vertex, levels))
        return jnp.moveaxis(_pumped_at_all(*last, *state), -1, 0), True

    def at_one(vertex: Array, levels: Array, *state: Array) -> Array:
        return _pumped_at_all(vertex[..., None], levels[..., None], *state)[..., 0]

    return jax.vmap(at_one, tuple(0 if along else None for along in is_mapped))(*arguments), True


def _pumped_at_all(
    vertex: Complex[Array, "wave polarisation above below k"],
    levels: Float[Array, "2 band k"],
    frequency: Float[Array, "wave"],
    broadening: Float[Array, ""],
) -> Complex[Array, "2 wave polarisation band band k"]:
    """A loop over s, because XLA would fuse what stands outside of loops into each of its uses."""
    omega = jnp.stack([frequency, -frequency])
    own = stacked(jets(levels[:, None], broadening))
    moved = stacked(jets(levels[:, None] - omega[:, :, None, None], broadening))
    other, other_moved = (jax.tree.map(turned, one) for one in (own, moved))
    sides = (jnp.stack([vertex, _adjoint(vertex)]), omega, own, moved, other, other_moved)
    return lax.map(lambda side: _pumped_at(side, broadening), sides)


def _pumped_at(
    side: tuple[Array, Array, Jet, Jet, Jet, Jet], broadening: Float[Array, ""]
) -> Complex[Array, "wave polarisation b a k"]:
    """M^s with z_a, z_b of `own` and z_c of `other`; `omega` is s omega, moved are z_b - omega and C = z_c + omega.

    Own levels have an axis of length one where moved ones have that of the waves.
    """
    w, omega, own, own_moved, other, other_moved = side
    b, a, c = _column(own), _row(own), _row(other_moved)
    to_b, to_c = pair(b, a), pair(b, c)
    second = doubled(a, b, to_b)
    third = tripled(a, b, second)
    resonant, detuning = close(b, c, RESONANT), b.x - c.x
    far = jnp.where(resonant, 0.0, 1.0 / jnp.where(resonant, 1.0, detuning))  # 1/(a - C)
    reals = far, resonant.astype(float), jnp.where(resonant, -detuning, 0.0)
    weighed = [real.astype(complex)[:, None] * w for real in reals]
    plain, near, slope = (_times_adjoint(w, one) for one in weighed)
    g = to_b[:, None] * plain - _times_adjoint(w * to_c[:, None], weighed[0])
    g = g + second[:, None] * near + third[:, None] * slope

    both = omega.astype(complex)[:, None, None]
    h, h_c = both * pair(own, own_moved), both * pair(other, other_moved)
    opposite = (h[:, :, None] - jnp.conj(h_c)[:, None, :]) * over(detuning, broadening)  # D[b, C*]
    y = to_c - pair(_column(own_moved), _row(other)) - opposite
    t = _times_adjoint(w * y[:, None], w)
    return 0.5j / np.pi * (g - _adjoint(g) - (t + _adjoint(t)) * over(b.x - a.x, broadening)[:, None])


def _column(jet: Jet) -> Jet:
    """Levels (... band k) down the rows of matrices."""
    return jax.tree.map(lambda leaf: leaf[..., :, None, :], jet)


def _row(jet: Jet) -> Jet:
    """Levels (... band k) along the columns of matrices."""
    return jax.tree.map(lambda leaf: leaf[..., None, :, :], jet)


def _adjoint(matrices: Complex[Array, "... a b k"]) -> Complex[Array, "... b a k"]:
    return jnp.conj(jnp.swapaxes(matrices, -3, -2))


def _times_adjoint(
    left: Complex[Array, "... a c k"], right: Complex[Array, "... b c k"]
) -> Complex[Array, "... a b k"]:
    """left right^+ at every k."""
    if left.shape[-2] > _FEW_BANDS:
        return jnp.einsum("...ack,...bck->...abk", left, jnp.conj(right))
    return jnp.sum(left[..., :, None, :, :] * jnp.conj(right)[..., None, :, :, :], axis=-2)


def stacked(sides: Sequence[Jet]) -> Jet:
    """The jets of both sides in one."""
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *sides)


def turned(sides: Array) -> Array:
    """The two sides exchanged."""
    return sides[::-1]


def _transposed(matrices: Array) -> Array:
    return jnp.swapaxes(matrices, -1, -2)


def adjoint(matrices: Complex[Array, "... a b"]) -> Complex[Array, "... b a"]:
    """Conjugate and transposed."""
    return jnp.conj(_transposed(matrices))
