"""A Hamiltonian that nearly has the symmetry of its crystal, made to have it: the mean of its images.

For operations g = {R|t}, alone or with time reversal T, that form a group G,

    H_sym = 1/|G| sum_g g H g^-1,        (g H g^-1)_{gi,gj}(g R + s_i - s_j) = [U H(R) U^+]_{gi,gj},

where g takes atom i to atom gi, s_i lattice vectors away, and H is T H T^-1 first if g comes with T. An image may lie
on a lattice vector that H did not have: H_sym then has it, too. Fields with indices, such as dH/d(strain), turn these
as well: F_m -> sum_n M_mn(g) g F_n g^-1.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Complex, Float, Int
from scipy.linalg import block_diag

from orbiphon._checks import check_positive
from orbiphon.electrons.bloch import lattice_steps
from orbiphon.electrons.orbitals import Basis
from orbiphon.electrons.symmetry import ElectronSymmetries, ElectronSymmetry, electron_symmetries, form_group
from orbiphon.electrons.tight_binding import TightBinding, from_hoppings
from orbiphon.errors import InputError

NEARLY = 0.02
"""Of the spread of H: an operation that H breaks by more is taken for none of its symmetries."""
_ROUNDING = 1e-13  # of the largest element: less is zero, so that orbitals that never mix stay apart

Fields = Complex[np.ndarray, "_ _ orbital orbital"]
Mixing = Callable[[ElectronSymmetry], Float[np.ndarray, "image component"]]
Steps = Int[np.ndarray, "_ dim"]


class Symmetrized(NamedTuple):
    """`electrons` with the symmetry of `group`, and the correction that it took, in eV: its `largest` element
    |ΔH_ij(R)|, and its root mean square `rms` over zone and levels, (sum_R |ΔH(R)|² / n)^1/2: that of the changes of
    levels is no larger. `broken`: by how much (of its spread) H breaks the operation, among those left out, that it
    breaks least, or None. `point_group`: the symbol of the operations without time reversal."""

    electrons: TightBinding
    group: tuple[ElectronSymmetry, ...]
    largest: float
    rms: float
    broken: float | None
    point_group: str

    def __str__(self) -> str:
        reversal = "with" if any(g.time_reversal for g in self.group) else "without"
        left_out = "" if self.broken is None else f"; left out: operations that H breaks by {self.broken:.1%} or more"
        return (
            f"symmetrized: {self.point_group}, {len(self.group)} operations {reversal} time reversal; elements of H(R) "
            f"changed by {self.largest:.1e} eV at most, H(k) by {self.rms:.1e} eV in the root mean square{left_out}"
        )


def symmetrized(electrons: TightBinding, within: float = NEARLY) -> Symmetrized:
    """Electrons with the symmetry of their crystal, and how much that changed.

    **Arguments:** `electrons`: of any source, with orbitals that are what they are called; `within`, of the spread of
    H: operations of the crystal (atoms of one species are alike), with and without time reversal, that H breaks by more
    are no symmetries: those of a magnet, say.

    **Raises:** `InputError` where the operations that are left form no group: then `within` cuts between them.
    """
    check_positive("within", within)
    found = electron_symmetries(electrons, within, electrons.crystal.species)
    _check_group(found, within)
    made, _ = group_mean(electrons, found.kept)
    change = np.array(made.hopping)
    change[: len(electrons.cells)] -= np.asarray(electrons.hopping)
    largest, rms = float(np.max(np.abs(change))), float(np.linalg.norm(change) / np.sqrt(electrons.size))
    return Symmetrized(made, found.kept, largest, rms, found.broken, found.point_group)


def group_mean(
    electrons: TightBinding,
    group: Sequence[ElectronSymmetry],
    fields: Fields | None = None,
    mixing: Mixing = lambda g: np.zeros((0, 0)),
) -> tuple[TightBinding, Fields]:
    """The mean of the images of H and its gradient, and of `fields` (component cell orbital orbital) on the same
    lattice vectors, F_m -> 1/|G| sum_g sum_n M_mn(g) g F_n g^-1; `mixing` gives M. New lattice vectors come last."""
    hopping, gradient = np.asarray(electrons.hopping), electrons.hopping_gradient
    vector = [] if gradient is None else list(np.moveaxis(np.asarray(gradient), -1, 0))
    given = np.stack([hopping, *vector, *([] if fields is None else fields)])

    def mixed(g: ElectronSymmetry) -> np.ndarray:
        return np.asarray(block_diag(np.eye(1), *([g.operation.matrix] if vector else []), mixing(g)))

    steps, mean = _mean(electrons.basis, group, np.array(lattice_steps(electrons)), given, mixed)
    made = from_hoppings(
        electrons.crystal,
        electrons.basis,
        steps @ np.asarray(electrons.crystal.lattice.vectors),
        mean[0],
        np.moveaxis(mean[1:4], 0, -1) if vector else None,
        electrons.orbital_positions,
    )
    return made, mean[1 + len(vector) :]


def _mean(
    basis: Basis, group: Sequence[ElectronSymmetry], steps: Steps, fields: Fields, mixing: Mixing
) -> tuple[Steps, Fields]:
    landings = np.stack([_landings(basis, g, steps) for g in group])  # (g site site cell dim)
    cells, landings = _numbered(steps, landings)
    total = np.zeros((len(mixing(group[0])), len(cells), *fields.shape[2:]), complex)
    site_of = np.array(basis.site_of)
    for g, landing in zip(group, landings, strict=True):
        image = np.tensordot(mixing(g), g.image(basis, fields), axes=1)
        for i, j in np.ndindex(landing.shape[:2]):
            rows = np.flatnonzero(site_of == g.operation.image[i])[:, None]
            columns = np.flatnonzero(site_of == g.operation.image[j])
            total[:, landing[i, j][:, None, None], rows, columns] += image[:, :, rows, columns]
    mean = total / len(group)
    size = np.max(np.abs(mean), axis=(1, 2, 3), keepdims=True, initial=0.0)
    mean = np.where(np.abs(mean) > _ROUNDING * size, mean, 0.0)
    used = np.any(mean != 0.0, axis=(0, 2, 3))
    used[: len(steps)] = True
    return cells[used], mean[:, used]


def _landings(basis: Basis, g: ElectronSymmetry, steps: Steps) -> Int[np.ndarray, "site site cell dim"]:
    """Where the elements between atoms i and j go: g R + s_i - s_j."""
    shift = g.operation.shift[: basis.sites]
    return steps @ g.operation.cells + (shift[:, None] - shift[None])[:, :, None]


def _numbered(steps: Steps, landings: Int[np.ndarray, "... dim"]) -> tuple[Steps, Int[np.ndarray, "..."]]:
    """The lattice vectors followed by those that only images reach, and the number of each landing among them."""
    every = landings.reshape(-1, steps.shape[1])  # those of the identity too
    least = np.min(every, axis=0)
    shape = tuple(np.max(every, axis=0) - least + 1)
    own, flat = (
        np.asarray(np.ravel_multi_index(tuple(np.moveaxis(x - least, -1, 0)), shape)) for x in (steps, landings)
    )
    further = np.setdiff1d(flat, own)
    number = np.empty(np.prod(shape), int)
    number[np.concatenate([own, further])] = np.arange(len(own) + len(further))
    return np.concatenate([steps, np.stack(np.unravel_index(further, shape), axis=-1) + least]), number[flat]


def _check_group(found: ElectronSymmetries, within: float) -> None:
    """Raise `InputError` unless the product of any two operations is one of them."""
    if not form_group(found.kept, found.lattice):
        raise InputError(
            f"Argument `within` must part symmetries from what is none, but the {len(found.kept)} operations that H "
            f"breaks by less than {within:g} of its spread form no group; of the others it breaks one by "
            f"{found.broken or 0.0:.3g}. Give a larger or a smaller value."
        )
