"""Couplings from pairs of Hamiltonians with the symmetry of the crystal: D[g x] = g D[x] g^+ for all operations g of
the electrons, x a strain or displacements of atoms.

A change x is a combination of images of the known ones, x = sum_{g,n} w_gn g x_n, with the least squares of weights
w_gn = <g x_n| F^+ |x>, F = sum_{g,n} |g x_n><g x_n|; then D[x] = sum w_gn g D[x_n] g^+. F commutes with the group, so
that D has its symmetry, and images of known changes become known, too.
"""

from typing import NamedTuple

import numpy as np

from orbiphon.coupling.deformed import Deformation
from orbiphon.coupling.differences import spanned
from orbiphon.coupling.displaced import Displacement
from orbiphon.electrons.symmetrized import group_mean
from orbiphon.electrons.symmetry import ElectronSymmetry

FromPairs = Deformation | Displacement


class SymmetrizedCoupling(NamedTuple):
    """The `coupling` with the symmetry, whose `electrons` have it too, and the `change` |ΔD|/|D| that it took."""

    coupling: FromPairs
    change: float


def symmetrized_coupling(coupling: FromPairs, group: tuple[ElectronSymmetry, ...]) -> SymmetrizedCoupling:
    """The coupling and its electrons as means of their images under `group`, that of `symmetrized(electrons)`."""
    known, kind = coupling.changes, coupling.kind

    def images(g: ElectronSymmetry) -> np.ndarray:
        return known @ kind.turn(g.operation).T

    every = np.concatenate([images(g) for g in group])
    changes = spanned(every, kind.order)
    frame = len(group) * np.linalg.pinv(every.T @ every, rcond=1e-9, hermitian=True)

    electrons, derivative = group_mean(
        coupling.electrons, group, np.asarray(coupling.derivative), lambda g: changes @ frame @ images(g).T
    )
    before = np.zeros((len(known), *derivative.shape[1:]), complex)
    before[:, : coupling.derivative.shape[1]] = coupling.derivative
    after = np.tensordot(known @ changes.T, derivative, axes=1)
    change = float(np.linalg.norm(after - before) / np.linalg.norm(before))
    return SymmetrizedCoupling(coupling.of_changes(electrons, changes, derivative), change)
