"""Surface acoustic waves of an isotropic elastic half-space (Rayleigh).

The body fills z < 0, the wave runs along x. Displacements are a gradient and a curl,

    u = ∇φ + ∇ × (ψ ŷ),        φ = A exp(κ_l z + iqx − iωt),        ψ = B exp(κ_t z + iqx − iωt),

    κ_l,t² = q² (1 − c²/c_l,t²),        c = ω/q < c_t < c_l.

No stress at z = 0: σ_xz = 0 gives B = 2iqκ_l A/(q² + κ_t²), and σ_zz = 0 then an equation for c,

    (q² + κ_t²)² = 4 q² κ_l κ_t.

With C = κ_l A, up to a phase,

    u_x = i C (q/κ_l) [exp(κ_l z) − 2κ_lκ_t/(q² + κ_t²) exp(κ_t z)] exp(iqx − iωt),
    u_z =   C         [exp(κ_l z) − 2q²/(q² + κ_t²) exp(κ_t z)] exp(iqx − iωt).

The two are a quarter of a period apart: atoms move on ellipses in the plane of x and z, about y. Their sense turns
round at the depth where u_x vanishes, a fifth of a wavelength. Without dispersion the power per width is c times the
energy per area, which is twice the kinetic one: c (ρω²/2) ∫ |u|² dz.
"""

import equinox as eqx
import numpy as np
from jaxtyping import Complex, Float
from scipy.optimize import root_scalar

from orbiphon._checks import check_not_negative, check_positive
from orbiphon._types import Number
from orbiphon.crystal.concrete import ArrayLike
from orbiphon.errors import InputError


class RayleighWave(eqx.Module):
    """A Rayleigh wave of given `frequency` (ordinary: `1 * units.GHz`) and power per width, against the depth.

    **Arguments:** `longitudinal` and `transverse`, the body's speeds of sound (Å eV/ħ); its mass `density`;
    `frequency`; `power_per_width` (eV/(Å ħ/eV): `20 * units.W / units.m`).

    **Raises:** `InputError` for values that are not positive, or for speeds that no stable body has: c_l² > 4/3 c_t².
    Source: Landau and Lifshitz, Theory of Elasticity, §24.
    """

    longitudinal: float
    transverse: float
    density: float
    frequency: float
    power_per_width: float

    def __init__(
        self,
        *,
        longitudinal: Number,
        transverse: Number,
        density: Number,
        frequency: Number,
        power_per_width: Number,
    ):
        given = {"longitudinal": longitudinal, "transverse": transverse, "density": density, "frequency": frequency}
        for name, value in given.items():
            check_positive(name, value)
        check_not_negative("power_per_width", power_per_width)
        if float(longitudinal) ** 2 <= 4.0 / 3.0 * float(transverse) ** 2:
            raise InputError(
                "Argument `longitudinal` must exceed 1.155 times `transverse`, or compression would cost no energy, "
                f"but is {float(longitudinal) / float(transverse):.3f} times it. Have they been exchanged?"
            )
        self.longitudinal, self.transverse = float(longitudinal), float(transverse)
        self.density, self.frequency = float(density), float(frequency)
        self.power_per_width = float(power_per_width)

    @property
    def speed(self) -> float:
        """c, Å eV/ħ."""
        ratio = (self.transverse / self.longitudinal) ** 2

        def stress(square: float) -> float:  # of (c/c_t)²; without the root at 0: the cubic of Rayleigh
            return square**3 - 8.0 * square**2 + (24.0 - 16.0 * ratio) * square - 16.0 * (1.0 - ratio)

        return self.transverse * float(np.sqrt(root_scalar(stress, bracket=(0.0, 1.0), xtol=1e-15).root))

    @property
    def q(self) -> float:
        """Wave vector, 1/Å."""
        return 2.0 * np.pi * self.frequency / self.speed

    def displacement(self, depth: ArrayLike) -> Complex[np.ndarray, "depth xyz"]:
        """Complex amplitude of u at x = 0, Å, below the surface by `depth` (depth,), Å."""
        return self._sum(depth, np.zeros(2))

    def gradient(self, depth: ArrayLike) -> Complex[np.ndarray, "depth xyz xyz"]:
        """∂u_i/∂x_j, (depth i j)."""
        along = 1j * self.q * self.displacement(depth)
        across = self._sum(depth, np.ones(2))
        return np.stack([along, np.zeros_like(along), across], axis=-1)

    def circularity(self, depth: ArrayLike) -> Float[np.ndarray, "depth"]:
        """Between −1 and 1: angular momentum about y over ω M |u|², its sign that of the rotation from z to x."""
        u = self.displacement(depth)
        return 2.0 * np.imag(np.conj(u[:, 2]) * u[:, 0]) / np.sum(np.abs(u) ** 2, axis=1)

    def _decays(self) -> Float[np.ndarray, "2"]:
        """κ_l and κ_t, 1/Å."""
        speeds = np.array([self.longitudinal, self.transverse])
        return self.q * np.sqrt(1.0 - (self.speed / speeds) ** 2)

    def _shape(self) -> Complex[np.ndarray, "2 xyz"]:
        """What stands before exp(κ_l z) and exp(κ_t z), for C = 1."""
        (longitudinal, transverse), q = self._decays(), self.q
        share = 2.0 / (q**2 + transverse**2)
        return np.array(
            [[1j * q / longitudinal, 0.0, 1.0], [-1j * q * share * transverse, 0.0, -share * q**2]], dtype=complex
        )

    def _amplitude(self) -> float:
        """C from the power; ∫ |u|² dz is a sum of exponentials."""
        shape, decays = self._shape(), self._decays()
        overlap = np.real(np.conj(shape) @ shape.T) / (decays[:, None] + decays[None, :])
        omega = 2.0 * np.pi * self.frequency
        return float(np.sqrt(self.power_per_width / (0.5 * self.density * omega**2 * self.speed * np.sum(overlap))))

    def _sum(self, depth: ArrayLike, powers: Float[np.ndarray, "2"]) -> Complex[np.ndarray, "depth xyz"]:
        """Both parts with so many factors of their decay."""
        depth, decays = np.atleast_1d(np.asarray(depth, dtype=float)), self._decays()
        if np.any(depth < 0.0):
            raise InputError(f"Argument `depth` must not be negative, but is {depth.min():g}. Count it into the body.")
        return self._amplitude() * (decays**powers * np.exp(-depth[:, None] * decays)).astype(complex) @ self._shape()
