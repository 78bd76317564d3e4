"""Moments in time, while a pulse runs through the crystal."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from orbiphon._checks import check_finite, check_positive, check_shape
from orbiphon.crystal.concrete import ArrayLike
from orbiphon.drives import Pulse
from orbiphon.electrons.filling import resolving_mesh
from orbiphon.errors import InputError
from orbiphon.response.density_matrix import DensityMatrix
from orbiphon.response.first_order import plane_wave_of
from orbiphon.response.motion import Motion, block_size, more_harmonics, timed, truncation
from orbiphon.response.problem import Problem
from orbiphon.zone import Mesh

_FINER = 1.5
_LOOSER = 10.0


class TimeTraces(eqx.Module):
    """Moments per cell, O(r, t) = uniform(t) + Re{wave(t) exp(i q r)} + ..., at the `times` (hbar/eV), in `unit`.

    `uniform` (time, observable): at rest its value is that of equilibrium. It is NaN for observables that are even
    under time reversal: they have a part from the second derivative of the Hamiltonian, which is left out. `wave`
    (time, observable): complex, turning as exp(-i omega t). The errors are absolute: what a coarser mesh (`coarse`
    instead of `mesh` points) together with ten times the `tolerance` in time changes, and what one phonon more does.
    `displacement` (time, xyz),
    angstrom: its real part is u at r = 0.
    """

    times: Float[np.ndarray, "time"]
    displacement: Complex[np.ndarray, "time xyz"]
    uniform: Float[np.ndarray, "time observable"]
    wave: Complex[np.ndarray, "time observable"]
    uniform_error: Float[np.ndarray, "time observable"]
    wave_error: Float[np.ndarray, "time observable"]
    fermi_level: float
    temperature: float
    mesh: tuple[int, ...] = eqx.field(static=True)
    coarse: tuple[int, ...] = eqx.field(static=True)
    tolerance: float = eqx.field(static=True)
    observables: tuple[str, ...] = eqx.field(static=True)
    unit: tuple[str, ...] = eqx.field(static=True)
    coupling: str = eqx.field(static=True)
    broadening: float = eqx.field(static=True)
    description: str = eqx.field(static=True)


def time_traces(problem: Problem, times: ArrayLike, method: Motion, mesh: tuple[int, ...] | None = None) -> TimeTraces:
    """Follow the density matrix through a pulse, from equilibrium at the first time.

    **Arguments:** a problem whose drive is a `Pulse` (its `order` does not matter; of several states the first Fermi
    level and temperature are taken); increasing times in hbar/eV; the method; points of the finer mesh per reciprocal
    vector, by default 1.5 times as many as resolve the broadening and the temperature.

    **Raises:** `InputError` for another drive, times that do not increase, or a mesh of the wrong shape.
    """
    pulse, times = problem.drive, _increasing(times)
    if not isinstance(pulse, Pulse):
        raise InputError(
            f"Argument `drive` of the problem must be a Pulse here, but is a {type(pulse).__name__}. "
            "Put an envelope round a coherent wave: Pulse(wave, GaussianEnvelope(centre=..., duration=...))."
        )
    level = float(problem.state.fermi_levels(problem.electrons)[0, 0])
    fine, coarse = _meshes(problem, method, mesh)
    motion = method.equations(problem, plane_wave_of(problem, pulse.wave), pulse.envelope, level, 0)
    finer, coarser = (
        _mean(timed(motion, times, tolerance), shape, min(block_size(motion), fine.size))
        for tolerance, shape in ((method.tolerance, fine), (_LOOSER * method.tolerance, coarse))
    )
    if not np.all(np.isfinite(finer)):
        raise InputError("Argument `amplitude` must be small enough to follow in time, but is not. Lower it.")
    short = timed(motion, times, method.tolerance)
    cut = truncation(short, more_harmonics(short)).reshape(finer.shape)
    (uniform, wave), (uniform_error, wave_error) = finer, np.abs(finer - coarser) + cut
    even = np.array([o.time_reversal != -1 for o in problem.observables])
    displacement = np.asarray(jax.vmap(pulse)(jnp.asarray(times)))
    return TimeTraces(
        times=times,
        displacement=displacement,
        uniform=np.where(even, np.nan, uniform.real),
        wave=wave * np.exp(-1j * float(pulse.wave.frequency) * times)[:, None],
        uniform_error=np.where(even, np.nan, uniform_error),
        wave_error=wave_error,
        fermi_level=level,
        temperature=float(problem.state.temperature[0]),
        mesh=fine.shape,
        coarse=coarse.shape,
        tolerance=method.tolerance,
        observables=tuple(o.name for o in problem.observables),
        unit=tuple(o.unit for o in problem.observables),
        coupling=problem.coupling_kind,
        broadening=method.broadening,
        description=f"{method.words}, in time",
    )


def _increasing(times: ArrayLike) -> Float[np.ndarray, "time"]:
    check_shape("times", times, "time", (None,))
    check_finite("times", times)
    array = np.asarray(times, dtype=float)
    if array.size < 2 or not np.all(np.diff(array) > 0):
        raise InputError(
            "Argument `times` must hold at least two increasing numbers, but does not. Give numpy.linspace(start, "
            "stop), say, in units of hbar/eV (`units.ps`)."
        )
    return array


def _meshes(problem: Problem, method: Motion, mesh: tuple[int, ...] | None) -> tuple[Mesh, Mesh]:
    """The finer mesh and the coarser one that tells its error."""
    electrons = problem.electrons
    dim = electrons.crystal.lattice.dim
    plain = (False,) * dim
    if mesh is None:
        coarse = Mesh(resolving_mesh(electrons, method.resolution(problem, 0)), plain)
        return coarse.refined(_FINER), coarse
    check_shape("mesh", mesh, "dim", (dim,))
    check_positive("mesh", mesh)
    fine = Mesh(tuple(int(n) for n in mesh), plain)
    return fine, dataclasses.replace(fine, shape=tuple(max(int(n / _FINER), 1) for n in fine.shape))


def _mean(motion: DensityMatrix, mesh: Mesh, block: int) -> Complex[np.ndarray, "2 time observable"]:
    """<O> and X, averaged over the mesh."""
    blocks = mesh.blocks(block)
    total = sum(np.asarray(_block_sum(motion, jnp.asarray(phases), jnp.asarray(weight))) for phases, weight in blocks)
    return np.asarray(total).reshape(2, motion.times.shape[0], -1)


@eqx.filter_jit
def _block_sum(
    motion: DensityMatrix, phases: Complex[Array, "dim point"], weight: Float[Array, "point"]
) -> Complex[Array, "component"]:
    values = jax.vmap(lambda one: motion.respond(motion.prepare(one)), in_axes=1)(phases)
    return jnp.sum(weight[:, None].astype(complex) * values, axis=0)
