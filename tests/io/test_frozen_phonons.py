"""Couplings from displaced atoms: a layer with a known hopping law, written as Wannier90 files and read back."""

import dataclasses
import re

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
import twins
from scipy.linalg import block_diag

import orbiphon as oph
from orbiphon import io, units
from orbiphon.coupling import Displacement, TwoCentre
from orbiphon.crystal import Crystal, Lattice
from orbiphon.electrons import from_hoppings, observable
from orbiphon.errors import InputError
from orbiphon.response.zone_map import zone_map

ORIGIN = jnp.zeros(3)
K = jnp.asarray(np.random.default_rng(2).normal(size=3))
WAVE = jnp.asarray(np.random.default_rng(0).normal(size=(2, 3)) + 1j * np.random.default_rng(1).normal(size=(2, 3)))
STATE = oph.ElectronState(fermi_level=0.3, temperature=4000)
NUMERICS = oph.Numerics(rtol=1e-2)


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


def test_the_vertex_is_that_of_the_hopping_law(pairs):
    assert pairs.coupling.known() == "0:A along xyz, 1:B along xyz" and len(pairs.coupling.changes) == 6
    assert off(pairs.coupling) < 1e-5
    assert off(pairs.coarse) == pytest.approx(4 * off(pairs.coupling), rel=0.01)  # of the square of the step
    fine, coarse = (np.asarray(one.derivative) for one in (pairs.coupling, pairs.coarse))
    assert pairs.step_error == pytest.approx(np.linalg.norm(coarse - fine) / np.linalg.norm(fine)) < 1e-3


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


def test_moments_of_a_circular_optical_pair(pairs):
    """Against the hopping law in two dimensions; the sign flips with the chirality."""
    layer, method = twins.layer(), oph.Keldysh(1.0)
    exact = oph.solve(problem(layer, "two_centre"), method, oph.Numerics(rtol=1e-4)).value.item()
    one, other = (
        oph.solve(problem(pairs.electrons, pairs.coupling, mode=mode), method, NUMERICS).value.item() for mode in (4, 5)
    )
    assert abs(exact) > 1e-4
    assert one == pytest.approx(exact, rel=2e-4) and other == pytest.approx(-one, rel=1e-6)


SECOND = [oph.Keldysh(0.4), oph.Adiabatic(0.4), oph.Berry(), oph.Perturbation(), oph.Floquet(0.4), oph.Motion(0.4)]
FIRST = [oph.Kubo(0.4), oph.Floquet(0.4), oph.Motion(0.4)]


@pytest.mark.parametrize(
    ("method", "order"), [*((m, 2) for m in SECOND), *((m, 1) for m in FIRST)], ids=lambda x: getattr(x, "name", x)
)
def test_every_method_at_single_wave_vectors(pairs, method, order):
    """Contributions of wave vectors, against the hopping law."""
    kappa, found = np.random.default_rng(3).uniform(size=(2, 3)), []
    layer = twins.layer()
    for electrons, coupling, at in ((pairs.electrons, pairs.coupling, kappa), (layer, "two_centre", kappa[:, :2])):
        drive = oph.CoherentMode(springs(electrons.crystal), q=ORIGIN, mode=4, amplitude=1e-3, axis="z")
        one = oph.Problem(electrons, drive, STATE, coupling, observables=["Lz", "Lx"], order=order)
        found.append(zone_map(one, method, at))
    size = np.max(np.abs(found[1]))
    assert size > 0 and np.max(np.abs(found[0] - found[1])) < (5e-3 if method.name == "motion" else 1e-4) * size


def test_the_density_matrix_in_time_agrees_with_the_closed_form(pairs):
    kappa = np.array([[0.13, 0.27, 0.0]])
    drive = oph.CoherentMode(springs(pairs.electrons.crystal), q=ORIGIN, mode=4, amplitude=1e-3, axis="z")
    one = oph.Problem(pairs.electrons, drive, STATE, pairs.coupling, observables=["Lz"])
    values = [zone_map(one, method, kappa).item() for method in (oph.Keldysh(0.4), oph.Motion(0.4))]
    assert values[1] == pytest.approx(values[0], rel=2e-2)


def test_orbitals_turned_alike_everywhere_change_nothing(pairs):
    """A unitary matrix on the orbitals of each atom, constant in k."""
    random, electrons = np.random.default_rng(5), pairs.electrons
    blocks = [np.linalg.qr(random.normal(size=(3, 3)) + 1j * random.normal(size=(3, 3)))[0] for _ in range(2)]
    u = block_diag(*blocks)
    turn = lambda x: u @ np.asarray(x) @ u.conj().T  # noqa: E731
    turned = from_hoppings(electrons.crystal, electrons.basis, electrons.cells, turn(electrons.hopping))
    coupling = Displacement(turned, pairs.coupling.displacements, turn(pairs.coupling.derivative))
    momentum = observable(electrons.basis, "Lz")
    other = eqx.tree_at(lambda o: o.matrix, momentum, jnp.asarray(turn(momentum.matrix)))
    kappa = np.random.default_rng(3).uniform(size=(3, 3))
    drive = oph.OneMode(springs(electrons.crystal), q=ORIGIN, mode=4, axis="z")
    here, there = (
        zone_map(oph.Problem(e, drive, STATE, c, observables=[o]), oph.Keldysh(0.4), kappa)
        for e, c, o in ((electrons, pairs.coupling, momentum), (turned, coupling, other))
    )
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
    (folder / "X.win").write_text(text.replace(old, new), encoding="utf-8")
    return folder / path.name


def test_mixed_up_cells_are_refused(tmp_path):
    home, (plus, minus, other, _) = twins.frozen(tmp_path, axes="x", steps=(0.01,))
    farther = io.write_wannier(tmp_path / "far", "X", twins.layer(twins.displaced(0, "x", -0.013)), (3, 3, 1))
    layer = twins.layer()
    strained = Crystal(Lattice(1.01 * layer.crystal.lattice.vectors), 1.01 * layer.crystal.positions, ("A", "B"))
    strained = io.write_wannier(tmp_path / "wide", "X", dataclasses.replace(layer, crystal=strained, cells=1.01 * layer.cells, orbital_positions=strained.positions), (3, 3, 1))  # fmt: skip
    place = home.with_name("X.win").read_text(encoding="utf-8").split("begin atoms_frac\n")[1].split("\n")[0][2:]
    there = plus.with_name("X.win").read_text(encoding="utf-8").split("begin atoms_frac\n")[1].split("\n")[0][2:]
    wrong = {
        "must have a partner with the opposite displacement": [plus],
        "partner with the opposite displacement, but has none": [plus, other],
        "with the opposite displacement": [plus, farther],
        "must both be strained, or both have displaced atoms": [plus, minus, strained],
        "by its positions 0:A along x by 0.01000 angstrom is": [io.Displaced(plus, 1, "x", 0.01), minus],
        "displaced by 0.02 angstrom, as it is called, but": [io.Displaced(plus, 0, "x", 0.02), minus],
        "must be a number from 0 to 1, but is 2": [io.Displaced(plus, 2, "x", 0.02), minus],
        "centres lie off by 2.00 of the displacement": [edited(plus, there, _mirrored(place, there)), minus],
        "must be the same crystal with a strain of a percent": [home],
    }
    for message, cells in wrong.items():
        with pytest.raises(InputError, match=re.escape(message)):
            io.read_pairs(home, cells)
    with pytest.raises(InputError, match=r"`sum_rule` must be left out for strained cells"):
        io.read_pairs(home, [strained], sum_rule=True)
    one = io.read_pairs(home, [io.Displaced(plus, 0, "x", 0.01), io.Displaced(minus, 0, "x", -0.01)])
    assert "0:A along x, |u| = 0.0100 angstrom" in " ".join(one.notes)


def _mirrored(place, there):
    """Reduced coordinates with the opposite displacement."""
    here, moved = (np.array(text.split(), dtype=float) for text in (place, there))
    return " ".join(f"{x:.15f}" for x in 2 * here - moved)
