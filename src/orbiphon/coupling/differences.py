"""Central differences of Hamiltonians of changed cells, and what the crystal's symmetry makes of them.

A change x is a strain, or displacements of the atoms: small numbers without unit, (component,), which an operation g of
the crystal turns into g x. The partner of x has the change -x: another sample, or the image of a sample under an
operation. From the pair, D[x/|x|] = (H(x) - H(-x))/2|x| up to |x|².

The D of all pairs and of their images make up D[x] for every change that they span: the least-squares combination, an
average over equivalent ones. Pairs of the smallest step give the value, those of the next larger one the error.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.linalg import logm, polar

from orbiphon.crystal import Crystal, Operation, point_operations
from orbiphon.electrons import Basis
from orbiphon.electrons.on_mesh import OnMesh, keeps_mesh, operation_matrix, transformed
from orbiphon.electrons.rotations import basis_rotation
from orbiphon.errors import InputError

_SYMMETRIC = 2e-3  # of H: an operation that H breaks by more makes no images
_PARTNER = 0.05  # of |x|
_SAME_STEP = 0.2  # steps that differ by less are one
_LARGEST = 0.1  # more is no derivative, and rather another crystal
SPANNED = 0.05  # of a unit change
_STIFF = 0.3  # |D|/|H|: a change of H that is smaller in first order, or none, is no sign of another gauge
SMOOTH = 0.3
"""Even part over odd part, and change of D with the step, beyond which samples are not of one gauge."""


class Sample(NamedTuple):
    """A changed cell: `name` for messages, its change x (component,), and H on the mesh of the unchanged one."""

    name: str
    change: Float[np.ndarray, "component"]
    on_mesh: OnMesh


class Difference(NamedTuple):
    """`change` x/|x| (component,), `step` |x|, D in eV, `even` part over odd part, and `names` of the samples."""

    change: Float[np.ndarray, "component"]
    step: float
    derivative: OnMesh
    even: float
    names: tuple[str, str]


class Kind(NamedTuple):
    """What is changed: in `words`; how D is called; its components (`order`: those that a basis is made of first); and
    the matrix (component component) by which an operation turns a change."""

    words: str
    derivative: str
    order: tuple[int, ...]
    turn: Callable[[Operation], Float[np.ndarray, "component component"]]


STRAIN = Kind(
    "strain", "dH/dstrain", (0, 4, 8, 5, 2, 1), lambda g: np.kron(g.matrix, g.matrix)
)  # xx, yy, zz, yz, xz, xy of nine


def displacements_of(sites: int) -> Kind:
    """Displacements of the atoms of a cell, (site xyz) in a row."""

    def turn(g: Operation) -> Float[np.ndarray, "component component"]:
        matrix = np.zeros((sites, 3, sites, 3))
        matrix[g.image, :, np.arange(sites)] = g.matrix
        return matrix.reshape(3 * sites, 3 * sites)

    return Kind("displacement", "dH/du", tuple(range(3 * sites)), turn)


class Symmetries(NamedTuple):
    """The operations that H obeys, with their matrices on the orbitals and on the changes of one kind."""

    operations: tuple[Operation, ...]
    matrices: tuple[np.ndarray, ...]
    turns: tuple[np.ndarray, ...]
    kind: Kind


def symmetries(crystal: Crystal, basis: Basis, on_mesh: OnMesh, kind: Kind) -> Symmetries:
    """The crystal's operations, without those that H breaks."""
    scale, kept = spread(on_mesh), []
    for operation in point_operations(crystal):
        matrix = operation_matrix(basis, operation)
        if matrix is not None and keeps_mesh(operation, on_mesh.shape[:3]):
            if np.linalg.norm(transformed(basis, operation, matrix, on_mesh) - on_mesh) <= _SYMMETRIC * scale:
                kept.append((operation, matrix, kind.turn(operation)))
    operations, matrices, turns = (tuple(part) for part in zip(*kept, strict=True))
    return Symmetries(operations, matrices, turns, kind)


def spread(on_mesh: OnMesh) -> float:
    """|H - its mean level|, the norm by which changes of H are measured."""
    without = on_mesh.copy()
    size = without.shape[-1]
    without[0, 0, 0] -= np.trace(on_mesh[0, 0, 0]) / size * np.eye(size)
    return float(np.linalg.norm(without)) or 1.0


def differences(basis: Basis, group: Symmetries, home: OnMesh, samples: Sequence[Sample]) -> list[Difference]:
    """One central difference for each sample and its partner. Raises `InputError` for a sample without partner, a large
    change or none."""
    for sample in samples:
        _check_size(group.kind, sample)
    found, used, word = [], set(), group.kind.words
    for index, (name, change, h) in enumerate(samples):
        if index in used:
            continue
        partner = _partner(group, [sample.change for sample in samples], index)
        if partner is None:
            raise InputError(
                f"`{name}` must have a partner with the opposite {word}, but has none, and no operation "
                f"of the crystal makes it one. Add the Hamiltonian of the opposite {word}."
            )
        other, operation = partner
        used |= {index, other}
        opposite = transformed(basis, group.operations[operation], group.matrices[operation], samples[other].on_mesh)
        mean = (change - group.turns[operation] @ samples[other].change) / 2
        step, odd = float(np.linalg.norm(mean)), (h - opposite) / 2
        size = max(float(np.linalg.norm(odd)), _STIFF * step * spread(home))
        even = float(np.linalg.norm((h + opposite) / 2 - home)) / size
        found.append(Difference(mean / step, step, odd / step, even, (name, samples[other].name)))
    return found


def span(group: Symmetries, pairs: Sequence[Difference], steps: Sequence[float]) -> int:
    """How many independent changes pairs of those steps and their images make up."""
    images = _images(group, _of_steps(pairs, steps))
    size = np.linalg.svd(images.reshape(-1, images.shape[-1]), compute_uv=False)
    return int(np.sum(size > SPANNED * size[0]))


def change_derivatives(
    basis: Basis, group: Symmetries, pairs: Sequence[Difference], steps: Sequence[float]
) -> tuple[Float[np.ndarray, "change component"], list[OnMesh]]:
    """Orthonormal changes that pairs of those steps and their images span, and D of each."""
    chosen = _of_steps(pairs, steps)
    images = _images(group, chosen)
    flat = images.reshape(-1, images.shape[-1])
    changes = spanned(flat, group.kind.order)
    weights = np.linalg.pinv(flat, rcond=SPANNED).T @ changes.T  # change_m = sum_image weight image
    weights = weights.reshape(*images.shape[:2], -1)
    total = [np.zeros_like(chosen[0].derivative) for _ in changes]
    for p, pair in enumerate(chosen):
        for g, (operation, matrix) in enumerate(zip(group.operations, group.matrices, strict=True)):
            if np.max(np.abs(weights[p, g])) > 1e-12:
                image = transformed(basis, operation, matrix, pair.derivative)
                for m, part in enumerate(total):
                    part += weights[p, g, m] * image
    return changes, total


def spanned(
    changes: Float[np.ndarray, "image component"], order: Sequence[int]
) -> Float[np.ndarray, "change component"]:
    """An orthonormal basis of the space of some changes that depends on the space alone."""
    _, size, rows = np.linalg.svd(changes, full_matrices=False)
    rows = rows[size > SPANNED * size[0]]
    projected = rows.T @ rows
    found: list[np.ndarray] = []
    for index in order:
        rest = projected[index] - sum((v * (v @ projected[index]) for v in found), start=np.zeros(len(projected)))
        if np.linalg.norm(rest) > SPANNED:
            found.append(rest / np.linalg.norm(rest))
    return np.array(found)


def _of_steps(pairs: Sequence[Difference], steps: Sequence[float]) -> list[Difference]:
    return [pair for pair in pairs if any(_same(pair.step, step) for step in steps)]


def _images(group: Symmetries, pairs: Sequence[Difference]) -> Float[np.ndarray, "pair operation component"]:
    """The changes of pairs under all operations."""
    return np.array([[turn @ pair.change for turn in group.turns] for pair in pairs])


def distinct_steps(pairs: Sequence[Difference]) -> list[float]:
    """The step sizes, rising; those within a fifth are one."""
    steps: list[float] = []
    for pair in sorted(pairs, key=lambda pair: pair.step):
        if not any(_same(pair.step, step) for step in steps):
            steps.append(pair.step)
    return steps


def _same(a: float, b: float) -> bool:
    return abs(a - b) <= _SAME_STEP * b


def turned_back(
    basis: Basis, deformation: Float[np.ndarray, "xyz xyz"], on_mesh: OnMesh
) -> tuple[Float[np.ndarray, "component"], OnMesh]:
    """ε = ln U, in a row, and H_U of a cell deformed by F = Q U, a rotation Q after a stretch U.

    H_F(R) = D(Q) H_U(R) D(Q)^+ at the same integer R, exactly: every deformed cell is turned back."""
    rotation, stretch = polar(deformation)
    strain = np.real(logm(stretch))
    turn = basis_rotation(basis, rotation)
    return (strain + strain.T).ravel() / 2, turn.conj().T @ on_mesh @ turn


def _check_size(kind: Kind, sample: Sample) -> None:
    size = float(np.linalg.norm(sample.change))
    if not 1e-7 < size < _LARGEST:
        raise InputError(
            f"`{sample.name}` must be the same crystal with a {kind.words} of a percent or so, but its {kind.words} is "
            f"{size:.3g}. It is another crystal, or not changed: give cells that differ by a small strain, or by small "
            "displacements of the atoms."
        )


def _partner(group: Symmetries, changes: list[np.ndarray], index: int) -> tuple[int, int] | None:
    """The sample and the operation that make -x; the sample as it is (operation 0) if there is one."""
    mismatch = {
        (other, operation): float(np.linalg.norm(changes[index] + turn @ changes[other]))
        for operation, turn in enumerate(group.turns)
        for other in range(len(changes))
    }
    least = min(mismatch.values())
    if least > _PARTNER * np.linalg.norm(changes[index]):
        return None
    equal = [pair for pair, value in mismatch.items() if value < least + 1e-6]
    return min(equal, key=lambda pair: (pair[1], pair[0] == index))
