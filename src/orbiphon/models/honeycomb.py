"""p orbitals, with s or p_z or without, on a honeycomb lattice in the xy plane, and springs between its atoms.

Closed forms, with d_j the bonds from B to A, |f|² = |Σ_j e^{−ik·d_j}|², Δ half the stagger:

    p_z:                    ε = ±√(Δ² + t_π² |f|²)
    p_x, p_y, t_π = Δ = 0:  ε = ±(3/2) t_σ (flat),   ε = ±(1/2) t_σ |f|.

p_x and p_y, any t_π, Δ = 0: Dirac points at K with ε = 0 and the velocity (3/4)|t_σ − t_π| bond; there the states are
p_x ∓ ip_y on A and p_x ± ip_y on B, L_z = ∓1, ±1. Δ opens a gap of 2Δ. With s orbitals at energy ε_s, p at ε_p and
Δ = 0, at K

    s with p_x ± ip_y of the other atom:  ε = (ε_s + ε_p)/2 ± √[(ε_s − ε_p)²/4 + (9/2) V_spσ²] (twice each: Dirac)
    p_x, p_y:  ε = ε_p ± (3/2)(t_σ − t_π),        p_z:  ε_p (twice),

and at Γ ε_s ± 3V_ssσ, ε_p ± (3/2)(t_σ + t_π) (twice each), ε_p ± 3t_π.

Sources: C. Wu and S. Das Sarma, Phys. Rev. B 77, 235107 (2008); with phonons: Yao, Go, Mokrousov and Murakami,
arXiv:2511.09271; with s orbitals, as in flat silicene: C.-C. Liu, H. Jiang and Y. Yao, Phys. Rev. B 84, 195430 (2011).
"""

from functools import lru_cache

import jax
import jax.numpy as jnp
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
    law = SlaterKoster({"pp_sigma": t_sigma, "pp_pi": t_pi}, length=bond, decay=decay)
    return _honeycomb_electrons(("p",), law, np.zeros(3), stagger, bond, spin_orbit, orientation)


def honeycomb_pxy(
    t_sigma: Energy,
    t_pi: Energy,
    stagger: Energy = 0.0,
    bond: Length = 2.0,
    decay: Ratio = 2.0,
    spin_orbit: Energy | None = None,
    orientation: str = "zigzag",
) -> TightBinding:
    """p_x and p_y alone, arguments as `honeycomb_p`: Dirac points at the corners of the zone, at energy 0.

    Motion across the layer, which would need p_z, does not couple.
    """
    law = SlaterKoster({"pp_sigma": t_sigma, "pp_pi": t_pi}, length=bond, decay=decay)
    return _honeycomb_electrons(("pxy",), law, np.zeros(2), stagger, bond, spin_orbit, orientation)


def honeycomb_sp(
    ss_sigma: Energy,
    sp_sigma: Energy,
    t_sigma: Energy,
    t_pi: Energy,
    p_level: Energy = 0.0,
    stagger: Energy = 0.0,
    bond: Length = 2.0,
    decay: Ratio = 2.0,
    spin_orbit: Energy | None = None,
    orientation: str = "zigzag",
) -> TightBinding:
    """s and p orbitals, the p level `p_level` above the s level, which is 0; all in eV, the rest as `honeycomb_p`."""
    integrals = {"ss_sigma": ss_sigma, "sp_sigma": sp_sigma, "pp_sigma": t_sigma, "pp_pi": t_pi}
    law = SlaterKoster(integrals, length=bond, decay=decay)
    levels = as_real(np.array([0.0, 1.0, 1.0, 1.0])) * as_real(p_level)
    return _honeycomb_electrons(("s", "p"), law, levels, stagger, bond, spin_orbit, orientation)


def _honeycomb_electrons(
    shells: tuple[str, ...],
    law: SlaterKoster,
    levels: ArrayLike,
    stagger: ArrayLike,
    bond: ArrayLike,
    spin_orbit: ArrayLike | None,
    orientation: str,
) -> TightBinding:
    """The same shells, the last of them with spin–orbit coupling, on A and B; `levels` (orbital of one atom,)."""
    basis = Basis(tuple((site, shell) for site in (0, 1) for shell in shells), spin=spin_orbit is not None)
    signs = np.repeat([0.5, -0.5], basis.spatial_size // 2)
    onsite = jnp.tile(as_real(levels), 2) + as_real(signs) * as_real(stagger)
    return tight_binding(
        honeycomb(bond, orientation),
        basis,
        law,
        _honeycomb_bonds(orientation),
        onsite=jnp.repeat(onsite, basis.spins),
        spin_orbit={(site, shells[-1]): spin_orbit for site in (0, 1)},
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
