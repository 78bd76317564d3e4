"""p orbitals on a threefold helix along z, as in selenium and tellurium chains, and springs between its atoms.

Atom n sits at the angle 2πn/3 (right-handed) or −2πn/3 (left-handed) and the height nc/3. With R the rotation from one
atom to the next, b the first bond and t(b) = t_π + (t_σ − t_π) b b^T/b² the hopping along it, the bands are those of

    H(κ) = R^T t(b) e^{−iκ} + h.c.,    κ = (k c + 2πm)/3,  m = 0, 1, 2,

in orbitals that turn with the helix (m is the pseudo-angular momentum of the screw).

Source: for orbital accumulation in threefold helices Tateishi, Kato, Ovchinnikov and Kishine, arXiv:2604.25328.
"""

import numpy as np

from orbiphon._checks import check_choice, check_positive
from orbiphon._types import Energy, Length, Number, Ratio
from orbiphon.crystal import Crystal, Lattice
from orbiphon.electrons import Basis, SlaterKoster, TightBinding, tight_binding
from orbiphon.phonons import ForceConstants, Spring, spring_model

HANDS = ("right", "left")


def helix(hand: str = "right", radius: float = 1.0, pitch: float = 5.0) -> Crystal:
    """Three atoms per turn, `radius` and `pitch` in Å. Raises `InputError` for another hand or lengths ≤ 0."""
    check_choice("hand", hand, HANDS)
    check_positive("radius", radius)
    check_positive("pitch", pitch)
    turn = np.arange(3) * 2.0 * np.pi / 3.0 * (1 if hand == "right" else -1)
    heights = np.arange(3) * pitch / 3.0
    positions = np.stack([radius * np.cos(turn), radius * np.sin(turn), heights], axis=1)
    return Crystal(Lattice(np.array([[0.0, 0.0, pitch]])), positions, ("X",) * 3)


def helix_p(
    t_sigma: Energy,
    t_pi: Energy,
    hand: str = "right",
    radius: Length = 1.0,
    pitch: Length = 5.0,
    decay: Ratio = 2.0,
    spin_orbit: Energy | None = None,
) -> TightBinding:
    """p_x, p_y, p_z on each atom with hoppings (ppσ), (ppπ) in eV between neighbours along the helix.

    With `spin_orbit` = λ (eV) the electrons have a spin and λ L·S on every atom.
    """
    crystal = helix(hand, float(radius), float(pitch))
    bond, _ = helix_distances(crystal)
    return tight_binding(
        crystal,
        Basis(tuple((site, "p") for site in range(3)), spin=spin_orbit is not None),
        SlaterKoster({"pp_sigma": t_sigma, "pp_pi": t_pi}, length=bond, decay=decay),
        1.01 * bond,
        spin_orbit={(site, "p"): spin_orbit for site in range(3)},
    )


def helix_springs(
    crystal: Crystal, mass: Number, central: tuple[Number, Number], transverse: tuple[Number, Number]
) -> ForceConstants:
    """Springs of a `helix` to the next atom and the one after it (eV/Å², each a pair); one mass."""
    constants = zip(helix_distances(crystal), central, transverse, strict=True)
    return spring_model(crystal, [mass] * 3, [Spring(*one) for one in constants])


def helix_distances(crystal: Crystal) -> tuple[float, float]:
    """From an atom to the next one and to the one after it (Å)."""
    positions = np.asarray(crystal.positions)
    first, second = (float(np.linalg.norm(positions[n] - positions[0])) for n in (1, 2))
    return first, second
