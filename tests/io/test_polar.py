"""Polar crystals: longitudinal and transverse modes against phonopy's, and against the closed formula."""

import jax.numpy as jnp
import numpy as np
import pytest

from orbiphon import units
from orbiphon.drives import OneMode, TemperatureGradient
from orbiphon.errors import InputError
from orbiphon.io import read_born_charges, read_phonopy
from orbiphon.phonons import (
    DipoleForces,
    circular_modes,
    group_velocities,
    phonon_angular_momentum,
    sound_velocities,
)
from orbiphon.study import phonon_sections
from orbiphon.study.build_phonons import PHONONS
from orbiphon.study.show import _towards_neighbours

phonopy = pytest.importorskip("phonopy")
from polar_crystals import MASSES, rocksalt, skew  # noqa: E402

THZ = 2 * np.pi * units.THz
WAVES = np.random.default_rng(3).uniform(-0.5, 0.5, (12, 3))
DIRECTIONS = ([1, 0, 0], [0, 0, -1], [1, 1, 0], [0.3, -0.2, 0.7])


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("polar")
    for name, made in (("rocksalt", rocksalt), ("skew", skew)):
        made().save(folder / f"{name}.yaml", settings={"force_constants": True})
    return folder


@pytest.fixture(scope="module", params=["rocksalt", "skew"])
def pair(request, files):
    """The crystal as read here, and by phonopy."""
    path = files / f"{request.param}.yaml"
    theirs = phonopy.load(path, produce_fc=False, log_level=0)
    theirs.symmetrize_force_constants(show_drift=False)
    return read_phonopy(path), theirs


@pytest.fixture(scope="module")
def salt(files):
    return files / "rocksalt.yaml"


@pytest.fixture(scope="module")
def phonons(files):
    """Of the crystal without symmetry."""
    return read_phonopy(files / "skew.yaml")


def cartesian(phonons, reduced):
    return np.asarray(reduced) @ np.asarray(phonons.crystal.lattice.reciprocal)


def matrices_of(frequency, vectors):
    """D = sum of omega^2 e e^+ (q coordinate coordinate); vectors (q mode coordinate)."""
    return np.einsum("qm,qmi,qmj->qij", frequency**2, vectors, vectors.conj())


def test_frequencies_and_eigenvectors_are_those_of_phonopy(pair):
    ours, theirs = pair
    theirs.run_qpoints(WAVES, with_eigenvectors=True)
    modes = ours.modes(cartesian(ours, WAVES))
    frequency = np.asarray(modes.frequency) / THZ
    np.testing.assert_allclose(frequency, theirs.qpoints.frequencies, rtol=1e-6)
    found = matrices_of(frequency, np.asarray(modes.polarisation).reshape(*frequency.shape, -1))
    expected = matrices_of(theirs.qpoints.frequencies, np.swapaxes(theirs.qpoints.eigenvectors, 1, 2))
    np.testing.assert_allclose(found, expected, atol=1e-6 * np.max(np.abs(expected)))


@pytest.mark.parametrize("reduced", DIRECTIONS)
def test_at_the_centre_of_the_zone_the_direction_decides(pair, reduced):
    ours, theirs = pair
    theirs.run_qpoints([[0, 0, 0]], nac_q_direction=reduced)
    n = cartesian(ours, reduced)
    towards = ours.modes(np.zeros(3), n)
    frequency = np.asarray(towards.frequency) / THZ
    np.testing.assert_allclose(frequency, theirs.qpoints.frequencies, rtol=1e-6, atol=1e-6 * frequency.max())
    assert np.asarray(towards.still)[0].tolist() == [True] * 3 + [False] * 3
    # ... and is the limit of waves along it; the modes' correction is of second order in q
    near = np.asarray(ours.modes(1e-4 * n / np.linalg.norm(n)).frequency)[0] / THZ
    np.testing.assert_allclose(near[3:], frequency[0, 3:], rtol=1e-6)
    assert near[2] < 1e-3 * frequency[0, -1]


def test_without_a_direction_there_is_no_field_at_the_centre(pair):
    ours, theirs = pair
    theirs.run_qpoints([[0, 0, 0]])
    modes = ours.modes(np.zeros(3))
    frequency = np.asarray(modes.frequency) / THZ
    np.testing.assert_allclose(frequency, theirs.qpoints.frequencies, rtol=1e-6, atol=1e-6 * frequency.max())
    assert np.asarray(modes.still)[0].tolist() == [True] * 3 + [False] * 3


def test_splitting_is_the_closed_formula(salt):
    """Lyddane, Sachs, Teller: omega_LO^2 = omega_TO^2 + 4 pi e^2 Z^2/(4 pi eps_0 eps V mu), 14.4 as in BORN."""
    phonons = read_phonopy(salt)
    transverse = np.asarray(phonons.modes(np.zeros(3)).frequency)[0]
    np.testing.assert_allclose(transverse[3:], transverse[3], rtol=1e-9)
    volume, reduced = 5.6**3 / 4, units.amu / np.sum(1.0 / np.array(MASSES))
    expected = np.sqrt(transverse[3] ** 2 + 4 * np.pi * 14.4 * 1.1**2 / (2.4 * volume * reduced))
    assert expected > 1.1 * transverse[3]
    for direction in ("x", [1.0, 2.0, -0.5]):
        modes = phonons.modes(np.zeros(3), direction)
        np.testing.assert_allclose(np.asarray(modes.frequency)[0, 3:], [*transverse[3:5], expected], rtol=1e-8)
    moving = np.asarray(modes.polarisation)[0, 5].real  # the longitudinal mode moves along the direction
    assert np.max(np.abs(np.cross(moving, direction))) < 1e-8


def test_drawn_bands_go_through_the_centre_without_a_jump(salt):
    """From X through q = 0 to L: the longitudinal mode keeps its frequency, the translations stay at zero."""
    phonons = read_phonopy(salt)
    path = np.concatenate(
        [np.linspace(0.5, 0, 11)[:, None] * [1, 1, 0], np.linspace(0.05, 0.5, 10)[:, None] * [1, 1, 1]]
    )
    frequency = np.asarray(phonons.modes(_towards_neighbours(cartesian(phonons, path))).frequency)
    np.testing.assert_allclose(frequency[10, 5], phonons.modes(np.zeros(3), "x").frequency[0, 5], rtol=1e-6)
    assert np.max(frequency[10, :3]) < 1e-3 * frequency[10, 5]


def test_what_the_supercell_holds_is_left_alone(salt):
    """At wave vectors of the supercell phonopy's force constants are complete, dipoles included."""
    with_dipoles, without = read_phonopy(salt), read_phonopy(salt, leave_out_charges=True)
    assert without.dipoles is None
    held = cartesian(without, [[0.5, 0.5, 0.0], [0.5, 0.0, 0.0], [0.5, 0.5, 0.5]])
    np.testing.assert_allclose(with_dipoles.modes(held).frequency, without.modes(held).frequency, rtol=1e-7)
    between = cartesian(without, [0.1, 0.1, 0.0])
    assert float(with_dipoles.modes(between).frequency[0, 5] / without.modes(between).frequency[0, 5]) > 1.05


def test_time_reversal_hermiticity_and_reciprocal_lattice_vectors(phonons):
    tau = np.asarray(phonons.crystal.positions)
    for q in cartesian(phonons, WAVES[:2]):
        there, back = (np.asarray(phonons.dynamical_matrix(jnp.asarray(sign * q))) for sign in (1, -1))
        size = np.max(np.abs(there))
        np.testing.assert_allclose(there, there.conj().T, atol=1e-14 * size)
        np.testing.assert_allclose(back, there.conj(), atol=1e-13 * size)
        far = cartesian(phonons, [3, -2, 5])
        phase = np.repeat(np.exp(-1j * tau @ far), 3)
        moved = np.asarray(phonons.dynamical_matrix(jnp.asarray(q + far)))
        np.testing.assert_allclose(moved, phase[:, None] * there * phase.conj()[None], atol=1e-12 * size)


def test_velocities_are_slopes_and_sound_is_that_of_long_waves(phonons):
    n, step = np.array([0.6, 0.0, 0.8]), 1e-4
    q = cartesian(phonons, WAVES)
    _, found = group_velocities(phonons, phonons.modes(q), n)
    slopes = (phonons.modes(q + step * n).frequency - phonons.modes(q - step * n).frequency) / (2 * step)
    np.testing.assert_allclose(found, slopes, atol=1e-5 * np.max(np.abs(slopes)))
    long = np.asarray(phonons.modes(1e-3 * n).frequency)[0, :3] / 1e-3
    np.testing.assert_allclose(sound_velocities(phonons, n), long, rtol=1e-5)


def test_drives_take_polar_crystals(phonons):
    q = cartesian(phonons, WAVES[0])
    wave = OneMode(phonons, q=q, mode=4).waves(phonons.crystal, jnp.ones(1))
    np.testing.assert_allclose(wave.frequency[np.argmax(wave.excess[0])], phonons.modes(q).frequency[0, 4], rtol=1e-12)
    there, back = (np.asarray(phonon_angular_momentum(phonons.modes(sign * q))) for sign in (1, -1))
    np.testing.assert_allclose(there, -back, atol=1e-8)
    assert np.all(np.isfinite(circular_modes(phonons.modes(np.zeros(3), "z")).polarisation))
    heat = TemperatureGradient(phonons, gradient=(1e-6, 0, 0), relaxation_time=units.ps, mesh=(2, 3, 2))
    waves = heat.waves(phonons.crystal, jnp.array([300.0]))
    assert np.all(np.isfinite(waves.excess)) and np.any(np.asarray(waves.excess) != 0.0)


def test_another_code_has_other_units(tmp_path):
    """Quantum ESPRESSO's bohr and rydberg: the same crystal, the same modes."""
    from phonopy.interface.calculator import get_calculator_physical_units

    for calculator in ("vasp", "qe"):
        made, unit = rocksalt(), get_calculator_physical_units(calculator)
        cell = made.unitcell.copy()
        cell.cell = cell.cell / unit.distance_to_A
        other = phonopy.Phonopy(cell, np.eye(3, dtype=int) * 2, primitive_matrix=np.eye(3), calculator=calculator)
        vasp = get_calculator_physical_units("vasp")
        other.force_constants = made.force_constants * (vasp.factor / unit.factor) ** 2
        other.nac_params = {**made.nac_params, "factor": unit.nac_factor}
        other.save(tmp_path / f"{calculator}.yaml", settings={"force_constants": True})
    q = np.array([[0.02, 0.0, 0.0], [0.3, -0.2, 0.1]])
    first, second = (read_phonopy(tmp_path / f"{calculator}.yaml").modes(q) for calculator in ("vasp", "qe"))
    np.testing.assert_allclose(first.frequency, second.frequency, rtol=1e-6)


def test_charges_beside_the_file_are_found_from_anywhere(salt, tmp_path, monkeypatch):
    """And those of another crystal, where the program happens to run, are not."""
    bare = rocksalt()
    bare.nac_params = None
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    bare.save(tmp_path / "there" / "phonopy.yaml", settings={"force_constants": True})
    born = "14.4\n" + "\n".join(" ".join(map(str, (np.eye(3) * one).ravel())) for one in (2.4, 1.1, -1.1))
    monkeypatch.chdir(tmp_path / "here")
    (tmp_path / "here" / "BORN").write_text(born)
    assert read_phonopy("../there/phonopy.yaml").dipoles is None
    (tmp_path / "there" / "BORN").write_text(born)
    q = np.array([0.1, 0.0, 0.0])
    found = read_phonopy("../there/phonopy.yaml")
    np.testing.assert_allclose(found.modes(q).frequency, read_phonopy(salt).modes(q).frequency, rtol=1e-8)


def test_a_file_that_names_another_method_has_the_same_limit(salt, tmp_path):
    made = rocksalt()
    made.nac_params = {**made.nac_params, "method": "wang"}
    made.save(tmp_path / "phonopy.yaml", settings={"force_constants": True})
    q = np.array([0.1, 0.2, 0.0])
    found = read_phonopy(tmp_path / "phonopy.yaml").modes(q).frequency
    np.testing.assert_allclose(found, read_phonopy(salt).modes(q).frequency, rtol=1e-12)


@pytest.mark.filterwarnings("ignore:Symmetry of Born effective charge")
def test_charges_that_push_the_crystal_are_refused(tmp_path):
    made = rocksalt()
    made.nac_params = {**made.nac_params, "born": [1.1 * np.eye(3), -0.8 * np.eye(3)]}
    made.save(tmp_path / "phonopy.yaml", settings={"force_constants": True})
    for read in (read_phonopy, read_born_charges):
        with pytest.raises(InputError, match=r"Born charges that add up to zero, but their sum is 0\.3"):
            read(tmp_path / "phonopy.yaml")
    assert read_phonopy(tmp_path / "phonopy.yaml", leave_out_charges=True).dipoles is None


def test_a_study_takes_the_long_ranged_forces_over(salt):
    read, table = read_phonopy(salt), phonon_sections.PhononsFromFile(file=str(salt))
    moved = type(read.crystal)(read.crystal.lattice, read.crystal.positions + 0.1, read.crystal.species)
    made = PHONONS[type(table)](table, moved, salt.parent, {})
    q = np.array([[0.1, 0.2, 0.0], [0.01, 0.0, 0.0]])
    np.testing.assert_allclose(made.modes(q).frequency, read.modes(q).frequency, rtol=1e-9)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"charges": np.stack([np.eye(3), np.eye(3)])}, r"`charges` must add up to zero"),
        ({"charges": np.ones(2)}, r"`charges` must have the shape"),
        ({"dielectric": np.diag([1.0, 2.0, -1.0])}, r"`dielectric` must be symmetric with positive"),
        ({"dielectric": np.eye(3) + np.eye(3, k=1)}, r"`dielectric` must be symmetric with positive"),
        ({"width": 0.0}, r"`width` must be greater than zero"),
    ],
)
def test_wrong_dipoles_are_refused(salt, changes, message):
    charges = np.stack([np.eye(3), -np.eye(3)])
    given = {"charges": charges, "dielectric": np.eye(3), "width": 1.0} | changes
    with pytest.raises(InputError, match=message):
        DipoleForces(read_phonopy(salt).crystal, **given)
