"""Second order in the displacement, long waves: the moment per phonon as a mean over the zone.

For a wave u = Re{U e exp(i q r - i omega t)} the static response of any observable O is (docs/theory.md 5.3)

    <O> = |U|^2/4 (1/N) sum_k sum_{s = +-1} sum_abc O_ab W^s_bc (W^s_ac)* K(e_a, e_b, e_c; s omega),
    W^+ = g(k - q, q),    W^- = g(k, q)^dagger.

One quantum has |U|^2 = 2 hbar/(N M omega). A long wave couples through the strain, g(k, q) = q gamma(k), so in the
limit of small q and omega, with K(s omega) = K(0) + s omega K'(0) and K(0) silent for O odd under time reversal,

    m_q[O] = q^2/(2M) (1/N) sum_k sum_abc O_ab [gamma_bc gamma*_ac - gamma*_cb gamma_ca] K'(e_a, e_b, e_c).

A method is one choice of K'. In the paper's model the sum is -8 (t_sigma - t_pi)^2 lambda sum_k K'(e_y, e_z, e_x), and
-K' is A_k, its (21).
"""

import dataclasses
import itertools
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from orbiphon.electrons import TightBinding
from orbiphon.electrons.bloch import BlochSum, lattice_steps, rotated
from orbiphon.electrons.structure import Steps
from orbiphon.response.integrand import AbstractStateIntegrand
from orbiphon.response.weighing import weighing

States = tuple[list[Array], list[Array]]
Triple = tuple[int, int, int]
Kernel = Callable[[Array, Array, Array, Array, Array, Array], Array]
"""K'(e_a, e_b, e_c, broadening, fermi_level, temperature) in 1/eV^3, elementwise, obeying K'_ba = K'_ab*."""


class SecondOrder(AbstractStateIntegrand):
    """The integrand: sum_abc ... K' at one k for each row of `quanta` and each observable, flattened.

    `strain` is gamma in real space for each polarisation. `steps` and `triples` describe the form of the model, and are
    found by `second_order`.
    """

    electrons: TightBinding
    strain: Complex[Array, "polarisation cell orbital orbital"]
    observables: Complex[Array, "observable orbital orbital"]
    quanta: Float[Array, "out polarisation"]
    broadening: Float[Array, ""]
    fermi_level: Float[Array, ""]
    temperature: Float[Array, ""]
    kernel: Kernel = eqx.field(static=True)
    steps: Steps = eqx.field(static=True)
    triples: tuple[Triple, ...] = eqx.field(static=True)

    def prepare(self, phases: Complex[Array, "dim"]) -> tuple[list[Array], list[Array]]:
        """Levels of each sector; weights (out observable a b c) of each triple."""
        bloch = BlochSum(self.electrons, self.steps, phases)
        states = bloch.states()
        return states[0], [self._summed(self.weight(bloch, states, triple)) for triple in self.triples]

    def respond(self, prepared: tuple[list[Array], list[Array]]) -> Float[Array, "component"]:
        """sum_abc Re(weight K'), flattened from (out observable)."""
        levels, weights = prepared
        terms = [self._term(levels, *term) for term in zip(self.triples, weights, strict=True)]
        if len(terms) > 1:  # one call of the kernel: compiling it once per triple would take minutes
            terms = [tuple(jnp.concatenate(parts, axis=-1) for parts in zip(*terms, strict=True))]
        total = jnp.zeros((self.quanta.shape[0], self.observables.shape[0]))
        for e_a, e_b, e_c, weight in terms:
            response = self.kernel(e_a, e_b, e_c, self.broadening, self.fermi_level, self.temperature)
            total = total + jnp.sum(jnp.real(weight * response[None, None]), axis=-1)
        return total.ravel()

    def _term(self, levels: list[Array], triple: Triple, weight: Array) -> tuple[Array, Array, Array, Array]:
        """e_a, e_b, e_c (band abc) and weight (out observable band abc) of one triple, (b, a) counted with (a, b)."""
        e = (levels[sector].reshape(shape) for sector, shape in zip(triple, _AXES, strict=True))
        e_a, e_b, e_c = (x.ravel() for x in jnp.broadcast_arrays(*e))
        both = 1.0 if triple[0] == triple[1] else 2.0  # (b, a) is the conjugate of (a, b)
        return e_a, e_b, e_c, both * weight.reshape(*weight.shape[:2], -1)

    def _summed(self, weight: list[list[Array]]) -> Complex[Array, "out observable a b c"]:
        rows = [
            [sum(n * w[o] for n, w in zip(row, weight, strict=True)) for o in range(len(weight[0]))]
            for row in self.quanta.astype(complex)
        ]
        return jnp.stack([jnp.stack(row) for row in rows])

    def weight(self, bloch: BlochSum, states: States, triple: Triple) -> list[list[Complex[Array, "a b c"]]]:
        """O_ab [gamma_bc gamma*_ac - gamma*_cb gamma_ca] between eigenstates, for each polarisation and observable."""
        vectors = states[1]

        def between(real_space: Array, left: int, right: int) -> Array:
            sectors = self.electrons.sectors[left], self.electrons.sectors[right]
            return rotated(bloch.block(real_space, *sectors), vectors[left], vectors[right])

        a, b, c = triple
        sector_a, sector_b = (np.asarray(self.electrons.sectors[sector]) for sector in (a, b))
        moment = [rotated(o[sector_a[:, None], sector_b[None, :]], vectors[a], vectors[b]) for o in self.observables]
        pumped = []
        for strain in self.strain:
            up = between(strain, b, c)[None, :, :] * jnp.conj(between(strain, a, c))[:, None, :]
            down = jnp.conj(between(strain, c, b)).T[None, :, :] * between(strain, c, a).T[:, None, :]
            pumped.append(up - down)
        return [[o[:, :, None] * p for o in moment] for p in pumped]


_AXES = ((-1, 1, 1), (1, -1, 1), (1, 1, -1))


def second_order(
    electrons: TightBinding,
    strain: Complex[Array, "polarisation cell orbital orbital"],
    observables: Complex[Array, "observable orbital orbital"],
    kernel: Kernel,
) -> SecondOrder:
    """The integrand with one row per polarisation, its state still to be set (`eqx.tree_at`)."""
    count, zero = len(electrons.sectors), jnp.zeros(())
    every = tuple((a, b, c) for a in range(count) for b in range(a, count) for c in range(count))
    form = SecondOrder(
        electrons,
        strain,
        observables,
        jnp.eye(strain.shape[0]),
        zero,
        zero,
        zero,
        kernel,
        lattice_steps(electrons),
        every,
    )
    used = weighing(lambda phases: _weight_sizes(form, phases), electrons.crystal.lattice.dim)
    return dataclasses.replace(form, triples=tuple(itertools.compress(every, used)))


@eqx.filter_jit
def _weight_sizes(form: SecondOrder, phases: Complex[Array, "k dim"]) -> Float[Array, "k triple"]:
    def at(phases: Complex[Array, "dim"]) -> Array:
        bloch = BlochSum(form.electrons, form.steps, phases)
        states = bloch.states()
        return jnp.stack([jnp.linalg.norm(jnp.array(form.weight(bloch, states, triple))) for triple in form.triples])

    return jax.vmap(at)(phases)
