"""The moment-per-phonon spectrum: what one phonon of each mode pumps, along a path or over the zone."""

import warnings
from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from orbiphon._checks import check_shape
from orbiphon.coupling import Coupling
from orbiphon.crystal import KPath, zone_points
from orbiphon.crystal.concrete import ArrayLike
from orbiphon.drives import EveryMode
from orbiphon.electrons import Observable, TightBinding
from orbiphon.errors import InputError, ToleranceWarning
from orbiphon.phonons import AbstractPhonons, direction_vector, phonon_angular_momentum
from orbiphon.response.method import AbstractMethod
from orbiphon.response.problem import ElectronState, Numerics, Problem, one_state
from orbiphon.units import bohr_magneton, nuclear_magneton

_G_FACTOR = {"L": 1.0, "S": 2.0, "M": 1.0}  # moment over -mu_B of L, S and L + 2S


class MomentSpectrum(eqx.Module):
    """Moments per phonon m_qν[O] of every mode, and what else belongs to the modes.

    `q` (q xyz), 1/Å; `frequency` (q mode), eV; `angular_momentum` (q mode xyz) of the phonon, ħ; `value`, `error`
    (q mode observable), unit of O; `converged` (q,). `path` for spectra along one, `mesh` for those over the zone.
    """

    q: Float[np.ndarray, "q xyz"]
    frequency: Float[np.ndarray, "q mode"]
    angular_momentum: Float[np.ndarray, "q mode xyz"]
    value: Float[np.ndarray, "q mode observable"]
    error: Float[np.ndarray, "q mode observable"]
    converged: Bool[np.ndarray, "q"]
    observables: tuple[str, ...] = eqx.field(static=True)
    unit: tuple[str, ...] = eqx.field(static=True)
    fermi_level: float = eqx.field(static=True)
    temperature: float = eqx.field(static=True)
    method: str = eqx.field(static=True)
    coupling: str = eqx.field(static=True)
    broadening: float = eqx.field(static=True)
    points: int = eqx.field(static=True)
    path: KPath | None
    mesh: tuple[int, ...] | None = eqx.field(static=True)

    @property
    def bohr_magnetons(self) -> Float[np.ndarray, "q mode observable"]:
        """The magnetic moment per phonon, −g m/ħ with g = 1 for L and L + 2S, 2 for S, in μ_B; NaN for others."""
        g = [_G_FACTOR.get(name[0], np.nan) if name[1:] in ("x", "y", "z") else np.nan for name in self.observables]
        return -np.array(g) * self.value

    @property
    def nuclear_magnetons(self) -> Float[np.ndarray, "q mode observable"]:
        """The same in nuclear magnetons, μ_B/μ_N = 1836 of which make one μ_B."""
        return self.bohr_magnetons * (bohr_magneton / nuclear_magneton)


def moment_spectrum(
    electrons: TightBinding,
    phonons: AbstractPhonons,
    state: ElectronState,
    method: AbstractMethod,
    q: KPath | Sequence[int] | ArrayLike,
    *,
    observables: Sequence[str | Observable] = ("Lz",),
    coupling: str | Coupling = "two_centre",
    axis: str | ArrayLike | None = None,
    numerics: Numerics | None = None,
) -> MomentSpectrum:
    """m_qν[O] of all modes, along a path or over the zone.

    **Arguments:** one state; a second-order method; `q`: a `KPath`, the N_j of a mesh over the zone (whole numbers, one
    per periodic direction), or wave vectors (q xyz) in 1/Å. Degenerate modes are those of the circular basis about
    `axis` (default: along q, or z at q = 0). Each moment is known to `rtol` of the largest one at its q.

    **Raises:** `InputError` for several states, unstable modes, observables or methods that do not fit.
    """
    numerics = Numerics(rtol=1e-3) if numerics is None else numerics
    path, mesh, points = _wave_vectors(electrons, q)
    drive = EveryMode(phonons, points, None if axis is None else direction_vector(axis), mesh)
    problem = Problem(electrons, drive, state, coupling, observables)
    fermi_level = one_state(problem)
    prepared = method.prepare(problem)
    if prepared.per_phonon is None:
        raise InputError(
            f"Argument `method` must know waves on the modes of a crystal, but `{method.name}` does not. Use Keldysh "
            "with a broadening > 0, Adiabatic, Berry or Perturbation."
        )
    found = prepared.per_phonon(fermi_level, 0, numerics)
    modes = drive.modes()
    shape = modes.frequency.shape
    converged = found.converged.reshape(shape).all(axis=1)
    if not converged.all():
        warnings.warn(
            f"{np.sum(~converged)} of {converged.size} wave vectors missed rtol={numerics.rtol:g} within max_points="
            f"{numerics.max_points:g} or the memory; their errors say by how much. Raise rtol or the broadening.",
            ToleranceWarning,
            stacklevel=2,
        )
    return MomentSpectrum(
        q=np.asarray(modes.q),
        frequency=np.asarray(modes.frequency),
        angular_momentum=np.asarray(phonon_angular_momentum(modes)),
        value=found.value.reshape(*shape, -1),
        error=found.error.reshape(*shape, -1),
        converged=np.asarray(converged),
        observables=tuple(o.name for o in problem.observables),
        unit=tuple(o.unit for o in problem.observables),
        fermi_level=fermi_level,
        temperature=float(state.temperature[0]),
        method=method.name,
        coupling=problem.coupling_kind,
        broadening=float(method.broadening),
        points=found.points,
        path=path,
        mesh=mesh,
    )


def _wave_vectors(
    electrons: TightBinding, q: KPath | Sequence[int] | ArrayLike
) -> tuple[KPath | None, tuple[int, ...] | None, Float[Array, "q xyz"]]:
    if isinstance(q, KPath):
        return q, None, q.k
    if isinstance(q, tuple | list) and all(isinstance(n, int) for n in q):
        mesh = tuple(int(n) for n in q)
        return None, mesh, jnp.asarray(zone_points(electrons.crystal.lattice, mesh))
    points = jnp.asarray(q, dtype=jnp.float64)
    check_shape("q", points, "q xyz", (None, 3))
    return None, None, points
