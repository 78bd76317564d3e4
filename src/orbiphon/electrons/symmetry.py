"""The operations that leave a Hamiltonian alone: asked of the Hamiltonian itself, not of its atoms only.

With Bloch sums that carry the phase of the atoms, an operation g = {R|t} takes the orbitals at k to those at Rk by one
and the same unitary matrix U, times a phase, so that it is a symmetry if

    U H(k) U^+ = H(Rk),        and with time reversal T, if    U T H(k) T^-1 U^+ = H(-Rk).

Both are analytic in k: they hold everywhere if they hold at random k.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Complex, Float

from orbiphon.crystal import CrystalSymmetry, Operation, crystal_symmetry
from orbiphon.electrons.on_mesh import operation_matrix
from orbiphon.electrons.orbitals import Basis
from orbiphon.electrons.rotations import time_reversed
from orbiphon.electrons.tight_binding import TightBinding

OBEYED = 1e-5
"""Of the spread of H: an operation that H breaks by more is none of its symmetries."""
_PROBES = 2


class ElectronSymmetry(NamedTuple):
    """`operation` g, its `unitary` matrix U on the orbitals, and whether it comes with `time_reversal`."""

    operation: Operation
    unitary: Complex[np.ndarray, "orbital orbital"]
    time_reversal: bool

    def image(self, basis: Basis, matrix: Complex[np.ndarray, "... orbital orbital"]) -> np.ndarray:
        """g X g^-1 of an operator in orbitals; X at k becomes one at `turned(k)`."""
        matrix = time_reversed(basis, matrix) if self.time_reversal else matrix
        return self.unitary @ matrix @ self.unitary.conj().T

    def turned(self, k: Float[np.ndarray, "... xyz"]) -> Float[np.ndarray, "... xyz"]:
        """Rk, or -Rk with time reversal."""
        return (-k if self.time_reversal else k) @ self.operation.matrix.T


class ElectronSymmetries(NamedTuple):
    """`kept`, the identity first, time reversal with and without; `lattice`, of which they are a part; `broken`: by how
    much (of its spread) H breaks the operation, among those that it does not keep, that it breaks least, or None."""

    kept: tuple[ElectronSymmetry, ...]
    lattice: CrystalSymmetry
    broken: float | None

    @property
    def point_group(self) -> str:
        """The international symbol of the operations without time reversal."""
        return self.lattice.point_group([g.operation for g in self.kept if not g.time_reversal])


def electron_symmetries(
    electrons: TightBinding, within: float = OBEYED, kinds: Sequence[object] | None = None
) -> ElectronSymmetries:
    """The operations of the crystal that H obeys to `within` of its spread. `kinds` tell atoms apart; by default those
    with the same orbitals and levels are alike, whatever they are called."""
    basis = electrons.basis
    lattice = crystal_symmetry(electrons.crystal, _kinds(electrons) if kinds is None else kinds)
    every = _candidates(basis, lattice)
    k = np.random.default_rng(4).normal(size=(_PROBES, 3)) / np.max(np.abs(electrons.crystal.lattice.vectors))
    h = np.asarray(electrons.hopping)
    here = bloch(electrons, h, k)
    there = bloch(electrons, h, np.concatenate([g.turned(k) for g in every])).reshape(len(every), *here.shape)
    spread = float(np.max(np.abs(here - np.trace(here[0]) / len(h[0]) * np.eye(len(h[0]))))) or 1.0
    off = [float(np.max(np.abs(g.image(basis, here) - x))) / spread for g, x in zip(every, there, strict=True)]
    kept = tuple(g for g, apart in zip(every, off, strict=True) if apart <= within)
    return ElectronSymmetries(kept, lattice, min((apart for apart in off if apart > within), default=None))


_KNOWN: dict[tuple, tuple[CrystalSymmetry, list[ElectronSymmetry]]] = {}
_MOST_KNOWN = 32


def _candidates(basis: Basis, lattice: CrystalSymmetry) -> list[ElectronSymmetry]:
    """All operations of the lattice that take orbitals to orbitals, without and with time reversal; the matrices are
    kept, for sweeps over the parameters of a model."""
    key = id(lattice), basis.shells, basis.spin
    if key not in _KNOWN:
        unitaries = [(g, operation_matrix(basis, g)) for g in lattice.operations]
        every = [ElectronSymmetry(g, u, flip) for flip in (False, True) for g, u in unitaries if u is not None]
        if len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.clear()
        _KNOWN[key] = lattice, every  # with the lattice, so that no other one gets its id
    return _KNOWN[key][1]


def form_group(operations: Sequence[ElectronSymmetry], lattice: CrystalSymmetry) -> bool:
    """Whether the product of any two is one of them, up to lattice vectors."""
    cell = lattice.vectors
    rows = np.stack([np.rint(cell @ g.operation.matrix.T @ np.linalg.inv(cell)).astype(int) for g in operations])
    images, reversal = (
        np.stack([g.operation.image for g in operations]),
        np.array([g.time_reversal for g in operations]),
    )

    def keys(rows: np.ndarray, images: np.ndarray, reversal: np.ndarray) -> set[bytes]:
        flat = np.concatenate([rows.reshape(len(rows), -1), images, reversal[:, None]], axis=1)
        return {one.tobytes() for one in flat}

    every = keys(rows, images, reversal)
    products = zip(rows, images, reversal, strict=True)
    return all(keys(rows @ row, image[images], reversal ^ flip) == every for row, image, flip in products)


def bloch(
    electrons: TightBinding, real_space: Complex[np.ndarray, "cell orbital orbital"], k: Float[np.ndarray, "k xyz"]
) -> Complex[np.ndarray, "k orbital orbital"]:
    """Sum_R X_ij(R) exp(-i k (R + tau_i - tau_j)), tau the places of the *atoms*."""
    phases = np.exp(-1j * k @ np.asarray(electrons.cells).T)
    atoms = np.exp(-1j * k @ np.asarray(electrons.crystal.positions).T)[:, np.array(electrons.basis.site_of)]
    return atoms[:, :, None] * np.tensordot(phases, real_space, axes=1) * atoms.conj()[:, None, :]


def _kinds(electrons: TightBinding) -> list[tuple[object, int]]:
    """What tells atoms apart: their shells and the levels of their orbitals; the species where there are none."""
    home = int(np.argmin(np.linalg.norm(np.asarray(electrons.cells), axis=1)))
    hopping, site_of = np.asarray(electrons.hopping), np.array(electrons.basis.site_of)
    local, tolerance = hopping[home], OBEYED * float(np.max(np.abs(hopping))) or 1.0
    kinds: list[tuple[tuple[object, int], np.ndarray]] = []
    for site, species in enumerate(electrons.crystal.species):
        here = np.flatnonzero(site_of == site)
        shells = tuple(sorted(shell for at, shell in electrons.basis.shells if at == site)) or species
        levels = np.linalg.eigvalsh(local[np.ix_(here, here)]) if here.size else np.zeros(0)
        alike = (kind for kind, known in kinds if kind[0] == shells and np.allclose(known, levels, 0.0, tolerance))
        kinds.append((next(alike, (shells, site)), levels))
    return [kind for kind, _ in kinds]
