"""Couplings to strain with the symmetry of the crystal: D[g s g^T] = g D[s] g^+ for all operations of the electrons.

A strain s is a combination of images of the known ones, s = sum_{g,n} w_gn g s_n g^T, with the least squares of weights
w_gn = <g s_n g^T| F^+ |s>, F = sum_{g,n} |g s_n g^T><g s_n g^T|; then D[s] = sum w_gn g D[s_n] g^+. F commutes with the
group, so that D has its symmetry, and images of known strains become known, too.
"""

from typing import NamedTuple

import numpy as np

from orbiphon.coupling.deformed import Deformation
from orbiphon.coupling.differences import spanned
from orbiphon.electrons.symmetrized import group_mean
from orbiphon.electrons.symmetry import ElectronSymmetry


class SymmetrizedCoupling(NamedTuple):
    """The `coupling` with the symmetry, whose `electrons` have it too, and the `change` |ΔD|/|D| that it took."""

    coupling: Deformation
    change: float


def symmetrized_coupling(deformation: Deformation, group: tuple[ElectronSymmetry, ...]) -> SymmetrizedCoupling:
    """The coupling and its electrons as means of their images under `group`, that of `symmetrized(electrons)`."""
    known = np.asarray(deformation.strains)

    def images(g: ElectronSymmetry) -> np.ndarray:
        return (g.operation.matrix @ known @ g.operation.matrix.T).reshape(-1, 9)

    every = np.concatenate([images(g) for g in group])
    strains = spanned(every)
    frame = len(group) * np.linalg.pinv(every.T @ every, rcond=1e-9, hermitian=True)

    electrons, derivative = group_mean(
        deformation.electrons, group, np.asarray(deformation.derivative), lambda g: strains @ frame @ images(g).T
    )
    before = np.zeros((len(known), *derivative.shape[1:]), complex)
    before[:, : deformation.derivative.shape[1]] = deformation.derivative
    after = np.tensordot(known.reshape(-1, 9) @ strains.T, derivative, axes=1)
    change = float(np.linalg.norm(after - before) / np.linalg.norm(before))
    return SymmetrizedCoupling(Deformation(electrons, strains.reshape(-1, 3, 3), derivative), change)
