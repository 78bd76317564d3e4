"""p orbitals on a simple cubic lattice."""

from orbiphon._types import Energy, Length, Ratio
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
        spin_orbit=None if spin_orbit is None else {(0, "p"): spin_orbit},
    )
