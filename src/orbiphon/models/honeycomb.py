"""p orbitals on a honeycomb lattice in the xy plane, and springs between its atoms.

Closed forms, with d_j the bonds from B to A, |f|² = |Σ_j e^{−ik·d_j}|², Δ half the stagger:

    p_z:                    ε = ±√(Δ² + t_π² |f|²)
    p_x, p_y, t_π = Δ = 0:  ε = ±(3/2) t_σ (flat),   ε = ±(1/2) t_σ |f|.

Source: C. Wu and S. Das Sarma, Phys. Rev. B 77, 235107 (2008); with phonons: Yao, Go, Mokrousov and Murakami,
arXiv:2511.09271.
"""

from functools import lru_cache

import jax
import numpy as np

from orbiphon._checks import check_choice, check_positive
from orbiphon._types import Energy, Length, Number, Ratio
from orbiphon.crystal import Bonds, Crystal, Lattice, bonds_within, is_concrete
from orbiphon.crystal.concrete import ArrayLike, as_real
from orbiphon.electrons import Basis, SlaterKoster, TightBinding, tight_binding
from orbiphon.phonons import ForceConstants, Spring, spring_model

ORIENTATIONS = ("zigzag", "armchair")
"""Which edge runs along x."""


def honeycomb(bond: ArrayLike = 2.0, orientation: str = "zigzag") -> Crystal:
    """Two atoms, A and B, `bond` (Å) apart, along y (zigzag along x) or along x (armchair along x)."""
    check_choice("orientation", orientation, ORIENTATIONS)
    if is_concrete(bond):
        check_positive("bond", bond)
    side = np.sqrt(3.0)
    vectors = np.array([[side, 0.0, 0.0], [side / 2.0, 1.5, 0.0]])
    positions = np.array([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    if orientation == "armchair":  # a quarter of a turn clockwise: y -> x
        turn = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
        vectors, positions = vectors @ turn.T, positions @ turn.T
    return Crystal(Lattice(as_real(vectors) * as_real(bond)), as_real(positions) * as_real(bond), ("A", "B"))


def honeycomb_p(
    t_sigma: Energy,
    t_pi: Energy,
    stagger: Energy = 0.0,
    bond: Length = 2.0,
    decay: Ratio = 2.0,
    spin_orbit: Energy | None = None,
    orientation: str = "zigzag",
) -> TightBinding:
    """p_x, p_y, p_z on both atoms with nearest-neighbour hoppings (ppσ), (ppπ) in eV; energies ±`stagger`/2 on A and B.

    With `spin_orbit` = λ (eV) the electrons have a spin and λ L·S on every atom.
    """
    crystal = honeycomb(bond, orientation)
    spin = spin_orbit is not None
    signs = np.repeat([0.5, -0.5], 6 if spin else 3)
    return tight_binding(
        crystal,
        Basis(((0, "p"), (1, "p")), spin=spin),
        SlaterKoster({"pp_sigma": t_sigma, "pp_pi": t_pi}, length=bond, decay=decay),
        _honeycomb_bonds(orientation),
        onsite=as_real(signs) * as_real(stagger),
        spin_orbit={(site, "p"): spin_orbit for site in (0, 1)} if spin_orbit is not None else None,
    )


def honeycomb_springs(
    crystal: Crystal,
    masses: tuple[Number, Number],
    central: tuple[Number, Number],
    transverse: tuple[Number, Number],
) -> ForceConstants:
    """Springs of a `honeycomb` to first and second neighbours (eV/Å², each a pair), masses of A and B."""
    bond = float(np.linalg.norm(np.asarray(crystal.positions[1] - crystal.positions[0])))
    lengths = bond, np.sqrt(3.0) * bond
    springs = [Spring(*spring) for spring in zip(lengths, central, transverse, strict=True)]
    return spring_model(crystal, list(masses), springs)


@lru_cache
def _honeycomb_bonds(orientation: str) -> Bonds:
    """The nearest-neighbour bonds, whatever their length."""
    with jax.ensure_compile_time_eval():
        return bonds_within(honeycomb(1.0, orientation), 1.1)
