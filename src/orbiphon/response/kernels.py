"""The kernels K' of the second order: conserving, and as published."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from orbiphon.fermi import fermi, sea_integral, surface_integral


def conserving(e_a: Array, e_b: Array, e_c: Array, broadening: Array, fermi_level: Array, temperature: Array) -> Array:
    """dK/domega at omega = 0 with one and the same broadening in every Green's function, in 1/eV^3.

    From K(a,b,c;omega) of docs/theory.md 5.3, with R_c(e - omega) = R_c + omega R_c^2 and
    f(e) - f(e - omega) = omega f',

        K' = -(i/2 pi) int de { -f [R_a R_b R_c^2 - c.c.-type] + f' R_b (R_c - A_c) A_a },

    the Fermi sea and the Fermi surface. -K'(y, z, x) is A_k^Gamma of 5.2.
    """
    return conserving_sea(e_a, e_b, e_c, broadening, fermi_level, temperature) + conserving_surface(
        e_a, e_b, e_c, broadening, fermi_level, temperature
    )


def conserving_sea(
    e_a: Array, e_b: Array, e_c: Array, broadening: Array, fermi_level: Array, temperature: Array
) -> Array:
    """The part of `conserving` with f; at zero broadening the divided difference f[a,b,c,c], always smooth."""
    return -jnp.imag(sea_integral([e_a, e_b, e_c, e_c], broadening, fermi_level, temperature)).astype(complex) / np.pi


def conserving_surface(
    e_a: Array, e_b: Array, e_c: Array, broadening: Array, fermi_level: Array, temperature: Array
) -> Array:
    """The part of `conserving` with f'; `broadening` > 0. For `broadening` -> 0 it has poles, as principal values."""
    ahead = surface_integral([e_b, e_c], e_a, broadening, fermi_level, temperature)
    behind = surface_integral([e_a, e_c], e_b, broadening, fermi_level, temperature)
    return (ahead - jnp.conj(behind)) / (2j * np.pi)


def _lorentz(energy: Array, broadening: Array) -> tuple[Array, Array]:
    inverse = energy / (energy**2 + broadening**2)
    return inverse, inverse**2


def _lorentz_squared(energy: Array, broadening: Array) -> tuple[Array, Array]:
    square = 1.0 / (energy**2 + broadening**2)
    return energy * square, square


def _complex_powers(energy: Array, broadening: Array) -> tuple[Array, Array]:
    square = 1.0 / (energy**2 + broadening**2)
    return energy * square, (energy**2 - broadening**2) * square**2


POWERS = {"lorentz": _lorentz, "lorentz_squared": _lorentz_squared, "complex_powers": _complex_powers}
"""What becomes of 1/E and 1/E^2: three ways to put the paper's broadening into its (21)."""


def published(published_broadening: str):
    """-A_k of arXiv:2511.11272, (21), for levels a = y, b = z, c = x, its denominators broadened one by one.

    Bands must differ pairwise: the paper's derivation has no intraband term, and none is counted.
    """
    powers = POWERS[published_broadening]

    def kernel(e_a: Array, e_b: Array, e_c: Array, broadening: Array, fermi_level: Array, temperature: Array) -> Array:
        f_a, f_b, f_c = (fermi(e, fermi_level, temperature) for e in (e_a, e_b, e_c))
        (ca, ca2), (cb, cb2), (ab, _) = (powers(e, broadening) for e in (e_c - e_a, e_c - e_b, e_a - e_b))
        # f_x/[(x-y)(x-z)^2] + f_x/[(x-z)(x-y)^2] - f_y/[(y-z)(y-x)^2] - f_z/[(z-y)(z-x)^2]
        curvature = f_c * (ca * cb2 + cb * ca2) - ab * (f_a * ca2 - f_b * cb2)
        return -curvature.astype(complex)

    return kernel


PUBLISHED = {name: published(name) for name in POWERS}
