"""Couplings from displaced atoms: a layer with a known hopping law, written as Wannier90 files and read back."""

import re

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
import twins

import orbiphon as oph
from orbiphon import io, units
from orbiphon.coupling import Displacement, TwoCentre
from orbiphon.electrons.on_mesh import folded
from orbiphon.errors import InputError
from orbiphon.response.zone_map import zone_map

ORIGIN = jnp.zeros(3)
K = jnp.asarray(np.random.default_rng(2).normal(size=3))
WAVE = jnp.asarray(np.random.default_rng(0).normal(size=(2, 3)) + 1j * np.random.default_rng(1).normal(size=(2, 3)))
STATE = oph.ElectronState(fermi_level=0.3, temperature=4000)


def springs(crystal):
    springs = [oph.Spring(2.0, 20.0, 5.0), oph.Spring(2.0 * np.sqrt(3), 3.0, 0.5)]
    return oph.spring_model(crystal, np.array([11, 14]) * units.amu, springs)


def problem(electrons, coupling, mode=4, q=(0.0, 0.0, 0.0)):
    drive = oph.OneMode(springs(electrons.crystal), q=np.array(q), mode=mode, axis="z")
    return oph.Problem(electrons, drive, STATE, coupling, observables=["Lz"])


def off(coupling):
    """The distance from the hopping law, in parts."""
    exact = np.asarray(TwoCentre(twins.layer()).vertex(K, ORIGIN, WAVE))
    return np.max(np.abs(np.asarray(coupling.vertex(K, ORIGIN, WAVE)) - exact)) / np.max(np.abs(exact))


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    return io.read_pairs(*twins.frozen(tmp_path_factory.mktemp("frozen")))


@pytest.fixture(scope="module")
def law(pairs):
    """The hopping law's own coupling for the electrons that were read: one compilation for both."""
    inverse = np.linalg.inv(np.asarray(pairs.electrons.crystal.lattice.vectors))
    exact = TwoCentre(twins.layer())
    cells = np.rint(np.asarray(exact.electrons.cells) @ inverse).astype(int)
    patterns = np.eye(6).reshape(6, 2, 3)
    every = [np.asarray(exact.bonds(ORIGIN, jnp.asarray(pattern.astype(complex)))) for pattern in patterns]
    home = pairs.home
    coupling = Displacement(
        pairs.electrons, patterns, np.stack([home.interpolated(folded(cells, one, home.mesh)) for one in every])
    )
    assert off(coupling) < 1e-12
    return coupling


def test_the_vertex_is_that_of_the_hopping_law(pairs):
    assert pairs.coupling.known() == "0:A along xyz, 1:B along xyz" and len(pairs.coupling.changes) == 6
    assert off(pairs.coupling) < 1e-5
    assert off(pairs.coarse) == pytest.approx(4 * off(pairs.coupling), rel=0.01)  # of the square of the step
    fine, coarse = (np.asarray(one.derivative) for one in (pairs.coupling, pairs.coarse))
    assert pairs.step_error == pytest.approx(np.linalg.norm(coarse - fine) / np.linalg.norm(fine))


def test_a_translation_changes_nothing(pairs):
    assert pairs.coupling.violation < 1e-10
    together = np.tile([0.3, -0.2, 0.5], (2, 1)).astype(complex)
    largest = np.max(np.abs(np.asarray(pairs.coupling.derivative)))
    assert np.max(np.abs(np.asarray(pairs.coupling.bonds(ORIGIN, jnp.asarray(together))))) < 1e-10 * largest
    scaled = pairs.coupling.derivative * jnp.asarray(1.0 + 1e-2 * np.arange(6))[:, None, None, None].astype(complex)
    noise = eqx.tree_at(lambda c: c.derivative, pairs.coupling, scaled)
    assert noise.violation == pytest.approx(0.03 / 1.05 / np.sqrt(2), rel=0.2)
    made = noise.obeying_sum_rule()
    assert made.violation < 1e-12 and off(made) < off(noise) < 0.1
    assert np.allclose(made.obeying_sum_rule().vertex(K, ORIGIN, WAVE), made.vertex(K, ORIGIN, WAVE), atol=1e-12)


def test_the_sum_rule_makes_up_for_the_last_atom(tmp_path):
    home, moved = twins.frozen(tmp_path, atoms=(0,), axes="xz", steps=(0.01,))  # y by symmetry
    alone = io.read_pairs(home, moved)
    assert alone.coupling.known() == "0:A along xyz" and alone.coupling.violation is None
    assert "acoustic sum rule: not tested" in alone.notes[-1]
    with pytest.raises(
        InputError, match=r"must know the displacements 1:B along xy.*but knows 0:A along xyz.*sum_rule"
    ):
        problem(alone.electrons, alone.coupling)
    completed = io.read_pairs(home, moved, sum_rule=True)
    assert completed.coupling.known() == "0:A along xyz, 1:B along xyz" and "imposed" in completed.notes[-1]
    assert off(completed.coupling) < 1e-5


def test_moments_of_a_circular_optical_pair(pairs, law):
    """Against the hopping law on a mesh; the sign flips with the chirality. (tests/study: the zone mean.)"""
    mesh = np.stack(np.meshgrid(np.arange(6) / 6, np.arange(6) / 6, [0.0], indexing="ij"), axis=-1).reshape(-1, 3)
    method = oph.Keldysh(1.0)
    exact = np.mean(zone_map(problem(pairs.electrons, law), method, mesh))
    one, other = (
        np.mean(zone_map(problem(pairs.electrons, pairs.coupling, mode=mode), method, mesh)) for mode in (4, 5)
    )
    assert abs(exact) > 1e-4
    assert one == pytest.approx(exact, rel=5e-5) and other == pytest.approx(-one, rel=1e-9)


@pytest.mark.parametrize(("method", "order"), [(oph.Berry(), 2), (oph.Kubo(0.4), 1)])
def test_contributions_of_single_wave_vectors(pairs, law, method, order):
    """Against the hopping law."""
    kappa = np.random.default_rng(3).uniform(size=(2, 3))
    found, exact = (zone_map(coherent(pairs.electrons, c, order), method, kappa) for c in (pairs.coupling, law))
    assert 0 < np.max(np.abs(found - exact)) < 1e-4 * np.max(np.abs(exact))


def coherent(electrons, coupling, order=2):
    drive = oph.CoherentMode(springs(electrons.crystal), q=ORIGIN, mode=4, amplitude=0.02, axis="z")
    return oph.Problem(electrons, drive, STATE, coupling, observables=["Lz", "Lx"], order=order)


def test_the_density_matrix_in_time_agrees_with_the_closed_form(pairs):
    kappa = np.random.default_rng(3).uniform(size=(2, 3))
    one = coherent(pairs.electrons, pairs.coupling, order=1)
    closed, in_time = (zone_map(one, method, kappa) for method in (oph.Kubo(0.4), oph.Motion(0.4)))
    assert np.max(np.abs(in_time - closed)) < 5e-3 * np.max(np.abs(closed))


def test_orbitals_turned_alike_everywhere_change_nothing(pairs):
    """A unitary matrix on the orbitals of each atom, constant in k."""
    random, electrons, u = np.random.default_rng(5), pairs.electrons, np.eye(6, dtype=complex)
    for part in (slice(0, 2), slice(3, 5)):  # px and py: pz does not mix with them
        u[part, part] = np.linalg.qr(random.normal(size=(2, 2)) + 1j * random.normal(size=(2, 2)))[0]

    def turn(x):
        return jnp.asarray(u @ np.asarray(x) @ u.conj().T)

    turned = eqx.tree_at(lambda e: e.hopping, electrons, turn(electrons.hopping))
    coupling = Displacement(turned, pairs.coupling.displacements, turn(pairs.coupling.derivative))
    one, other = coherent(electrons, pairs.coupling), coherent(turned, coupling)
    other = eqx.tree_at(lambda p: [o.matrix for o in p.observables], other, [turn(o.matrix) for o in one.observables])
    kappa = np.random.default_rng(3).uniform(size=(2, 3))
    here, there = (zone_map(x, oph.Berry(), kappa) for x in (one, other))
    assert np.max(np.abs(here - there)) < 1e-10 * np.max(np.abs(here)) and np.max(np.abs(here)) > 0


def rewritten(folder, u, mixing):
    """The layer with atoms displaced, in orbitals that are mixed."""
    electrons = twins.layer(u)
    hopping = jnp.asarray(mixing @ np.asarray(electrons.hopping) @ mixing.T)
    return io.write_wannier(folder, "X", eqx.tree_at(lambda e: e.hopping, electrons, hopping), (3, 3, 1))


def test_signs_of_orbitals_are_undone_and_turns_refused(tmp_path):
    home, moved = twins.frozen(tmp_path, axes="x", atoms=(0,), steps=(0.01,))
    u = twins.displaced(0, "x", -0.01)
    signs = rewritten(tmp_path / "signs", u, np.diag([1.0, -1.0, 1.0, 1.0, -1.0, -1.0]))
    found = io.read_pairs(home, [moved[0], signs], sum_rule=True)
    assert any("order, signs or phases" in note for note in found.notes)
    exact = io.read_pairs(home, moved, sum_rule=True)
    assert np.allclose(found.coupling.derivative, exact.coupling.derivative, atol=1e-9)
    angle = 0.5
    turn = np.eye(6)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    with pytest.raises(InputError):
        io.read_pairs(home, [moved[0], rewritten(tmp_path / "turned", u, turn)])


def test_waves_that_are_not_known_are_refused(pairs):
    with pytest.raises(InputError, match=r"must hold waves of q = 0 .* but has one of q = \[0.1, 0.0, 0.0\]"):
        problem(pairs.electrons, pairs.coupling, q=[0.1, 0.0, 0.0])
    with pytest.raises(InputError, match=r"must hold waves of q = 0"):
        pairs.coupling.vertex(K, K, WAVE)
    sound = oph.AcousticBranch(speed=0.02, mass=1e3, direction="x")
    with pytest.raises(InputError, match=r"must act on optical modes at q = 0 .* OnePhonon, of acoustic waves"):
        oph.Problem(pairs.electrons, oph.OnePhonon(sound, q=0.1), STATE, pairs.coupling)
    with pytest.raises(InputError, match=r"must know strains"):
        pairs.coupling.gradient_derivative(np.eye(3))


def edited(path, old, new):
    """A copy of a cell whose `.win` file says something else."""
    folder = path.parent.with_name(path.parent.name + "_edited")
    folder.mkdir()
    (folder / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    text = path.with_name("X.win").read_text(encoding="utf-8")
    assert old in text
    for separator in (" ", ","):
        text = text.replace(old.replace(" ", separator), new.replace(" ", separator))
    (folder / "X.win").write_text(text, encoding="utf-8")
    return folder / path.name


def test_mixed_up_cells_are_refused(tmp_path):
    home, (plus, minus, other, _) = twins.frozen(tmp_path, axes="y", steps=(0.01,))
    farther = io.write_wannier(tmp_path / "far", "X", twins.layer(twins.displaced(0, "y", -0.013)), (3, 3, 1))
    wide = oph.models.honeycomb_p(t_sigma=1.5, t_pi=-0.5, stagger=0.8, bond=2.02)
    strained = io.write_wannier(tmp_path / "wide", "X", wide, (3, 3, 1))
    place = home.with_name("X.win").read_text(encoding="utf-8").split("begin atoms_frac\n")[1].split("\n")[0][2:]
    there = plus.with_name("X.win").read_text(encoding="utf-8").split("begin atoms_frac\n")[1].split("\n")[0][2:]
    wrong = {
        "must have a partner with the opposite displacement": [plus],
        "partner with the opposite displacement, but has none": [plus, other],
        "with the opposite displacement": [plus, farther],
        "must both be strained, or both have displaced atoms": [plus, minus, strained],
        "by its positions 0:A along y by 0.01000 angstrom is": [io.Displaced(plus, 1, "y", 0.01), minus],
        "displaced by 0.02 angstrom, as it is called, but": [io.Displaced(plus, 0, "y", 0.02), minus],
        "must be a number from 0 to 1, but is 2": [io.Displaced(plus, 2, "y", 0.02), minus],
        "centres lie off by 2.00 of the displacement": [edited(plus, there, _mirrored(place, there)), minus],
        "must be the same crystal with a strain of a percent": [home],
    }
    for message, cells in wrong.items():
        with pytest.raises(InputError, match=re.escape(message)):
            io.read_pairs(home, cells)
    with pytest.raises(InputError, match=r"`sum_rule` must be left out for strained cells"):
        io.read_pairs(home, [strained], sum_rule=True)
    one = io.read_pairs(home, [io.Displaced(plus, 0, "y", 0.01), io.Displaced(minus, 0, "y", -0.01)])
    assert "0:A along y, |u| = 0.0100 angstrom" in " ".join(one.notes)


def _mirrored(place, there):
    """Reduced coordinates with the opposite displacement."""
    here, moved = (np.array(text.split(), dtype=float) for text in (place, there))
    return " ".join(f"{x:.15f}" for x in 2 * here - moved)
