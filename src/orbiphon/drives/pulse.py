"""Pulses: coherent waves whose amplitude and phase change in time.

The displacement at r is that of the wave, times a complex envelope a(t):

    u(r, t) = Re{U e a(t) exp(i q r - i omega t)},        |a| = 1: the wave itself.

Times are in hbar/eV (`units.ps`, `units.fs`). The wave keeps its shape in space: the envelope is long against the time
that the wave takes through the region looked at.
"""

from abc import abstractmethod

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from orbiphon._checks import check_finite, check_positive
from orbiphon.crystal import Crystal
from orbiphon.crystal.concrete import as_real
from orbiphon.drives.coherent import CoherentWave
from orbiphon.drives.modes import AbstractDrive, Modes
from orbiphon.errors import InputError
from orbiphon.phonons import AcousticBranch


class AbstractEnvelope(eqx.Module):
    """A complex function a(t), (). One class each, with the time within which it changes."""

    @abstractmethod
    def __call__(self, t: Float[Array, ""]) -> Complex[Array, ""]:
        """a(t)."""

    @property
    @abstractmethod
    def timescale(self) -> Float[Array, ""]:
        """The shortest time within which a(t) changes; no step in time is longer."""

    @property
    @abstractmethod
    def onset(self) -> Float[Array, ""]:
        """The time before which a(t) is zero, or small beside 1."""


class ContinuousEnvelope(AbstractEnvelope):
    """A continuous wave, switched on smoothly from `start` on within `rise`: 10 s^3 - 15 s^4 + 6 s^5."""

    rise: Float[Array, ""] = eqx.field(converter=as_real)
    start: Float[Array, ""] = eqx.field(converter=as_real, default=0.0)

    def __check_init__(self):
        check_positive("rise", self.rise)
        check_finite("start", self.start)

    def __call__(self, t: Float[Array, ""]) -> Complex[Array, ""]:
        """a(t)."""
        s = jnp.clip((t - self.start) / self.rise, 0.0, 1.0)
        return (s**3 * (10.0 - 15.0 * s + 6.0 * s**2)).astype(complex)

    @property
    def timescale(self) -> Float[Array, ""]:
        """A quarter of the rise."""
        return 0.25 * self.rise

    @property
    def onset(self) -> Float[Array, ""]:
        """The start."""
        return self.start


class RampEnvelope(AbstractEnvelope):
    """An amplitude that grows linearly from 0 at `start` to 1 at `start + rise`, and stays there."""

    rise: Float[Array, ""] = eqx.field(converter=as_real)
    start: Float[Array, ""] = eqx.field(converter=as_real, default=0.0)

    def __check_init__(self):
        check_positive("rise", self.rise)
        check_finite("start", self.start)

    def __call__(self, t: Float[Array, ""]) -> Complex[Array, ""]:
        """a(t)."""
        return jnp.clip((t - self.start) / self.rise, 0.0, 1.0).astype(complex)

    @property
    def timescale(self) -> Float[Array, ""]:
        """A quarter of the rise."""
        return 0.25 * self.rise

    @property
    def onset(self) -> Float[Array, ""]:
        """The start."""
        return self.start


class GaussianEnvelope(AbstractEnvelope):
    """A pulse around `centre`; `duration` is the full width at half maximum of |a|^2, `phase` that of the carrier.

    With a `chirp` (eV per hbar/eV) the frequency sweeps through the pulse as omega + chirp (t - centre):

        a(t) = exp(-2 ln 2 (t - centre)^2/duration^2 - i chirp (t - centre)^2/2 + i phase).
    """

    centre: Float[Array, ""] = eqx.field(converter=as_real)
    duration: Float[Array, ""] = eqx.field(converter=as_real)
    chirp: Float[Array, ""] = eqx.field(converter=as_real, default=0.0)
    phase: Float[Array, ""] = eqx.field(converter=as_real, default=0.0)

    def __check_init__(self):
        check_positive("duration", self.duration)
        for name, value in {"centre": self.centre, "chirp": self.chirp, "phase": self.phase}.items():
            check_finite(name, value)

    def __call__(self, t: Float[Array, ""]) -> Complex[Array, ""]:
        """a(t)."""
        square = (t - self.centre) ** 2
        angle = self.phase - 0.5 * self.chirp * square
        return jnp.exp(jax.lax.complex(-2.0 * np.log(2.0) * square / self.duration**2, angle))

    @property
    def timescale(self) -> Float[Array, ""]:
        """A quarter of the duration, or of the time in which the chirp has turned the phase."""
        return 0.25 / (1.0 / self.duration + jnp.abs(self.chirp) * self.duration)

    @property
    def onset(self) -> Float[Array, ""]:
        """2.5 durations before the centre, where |a| = 2e-4."""
        return self.centre - 2.5 * self.duration


class Pulse(AbstractDrive):
    """A `wave`, which gives U, the polarisation e, q and omega, times an `envelope` a(t)."""

    wave: CoherentWave
    envelope: AbstractEnvelope

    @property
    def branch(self) -> AcousticBranch:
        """The wave's branch."""
        return self.wave.branch

    def modes(self, crystal: Crystal, temperature: Float[Array, "temperature"]) -> Modes:
        """Refused: the number of phonons of a pulse changes in time. Raises `InputError`."""
        raise InputError(
            "Argument `drive` must not change in time here, but is a Pulse. Use `time_traces`, or the pulse's `wave`."
        )

    def __call__(self, t: Float[Array, ""]) -> Complex[Array, "xyz"]:
        """U e a(t) exp(-i omega t) in angstrom: its real part is the displacement at r = 0, t in hbar/eV."""
        angle = -self.wave.frequency * t
        carrier = jax.lax.complex(jnp.cos(angle), jnp.sin(angle))
        return self.envelope(t) * carrier * self.wave.displacement
