"""From the Wannier Hamiltonians of a cell and of changed cells to a coupling: cells that are strained, or whose atoms
are displaced.

Raw files of two cells have different lattice vectors and degeneracies, so they cannot be subtracted R by R. Both are
known at the mesh points only: there H(k), or the sums over R modulo the mesh, are subtracted, and the difference is
interpolated as H of the unchanged cell is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from orbiphon.coupling import Deformation, Displacement, FromPairs, symmetrized_coupling
from orbiphon.coupling.differences import (
    SMOOTH,
    STRAIN,
    Difference,
    Sample,
    Symmetries,
    change_derivatives,
    differences,
    displacements_of,
    distinct_steps,
    span,
    spread,
    symmetries,
    turned_back,
)
from orbiphon.coupling.gauge import aligning
from orbiphon.electrons import TightBinding, symmetrized
from orbiphon.electrons.on_mesh import OnMesh
from orbiphon.errors import InputError
from orbiphon.io.changed import ChangedCell, all_displaced, centres_follow, fermi_level_of
from orbiphon.io.displaced import Displaced, neighbour_distance, words_of
from orbiphon.io.wannier import Wannier, read_wannier

_GAUGE = 10.0  # |H' - H|/|H| per change: beyond it, the gauge is suspected
_SAME_FERMI = 1.0  # eV


@dataclass(frozen=True)
class Pairs:
    """What a set of changed cells gives: `coupling`, a `Deformation` from strained ones and a `Displacement` from those
    with displaced atoms; `coarse`, the same from the next larger step, or None; `fermi_level` (eV) of the unchanged
    cell, or None; `notes`, what was found."""

    home: Wannier
    coupling: FromPairs
    coarse: FromPairs | None
    step_error: float | None
    """|D - D of the larger step| / |D|"""
    even: float
    """the largest even part over odd part of the pairs of the smallest steps"""
    fermi_level: float | None
    notes: tuple[str, ...]

    @property
    def electrons(self) -> TightBinding:
        """The electrons of the undeformed cell: those of `home`, or what `symmetrized` made of them."""
        return self.coupling.electrons

    def symmetrized(self) -> "Pairs":
        """The same with the symmetry of the crystal: electrons and couplings are the means of their images.

        **Raises:** `InputError` as `orbiphon.symmetrized`.
        """
        found = symmetrized(self.electrons)
        coupling, change = symmetrized_coupling(self.coupling, found.group)
        coarse = None if self.coarse is None else symmetrized_coupling(self.coarse, found.group).coupling
        kind = coupling.kind
        notes = (
            *self.notes,
            str(found),
            f"{kind.words}s known: {coupling.known()}; {kind.derivative} changed by {change:.1e} of it",
        )
        return replace(self, coupling=coupling, coarse=coarse, notes=notes)


def read_pairs(
    home: Wannier | str | Path,
    deformed: Sequence[str | Path | Displaced],
    *,
    fermi_levels: Mapping[str, float] | None = None,
    spin_order: str = "fastest",
    sum_rule: bool = False,
) -> Pairs:
    """The coupling to strain, or to displacements of the atoms, from Hamiltonians of changed cells.

    **Arguments:** `home`: the unchanged cell, a path as for `read_wannier` or what that returned; `deformed`: paths of
    the others, in any order; strains are read off the lattices and displacements off the atoms, and ± pairs found.
    All cells are strained, or all have displaced atoms; a `Displaced` says which, and is checked. `fermi_levels`: eV,
    by path as given here; else `fermi_eV` of an `info.json` beside the files is taken. Levels are aligned at the Fermi
    level where both are known. `sum_rule`: for displaced atoms, make a translation of the crystal change nothing
    exactly; one atom of the cell need then not be displaced.

    **Raises:** `InputError` for files as `read_wannier`, cells that do not belong together, a missing partner, or
    Hamiltonians in different gauges.
    """
    levels = {str(path): level for path, level in (fermi_levels or {}).items()}
    home_path = home.path if isinstance(home, Wannier) else Path(home)
    model = home if isinstance(home, Wannier) else read_wannier(home, spin_order=spin_order, without_wsvec="nearest")
    if not deformed:
        raise InputError("Argument `deformed` must name deformed cells, but names none. Give at least one.")
    cells = [ChangedCell.read(model, one, spin_order) for one in deformed]
    displaced = all_displaced(cells)
    if sum_rule and not displaced:
        raise InputError(
            "Argument `sum_rule` must be left out for strained cells, but is true. It is for displaced atoms."
        )
    basis, h = model.electrons.basis, model.on_mesh()
    level = fermi_level_of(home_path, model, levels)
    kind = displacements_of(model.electrons.crystal.sites) if displaced else STRAIN
    group = symmetries(model.electrons.crystal, basis, h, kind)
    samples, notes = [], centres_follow(model, cells) if displaced else []
    for cell in cells:
        found, words = _sample(model, h, level, cell, levels, displaced)
        samples.append(found)
        notes += words
    pairs = differences(basis, group, h, samples)
    for pair in pairs:
        if pair.even > SMOOTH:
            raise InputError(
                f"`{pair.names[0]}` and `{pair.names[1]}` must differ from the undeformed cell by opposite changes, "
                f"but the even part is {pair.even:.2f} of the odd one. They are not in one gauge: use the same "
                "projections, num_iter = 0 and no frozen window that cuts through bands."
            )
        size = words_of(model.electrons.crystal, pair) if displaced else f"|strain| = {pair.step:.4f}"
        notes.append(f"pair {pair.names[0]}, {pair.names[1]}: {size}, even part/odd part = {pair.even:.1e}")
    found = _coupled(model, group, pairs, level, tuple(notes))
    return _with_sum_rule(found, sum_rule) if displaced else found


def _with_sum_rule(pairs: Pairs, imposed: bool) -> Pairs:
    """What the acoustic sum rule says of the pairs of displaced atoms, and whether it is imposed."""
    coupling = pairs.coupling
    assert isinstance(coupling, Displacement)
    off = coupling.violation
    if off is not None and off > SMOOTH:
        raise InputError(
            f"The cells with displaced atoms of `{pairs.home.path}` must add up to a translation of the crystal, which "
            f"changes nothing, but H changes by {off:.2f} of what one atom does. A pair is of another atom, direction "
            "or step than its positions say, or the cells are not in one gauge."
        )
    words = "not tested, as not all atoms are displaced" if off is None else f"broken by {off:.1e} of dH"
    note = f"acoustic sum rule: {words}" + (", imposed" if imposed else "")
    if not imposed:
        return replace(pairs, notes=(*pairs.notes, note))
    made, coarse = (
        one.obeying_sum_rule() if isinstance(one, Displacement) else None for one in (coupling, pairs.coarse)
    )
    assert made is not None
    return replace(pairs, coupling=made, coarse=coarse, notes=(*pairs.notes, note))


def _coupled(
    model: Wannier, group: Symmetries, pairs: list[Difference], level: float | None, notes: tuple[str, ...]
) -> Pairs:
    """The coupling from the fewest, smallest steps that span all changes, and the same from the larger ones."""
    steps, word = distinct_steps(pairs), group.kind.words
    most = span(group, pairs, steps)
    count = next(n for n in range(1, len(steps) + 1) if span(group, pairs, steps[:n]) == most)
    coupling, coarse, error = _coupling(model, group, pairs, steps[:count]), None, None
    if count < len(steps) and span(group, pairs, steps[count:]) == most:
        coarse = _coupling(model, group, pairs, steps[count:])
        fine, other = np.asarray(coupling.derivative), np.asarray(coarse.derivative)
        error = float(np.linalg.norm(other - fine) / (np.linalg.norm(fine) or 1.0))
        if error > SMOOTH:
            raise InputError(
                f"The cells changed from `{model.path}` must give a {group.kind.derivative} that hardly depends on the "
                f"step, but it changes by {error:.0%} between two steps. They are not in one gauge, or projections "
                "jump at the plane-wave cut-off: raise the cut-off, and use the same projections with num_iter = 0."
            )
    notes += (
        f"symmetry: {len(group.operations)} operations used",
        f"{word}s known: {coupling.known()}",
        "one step size: no estimate of its error" if error is None else f"change of dH with the step: {error:.1e}",
    )
    even = max(pair.even for pair in pairs if pair.step <= 1.01 * steps[count - 1])
    return Pairs(model, coupling, coarse, error, even, level, notes)


def _coupling(model: Wannier, group: Symmetries, pairs: list[Difference], steps: list[float]) -> FromPairs:
    electrons = model.electrons
    changes, derivative = change_derivatives(electrons.basis, group, pairs, steps)
    every = np.stack([model.interpolated(part) for part in derivative])
    if group.kind is STRAIN:
        return Deformation(electrons, changes.reshape(-1, 3, 3), every)
    return Displacement(electrons, changes.reshape(len(changes), -1, 3), every / neighbour_distance(electrons.crystal))


def _sample(
    model: Wannier, h: OnMesh, level: float | None, cell: ChangedCell, levels: Mapping[str, float], displaced: bool
) -> tuple[Sample, list[str]]:
    """A changed cell in the orbitals and with the Fermi level of the unchanged one, and notes on it."""
    path, found, basis = cell.path, cell.found, model.electrons.basis
    matrix, notes = found.on_mesh(), []
    own = fermi_level_of(path, found, levels)
    if level is not None and own is not None:
        if abs(own - level) > _SAME_FERMI:
            raise InputError(
                f"`{path}` must have about the Fermi level of the undeformed cell, {level:.4f} eV, but has {own:.4f} "
                "eV. It is of another calculation: check the pair."
            )
        matrix[0, 0, 0] -= (own - level) * np.eye(matrix.shape[-1])
    distance = neighbour_distance(model.electrons.crystal) if displaced else 1.0
    scale = spread(h)
    size = float(
        np.linalg.norm(cell.displacement) / distance if displaced else np.linalg.norm(cell.deformation - np.eye(3))
    )
    if np.linalg.norm(matrix - h) > _GAUGE * size * scale:
        before = float(np.linalg.norm(matrix - h)) / scale
        unitary = aligning(basis, h, matrix)
        if unitary is not None:
            matrix = unitary @ matrix @ unitary.conj().T
        after = float(np.linalg.norm(matrix - h)) / scale
        if unitary is None or after > _GAUGE * size:
            what = (
                f"displacements of {size:.3g} of the distance of neighbours" if displaced else f"a strain of {size:.3g}"
            )
            raise InputError(
                f"`{path}` must be written in the orbitals of the undeformed cell, but differs by {before:.0%} of H "
                f"for {what}, and no order, sign or phase of its orbitals mends that. Wannierise all "
                "cells with the same projections and num_iter = 0."
            )
        notes.append(
            f"{path}: order, signs or phases of the orbitals changed; H differed by {before:.1e}, now {after:.1e}"
        )
    if displaced:
        return Sample(str(path), cell.displacement.ravel() / distance, matrix), notes
    return Sample(str(path), *turned_back(basis, cell.deformation, matrix)), notes
