"""Whether two Hamiltonians are written in the same orbitals, and the way back if not.

H' = V^+ H V with V unitary within each shell. At the right V the linear map  V -> sum_R H(R) V H'(R)^+ , cut to shells,
has its largest eigenvalue (all its terms then add up), so V is the unitary part of its leading eigenvector: Procrustes'
problem, without the local optima of an iteration. Only changes of sign, phase and order of the orbitals are undone. A
turn within a shell is not: orbitals that turn a little with the strain look the same as a crystal that does, and that
part of dH cannot be told from the gauge afterwards.
"""

import numpy as np
from jaxtyping import Complex

from orbiphon.electrons import Basis
from orbiphon.electrons.on_mesh import OnMesh

_MONOMIAL = 0.05


def aligning(basis: Basis, home: OnMesh, other: OnMesh) -> Complex[np.ndarray, "orbital orbital"] | None:
    """V with V other V^+ nearest to `home`: signs, phases and an order of the orbitals; None if it takes more."""
    n = basis.size
    pairs = [
        (i, j)
        for part in basis.spatial_slices()
        for i in range(part.start * basis.spins, part.stop * basis.spins)
        for j in range(part.start * basis.spins, part.stop * basis.spins)
    ]
    rows, columns = (np.array(index) for index in zip(*pairs, strict=True))
    h, other_h = (x.reshape(-1, n, n) - _level(x) for x in (home, other))
    # (V -> sum_R H V H'^+)_ij,kl = sum_R H_ik H'*_jl
    linear = np.einsum("rpq,rpq->pq", h[:, rows[:, None], rows], other_h[:, columns[:, None], columns].conj())
    values, vectors = np.linalg.eigh((linear + linear.conj().T) / 2)
    if values[-1] <= 0.0:
        return None
    found = np.zeros((n, n), complex)
    found[rows, columns] = vectors[:, -1]
    u, _, v = np.linalg.svd(found)
    unitary = u @ v
    onto = np.argmax(np.abs(unitary), axis=0)
    entries = unitary[onto, np.arange(n)]
    if len(set(onto.tolist())) < n or np.min(np.abs(entries)) < 1.0 - _MONOMIAL:
        return None
    phases = entries / entries[0]
    result = np.zeros((n, n), complex)
    result[onto, np.arange(n)] = phases / np.abs(phases)
    return result


def _level(on_mesh: OnMesh) -> np.ndarray:
    """The mean level at R = 0: it would only say V = V."""
    size = on_mesh.shape[-1]
    level = np.zeros((int(np.prod(on_mesh.shape[:3])), size, size), complex)
    level[0] = np.trace(on_mesh[0, 0, 0]) / size * np.eye(size)
    return level
