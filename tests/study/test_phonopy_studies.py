"""Studies with phonopy's files: the same phonons, Born charges, changed files, and another crystal."""

import numpy as np
import pytest

import orbiphon as oph
from orbiphon import io, units
from orbiphon.errors import InputError
from orbiphon.study import build, plan, read_study
from orbiphon.study.estimate import describe
from orbiphon.study.files import files_of

phonopy = pytest.importorskip("phonopy")
SIDE = 3.0
STUDY = f"""\
[electrons]
model = "cubic_p"
t_sigma = "1 eV"
t_pi = "-0.3 eV"
lattice_constant = "{SIDE} angstrom"

[state]
temperature = "300 K"
fermi_level = "0 eV"

[phonons]
file = "phonopy.yaml"

[drive]
kind = "one_mode"
q = "0.3 1/angstrom"
direction = [1, 2, 0]
mode = 1

[response]
method = "keldysh"
broadening = "0.1 eV"
"""


def write(folder, cell=SIDE, charges=None):
    """A cubic crystal of one kind of atom, with springs along the edges: made by phonopy from its own supercell."""
    from phonopy.structure.atoms import PhonopyAtoms

    atoms = PhonopyAtoms(symbols=["Po"], cell=np.eye(3) * cell, scaled_positions=[[0, 0, 0]], masses=[200.0])
    phonon = phonopy.Phonopy(atoms, supercell_matrix=np.eye(3, dtype=int) * 3, primitive_matrix=np.eye(3))
    positions = phonon.supercell.scaled_positions * 3
    constants = np.zeros((27, 27, 3, 3))
    for i in range(27):
        for j in range(27):
            d = (positions[j] - positions[i] + 1.5) % 3 - 1.5
            if np.isclose(np.linalg.norm(d), 1.0):
                spring = 5.0 * np.outer(d, d) + 2.0 * (np.eye(3) - np.outer(d, d))
                constants[i, j] -= spring
                constants[i, i] += spring
    phonon.force_constants = constants
    if charges is not None:
        phonon.nac_params = {"born": charges, "dielectric": np.eye(3), "factor": 14.4}
    phonon.save(folder / "phonopy.yaml", settings={"force_constants": True})


def made(folder, text=STUDY):
    study = read_study(text, folder=folder)
    _, values = next(plan(study).groups())
    return study, build.drive(study, values)


def test_the_phonons_are_those_of_the_file(tmp_path):
    write(tmp_path)
    crystal = oph.models.cubic_p(1.0, -0.3, SIDE).crystal
    springs = oph.spring_model(crystal, [200 * units.amu], [oph.Spring(SIDE, 5.0, 2.0)])
    study, drive = made(tmp_path)
    q = 0.3 * np.array([1, 2, 0]) / np.sqrt(5)
    np.testing.assert_allclose(drive.q, q, rtol=1e-12)
    np.testing.assert_allclose(drive.phonons.modes(q).frequency, springs.modes(q).frequency, rtol=1e-5)
    before = files_of(study)
    write(tmp_path, charges=[np.eye(3)])
    assert before and files_of(study) != before


def test_another_crystal_is_refused(tmp_path):
    write(tmp_path, cell=3.1)
    with pytest.raises(InputError, match=r"phonons\.file must hold the electrons' crystal.*has lattice vectors"):
        made(tmp_path)
    with pytest.raises(InputError, match=r"has 1 atoms per cell \(Po\), and theirs 2"):
        made(tmp_path, STUDY.replace("cubic_p", "honeycomb_p").replace("lattice_constant", "bond"))


def test_born_charges(tmp_path):
    write(tmp_path)
    with pytest.raises(InputError, match="must come with Born charges, but there are none"):
        io.read_born_charges(tmp_path / "phonopy.yaml")
    write(tmp_path, charges=[np.zeros((3, 3))])
    np.testing.assert_array_equal(io.read_born_charges(tmp_path / "phonopy.yaml"), np.zeros((1, 3, 3)))
    without = STUDY.replace('yaml"', 'yaml"\nleave_out_charges = true')
    for text, dipoles, words in ((STUDY, True, "included"), (without, False, "left out")):
        study, drive = made(tmp_path, text)
        assert f"splitting of longitudinal and transverse optical modes {words}" in describe(study)
        assert (drive.phonons.dipoles is not None) is dipoles
        assert float(drive.phonons.modes(np.zeros(3)).frequency.max()) < 1e-6


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError, match="must be there to be read, but is not"):
        made(tmp_path)


def test_a_layer_in_vacuum_and_its_born_charges(tmp_path):
    """A honeycomb, off the origin; the springs are written into phonopy's supercell by phonopy's own dynamics."""
    from phonopy.structure.atoms import PhonopyAtoms

    layer = oph.models.honeycomb_p(1.5, -0.5, 0.8, bond=2.0)
    vectors, places = np.asarray(layer.crystal.lattice.vectors), np.asarray(layer.crystal.positions)
    cell = np.vstack([vectors, [0, 0, 12.0]])
    atoms = PhonopyAtoms(symbols=["B", "N"], cell=cell, positions=places + np.array([0, 0, 6.0]), masses=[11.0, 14.0])
    phonon = phonopy.Phonopy(atoms, supercell_matrix=np.diag([4, 4, 1]), primitive_matrix=np.eye(3))
    positions, count = phonon.supercell.scaled_positions, len(phonon.supercell)
    constants = np.zeros((count, count, 3, 3))
    for i in range(count):
        for j in range(count):
            d = (positions[j] - positions[i] + 0.5) % 1.0 - 0.5
            n = d @ np.asarray(phonon.supercell.cell) / 2.0
            if np.isclose(np.linalg.norm(n), 1.0, atol=1e-6):
                spring = 20.0 * np.outer(n, n) + 5.0 * (np.eye(3) - np.outer(n, n))
                constants[i, j] -= spring
                constants[i, i] += spring
    phonon.force_constants = constants
    phonon.nac_params = {"born": [2.0 * np.eye(3), -2.0 * np.eye(3)], "dielectric": np.eye(3), "factor": 14.4}
    phonon.save(tmp_path / "phonopy.yaml", settings={"force_constants": True})
    text = STUDY.replace('"cubic_p"', '"honeycomb_p"').replace(
        'lattice_constant = "3.0 ', 'stagger = "0.8 eV"\nbond = "2 '
    )
    with pytest.raises(InputError, match="must hold short-ranged forces for a layer"):
        made(tmp_path, text)
    text = text.replace('yaml"', 'yaml"\nleave_out_charges = true')
    start, end = text.index("[drive]"), text.index("[response]")
    driven = '[drive]\nkind = "driven_mode"\nfield = "2 MV/cm"\nellipticity = 0\ndamping = "1 meV"\nmode = 4\n\n'
    _, drive = made(tmp_path, text[:start] + driven + text[end:])
    springs = oph.spring_model(layer.crystal, np.array([11, 14]) * units.amu, [oph.Spring(2.0, 20.0, 5.0)])
    q = [[0.1, 0.2, 0.0], [0.0, 0.5, 0.0]]
    np.testing.assert_allclose(drive.phonons.modes(q).frequency, springs.modes(q).frequency, rtol=1e-5)
    # On resonance u_s = i E Z/(M_s gamma omega) with Z e E the force on either atom.
    force, omega = 2.0 * 0.02, float(springs.modes(np.zeros(3)).frequency[0, 4])
    expected = 1j * force / (np.array([11, -14]) * units.amu * 1e-3 * omega)
    in_plane = 1.0 + 0.0 * expected  # the out-of-plane mode is not in this field
    np.testing.assert_allclose(np.asarray(drive.displacement)[:, 0], expected * in_plane, rtol=1e-4)
