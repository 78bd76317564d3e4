"""A chain of atoms along x with one shell each."""

from collections.abc import Mapping

from orbiphon._types import Energy, Length, Ratio
from orbiphon.crystal.concrete import ArrayLike
from orbiphon.electrons import Basis, SlaterKoster, TightBinding, tight_binding
from orbiphon.models.lattices import hypercubic, hypercubic_bonds


def linear_chain(
    integrals: Mapping[str, ArrayLike],
    shell: str = "s",
    lattice_constant: ArrayLike = 3.0,
    decay: ArrayLike = 2.0,
    spin: bool = False,
) -> TightBinding:
    """Nearest-neighbour hopping along x between equal shells, `linear_chain({"ss_sigma": -1.0})`: ε = 2t cos k_x d.

    `integrals` in eV by name (`SlaterKoster`), lattice constant in Å.
    """
    crystal = hypercubic(lattice_constant, 1)
    law = SlaterKoster(integrals, length=lattice_constant, decay=decay)
    return tight_binding(crystal, Basis(((0, shell),), spin=spin), law, hypercubic_bonds(1))


def chain_p(t_sigma: Energy, t_pi: Energy, lattice_constant: Length = 3.0, decay: Ratio = 2.0) -> TightBinding:
    """The p shell on a chain, hoppings in eV: ε_x = 2t_σ cos k_x d, ε_y = ε_z = 2t_π cos k_x d."""
    return linear_chain({"pp_sigma": t_sigma, "pp_pi": t_pi}, "p", lattice_constant, decay)
