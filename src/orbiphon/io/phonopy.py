"""phonopy's files: force constants from first principles.

phonopy gives the energy's second derivatives Φ between an atom s of the primitive cell and every atom j of a supercell.
An atom j stands for all its images; those nearest to s, at the vectors d_1 ... d_m from s, share it equally, as in
phonopy's own dynamical matrix. With j an image of the primitive cell's atom s' in cell R',

    d_i = R'_i + τ_s' − τ_s,        Φ_ss'(R = −R'_i) += Φ(s, j)/m,

R counted as in `ForceConstants`, the cell of the first atom relative to that of the second. Units are read off
phonopy's own: its factor makes terahertz of the root of an eigenvalue, whatever the units of length and force.

With Born charges the forces between dipoles reach further than the supercell. At the wave vectors that the supercell
holds phonopy takes them out; what is left is short-ranged and goes the same way as above (`phonons.dipoles`).
"""

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from orbiphon import units
from orbiphon.crystal import Crystal, Lattice
from orbiphon.errors import InputError
from orbiphon.phonons import DipoleForces, ForceConstants, obeying_sum_rule

_DRIFT = 0.1  # of the largest force constant: what a uniform translation may cost before symmetrisation


def read_phonopy(path: str | Path, *, leave_out_charges: bool = False) -> ForceConstants:
    """The force constants of `phonopy_params.yaml`, `phonopy.yaml` or `phonopy_disp.yaml`; beside the latter two, files
    of forces or force constants are found by phonopy itself (`FORCE_SETS`, `FORCE_CONSTANTS`, `force_constants.hdf5`).

    Lengths become Å, masses internal units, whatever code they come from. phonopy symmetrises the force constants, so
    that a translation costs nothing. Born charges and the dielectric tensor, of the file or of `BORN` beside it, split
    longitudinal from transverse optical phonons (the result's `dipoles`), by the method of Gonze and Lee whichever the
    file names; `leave_out_charges` takes no notice of them, which makes long waves of polar crystals wrong.

    **Raises:** `InputError` for a file that is missing, damaged or not phonopy's, displacements that do not determine
    the force constants, force constants that break the translation rule by a tenth, charges that miss to add up to zero
    by a tenth, or without phonopy.
    """
    phonon = _loaded(Path(path))
    if phonon.force_constants is None:
        _produce(phonon, path)
    raw = np.asarray(phonon.force_constants)
    drift = float(np.max(np.abs(np.sum(raw, axis=1))) / np.max(np.abs(raw)))
    if not drift <= _DRIFT:
        raise InputError(
            f"`{path}` must hold force constants under which moving the whole crystal costs nothing, but it costs "
            f"{drift:.2g} of the largest one. Check the forces, or converge them."
        )
    phonon.symmetrize_force_constants(show_drift=False)
    if phonon.nac_params is None or leave_out_charges:
        return _force_constants(phonon, phonon.force_constants)
    charges = _neutral(phonon.nac_params["born"], path)
    kept = {key: phonon.nac_params[key] for key in ("dielectric", "factor")}  # and no other method than the first
    phonon.nac_params = {"born": charges, **kept}
    polar = phonon.dynamical_matrix
    polar.make_Gonze_nac_dataset()
    return _force_constants(phonon, polar.short_range_force_constants, polar)


def read_born_charges(path: str | Path) -> Float[np.ndarray, "site xyz xyz"]:
    """Born effective charges Z_s,ab = dP_a/du_sb in units of e, of the same file, or of `BORN` beside it; what they
    miss to add up to zero is taken from all atoms alike. **Raises:** `InputError` for a file without them, or if they
    miss it by a tenth of the largest.
    """
    found = _loaded(Path(path)).nac_params
    if found is None:
        raise InputError(
            f"`{path}` must come with Born charges, but there are none in it or in BORN beside it. Put them there, or "
            "give the charges."
        )
    return _neutral(found["born"], path)


def phonopy_files(path: str | Path) -> list[Path]:
    """The file, and what phonopy reads beside it."""
    names = ("BORN", "FORCE_SETS", "FORCE_CONSTANTS", "force_constants.hdf5")
    beside = (Path(path).with_name(name) for name in names)
    return [found for found in (Path(path), *beside) if found.is_file()]


def _loaded(path: Path) -> Any:
    try:
        import phonopy
    except ImportError:
        raise InputError(
            "Reading phonopy's files must have phonopy, but it is not installed. Install orbiphon[phonons]."
        ) from None
    if not path.is_file():
        raise InputError(f"The file `{path}` must be there to be read, but is not. Check the path.")
    try:
        with contextlib.chdir(path.parent):  # phonopy looks for further files where it is, not beside this one
            return phonopy.load(path.name, produce_fc=False, log_level=0)
    except Exception as error:  # phonopy raises many kinds for what is not its file
        raise InputError(
            f"`{path}` must be a file of phonopy (phonopy_params.yaml, say), but is damaged or another: "
            f"{_words(error)}. Write it again."
        ) from None


def _produce(phonon: Any, path: str | Path) -> None:
    if phonon.dataset is None or not _has_forces(phonon.dataset):
        raise InputError(
            f"`{path}` must come with forces or force constants, but there are none in it or beside it. Save them with "
            "phonopy --include-all, or put FORCE_SETS beside it."
        )
    _check_determined(phonon, path)
    try:
        phonon.produce_force_constants()
    except Exception as error:
        raise InputError(
            f"`{path}` must hold the forces of all its displacements, but force constants cannot be made of them: "
            f"{_words(error)}. Write it again."
        ) from None


def _has_forces(dataset: dict[str, Any]) -> bool:
    if "first_atoms" in dataset:
        return all("forces" in one for one in dataset["first_atoms"])
    return "forces" in dataset


def _check_determined(phonon: Any, path: str | Path) -> None:
    """Whether each kind of atom is displaced in all directions that its site does not make alike.

    phonopy solves what is left undetermined by least squares, and says nothing.
    """
    if "first_atoms" not in phonon.dataset:
        return
    symmetry, rows = phonon.symmetry, np.asarray(phonon.supercell.cell)
    alike, found = np.asarray(symmetry.get_map_atoms()), {}
    for one in phonon.dataset["first_atoms"]:
        found.setdefault(int(one["number"]), []).append(np.asarray(one["displacement"], dtype=float))
    for kind in symmetry.get_independent_atoms():
        moved = [atom for atom in found if alike[atom] == kind]
        ranks = []
        for atom in moved:
            turns = [rows.T @ turn @ np.linalg.inv(rows.T) for turn in symmetry.get_site_symmetry(atom)]
            spanned = np.array([turn @ u / np.linalg.norm(u) for turn in turns for u in found[atom]])
            ranks.append(int(np.linalg.matrix_rank(spanned, tol=1e-3)))
        if max(ranks, default=0) < 3:
            raise InputError(
                f"`{path}` must hold displacements that determine all force constants, but atom {kind + 1} "
                f"({phonon.supercell.symbols[kind]}) is displaced in {max(ranks, default=0)} of 3 directions. The file "
                "is cut off, or forces are missing: write it again."
            )


def _neutral(charges: Any, path: str | Path) -> Float[np.ndarray, "site xyz xyz"]:
    charges = np.asarray(charges, dtype=float)
    missed = float(np.max(np.abs(np.sum(charges, axis=0))))
    if missed > _DRIFT * float(np.max(np.abs(charges))):
        raise InputError(
            f"`{path}` must come with Born charges that add up to zero, but their sum is {missed:.2g}. Check the "
            "charges, or converge them."
        )
    return charges - np.mean(charges, axis=0)


def _force_constants(phonon: Any, matrices: Any, polar: Any = None) -> ForceConstants:
    """The force constants `matrices`, full or compact, with the dipoles of phonopy's dynamical matrix `polar`."""
    from phonopy.interface.calculator import get_calculator_physical_units
    from phonopy.physical_units import get_physical_units

    angstrom = get_calculator_physical_units(phonon.calculator).distance_to_A
    to_internal = (phonon.unit_conversion_factor / get_physical_units().DefaultToTHz) ** 2  # to eV/Å²
    primitive = phonon.primitive
    vectors, positions = np.asarray(primitive.cell) * angstrom, np.asarray(primitive.positions) * angstrom
    crystal = Crystal(Lattice(vectors), positions, tuple(primitive.symbols))
    found = _by_cell(primitive, np.asarray(matrices) * to_internal)
    dipoles = None
    if polar is not None:
        dipoles = DipoleForces(
            crystal,
            polar.born,
            (polar.dielectric_constant + polar.dielectric_constant.T) / 2,
            width=2.0 * np.pi * polar.Gonze_nac_dataset[-1] / angstrom,
            coulomb=phonon.nac_params["factor"] * to_internal * angstrom**3,
        )
    masses = np.asarray(primitive.masses) * units.amu
    return obeying_sum_rule(crystal, masses, np.array(list(found)) @ vectors, np.stack(list(found.values())), dipoles)


def _by_cell(
    primitive: Any, matrices: Float[np.ndarray, "first atom xyz xyz"]
) -> dict[tuple[int, ...], Float[np.ndarray, "site site xyz xyz"]]:
    """Φ_ss'(R) by R, in primitive vectors, with every −R."""
    firsts = np.arange(len(primitive)) if len(matrices) == len(primitive) else primitive.p2s_map
    seconds = [primitive.p2p_map[s] for s in primitive.s2p_map]
    images, shares = primitive.get_smallest_vectors()
    inside = np.asarray(primitive.positions) @ np.linalg.inv(np.asarray(primitive.cell))
    found: dict[tuple[int, ...], Float[np.ndarray, "site site xyz xyz"]] = {}
    for j, second in enumerate(seconds):
        for first in range(len(primitive)):
            count, begin = shares[j, first]
            for d in images[begin : begin + count]:
                cell = tuple(int(n) for n in np.rint(inside[second] - inside[first] - d))
                block = found.setdefault(cell, np.zeros((len(primitive),) * 2 + (3, 3)))
                block[first, second] += matrices[firsts[first], j] / count
    nothing = np.zeros((len(primitive),) * 2 + (3, 3))
    cells = sorted({*found, *(tuple(-n for n in cell) for cell in found)})
    return {cell: found.get(cell, nothing) for cell in cells}


def _words(error: Exception) -> str:
    """The first line of what another library says."""
    lines = str(error).strip().splitlines()
    return lines[0][:120] if lines else type(error).__name__
