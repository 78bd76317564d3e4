"""A coherent circular or elliptical wave, such as a surface acoustic wave.

With directions e1, e2 across the wave, the displacement is (8), widened to an ellipse,

    u = U [cos(q x - omega t) e1 + lambda eta sin(q x - omega t) e2]
      = Re{U (e1 - i lambda eta e2) exp(i q x - i omega t)}.

Its energy per cell, M omega^2 U^2 (1 + eta^2)/2, is that of n = M omega U^2 (1 + eta^2)/2 hbar quanta.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from orbiphon._checks import check_not_negative, check_positive
from orbiphon._types import Number
from orbiphon.crystal import Crystal
from orbiphon.crystal.concrete import as_real
from orbiphon.drives.modes import AbstractDrive, Modes
from orbiphon.errors import InputError
from orbiphon.phonons import AcousticBranch, elliptical_polarisation


class CoherentWave(AbstractDrive):
    """One wave of wave vector `q` (1/angstrom) and `amplitude` U (angstrom) along the branch's direction.

    Exactly one of `amplitude`, `strain` (q U) and `power_per_width` (eV/(angstrom hbar/eV), see `units`; needs the mass
    `density`) is given, and exactly one of `frequency` (ordinary, `units.Hz`) and `q`. `chirality` is +1 or -1,
    `ellipticity` runs from 0 (linear) to 1 (circular). The power of a surface wave is taken to flow in a layer of
    `depth`, by default one wavelength:  power/width = density omega^2 U^2 (1 + eta^2)/2 * speed * depth.

    Raises `InputError` for a missing or superfluous quantity or one out of range.
    Source: arXiv:2511.11272, (8).
    """

    branch: AcousticBranch
    q: Float[Array, ""]
    amplitude: Float[Array, ""]
    chirality: int
    ellipticity: Float[Array, ""]

    def __init__(
        self,
        branch: AcousticBranch,
        *,
        amplitude: Number | None = None,
        strain: Number | None = None,
        power_per_width: Number | None = None,
        density: Number | None = None,
        depth: Number | None = None,
        frequency: Number | None = None,
        q: Number | None = None,
        chirality: int = 1,
        ellipticity: Number = 1.0,
    ):
        check_one("amplitude", amplitude=amplitude, strain=strain, power_per_width=power_per_width)
        check_one("frequency", frequency=frequency, q=q)
        if chirality not in (1, -1):
            raise InputError(
                f"Argument `chirality` must be 1 or -1, but is {chirality!r}. For a linear wave set `ellipticity` to 0."
            )
        if not 0.0 <= float(ellipticity) <= 1.0:
            raise InputError(
                f"Argument `ellipticity` must lie between 0 (linear) and 1 (circular), but is {ellipticity}. "
                "The sense of rotation is given by `chirality`."
            )
        if (power_per_width is None) != (density is None):
            raise InputError("Arguments `power_per_width` and `density` must be given together, or neither.")
        for name, value in {"frequency": frequency, "q": q, "density": density, "depth": depth}.items():
            if value is not None:
                check_positive(name, value)
        for name, value in {"amplitude": amplitude, "strain": strain, "power_per_width": power_per_width}.items():
            if value is not None:
                check_not_negative(name, value)
        self.branch, self.chirality = branch, int(chirality)
        self.ellipticity = jnp.asarray(ellipticity, dtype=jnp.float64)
        self.q = as_real(2.0 * np.pi * as_real(frequency) / branch.speed if q is None else q)
        if strain is not None:
            amplitude = as_real(strain) / self.q
        if power_per_width is not None:
            layer = 2.0 * np.pi / self.q if depth is None else as_real(depth)
            omega = branch.speed * self.q
            energy_density = 0.5 * as_real(density) * omega**2 * (1.0 + self.ellipticity**2)  # of U = 1
            amplitude = jnp.sqrt(as_real(power_per_width) / (energy_density * branch.speed * layer))
        self.amplitude = as_real(amplitude)

    @property
    def frequency(self) -> Float[Array, ""]:
        """hbar omega in eV."""
        return self.branch.frequency(self.q)

    @property
    def displacement(self) -> Array:
        """U (e1 - i lambda eta e2), shape (xyz,), in angstrom."""
        unit = elliptical_polarisation(self.branch.direction, self.chirality, self.ellipticity)
        return (self.amplitude * jnp.sqrt(1.0 + self.ellipticity**2)).astype(complex) * unit

    @eqx.filter_jit
    def modes(self, crystal: Crystal, temperature: Float[Array, "temperature"]) -> Modes:
        """One mode, with the same number of quanta at every temperature."""
        unit = elliptical_polarisation(self.branch.direction, self.chirality, self.ellipticity)
        quanta = 0.5 * self.branch.mass * self.frequency * self.amplitude**2 * (1.0 + self.ellipticity**2)
        return Modes(
            along=self.q[None],
            frequency=self.frequency[None],
            polarisation=unit[None],
            excess=jnp.full((temperature.shape[0], 1, 1), quanta),
            excess_error=jnp.zeros((temperature.shape[0], 1)),
        )


def check_one(example: str, **given: Number | None) -> None:
    """Raise `InputError` unless exactly one of the arguments is given."""
    names = [name for name, value in given.items() if value is not None]
    if len(names) != 1:
        found = " and ".join(f"`{name}`" for name in names) or "none of them"
        raise InputError(
            f"Exactly one of {', '.join(f'`{name}`' for name in given)} must be given, but got {found}. Give "
            f"`{example}`, say."
        )
