"""A coherent wave of any amplitude: electrons dressed by any number of phonons.

The wave u = Re{U e exp(i q r - i omega t)} takes an electron from k + n q to k + (n+1) q while it gains omega. With the
gauge exp(-i n omega t) on the states at k + n q the coupling stands still, and the Hamiltonian is a static chain,

    H_{n,n} = H(k + n q) - n omega,        H_{n+1,n} = g(k + n q, q; U e)/2 = H_{n,n+1}^+,

the wave vector itself being Floquet's index. The bath of state n is filled to f(e + n omega). With the eigenstates
|i> of the chain, energies E_i, and z_i = E_i - i Gamma,

    rho = int de/2pi G^R [sum_n 2 Gamma f(e + n omega) P_n] G^A,
    <i|rho|j> = (Gamma/pi) sum_n <i|P_n|j> [H(z_i + n omega) - H(z_j + n omega)*]/(E_i - E_j - 2 i Gamma),

P_n the projector on the states at k + n q, H(z) of docs/theory.md 5.2. Each wave vector counts once as n = 0:

    <O> per cell = (1/N) sum_k Tr O rho_{0,0},    X = 2 (1/N) sum_k Tr O rho_{1,0}

with O(r, t) = <O> + Re{X exp(i q r - i omega t)} + ... The chain is cut at |n| = `harmonics`. To second order in U this
is docs/theory.md 5.3, to first order the Kubo formula; nothing here uses either.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float, Num

from orbiphon.electrons import TightBinding
from orbiphon.electrons.bloch import BlochSum
from orbiphon.electrons.structure import Steps
from orbiphon.fermi import fermi_potential
from orbiphon.response.integrand import AbstractStateIntegrand


class Harmonics(AbstractStateIntegrand):
    """Tr O rho_{0,0} (`order` 2) or 2 Tr O rho_{1,0} (`order` 1) for each observable.

    `vertex` is g(U e)/2 in real space, `shift` (dim,) are the phases exp(-i q a_j).
    """

    electrons: TightBinding
    vertex: Complex[Array, "cell orbital orbital"]
    observables: Complex[Array, "observable orbital orbital"]
    shift: Complex[Array, "dim"]
    frequency: Float[Array, ""]
    broadening: Float[Array, ""]
    fermi_level: Float[Array, ""]
    temperature: Float[Array, ""]
    steps: Steps = eqx.field(static=True)
    harmonics: int = eqx.field(static=True)
    order: int = eqx.field(static=True)

    def prepare(self, phases: Complex[Array, "dim"]) -> tuple[Float[Array, "state"], Complex[Array, "n orbital state"]]:
        """Energies and states of the chain."""
        orbitals = tuple(range(self.electrons.size))

        def link(phases: Complex[Array, "dim"], energy: Array) -> tuple[Array, Array]:
            """H_{n,n} and H_{n+1,n}."""
            bloch = BlochSum(self.electrons, self.steps, phases)
            home = bloch.block(self.electrons.hopping, orbitals, orbitals)
            shifted = home - energy.astype(complex) * jnp.eye(len(orbitals), dtype=complex)
            return shifted, bloch.block(self.vertex, orbitals, orbitals)

        n = self._n()
        along = phases[None, :] * jnp.stack([self.shift**m for m in n.tolist()])
        energies, vectors = jnp.linalg.eigh(
            _chain(*jax.vmap(link)(along, jnp.asarray(n, dtype=float) * self.frequency))
        )
        return energies, vectors.reshape(n.size, len(orbitals), -1)

    def _n(self) -> np.ndarray:
        return np.arange(-self.harmonics, self.harmonics + 1)

    def respond(
        self, prepared: tuple[Float[Array, "state"], Complex[Array, "n orbital state"]]
    ) -> Num[Array, "observable"]:
        """The trace with rho."""
        energies, states = prepared
        n = jnp.asarray(self._n()[:, None], dtype=float)
        width = jnp.full((n.shape[0], energies.shape[0]), -self.broadening)
        z = jax.lax.complex(energies[None, :] + n * self.frequency, width)
        potential = fermi_potential(z, self.fermi_level, self.temperature)
        projectors = jnp.conj(jnp.swapaxes(states, 1, 2)) @ states
        filled = jnp.sum(projectors * (potential[:, :, None] - jnp.conj(potential)[:, None, :]), axis=0)
        apart = energies[:, None] - energies[None, :]
        rho = filled / jax.lax.complex(apart, jnp.full_like(apart, -2.0 * self.broadening))
        home = states[self.harmonics]
        there = home if self.order == 2 else 2.0 * states[self.harmonics + 1]
        density = (self.broadening / np.pi).astype(complex) * (there @ rho @ jnp.conj(home).T)
        moments = jnp.einsum("oij,ji->o", self.observables, density)
        return jnp.real(moments) if self.order == 2 else moments


def _chain(
    energies: Complex[Array, "n orbital orbital"], vertices: Complex[Array, "n orbital orbital"]
) -> Complex[Array, "state state"]:
    """The block-tridiagonal matrix with H_{n,n} and H_{n+1,n}."""
    count, size = energies.shape[:2]
    chain = jnp.zeros((count, size, count, size), complex)
    n = np.arange(count)
    chain = chain.at[n, :, n, :].set(energies)
    chain = chain.at[n[1:], :, n[:-1], :].set(vertices[:-1])
    chain = chain.at[n[:-1], :, n[1:], :].set(jnp.conj(jnp.swapaxes(vertices[:-1], 1, 2)))
    return chain.reshape(count * size, count * size)
