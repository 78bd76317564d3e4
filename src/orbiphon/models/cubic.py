"""p and d orbitals, and the t_2g orbitals alone, on a simple cubic lattice."""

import numpy as np

from orbiphon._types import Energy, Length, Ratio
from orbiphon.crystal.concrete import as_real
from orbiphon.electrons import Basis, SlaterKoster, TightBinding, tight_binding
from orbiphon.models.lattices import hypercubic, hypercubic_bonds


def cubic_p(
    t_sigma: Energy,
    t_pi: Energy,
    lattice_constant: Length = 5.0,
    decay: Ratio = 2.0,
    spin_orbit: Energy | None = None,
) -> TightBinding:
    """p_x, p_y, p_z with nearest-neighbour hoppings (eV): ε_x = 2t_σ cos k_x d + 2t_π (cos k_y d + cos k_z d), cyclic.

    With `spin_orbit` = λ (eV) the electrons have a spin and λ L·S on every atom.
    """
    crystal = hypercubic(lattice_constant, 3)
    law = SlaterKoster({"pp_sigma": t_sigma, "pp_pi": t_pi}, length=lattice_constant, decay=decay)
    return tight_binding(
        crystal,
        Basis(((0, "p"),), spin=spin_orbit is not None),
        law,
        hypercubic_bonds(3),
        spin_orbit={(0, "p"): spin_orbit},
    )


def cubic_d(
    dd_sigma: Energy,
    dd_pi: Energy,
    dd_delta: Energy,
    crystal_field: Energy = 0.0,
    lattice_constant: Length = 4.0,
    decay: Ratio = 5.0,
    spin_orbit: Energy | None = None,
) -> TightBinding:
    """The full d shell under O_h with nearest-neighbour hoppings (eV); e_g lies `crystal_field` above t_2g.

    With c_i = cos k_i d: ε_xy = 2π(c_x + c_y) + 2δ c_z, cyclic; the e_g states do not couple to these, and have
    H_3z² = 2σ c_z + (σ + 3δ)(c_x + c_y)/2, H_x²−y² = 2δ c_z + (3σ + δ)(c_x + c_y)/2, and
    −(√3/2)(σ − δ)(c_x − c_y) between them. Source: Slater and Koster, Phys. Rev. 94, 1498 (1954).
    With `spin_orbit` = λ (eV) the electrons have a spin and λ L·S on every atom.
    """
    crystal, spin = hypercubic(lattice_constant, 3), spin_orbit is not None
    in_e_g = np.repeat([1.0, 0.0, 0.0, 1.0, 0.0], 2 if spin else 1)  # d3z2-r2, dzx, dyz, dx2-y2, dxy
    integrals = {"dd_sigma": dd_sigma, "dd_pi": dd_pi, "dd_delta": dd_delta}
    return tight_binding(
        crystal,
        Basis(((0, "d"),), spin=spin),
        SlaterKoster(integrals, length=lattice_constant, decay=decay),
        hypercubic_bonds(3),
        onsite=as_real(in_e_g) * as_real(crystal_field),
        spin_orbit={(0, "d"): spin_orbit},
    )


def cubic_t2g(
    dd_pi: Energy,
    dd_delta: Energy,
    lattice_constant: Length = 4.0,
    decay: Ratio = 5.0,
    spin_orbit: Energy | None = None,
) -> TightBinding:
    """d_zx, d_yz, d_xy with nearest-neighbour hoppings (eV): ε_xy = 2π(c_x + c_y) + 2δ c_z, cyclic, c_i = cos k_i d.

    The limit of `cubic_d` in which e_g is far away. L, cut to t_2g, is −1 times that of a p shell. Source: Slater and
    Koster, Phys. Rev. 94, 1498 (1954). With `spin_orbit` = λ (eV) the electrons have a spin and λ L·S on every atom, of
    which j = 3/2 is at −λ/2 and j = 1/2 at +λ.
    """
    integrals = {"dd_sigma": 0.0, "dd_pi": dd_pi, "dd_delta": dd_delta}  # σ does not reach t_2g
    return tight_binding(
        hypercubic(lattice_constant, 3),
        Basis(((0, "t2g"),), spin=spin_orbit is not None),
        SlaterKoster(integrals, length=lattice_constant, decay=decay),
        hypercubic_bonds(3),
        spin_orbit={(0, "t2g"): spin_orbit},
    )
