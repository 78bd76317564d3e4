"""One phonon of any mode, and one of every mode: the drives whose answers are moments per phonon."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from orbiphon._checks import check_shape
from orbiphon.crystal import Crystal
from orbiphon.crystal.concrete import ArrayLike, as_real
from orbiphon.drives.waves import AbstractModeDrive, Waves, waves_of
from orbiphon.phonons import (
    AbstractPhonons,
    PhononModes,
    check_circular,
    check_mode,
    circular_modes,
    direction_vector,
)


class OneMode(AbstractModeDrive):
    """One quantum per cell of the mode (`q`, `mode`): the answer is the moment per phonon m_qν[O].

    **Arguments:** `phonons` (`ForceConstants`); `q` (xyz), 1/Å; `mode`, from 0, by rising frequency. A degenerate level
    is taken in its circular basis about `axis` (default: along q, or z at q = 0) if `circular`, which is refused where
    there is none; by default wherever there is one.

    **Raises:** `InputError` for a mode out of range, an unstable mode, or a circular basis that does not exist.
    """

    phonons: AbstractPhonons
    q: Float[Array, "xyz"]
    mode: int = eqx.field(static=True)
    axis: Float[Array, "xyz"] | None

    def __init__(
        self,
        phonons: AbstractPhonons,
        *,
        q: ArrayLike,
        mode: int,
        axis: str | ArrayLike | None = None,
        circular: bool = False,
    ):
        self.phonons, self.q = phonons, as_real(q)
        check_shape("q", self.q, "xyz", (3,))
        check_mode(mode, 3 * phonons.crystal.sites)
        self.mode, self.axis = int(mode), None if axis is None else direction_vector(axis)
        if circular:
            check_circular(phonons.modes(self.q), self.mode, self.axis)

    def level(self) -> tuple[PhononModes, tuple[int, ...]]:
        """All modes at q, circular where degenerate, and those of the same level as this one."""
        modes = circular_modes(self.phonons.modes(self.q), self.axis)
        return modes, modes.level_of(self.mode)

    def waves(self, crystal: Crystal, temperature: Float[Array, "temperature"]) -> Waves:
        """That mode, with one quantum at every temperature."""
        modes, _ = self.level()
        every = waves_of(modes, jnp.ones((temperature.shape[0], *modes.frequency.shape)))
        return one_wave(every, self.mode)


class EveryMode(AbstractModeDrive):
    """One quantum of every mode at wave vectors `q` (q xyz), 1/Å, circular where degenerate, as in `OneMode`.

    `mesh`: the N_j, if all q lie on a mesh of N_j points along each reciprocal vector.
    """

    phonons: AbstractPhonons
    q: Float[Array, "q xyz"] = eqx.field(converter=as_real)
    axis: Float[Array, "xyz"] | None = None
    mesh: tuple[int, ...] | None = eqx.field(static=True, default=None)

    def modes(self) -> PhononModes:
        """All modes."""
        return circular_modes(self.phonons.modes(self.q), self.axis)

    def waves(self, crystal: Crystal, temperature: Float[Array, "temperature"]) -> Waves:
        """All modes, mode after mode at each q, with one quantum at every temperature."""
        modes = self.modes()
        return waves_of(modes, jnp.ones((temperature.shape[0], *modes.frequency.shape)), mesh=self.mesh)


def one_wave(waves: Waves, index: int) -> Waves:
    """One of several waves."""
    part = slice(index, index + 1)
    return Waves(
        waves.q[part],
        waves.frequency[part],
        waves.displacement[part],
        waves.excess[:, part],
        waves.mesh,
    )
