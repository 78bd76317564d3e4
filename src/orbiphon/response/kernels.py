"""The kernels K' of the second order: conserving, of Berry curvatures, and as published."""

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


_DEGENERATE = 1e-9  # eV: levels closer than this are one


def berry(e_a: Array, e_b: Array, e_c: Array, broadening: Array, fermi_level: Array, temperature: Array) -> Array:
    """Derivative of the displacement-space Berry curvature with respect to a Zeeman field, docs/theory.md 5.5.

    With H -> H - b O and n(x) = 1/x, or 0 between degenerate levels, the first-order change of sum_n f_n Omega_n at
    fixed occupations f_n is a sum over triples with the coefficient

        A = f_c [n(c-a) n(c-b)^2 + n(c-b) n(c-a)^2] - n(a-b) [f_a n(c-a)^2 - f_b n(c-b)^2]

    for three different levels; where two coincide, the sum over states leaves

        A = 2 (f_c - f_a) n(c-a)^3 for a = b,    (f_b - f_a) n(a-b)^3 for c = a and for c = b.

    K' = -A. `broadening` is not used. Degenerate levels enter as one: their curvature is traced.
    """

    def inverse(energy: Array) -> Array:
        apart = jnp.abs(energy) > _DEGENERATE
        return jnp.where(apart, 1.0 / jnp.where(apart, energy, 1.0), 0.0)

    f_a, f_b, f_c = (fermi(e, fermi_level, temperature) for e in (e_a, e_b, e_c))
    ab, ca, cb = inverse(e_a - e_b), inverse(e_c - e_a), inverse(e_c - e_b)
    different = f_c * (ca * cb**2 + cb * ca**2) - ab * (f_a * ca**2 - f_b * cb**2)
    curvature = jnp.where(ab == 0.0, 2.0 * (f_c - f_a) * ca**3, different)
    curvature = jnp.where((ab != 0.0) & ((ca == 0.0) | (cb == 0.0)), (f_b - f_a) * ab**3, curvature)
    return -curvature.astype(complex)


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
