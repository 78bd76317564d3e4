"""The density matrix in time, for a wave with any envelope a(t), in contact with a bath or with one relaxation time.

A wave of wave vector q connects only the states at k + n q. In their basis, cut at |n| = `harmonics`, H(t) has blocks

    H_{n,n} = H(k + n q),      H_{n+1,n} = g(k + n q, q; U e) a(t) exp(-i omega t)/2 = H_{n,n+1}^+.

**Bath.** Every orbital is in contact with a wide-band bath of width Gamma (docs/theory.md 5.2), Sigma^R = -i Gamma
delta(t - t'), Sigma^<(t, t') = 2i Gamma int de/2pi f(e) exp(-ie(t - t')). Then rho = -i G^R Sigma^< G^A at equal times

    rho(t) = 2 Gamma int de/2pi f(e) A(e, t) A(e, t)^+,       i dA/dt = (H(t) - i Gamma - e) A + 1,

A(e, t) the state that the bath feeds at energy e. Its time derivative contains f only through one integral of A:

    d rho/dt = -i [H, rho] - 2 Gamma rho + Gamma (M + M^+),   M(t) = (i/pi) int de f(e) A(e, t).

A is analytic for Im e > 0 and falls as 1/e there. With f = 1/2 - k_B T sum_p R_p [1/(e - chi_p) + 1/(e - chi_p*)],
chi_p = mu + i xi_p k_B T (`poles`), the 1/2 is local in time and each pole leaves one auxiliary matrix:

    M = 1/2 + sum_p C_p,      C_p = 2 k_B T R_p A(chi_p, t),
    i dC_p/dt = (H(t) - i Gamma - chi_p) C_p + 2 k_B T R_p.

**Relaxation time.** The closed equations d rho/dt = -i [H, rho] - (rho - rho_0)/tau with rho_0 = f(H(a=0)) are the same
with 1/tau for 2 Gamma and no auxiliary matrices.

**What is integrated.** The basis is that of the eigenstates of a = 0, energies e_i at n_i, turning as exp(-i n omega t)
with the wave, so that only the envelope depends on time. There the stationary state of a = 0 is diagonal,
C_p = 2 k_B T R_p/(chi_p - e_i + i Gamma), rho = 1/2 + sum_p Re C_p; the departures from it obey

    d rho_ij/dt = [-i(e_i - e_j - (n_i - n_j) omega) - 2 Gamma] rho_ij - i [V, rho_0 + rho]_ij + Gamma sum_p (C + C^+),
    d C_p,ij/dt = [-i(e_i - mu - (n_i - n_j) omega) - Gamma - xi_p k_B T] C_p,ij - i [V (C_p,0 + C_p)]_ij,

V = a(t) W + a(t)* W^+. The square brackets, fast but diagonal, are integrated exactly (`exponential`). Then

    O(r, t) = <O>(t) + Re{X(t) exp(i q r)} + ...,   <O> = (1/N) sum_k Tr O rho_{0,0},   X = (2/N) sum_k Tr O rho_{1,0}.
"""

from typing import Any, cast

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float, Num

from orbiphon.drives import AbstractEnvelope
from orbiphon.electrons import TightBinding
from orbiphon.electrons.bloch import BlochSum, lattice_steps
from orbiphon.electrons.structure import Steps
from orbiphon.fermi import fermi
from orbiphon.response.first_order import PlaneWave
from orbiphon.response.poles import FermiPoles
from orbiphon.response.problem import Problem
from orbiphon.response.wave_vertex import lattice_phases, orbital_phases, site_vertex
from orbiphon.units import k_B
from orbiphon.zone import AbstractIntegrand

_MAX_STEPS = 2**20


class Contact(eqx.Module):
    """How the electrons return to equilibrium: `decay` of rho, `width` Gamma, and the poles of f, (pole,).

    A relaxation time has no width and no poles. All in eV, `temperature` in kelvin; `residue` without unit.
    """

    decay: Float[Array, ""]
    width: Float[Array, ""]
    fermi_level: Float[Array, ""]
    temperature: Float[Array, ""]
    height: Float[Array, "pole"]
    residue: Float[Array, "pole"]

    def stationary(self, energy: Float[Array, "state"]) -> tuple[Float[Array, "state"], Complex[Array, "pole state"]]:
        """Diagonals of rho and C_p without the wave."""
        weight = 2.0 * k_B * self.temperature * self.residue
        into = jax.lax.complex(*jnp.broadcast_arrays(self.fermi_level - energy, self._above()[:, None]))
        fed = weight.astype(complex)[:, None] / into
        if self.residue.shape[0] == 0:
            return fermi(energy, self.fermi_level, self.temperature), fed
        return 0.5 + jnp.sum(jnp.real(fed), axis=0), fed

    def rates(
        self, turning: Float[Array, "state"], energy: Float[Array, "state"]
    ) -> Complex[Array, "matrix state state"]:
        """The square brackets, of rho and then of each C_p. `turning` are e_i - n_i omega."""
        apart = turning[:, None] - turning[None, :]
        rho = jax.lax.complex(jnp.full_like(apart, -self.decay), -apart)
        from_level = apart + energy[None, :] - self.fermi_level
        fed = jax.lax.complex(*jnp.broadcast_arrays(-self._above()[:, None, None], -from_level[None]))
        return jnp.concatenate([rho[None], fed])

    def _above(self) -> Float[Array, "pole"]:
        """Im chi_p + Gamma."""
        return self.height * k_B * self.temperature + self.width


def bath(broadening: float, fermi_level: float, temperature: float, poles: FermiPoles) -> Contact:
    """A wide-band bath of width `broadening`."""
    return _contact(2.0 * broadening, broadening, fermi_level, temperature, poles.height, poles.residue)


def relaxation(time: float, fermi_level: float, temperature: float) -> Contact:
    """One relaxation time, in hbar/eV."""
    return _contact(1.0 / time, 0.0, fermi_level, temperature, np.zeros(0), np.zeros(0))


def _contact(*numbers: float | np.ndarray) -> Contact:
    return Contact(*(jnp.asarray(number, dtype=jnp.float64) for number in numbers))


class Chain(eqx.Module):
    """The chain at one k: `energy` (n state), `states` (n orbital state), `links` <n+1| H |n> (link state state)."""

    energy: Float[Array, "n state"]
    states: Complex[Array, "n orbital state"]
    links: Complex[Array, "link state state"]


class DensityMatrix(AbstractIntegrand):
    """<O> and X at the `times` (hbar/eV) for each observable: first all <O>, then all X, (2 time observable).

    `vertex` is g(U e)/2 in real space, `shift` (dim,) the phases exp(-i q a_j), `origin` (orbital,) those of the
    orbitals at k + q. `tolerance`: of the integration in time, relative to each order in the wave.
    """

    electrons: TightBinding
    vertex: Complex[Array, "cell orbital orbital"]
    observables: Complex[Array, "observable orbital orbital"]
    origin: Complex[Array, "orbital"]
    shift: Complex[Array, "dim"]
    frequency: Float[Array, ""]
    envelope: AbstractEnvelope
    contact: Contact
    times: Float[Array, "time"]
    tolerance: Float[Array, ""]
    steps: Steps = eqx.field(static=True)
    harmonics: int = eqx.field(static=True)

    def prepare(self, phases: Complex[Array, "dim"]) -> Chain:
        """Energies, states and links of the chain at k."""
        orbitals = tuple(range(self.electrons.size))

        def at(phases: Complex[Array, "dim"]) -> tuple[Array, Array]:
            bloch = BlochSum(self.electrons, self.steps, phases)
            return (
                bloch.block(self.electrons.hopping, orbitals, orbitals),
                bloch.block(self.vertex, orbitals, orbitals),
            )

        home, vertex = jax.vmap(at)(phases[None, :] * jnp.stack([self.shift**m for m in self._n().tolist()]))
        energy, states = jnp.linalg.eigh(home)
        links = jnp.conj(jnp.swapaxes(states[1:], 1, 2)) @ vertex[:-1] @ states[:-1]
        return Chain(energy, states, links)

    def respond(self, prepared: Chain) -> Num[Array, "component"]:
        """The moments at all times."""
        uniform, wave = self.evolve(prepared)
        return jnp.concatenate([uniform.astype(complex).ravel(), wave.ravel()])

    def evolve(self, chain: Chain) -> tuple[Float[Array, "time observable"], Complex[Array, "time observable"]]:
        """<O> and X in the frame that turns with the wave; NaN where the integration failed."""
        import diffrax

        from orbiphon.response.exponential import Exponential, stacked, unstacked

        energy, n = chain.energy.ravel(), np.repeat(self._n(), self.electrons.size)
        turning = energy - jnp.asarray(n, dtype=float) * self.frequency
        occupied, fed = self.contact.stationary(energy)
        start = jnp.concatenate([occupied.astype(complex)[None], fed])
        at_rest = start[:, :, None] * jnp.eye(energy.size, dtype=complex)[None]
        here, there = self._measured(chain)

        def drive(t: Any, y: Any, args: Any) -> Array:
            """- i [V, rho_0 + rho] + Gamma sum_p (C + C^+) and - i V (C_0 + C)."""
            state = unstacked(y)
            pushed = -1j * _coupled(self.envelope(t) * chain.links, state + at_rest)
            memory = self.contact.width.astype(complex) * jnp.sum(state[1:], axis=0)
            change = pushed[0] + memory
            return stacked(pushed.at[0].set(change + jnp.conj(change).T))

        def moments(t: Any, y: Any, args: Any) -> Array:
            rho = unstacked(y)[0].reshape(2 * (chain.energy.shape))
            home, up = rho[self.harmonics, :, self.harmonics], rho[self.harmonics + 1, :, self.harmonics]
            return stacked(jnp.stack([jnp.einsum("oij,ji->o", here, home), 2.0 * jnp.einsum("oij,ji->o", there, up)]))

        order = np.abs(n[:, None] - n[None, :]).astype(float)
        small = _smallness(chain.links, energy, self.contact.decay)
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(drive),
            Exponential(self.contact.rates(turning, energy)),
            t0=self.times[0],
            t1=self.times[-1],
            dt0=0.05 * self.envelope.timescale,
            y0=jnp.zeros((2, start.shape[0], n.size, n.size)),
            saveat=diffrax.SaveAt(ts=self.times, fn=moments),
            stepsize_controller=diffrax.ClipStepSizeController(
                diffrax.PIDController(
                    rtol=self.tolerance,
                    atol=self.tolerance * (small ** np.where(order == 0.0, 2.0, order))[None, None],
                    dtmax=self.envelope.timescale,
                    norm=lambda y: jnp.max(jnp.abs(y)),
                ),
                step_ts=self.times,
            ),
            max_steps=_MAX_STEPS,
            throw=False,
        )
        done = solution.result == diffrax.RESULTS.successful
        values = jnp.where(done, jax.vmap(unstacked)(cast(Array, solution.ys)), jnp.nan)
        equilibrium = jnp.einsum("oii,i->o", here, start[0].reshape(chain.energy.shape)[self.harmonics])
        return jnp.real(values[:, 0] + equilibrium[None]), values[:, 1]

    def _n(self) -> np.ndarray:
        return np.arange(-self.harmonics, self.harmonics + 1)

    def _measured(self, chain: Chain) -> tuple[Array, Array]:
        """The observables between states n = 0 and 0, and between 0 and 1."""
        home, up = chain.states[self.harmonics], chain.states[self.harmonics + 1]
        left = jnp.conj(home).T[None] @ self.observables
        return left @ home[None], left @ (jnp.conj(self.origin)[:, None] * up)[None]


class SteadyState(AbstractIntegrand):
    """<O> (`order` 2) or X (`order` 1) at the last time, per wave vector."""

    motion: DensityMatrix
    order: int = eqx.field(static=True)

    def prepare(self, phases: Complex[Array, "dim"]) -> Chain:
        """As the motion."""
        return self.motion.prepare(phases)

    def respond(self, prepared: Chain) -> Num[Array, "observable"]:
        """The last time's moment."""
        uniform, wave = self.motion.evolve(prepared)
        return uniform[-1] if self.order == 2 else wave[-1]


def density_matrix(
    problem: Problem, wave: PlaneWave, envelope: AbstractEnvelope, contact: Contact, harmonics: int
) -> DensityMatrix:
    """The equations for this problem's electrons and observables; `times` and `tolerance` are to be set."""
    electrons = problem.electrons
    return DensityMatrix(
        electrons,
        0.5 * site_vertex(problem, wave.q, wave.displacement),
        jnp.stack([o.matrix for o in problem.observables]),
        orbital_phases(electrons, wave.q),
        lattice_phases(electrons, wave.q),
        wave.frequency,
        envelope,
        contact,
        jnp.zeros(1),
        jnp.asarray(1e-6),
        lattice_steps(electrons),
        harmonics,
    )


def _coupled(
    links: Complex[Array, "link state state"], matrices: Complex[Array, "matrix all all"]
) -> Complex[Array, "matrix all all"]:
    """V times each matrix; V has the links below the diagonal of the chain and their conjugates above."""
    count, size = links.shape[0] + 1, links.shape[1]
    rows = matrices.reshape(matrices.shape[0], count, size, count * size)
    # Written out: these products are far too small for a library call each.
    raised = sum(links[None, :, :, j, None] * rows[:, :-1, j, None] for j in range(size))
    lowered = sum(jnp.conj(links)[None, :, j, :, None] * rows[:, 1:, j, None] for j in range(size))
    edge = jnp.zeros_like(rows[:, :1])
    both = jnp.concatenate([edge, raised], axis=1) + jnp.concatenate([lowered, edge], axis=1)
    return both.reshape(matrices.shape)


def _smallness(links: Array, energy: Array, decay: Array) -> Array:
    """How small each order in the wave is, against the one before."""
    strength = jnp.linalg.norm(links)
    return (strength + 1e-30) / (strength + jnp.ptp(energy) + decay)
