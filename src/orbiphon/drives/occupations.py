"""Many modes at once: tables, temperature gradients, injection through an interface.

A drive fills the modes of a mesh of q, (1/N) sum_q sum_nu Delta n_qnu m_qnu. Within a degenerate level Delta n is a
hermitian matrix, like m; each drive takes the modes that diagonalise it, so that the choice of modes does not matter.
"""

from collections.abc import Callable, Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from orbiphon._checks import check_finite, check_not_negative, check_positive, check_shape
from orbiphon._types import Number
from orbiphon.crystal import Crystal
from orbiphon.crystal.concrete import ArrayLike, as_real
from orbiphon.crystal.zone_points import zone_points
from orbiphon.drives.waves import AbstractModeDrive, Waves, waves_of
from orbiphon.errors import InputError
from orbiphon.phonons import ForceConstants, Lifetimes, PhononModes, diagonal_in, direction_vector, group_velocities
from orbiphon.units import k_B


def bose(frequency: Float[Array, "..."], temperature: Float[Array, "..."]) -> Float[Array, "..."]:
    """1/(e^{ħω/k_BT} − 1), and 0 where ω = 0."""
    x = frequency / (k_B * temperature)
    return jnp.where(x > 0.0, 1.0 / jnp.expm1(jnp.where(x > 0.0, x, 1.0)), 0.0)


class PhononTable(AbstractModeDrive):
    """A table of occupations n_qν of given `modes` (`phonons.modes(q)`; `circular_modes` of them where degenerate).

    Exactly one of `occupation` (q mode), of which the equilibrium at the electrons' temperature is subtracted, and
    `excess` (q mode), Δn itself. `weights` (q,): the measure of the sum over q, 1/(number of q) each by default;
    `mesh`: the N_j if the q are those of `zone_points(lattice, mesh)`.

    **Raises:** `InputError` for wrong shapes, numbers that are not finite, or negative occupations.
    """

    modes: PhononModes
    occupation: Float[Array, "q mode"] | None
    excess: Float[Array, "q mode"] | None
    weights: Float[Array, "q"]
    mesh: tuple[int, ...] | None = eqx.field(static=True)

    def __init__(
        self,
        modes: PhononModes,
        *,
        occupation: ArrayLike | None = None,
        excess: ArrayLike | None = None,
        weights: ArrayLike | None = None,
        mesh: Sequence[int] | None = None,
    ):
        if (occupation is None) == (excess is None):
            found = "neither" if excess is None else "both"
            raise InputError(f"Exactly one of `occupation` and `excess` must be given, but got {found}. Give one.")
        count, size = modes.q.shape[0], modes.frequency.shape
        weights = np.full(count, 1.0 / count) if weights is None else weights
        check_shape("weights", weights, "q", (count,))
        check_finite("weights", weights)
        if occupation is not None:
            check_shape("occupation", occupation, "q mode", size)
            check_not_negative("occupation", occupation)
        else:
            check_shape("excess", excess, "q mode", size)
            check_finite("excess", excess)
        self.modes, self.weights, self.mesh = modes, as_real(weights), None if mesh is None else tuple(mesh)
        self.occupation = None if occupation is None else as_real(occupation)
        self.excess = None if excess is None else as_real(excess)

    def waves(self, crystal: Crystal, temperature: Float[Array, "temperature"]) -> Waves:
        """All modes; uniform translations have no quanta."""
        if self.excess is not None:
            excess = jnp.tile(self.excess[None], (temperature.shape[0], 1, 1))
        else:
            assert self.occupation is not None
            equilibrium = bose(self.modes.frequency[None], temperature[:, None, None])
            excess = self.occupation[None] - equilibrium
        excess = jnp.where(self.modes.still[None], 0.0, excess) * self.weights[None, :, None]
        return waves_of(self.modes, excess, mesh=self.mesh)


class TemperatureGradient(AbstractModeDrive):
    """A heat current: the Boltzmann equation in the relaxation-time approximation, Δn = −τ (v·∇T) ∂n/∂T.

    **Arguments:** `phonons`; `gradient` (xyz), K/Å; exactly one of `relaxation_time` τ (ħ/eV, `units.ps`), a number or
    a function of ħω (eV) arrays, and `lifetimes`, those of every mode (`io.read_lifetimes`); `mesh`: points of q along
    each reciprocal vector (even numbers give an error estimate), by default that of the lifetimes.

    The phonons' mean temperature is that of the electrons. **Raises:** `InputError` for a wrong shape, time or mesh, or
    lifetimes that do not belong to the phonons.
    """

    phonons: ForceConstants
    gradient: Float[Array, "xyz"]
    relaxation_time: Float[Array, ""] | Callable[[Array], Array] | None
    lifetimes: Lifetimes | None
    mesh: tuple[int, ...] = eqx.field(static=True)

    def __init__(
        self,
        phonons: ForceConstants,
        *,
        gradient: ArrayLike,
        relaxation_time: Number | Callable[[Array], Array] | None = None,
        lifetimes: Lifetimes | None = None,
        mesh: Sequence[int] | None = None,
    ):
        if (relaxation_time is None) == (lifetimes is None):
            found = "neither" if lifetimes is None else "both"
            raise InputError(
                f"Exactly one of `relaxation_time` and `lifetimes` must be given, but got {found}. Give one."
            )
        self.phonons, self.gradient, self.lifetimes = phonons, as_real(gradient), lifetimes
        self.mesh = _mesh_of(phonons, lifetimes, mesh)
        check_shape("gradient", self.gradient, "xyz", (3,))
        check_finite("gradient", self.gradient)
        zone_points(phonons.crystal.lattice, self.mesh)
        if relaxation_time is None or callable(relaxation_time):
            self.relaxation_time = relaxation_time
        else:
            check_positive("relaxation_time", relaxation_time)
            self.relaxation_time = as_real(relaxation_time)

    def waves(self, crystal: Crystal, temperature: Float[Array, "temperature"]) -> Waves:
        """All modes of the mesh; those of a degenerate level have their own slopes along the gradient."""
        modes = self.phonons.modes(zone_points(self.phonons.crystal.lattice, self.mesh))
        steepness = jnp.linalg.norm(self.gradient)
        if float(steepness) == 0.0:
            return waves_of(modes, jnp.zeros((temperature.shape[0], *modes.frequency.shape)), mesh=self.mesh)
        modes, velocity = group_velocities(self.phonons, modes, self.gradient)
        time = self._times(modes, temperature)
        t = temperature[:, None, None]
        n = bose(modes.frequency[None], t)
        per_kelvin = n * (n + 1.0) * modes.frequency[None] / (k_B * t**2)
        excess = -(time * (velocity * steepness)[None]) * per_kelvin / modes.q.shape[0]
        return waves_of(modes, jnp.where(modes.still[None], 0.0, excess), mesh=self.mesh)

    def _times(
        self, modes: PhononModes, temperature: Float[Array, "temperature"]
    ) -> Float[Array, "_ q mode"] | Float[Array, ""]:
        """τ of each mode, at one or all temperatures, or of all."""
        if self.lifetimes is not None:
            return as_real(self.lifetimes.times(self.phonons.crystal, modes, temperature))
        if callable(self.relaxation_time):
            return self.relaxation_time(modes.frequency)[None]
        assert self.relaxation_time is not None
        return self.relaxation_time


def _mesh_of(phonons: ForceConstants, lifetimes: Lifetimes | None, mesh: Sequence[int] | None) -> tuple[int, ...]:
    """The mesh that is given, or that of the lifetimes."""
    own = None if lifetimes is None else lifetimes.mesh_of(phonons.crystal)
    if own is None and mesh is None:
        raise InputError("Argument `mesh` must be given with a relaxation time, but is not. Give (24, 24), say.")
    if own is not None and mesh is not None and tuple(mesh) != own:
        raise InputError(f"Argument `mesh` must be that of the lifetimes, {own}, but is {tuple(mesh)}. Leave it out.")
    return tuple(mesh or ()) if own is None else own


class InterfaceInjection(AbstractModeDrive):
    """Thermal phonons that enter from a neighbouring crystal with its own frequencies Ω_qν'.

    A wave of the source carries over to the waves of the target at the same q by how its cell moves as a whole,
    w_ν = Σ_s √(M_s/M) e_νs (|w| = 1 for long acoustic waves, 0 for modes that leave the cell's centre in place):

        Δn_μν = 𝒯 Σ_ν' (w_μ*·w'_ν') n_B(Ω_ν'/T) (w'_ν'*·w_ν)    for modes of the target with v·direction > 0.

    For two circular acoustic branches of the source this is n_B(Ω^λ) of arXiv:2511.11272, text at Fig. 3.

    **Arguments:** `phonons` of the target; `source`, those of the source; `transmission` 𝒯 (0 to 1); `direction` from
    the source into the target; `temperature` of the source (K; default: the electrons'); `mesh` as above.
    **Raises:** `InputError` for values out of range.
    """

    phonons: ForceConstants
    source: ForceConstants
    transmission: Float[Array, ""]
    direction: Float[Array, "xyz"]
    temperature: Float[Array, ""] | None
    mesh: tuple[int, ...] = eqx.field(static=True)

    def __init__(
        self,
        phonons: ForceConstants,
        *,
        source: ForceConstants,
        transmission: Number,
        direction: str | ArrayLike,
        mesh: Sequence[int],
        temperature: Number | None = None,
    ):
        if not 0.0 <= float(transmission) <= 1.0:
            raise InputError(
                f"Argument `transmission` must lie between 0 and 1, but is {transmission}. Give a fraction."
            )
        if temperature is not None:
            check_positive("temperature", temperature)
        zone_points(phonons.crystal.lattice, mesh)
        self.phonons, self.source, self.mesh = phonons, source, tuple(mesh)
        self.transmission, self.direction = as_real(transmission), direction_vector(direction)
        self.temperature = None if temperature is None else as_real(temperature)

    def waves(self, crystal: Crystal, temperature: Float[Array, "temperature"]) -> Waves:
        """All modes of the mesh, those of degenerate levels as the source fills them (at the first temperature)."""
        q = zone_points(self.phonons.crystal.lattice, self.mesh)
        modes, source = self.phonons.modes(q), self.source.modes(q)
        _, velocity = group_velocities(self.phonons, modes, self.direction)
        same = (modes.levels()[:, :, None] == modes.levels()[:, None, :]).astype(float)
        mean = jnp.einsum("qmn,qn->qm", same, velocity) / jnp.sum(same, axis=-1)
        enters = (mean > 1e-9 * jnp.max(jnp.abs(velocity))) & ~modes.still
        hot = temperature if self.temperature is None else jnp.full_like(temperature, self.temperature)
        overlap = jnp.einsum("qma,qna->qmn", jnp.conj(_carried(modes)), _carried(source))
        filled = jnp.where(source.still[None], 0.0, bose(source.frequency[None], hot[:, None, None]))
        matrix = jnp.einsum("qmi,tqi,qni->tqmn", overlap, filled.astype(complex), jnp.conj(overlap))
        modes, _ = diagonal_in(modes, matrix[0])
        carried = jnp.einsum("qma,qna->qmn", jnp.conj(_carried(modes)), _carried(source))
        excess = jnp.einsum("qmi,tqi->tqm", jnp.abs(carried) ** 2, filled)
        excess = self.transmission * jnp.where(enters[None], excess, 0.0) / q.shape[0]
        return waves_of(modes, excess, mesh=self.mesh)


def _carried(modes: PhononModes) -> Array:
    """w_ν (q mode xyz)."""
    part = jnp.sqrt(modes.masses / jnp.sum(modes.masses)).astype(complex)
    return jnp.einsum("s,qmsa->qma", part, modes.polarisation)
