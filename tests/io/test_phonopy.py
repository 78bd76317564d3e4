"""phonopy's files: real force constants, against phonopy's own frequencies and eigenvectors."""

import os
import re
from pathlib import Path

import numpy as np
import pytest

from orbiphon import units
from orbiphon.errors import InputError
from orbiphon.io import read_phonopy
from orbiphon.phonons import phonon_angular_momentum

phonopy = pytest.importorskip("phonopy")
DATA = Path(os.environ.get("ORBIPHON_TEST_DATA") or Path(__file__).parents[3] / "shared" / "data") / "phonons"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="set ORBIPHON_TEST_DATA to the folder of the real data")
THZ = 2 * np.pi * units.THz
QUARTER = {"Al": [3.273, 3.273, 6.686], "Cr": [4.348, 6.395, 7.900], "P6_222": [1.333, 1.334, 1.837]}
"""THz at a quarter of the third reciprocal vector: the README of the data."""


def file(name):
    return DATA / name / "phonopy_params.yaml"


def reciprocal(force_constants, reduced):
    return np.asarray(reduced) @ np.asarray(force_constants.crystal.lattice.reciprocal)


@pytest.mark.parametrize("name", QUARTER)
def test_modes_are_those_of_phonopy(name):
    ours = read_phonopy(file(name))
    theirs = phonopy.load(file(name), produce_fc=False, log_level=0)
    theirs.produce_force_constants()
    theirs.symmetrize_force_constants(show_drift=False)
    reduced = [[0, 0, 0.25], [0.1, -0.2, 0.37], [0.5, 0.0, 0.0]]
    theirs.run_qpoints(reduced, with_eigenvectors=True)
    modes = ours.modes(reciprocal(ours, reduced))
    frequency = np.asarray(modes.frequency) / THZ
    np.testing.assert_allclose(frequency, theirs.qpoints.frequencies, atol=2e-6 * frequency.max())
    np.testing.assert_allclose(frequency[0, :3], QUARTER[name], atol=6e-4)
    # the same eigenvectors, phases of the atoms' positions included: level by level, D = sum of omega^2 e e^+
    vectors = np.asarray(modes.polarisation).reshape(len(reduced), frequency.shape[1], -1)
    other = np.swapaxes(theirs.qpoints.eigenvectors, 1, 2)
    for e, f, omega in zip(vectors, other, frequency, strict=True):
        ours_d, theirs_d = (np.einsum("m,mi,mj->ij", omega**2, v, v.conj()) for v in (e, f))
        np.testing.assert_allclose(ours_d, theirs_d, atol=1e-5 * np.max(omega**2))


def test_bohr_become_angstrom():
    """The cell of fcc aluminium: a = 4.04 angstrom, from a file in bohr; the mass in internal units."""
    aluminium = read_phonopy(file("Al"))
    assert aluminium.crystal.sites == 1
    assert 4 * float(aluminium.crystal.lattice.cell_volume) == pytest.approx(4.044**3, rel=1e-3)
    assert float(aluminium.masses[0]) == pytest.approx(26.9815 * units.amu, rel=1e-5)


def test_modes_along_a_screw_axis_are_circular():
    """Ca S O4 is chiral: its lowest pair of modes along the axis is split, with opposite angular momenta."""
    chiral = read_phonopy(file("P6_222"))
    modes = chiral.modes(reciprocal(chiral, [[0, 0, 0.25], [0, 0, -0.25]]))
    forth, back = np.asarray(phonon_angular_momentum(modes))[..., 2]
    assert forth[0] * forth[1] < 0 and np.min(np.abs(forth[:2])) > 0.1
    np.testing.assert_allclose(forth, -back, atol=1e-6)  # time reversal
    assert float(modes.frequency[0, 1] - modes.frequency[0, 0]) / THZ > 5e-4


def test_an_unstable_crystal_is_refused():
    unstable = read_phonopy(file("P4_1"))
    with pytest.raises(InputError, match=r"stable crystal, but mode 0"):
        unstable.modes(reciprocal(unstable, [[0, 0, 0.25]]))


def changed(tmp_path, change, name="Al"):
    path = tmp_path / "phonopy_params.yaml"
    path.write_text(change(file(name).read_text(encoding="utf-8")), encoding="utf-8")
    return path


def cut_before_the_last(text):
    return text[: [match.start() for match in re.finditer(r"^- atom:", text, re.M)][-1]]


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("P6_222", cut_before_the_last, r"displaced in \d of 3 directions"),
        ("Al", lambda text: text[: len(text) // 2], r"phonopy_params.yaml` must"),
        ("Al", lambda text: text[: text.index("displacements:")], r"must come with forces"),
        ("Al", lambda text: "", r"phonopy_params.yaml` must"),
        ("Al", lambda text: "name: something else\n", r"phonopy_params.yaml` must"),
        ("Al", lambda text: text.replace("forces:", "force:", 1), r"phonopy_params.yaml` must"),
    ],
)
def test_damaged_files_are_refused(tmp_path, name, change, message):
    with pytest.raises(InputError, match=message):
        read_phonopy(changed(tmp_path, change, name))


def test_no_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"must be there"):
        read_phonopy(tmp_path / "phonopy.yaml")


def test_forces_on_a_crystal_that_is_held_are_refused(tmp_path):
    """An external force on every atom breaks the translation rule."""

    def held(text):
        head, forces = text.split("  forces:\n", 1)
        rows = forces.split("\n")
        rows[0] = rows[0].replace(rows[0].split(",")[0].split("[")[1], "  -3.0")
        return head + "  forces:\n" + "\n".join(rows)

    with pytest.raises(InputError, match=r"costs nothing, but it costs"):
        read_phonopy(changed(tmp_path, held))


@pytest.mark.parametrize("seed", range(6))
def test_random_cuts_give_words_or_the_same_modes(tmp_path, seed):
    random, text = np.random.default_rng(seed), file("Al").read_text(encoding="utf-8")
    path = changed(tmp_path, lambda whole: whole[: random.integers(len(text))])
    try:
        found = read_phonopy(path)
    except InputError:
        return
    frequency = np.asarray(found.modes(reciprocal(found, [0, 0, 0.25])).frequency)[0] / THZ
    np.testing.assert_allclose(frequency, QUARTER["Al"], atol=6e-4)
