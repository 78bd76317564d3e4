"""Integrals of the Fermi function against Green's functions in many-digit arithmetic; the maths is in README.md."""

import mpmath
import numpy as np

from orbiphon.units import k_B

mp = mpmath.mp.clone()
mp.dps = 160
_SPLIT = mp.mpf(10) ** -36  # sets coinciding poles apart; costs 36 digits per order of the divided difference


def potential(z, thermal):
    """H(z) with the Fermi level at zero."""
    if mp.im(z) > 0:
        return mp.conj(potential(mp.conj(z), thermal))
    return mp.digamma(mp.mpf(1) / 2 + 1j * z / (2 * mp.pi * thermal)) - 1j * mp.pi / 2


def slope(z, thermal):
    """H'(z)."""
    return (potential(z + _SPLIT, thermal) - potential(z - _SPLIT, thermal)) / (2 * _SPLIT)


def divided(function, poles, thermal):
    """function[z_1, z_2, ...] by Newton's table; equal poles are split."""
    z = [pole + (i + 1) * _SPLIT for i, pole in enumerate(poles)]
    table = [function(zi, thermal) for zi in z]
    for order in range(1, len(z)):
        table = [(table[i + 1] - table[i]) / (z[i + order] - z[i]) for i in range(len(z) - order)]
    return table[0]


def poles(levels, side, broadening, fermi_level):
    """e - mu + i side Gamma, exactly as given."""
    return [mp.mpc(mp.mpf(float(e)) - mp.mpf(float(fermi_level)), side * mp.mpf(float(broadening))) for e in levels]


def sea(levels, broadening, fermi_level, temperature):
    """int f prod_i R_i."""
    thermal = mp.mpf(k_B) * mp.mpf(float(temperature))
    return divided(potential, poles(levels, -1, broadening, fermi_level), thermal)


def surface(retarded, advanced, broadening, fermi_level, temperature):
    """int f' prod_b R_b A_a."""
    thermal = mp.mpf(k_B) * mp.mpf(float(temperature))
    all_poles = poles(retarded, -1, broadening, fermi_level) + poles([advanced], 1, broadening, fermi_level)
    return divided(slope, all_poles, thermal)


def conserving(a, b, c, broadening, fermi_level, temperature):
    """K' = -(i/2 pi) int { -f [R_a R_b R_c^2 - c.c.] + f' R_b (R_c - A_c) A_a }; returns (sea, surface)."""
    state = (broadening, fermi_level, temperature)
    full = sea([a, b, c, c], *state)
    # A_c A_a R_b is the conjugate of R_a R_c A_b
    edge = surface([b, c], a, *state) - mp.conj(surface([a, c], b, *state))
    return -mp.im(full) / mp.pi, -1j / (2 * mp.pi) * edge


def fermi(energy, fermi_level, temperature):
    thermal = mp.mpf(k_B) * mp.mpf(float(temperature))
    return 1 / (mp.exp((mp.mpf(float(energy)) - mp.mpf(float(fermi_level))) / thermal) + 1)


def fermi_derivative(z, thermal):
    return -1 / (4 * thermal * mp.cosh(z / (2 * thermal)) ** 2)


def to_complex(values) -> np.ndarray:
    return np.array([complex(value) for value in values])
