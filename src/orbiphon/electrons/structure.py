"""Which orbitals a Hamiltonian can couple at all: found once from the geometry, never from the values of integrals.

A sweep over model parameters passes through accidental zeros (t_σ = t_π, say). What is compiled for the model must not
depend on them, so the sectors below are those of the most general model of the same form.
"""

from collections.abc import Iterable

import numpy as np

Sectors = tuple[tuple[int, ...], ...]
Pairs = tuple[tuple[int, int], ...]
Steps = tuple[tuple[int, ...], ...]  # lattice vectors as integers, (cell, dim)


def sectors_of(coupled: np.ndarray) -> Sectors:
    """Connected components of the orbitals, each sorted, for a matrix (orbital orbital): True where H can be ≠ 0."""
    linked = coupled | coupled.T | np.eye(len(coupled), dtype=bool)
    reach = linked
    while True:  # paths of twice the length, until nothing new is reached
        further = (reach.astype(int) @ reach.astype(int)) > 0
        if np.array_equal(further, reach):
            break
        reach = further
    return tuple(sorted({tuple(np.flatnonzero(row).tolist()) for row in reach}))


def pairs_of(sectors: Sectors, coupled: np.ndarray) -> Pairs:
    """Pairs (row sector, column sector) between which a matrix, True where it can be ≠ 0, has elements."""
    return tuple(
        (a, b)
        for a, rows in enumerate(sectors)
        for b, columns in enumerate(sectors)
        if coupled[np.ix_(rows, columns)].any()
    )


def check_partition(sectors: Sectors, orbitals: int) -> bool:
    """True if the sectors hold every orbital exactly once."""
    return sorted(_flat(sectors)) == list(range(orbitals))


def _flat(sectors: Sectors) -> Iterable[int]:
    return (orbital for sector in sectors for orbital in sector)
