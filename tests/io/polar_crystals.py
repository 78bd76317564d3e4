"""Polar crystals made by phonopy from springs and charges, and written by phonopy."""

import numpy as np

ROCKSALT, MASSES = 5.6, (23.0, 35.5)
SKEW = np.array([[4.1, 0.2, -0.3], [0.5, 4.6, 0.4], [-0.2, 0.7, 5.1]])


def rocksalt(charge=1.1, dielectric=2.4, factor=14.4):
    """NaCl: springs between neighbours, isotropic charges."""
    cell = ROCKSALT / 2 * (1.0 - np.eye(3))
    found = _crystal(cell, np.array([[0.0, 0.0, 0.0], [0.5, 0.5, 0.5]]))
    found.force_constants = _springs(found.supercell, lambda length: (3.0, 0.5), 0.51 * ROCKSALT)
    charges = [charge * np.eye(3), -charge * np.eye(3)]
    found.nac_params = {"born": charges, "dielectric": dielectric * np.eye(3), "factor": factor}
    return found


def skew():
    """Two atoms in a triclinic cell without any symmetry, anisotropic charges and dielectric tensor."""
    found = _crystal(SKEW, np.array([[0.0, 0.0, 0.0], [0.43, 0.52, 0.47]]))
    found.force_constants = _springs(found.supercell, lambda r: (2.0 * np.exp(3.5 - r), 0.5 * np.exp(3.5 - r)), 5.5)
    tensor = np.array([[1.0, 0.2, -0.1], [0.05, 1.3, 0.15], [-0.2, 0.1, 0.8]])
    dielectric = np.array([[2.2, 0.1, 0.2], [0.1, 2.9, -0.1], [0.2, -0.1, 2.5]])
    found.nac_params = {"born": [tensor, -tensor], "dielectric": dielectric, "factor": 14.4}
    return found


def _crystal(cell, places):
    import phonopy
    from phonopy.structure.atoms import PhonopyAtoms

    atoms = PhonopyAtoms(symbols=["Na", "Cl"], cell=cell, scaled_positions=places, masses=MASSES)
    return phonopy.Phonopy(atoms, supercell_matrix=np.eye(3, dtype=int) * 2, primitive_matrix=np.eye(3))


def _springs(supercell, constants, reach):
    """Full force constants; `constants` are k_L and k_T by distance, between nearest images."""
    apart = supercell.scaled_positions[None] - supercell.scaled_positions[:, None]
    apart = (apart - np.rint(apart)) @ supercell.cell
    count = len(supercell)
    matrices = np.zeros((count, count, 3, 3))
    for i, j in np.ndindex(count, count):
        length = np.linalg.norm(apart[i, j])
        if 0.0 < length < reach:
            along, across = constants(length)
            n = np.outer(apart[i, j], apart[i, j]) / length**2
            spring = along * n + across * (np.eye(3) - n)
            matrices[i, j] -= spring
            matrices[i, i] += spring
    return matrices
