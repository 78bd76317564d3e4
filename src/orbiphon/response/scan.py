"""The conserving response to a slow deformation for many states at once, as for a metal from first principles.

Where the displacement gradient is Re{G exp(-i omega t)}, G_ab = du_a/dx_b,

    <O> per cell = (hbar omega/4) <sum_abc O_ab [W_bc W*_ac - W*_cb W_ca] K'(e_a, e_b, e_c)>,    W = D[G],

to leading order in omega: `second_order` with |U|^2 q^2 gamma gamma* = W W*. So for the wave
u = U [cos(qz - omega t) e_x + lambda sin(qz - omega t) e_y], with the unit vector e = (e_x - i lambda e_y)/sqrt 2 and
G = i sqrt 2 q U e n^T,

    <O> per cell / ((q U)^2 hbar omega) = (1/2) <sum_abc O_ab [...] K'>,    W = D[e n^T],

likewise along other directions. One eigensystem at each k serves all states, and the zone is folded by the operations
of the crystal that the deformation leaves.
"""

from collections.abc import Sequence
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from orbiphon._checks import check_finite, check_positive, check_shape
from orbiphon.coupling import Coupling
from orbiphon.crystal import point_operations
from orbiphon.crystal.concrete import ArrayLike
from orbiphon.electrons import Observable, TightBinding, observable
from orbiphon.electrons.bloch import BlochSum, lattice_steps
from orbiphon.errors import InputError
from orbiphon.phonons import circular_polarisation, direction_vector
from orbiphon.response.energy_cells import EnergyCells
from orbiphon.response.many_bands import ManyBands
from orbiphon.response.problem import Numerics
from orbiphon.units import k_B
from orbiphon.zone import ZoneMean, at_phases, folded_mesh, refined_mean

_STATES = 8  # about so many show the symmetry of all
_PROBES = 64  # wave vectors that show how fast bands change
_BLOCK = 512
_LEAST = 16  # mesh points along a direction
_FLOOR = 0.3  # of rtol: small moments need be known to this part of the largest one only


class Scan(NamedTuple):
    """`value` and `error`, for each coupling or gradient, state and observable; `shape` and `points` of the meshes,
    `converged`."""

    value: Float[np.ndarray, "vertex state observable"]
    error: Float[np.ndarray, "vertex state observable"]
    shape: tuple[int, ...]
    points: int
    converged: bool


def scan(
    couplings: Sequence[Coupling],
    broadening: float,
    states: ArrayLike,
    *,
    observables: Sequence[str | Observable] = ("Lz",),
    direction: str = "z",
    chirality: int = 1,
    numerics: Numerics | None = None,
) -> Scan:
    """Static moments per cell over (q U)^2 hbar omega, with the conserving method, at leading order in omega.

    **Arguments:** `couplings` of one and the same electrons; `broadening` in eV; `states` (state 2): Fermi levels (eV)
    and temperatures (K); `observables` odd under time reversal; the wave's `direction` and `chirality`.

    **Returns:** a `Scan`, (coupling state observable), in 1/eV times the observable's unit.

    **Raises:** `InputError` for a state out of range, an even observable, or a coupling that does not know the strain.
    """
    unit = circular_polarisation(direction, chirality)
    gradient = np.asarray(unit)[:, None] * np.asarray(direction_vector(direction))[None, :]
    vertices = [coupling.gradient_derivative(gradient) for coupling in couplings]
    return _moments(couplings[0].electrons, vertices, 0.5, broadening, states, observables, numerics)


def gradient_moments(
    coupling: Coupling,
    gradients: ArrayLike,
    frequency: float,
    broadening: float,
    states: ArrayLike,
    *,
    observables: Sequence[str | Observable] = ("Lx", "Ly", "Lz"),
    numerics: Numerics | None = None,
) -> Scan:
    """Static moments per cell where the crystal is deformed slowly and everywhere alike, by Re{G exp(-i omega t)}.

    A surface wave is so at each depth, if it is long: `phonons.RayleighWave.gradient`.

    **Arguments:** the `coupling`; complex `gradients` G_ab = du_a/dx_b (gradient xyz xyz), without unit; `frequency`
    hbar omega in eV, small beside the `broadening` (eV) and the distances of levels; `states` (state 2): Fermi levels
    (eV) and temperatures (K); `observables` odd under time reversal.

    **Returns:** a `Scan`, (gradient state observable), in the observable's unit.

    **Raises:** `InputError` for a wrong shape, a state out of range, an even observable, or a coupling that does not
    know a strain.
    """
    gradients = np.asarray(gradients, dtype=complex)
    check_shape("gradients", gradients, "gradient xyz xyz", (None, 3, 3))
    check_finite("gradients", np.abs(gradients))
    check_positive("frequency", frequency)
    vertices = [coupling.gradient_derivative(gradient) for gradient in gradients]
    return _moments(coupling.electrons, vertices, 0.25 * frequency, broadening, states, observables, numerics)


def _moments(
    electrons: TightBinding,
    vertices: Sequence[Complex[Array, "cell orbital orbital"]],
    factor: float,
    broadening: float,
    states: ArrayLike,
    observables: Sequence[str | Observable],
    numerics: Numerics | None,
) -> Scan:
    """`factor` times the zone mean of sum_abc O_ab [...] K'."""
    numerics = Numerics(rtol=1e-2) if numerics is None else numerics
    states = np.asarray(states, dtype=float).reshape(-1, 2)
    check_positive("broadening", broadening)
    check_finite("states", states)
    check_positive("states", states[:, 1])
    measured = [observable(electrons.basis, o) if isinstance(o, str) else o for o in observables]
    for o in measured:
        if o.time_reversal != -1:
            raise InputError(
                f"Argument `observables` must be odd under time reversal, but {o.name} is even. Ask for L."
            )
    matrices = jnp.stack([o.matrix for o in measured])
    mean = folded_mean(many_bands(electrons, jnp.stack(vertices), matrices, broadening, states), numerics)
    shape = (len(states), len(vertices), len(measured))
    value, error = (factor * np.moveaxis(x.reshape(shape), 1, 0) for x in (mean.value, mean.error))
    return Scan(value, error, mean.shape, mean.points, mean.converged)


def many_bands(
    electrons: TightBinding,
    strain: Complex[Array, "polarisation cell orbital orbital"],
    observables: Complex[Array, "observable orbital orbital"],
    broadening: float,
    states: Float[np.ndarray, "state 2"],
) -> ManyBands:
    """The integrand for Fermi levels (eV) and temperatures (K)."""
    state = (jnp.asarray(x, dtype=jnp.float64) for x in (broadening, states))
    reach = float(np.max(np.sum(np.abs(np.asarray(electrons.hopping)), axis=(0, 2))))  # no level is beyond it
    cells = EnergyCells(states, broadening, reach)
    return ManyBands(electrons, strain, observables, *state, cells, lattice_steps(electrons))  # pyright: ignore[reportCallIssue]: an abstract field is a property


def folded_mean(integrand: ManyBands, numerics: Numerics) -> ZoneMean:
    """Its mean over the zone, folded by the crystal's symmetry, from a mesh that resolves the states on."""
    electrons = integrand.electrons
    width = float(integrand.broadening) + np.pi * k_B * float(integrand.temperature)
    start = tuple(resolving(electrons, width))
    few = eqx.tree_at(lambda one: one.states, integrand, integrand.states[:: len(integrand.states) // _STATES + 1])
    mesh = folded_mesh(few, start, [operation.cells for operation in point_operations(electrons.crystal)])
    rough = np.abs(np.asarray(at_phases(integrand, _random_phases(len(start), _PROBES)))).mean(axis=0)
    return refined_mean(
        integrand,
        mesh,
        rtol=numerics.rtol,
        atol=max(numerics.atol, _FLOOR * numerics.rtol * float(np.max(rough))),
        max_points=numerics.max_points,
        block=min(numerics.block, _BLOCK),
    )


def resolving(electrons: TightBinding, width: float) -> list[int]:
    """Points per reciprocal vector that begin to resolve `width` (eV), judged by the bands' slopes at random points."""
    steps = lattice_steps(electrons)
    dim = electrons.crystal.lattice.dim
    slope = -1j * np.asarray(steps)[:, :, None, None] * np.asarray(electrons.hopping)[:, None]  # dH/dtheta, theta = k a

    @jax.jit
    def slopes(phases: Complex[Array, "dim"]) -> Float[Array, "dim"]:
        bloch, orbitals = BlochSum(electrons, steps, phases), tuple(range(electrons.size))
        _, vectors = jnp.linalg.eigh(bloch.block(electrons.hopping, orbitals, orbitals))
        turned = [bloch.block(jnp.asarray(slope[:, axis]), orbitals, orbitals) for axis in range(dim)]
        return jnp.stack([jnp.max(jnp.abs(jnp.einsum("ib,ij,jb->b", jnp.conj(vectors), x, vectors))) for x in turned])

    found = np.asarray(jax.vmap(slopes)(_random_phases(dim, _PROBES)))
    fastest = np.median(found, axis=0) / width
    even = [int(2 * np.ceil(max(n, _LEAST) / 2)) for n in fastest]
    reach = np.max(np.abs(np.asarray(steps)), axis=0)
    return [1 if reach[axis] == 0 else even[axis] for axis in range(dim)]


def _random_phases(dim: int, count: int) -> Complex[Array, "k dim"]:
    return jnp.asarray(np.exp(-2j * np.pi * np.random.default_rng(3).uniform(size=(count, dim))))
