"""The model of the paper: p orbitals on a square lattice in the xy plane (arXiv:2511.11272).

Closed forms, with c_μ = cos k_μ d, s(k) = sin k d:

    ε_x = 2t_σ c_x + 2t_π c_y,   ε_y = 2t_π c_x + 2t_σ c_y,   ε_z = 2t_π (c_x + c_y) + δε_z               (3)–(5)

    κ^μ = s(k_μ + q_μ) − s(k_μ),   C = 2i (t_σ − t_π)/d:                                                 (S35), (S36)
    g_xy = C (κ^x e_y + κ^y e_x),   g_zx = C κ^x e_z,   g_yz = C κ^y e_z    (symmetric in the orbitals).

(7) prints κ with the opposite sign; (S36) is right.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from orbiphon._types import Energy, Length, Number, OrbitalMatrix, Polarisation, Ratio, RealScalar, Vector
from orbiphon.crystal.concrete import as_real
from orbiphon.electrons import Basis, SlaterKoster, TightBinding, tight_binding
from orbiphon.models.lattices import hypercubic, hypercubic_bonds


def square_p(
    t_sigma: Energy,
    t_pi: Energy,
    lattice_constant: Length = 5.0,
    pz_shift: Energy = 0.0,
    decay: Ratio = 2.0,
) -> TightBinding:
    """p_x, p_y, p_z on a square lattice with nearest-neighbour hoppings (ppσ), (ppπ) in eV; lattice constant in Å.

    `pz_shift` (eV) moves p_z as in Fig. 4; `decay` is the exponent of the hoppings with the bond length (S17–S22),
    which the paper leaves open and which does not matter for transverse waves along x.
    All arguments may be traced by JAX.
    """
    crystal = hypercubic(lattice_constant, 2)
    law = SlaterKoster({"pp_sigma": t_sigma, "pp_pi": t_pi}, length=lattice_constant, decay=decay)
    onsite = jnp.zeros(3).at[2].set(as_real(pz_shift))
    return tight_binding(crystal, Basis(((0, "p"),)), law, hypercubic_bonds(2), onsite=onsite)


def square_p_energies(
    k: Float[Array, "xyz"],
    t_sigma: Number,
    t_pi: Number,
    lattice_constant: Number = 5.0,
    pz_shift: Number = 0.0,
) -> Float[Array, "orbital"]:
    """ε_x, ε_y, ε_z (eV) at one k (1/Å) in closed form, (3)–(5)."""
    t_sigma, t_pi, d = as_real(t_sigma), as_real(t_pi), as_real(lattice_constant)
    c_x, c_y = jnp.cos(k[0] * d), jnp.cos(k[1] * d)
    return jnp.stack(
        [
            2 * t_sigma * c_x + 2 * t_pi * c_y,
            2 * t_pi * c_x + 2 * t_sigma * c_y,
            2 * t_pi * (c_x + c_y) + as_real(pz_shift),
        ]
    )


def square_p_vertex(
    k: Vector,
    q: Vector,
    polarisation: Polarisation,
    t_sigma: Number,
    t_pi: Number,
    lattice_constant: Number = 5.0,
) -> OrbitalMatrix:
    """The off-diagonal part of g(k, q; e) (eV/Å) in closed form, (S35), (S36); the diagonal is left zero."""
    d = as_real(lattice_constant)
    kappa = jnp.sin((k + q) * d) - jnp.sin(k * d)
    e_x, e_y, e_z = polarisation[0]
    kappa_x, kappa_y = kappa[0].astype(jnp.complex128), kappa[1].astype(jnp.complex128)
    scale = 2j * ((as_real(t_sigma) - as_real(t_pi)) / d).astype(jnp.complex128)
    xy, zx, yz = kappa_x * e_y + kappa_y * e_x, kappa_x * e_z, kappa_y * e_z
    zero = jnp.zeros_like(xy)
    return scale * jnp.array([[zero, xy, zx], [xy, zero, yz], [zx, yz, zero]])


def square_p_long_wave(t_sigma: Number, t_pi: Number) -> RealScalar:
    """|C_q|/q = |t_σ − t_π| (eV): the constant of the coupling to quadrupoles (10) for q along x, without its 1/N."""
    return jnp.abs(as_real(t_sigma) - as_real(t_pi))
