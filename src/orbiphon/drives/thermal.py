"""Thermal phonons injected from a chiral material whose two circular branches have different speeds.

    n^lambda = n_eq + Theta(q_x) T / (exp(hbar Omega^lambda / k_B T) - 1),   Omega^lambda = (v' + lambda dv') |q|

(arXiv:2511.11272, text at Fig. 3, with its misprint in n_eq mended; n_eq does nothing, only the excess counts.) The
paper does not say over which q it sums. The domain is a choice: a `line` 0 < q_x < pi/d, the zone `square`, a `disc`
or a `sphere` |q| < pi/d, in 1, 2, 2 and 3 dimensions with (1/N) sum_q = (d/2 pi)^D int d^D q. Waves oblique to x are
treated as the paper does: polarised like one along x, with frequency v|q|, coupled through q_x.
"""

from functools import lru_cache

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from orbiphon._checks import check_choice, check_positive
from orbiphon._types import Number
from orbiphon.crystal import Crystal
from orbiphon.drives.modes import AbstractDrive, Modes
from orbiphon.errors import InputError
from orbiphon.phonons import AcousticBranch, circular_polarisation
from orbiphon.units import k_B

Q_DOMAINS = ("line", "square", "disc", "sphere")
_NODES = 160  # Gauss-Legendre nodes per direction; the error is the difference from three quarters of them


class ThermalInjection(AbstractDrive):
    """Phonons of `branch` injected along its direction through an interface with a given `transmission` (0 to 1).

    `splitting` is dv'/v' of the source, `source_speed` its v' (default: the branch's speed), `temperature` that of the
    phonons in kelvin (default: the electrons'), `spacing` the length d in angstrom that sets the cut-off pi/d (default:
    the cell's size, its volume to the power 1/dimension), `q_domain` one of `line`, `square`, `disc`, `sphere`.

    Raises `InputError` for values out of range. Source: arXiv:2511.11272, text at Fig. 3.
    """

    branch: AcousticBranch
    transmission: Float[Array, ""]
    splitting: Float[Array, ""]
    q_domain: str
    source_speed: Float[Array, ""]
    temperature: Float[Array, ""] | None
    spacing: Float[Array, ""] | None

    def __init__(
        self,
        branch: AcousticBranch,
        *,
        transmission: Number,
        splitting: Number,
        q_domain: str,
        source_speed: Number | None = None,
        temperature: Number | None = None,
        spacing: Number | None = None,
    ):
        check_choice("q_domain", q_domain, Q_DOMAINS)
        if not 0.0 <= float(transmission) <= 1.0:
            raise InputError(
                f"Argument `transmission` must lie between 0 and 1, but is {transmission}. Give a fraction."
            )
        if not abs(float(splitting)) < 1.0:
            raise InputError(f"Argument `splitting` must lie between -1 and 1, but is {splitting}. Give dv'/v'.")
        for name, value in (("source_speed", source_speed), ("temperature", temperature), ("spacing", spacing)):
            if value is not None:
                check_positive(name, value)
        self.branch, self.q_domain = branch, q_domain
        self.transmission, self.splitting = (jnp.asarray(x, dtype=jnp.float64) for x in (transmission, splitting))
        self.source_speed = jnp.asarray(branch.speed if source_speed is None else source_speed, dtype=jnp.float64)
        self.temperature, self.spacing = (
            None if x is None else jnp.asarray(x, dtype=jnp.float64) for x in (temperature, spacing)
        )

    @eqx.filter_jit
    def modes(self, crystal: Crystal, temperature: Float[Array, "temperature"]) -> Modes:
        """Both circular polarisations (+1, -1) on Gauss-Legendre nodes of the domain with q along the direction > 0."""
        fine, coarse = (self._sample(crystal, temperature, nodes) for nodes in (_NODES, 3 * _NODES // 4))
        total, check = (jnp.sum(excess * along[None, None] ** 2, axis=-1) for along, _, excess in (fine, coarse))
        along, norm, excess = fine
        return Modes(
            along=along,
            frequency=self.branch.frequency(norm),
            polarisation=jnp.stack([circular_polarisation(self.branch.direction, chirality) for chirality in (1, -1)]),
            excess=excess,
            excess_error=jnp.abs(total - check) / jnp.where(total == 0.0, 1.0, jnp.abs(total)),
        )

    def energy_flux(self, crystal: Crystal, temperature: Float[Array, "temperature"]) -> Float[Array, "temperature"]:
        """(1/N d^3) sum_{q lambda} hbar Omega n dOmega/dq_x in eV^2/(hbar angstrom^2), injected phonons only."""
        spacing = self._spacing(crystal)
        along, _, excess = self._sample(crystal, temperature, _NODES)
        speed = self._source_speeds()[None, :, None]  # hbar Omega = speed |q|, dOmega/dq_x = speed q_x/|q|
        return jnp.sum(excess * speed**2 * along[None, None], axis=(-2, -1)) / spacing**3

    def energy_flux_high_temperature(
        self, crystal: Crystal, temperature: Float[Array, "temperature"]
    ) -> Float[Array, "temperature"]:
        """T v' k_B T/d^3, what the paper quotes: classical phonons on the line."""
        return self.transmission * self.source_speed * k_B * temperature / self._spacing(crystal) ** 3

    def _source_speeds(self) -> Float[Array, "2"]:
        return self.source_speed * (1.0 + self.splitting * jnp.array([1.0, -1.0]))

    def _spacing(self, crystal: Crystal) -> Float[Array, ""]:
        default = crystal.lattice.cell_volume ** (1.0 / crystal.lattice.dim)
        return jnp.asarray(default if self.spacing is None else self.spacing, dtype=jnp.float64)

    def _sample(
        self, crystal: Crystal, temperature: Float[Array, "temperature"], nodes: int
    ) -> tuple[Array, Array, Array]:
        """q along the direction, |q|, and injected quanta per cell (temperature, 2, q) with the measure of the sum."""
        spacing = self._spacing(crystal)
        along, norm, measure = (jnp.asarray(x) for x in _domain(self.q_domain, nodes))
        along, norm = along / spacing, norm / spacing
        source = jnp.atleast_1d(
            temperature if self.temperature is None else jnp.full_like(temperature, self.temperature)
        )
        energy = self._source_speeds()[:, None] * norm[None, :]
        bose = 1.0 / jnp.expm1(energy[None] / (k_B * source[:, None, None]))
        return along, norm, self.transmission * bose * measure[None, None, :]


@lru_cache
def _domain(name: str, nodes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points q_x > 0 of a domain in units of 1/d: q_x, |q| and weights of (1/N) sum_q."""
    x, w = np.polynomial.legendre.leggauss(nodes)
    radius, radius_weight = 0.5 * np.pi * (x + 1.0), 0.5 * np.pi * w  # 0 .. pi
    if name == "line":
        return radius, radius, radius_weight / (2.0 * np.pi)
    if name == "square":  # q_y and -q_y alike
        q_x, q_y = np.meshgrid(radius, radius, indexing="ij")
        weight = 2.0 * np.outer(radius_weight, radius_weight) / (2.0 * np.pi) ** 2
        return q_x.ravel(), np.hypot(q_x, q_y).ravel(), weight.ravel()
    cosine, angle_weight = _half_circle(nodes // 4) if name == "disc" else _half_sphere(nodes // 4)
    power = 1 if name == "disc" else 2
    weight = np.outer(radius_weight * radius**power, angle_weight) / (2.0 * np.pi) ** (power + 1)
    return np.outer(radius, cosine).ravel(), np.repeat(radius, cosine.size), weight.ravel()


def _half_circle(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    angle, weight = np.polynomial.legendre.leggauss(nodes)
    return np.cos(0.5 * np.pi * angle), 0.5 * np.pi * weight


def _half_sphere(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    cosine, weight = np.polynomial.legendre.leggauss(nodes)
    return 0.5 * (cosine + 1.0), np.pi * weight  # 2 pi azimuth times half the interval
