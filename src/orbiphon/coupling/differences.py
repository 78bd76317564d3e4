"""Central differences of Hamiltonians of deformed cells, and what the crystal's symmetry makes of them.

A cell deformed by F = Q U, a rotation Q after a stretch U, has H_F(R) = D(Q) H_U(R) D(Q)^+ at the same integer R,
exactly. So every sample is turned back, and counts with its strain ε = ln U. Its partner has -ε: another sample, or the
image of a sample under an operation g of the crystal. From the pair, D[ε/|ε|] = (H(ε) - H(-ε))/2|ε| up to |ε|².

The D of all pairs and of their images make up D[ε] for every strain that they span: the least-squares combination, an
average over equivalent ones. Pairs of the smallest step give the value, those of the next larger one the error.
"""

from collections.abc import Sequence
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
_PARTNER = 0.05  # of |ε|
_SAME_STEP = 0.2  # steps that differ by less are one
_LARGEST = 0.1  # strain: more is no derivative, and rather another crystal
_SPANNED = 0.05  # of a unit strain
SMOOTH = 0.3
"""Even part over odd part, and change of D with the step, beyond which samples are not of one gauge."""


class Sample(NamedTuple):
    """A deformed cell: `name` for messages, F (xyz xyz), and H on the mesh of the undeformed one."""

    name: str
    deformation: Float[np.ndarray, "xyz xyz"]
    on_mesh: OnMesh


class Difference(NamedTuple):
    """`strain` (xyz xyz) of unit norm, `step` |ε|, D in eV, `even` part over odd part, and `names` of the samples."""

    strain: Float[np.ndarray, "xyz xyz"]
    step: float
    derivative: OnMesh
    even: float
    names: tuple[str, str]


class Symmetries(NamedTuple):
    """The operations that H obeys, with their matrices on the orbitals."""

    operations: tuple[Operation, ...]
    matrices: tuple[np.ndarray, ...]


def symmetries(crystal: Crystal, basis: Basis, on_mesh: OnMesh) -> Symmetries:
    """The crystal's operations, without those that H breaks."""
    scale, kept = spread(on_mesh), []
    for operation in point_operations(crystal):
        matrix = operation_matrix(basis, operation)
        if matrix is not None and keeps_mesh(operation, on_mesh.shape[:3]):
            if np.linalg.norm(transformed(basis, operation, matrix, on_mesh) - on_mesh) <= _SYMMETRIC * scale:
                kept.append((operation, matrix))
    return Symmetries(*(tuple(part) for part in zip(*kept, strict=True)))


def spread(on_mesh: OnMesh) -> float:
    """|H - its mean level|, the norm by which changes of H are measured."""
    without = on_mesh.copy()
    size = without.shape[-1]
    without[0, 0, 0] -= np.trace(on_mesh[0, 0, 0]) / size * np.eye(size)
    return float(np.linalg.norm(without)) or 1.0


def differences(basis: Basis, group: Symmetries, home: OnMesh, samples: Sequence[Sample]) -> list[Difference]:
    """One central difference for each sample and its partner. Raises `InputError` for a sample without partner, a large
    strain, or Hamiltonians that are not of one gauge."""
    turned = [_turned_back(basis, sample) for sample in samples]
    found, used = [], set()
    for index, (strain, h) in enumerate(turned):
        if index in used:
            continue
        partner = _partner(group, [strain for strain, _ in turned], index)
        if partner is None:
            raise InputError(
                f"`{samples[index].name}` must have a partner with the opposite strain, but has none, and no operation "
                "of the crystal makes it one. Add the Hamiltonian of the opposite strain."
            )
        other, operation = partner
        used |= {index, other}
        there, matrix = group.operations[operation], group.matrices[operation]
        opposite = transformed(basis, there, matrix, turned[other][1])
        mean = (strain - there.matrix @ turned[other][0] @ there.matrix.T) / 2
        step, odd = float(np.linalg.norm(mean)), (h - opposite) / 2
        even = float(np.linalg.norm((h + opposite) / 2 - home) / (np.linalg.norm(odd) or 1.0))
        names = (samples[index].name, samples[other].name)
        found.append(Difference(mean / step, step, odd / step, even, names))
    return found


def span(group: Symmetries, pairs: Sequence[Difference], steps: Sequence[float]) -> int:
    """How many independent strains pairs of those steps and their images make up."""
    size = np.linalg.svd(_images(group, _of_steps(pairs, steps)).reshape(-1, 9), compute_uv=False)
    return int(np.sum(size > _SPANNED * size[0]))


def strain_derivatives(
    basis: Basis, group: Symmetries, pairs: Sequence[Difference], steps: Sequence[float]
) -> tuple[Float[np.ndarray, "strain xyz xyz"], list[OnMesh]]:
    """Orthonormal strains that pairs of those steps and their images span, and D of each."""
    chosen = _of_steps(pairs, steps)
    images = _images(group, chosen)
    flat = images.reshape(-1, 9)
    strains = spanned(flat)
    weights = np.linalg.pinv(flat, rcond=_SPANNED).T @ strains.T  # strain_m = sum_image weight image
    weights = weights.reshape(*images.shape[:2], -1)
    total = [np.zeros_like(chosen[0].derivative) for _ in strains]
    for p, pair in enumerate(chosen):
        for g, (operation, matrix) in enumerate(zip(*group, strict=True)):
            if np.max(np.abs(weights[p, g])) > 1e-12:
                image = transformed(basis, operation, matrix, pair.derivative)
                for m, part in enumerate(total):
                    part += weights[p, g, m] * image
    return strains.reshape(-1, 3, 3), total


def spanned(strains: Float[np.ndarray, "image 9"]) -> Float[np.ndarray, "strain 9"]:
    """An orthonormal basis of the space of some strains that depends on the space alone."""
    _, size, rows = np.linalg.svd(strains, full_matrices=False)
    rows = rows[size > _SPANNED * size[0]]
    projected = rows.T @ rows
    found: list[np.ndarray] = []
    for index in (0, 4, 8, 5, 2, 1):  # xx, yy, zz, yz, xz, xy
        rest = projected[index] - sum((v * (v @ projected[index]) for v in found), start=np.zeros(9))
        if np.linalg.norm(rest) > _SPANNED:
            found.append(rest / np.linalg.norm(rest))
    return np.array(found)


def _of_steps(pairs: Sequence[Difference], steps: Sequence[float]) -> list[Difference]:
    return [pair for pair in pairs if any(_same(pair.step, step) for step in steps)]


def _images(group: Symmetries, pairs: Sequence[Difference]) -> Float[np.ndarray, "pair operation xyz xyz"]:
    """The strains of pairs under all operations."""
    return np.array([[g.matrix @ pair.strain @ g.matrix.T for g in group.operations] for pair in pairs])


def distinct_steps(pairs: Sequence[Difference]) -> list[float]:
    """The step sizes, rising; those within a fifth are one."""
    steps: list[float] = []
    for pair in sorted(pairs, key=lambda pair: pair.step):
        if not any(_same(pair.step, step) for step in steps):
            steps.append(pair.step)
    return steps


def _same(a: float, b: float) -> bool:
    return abs(a - b) <= _SAME_STEP * b


def _turned_back(basis: Basis, sample: Sample) -> tuple[Float[np.ndarray, "xyz xyz"], OnMesh]:
    """ε = ln U and H_U."""
    rotation, stretch = polar(sample.deformation)
    strain = np.real(logm(stretch))
    strain = (strain + strain.T) / 2
    size = float(np.linalg.norm(strain))
    if not 1e-7 < size < _LARGEST:
        raise InputError(
            f"`{sample.name}` must be the same crystal with a strain of a percent or so, but its strain is {size:.3g}. "
            "It is of another lattice, or not deformed: give cells that differ by a small strain."
        )
    turn = basis_rotation(basis, rotation)
    return strain, turn.conj().T @ sample.on_mesh @ turn


def _partner(group: Symmetries, strains: list[np.ndarray], index: int) -> tuple[int, int] | None:
    """The sample and the operation that make -ε; the sample as it is (operation 0) if there is one."""
    mismatch = {
        (other, operation): float(np.linalg.norm(strains[index] + g.matrix @ strains[other] @ g.matrix.T))
        for operation, g in enumerate(group.operations)
        for other in range(len(strains))
    }
    least = min(mismatch.values())
    if least > _PARTNER * np.linalg.norm(strains[index]):
        return None
    equal = [pair for pair, value in mismatch.items() if value < least + 1e-6]
    return min(equal, key=lambda pair: (pair[1], pair[0] == index))
