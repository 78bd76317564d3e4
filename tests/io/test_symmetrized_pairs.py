"""Couplings to strain with the symmetry of the crystal, from files: covariance, and what study files say of it."""

import dataclasses
import os
from pathlib import Path

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
import twins
from typer.testing import CliRunner

import orbiphon as oph
from orbiphon import io
from orbiphon.cli.app import app
from orbiphon.coupling import Deformation, TwoCentre, symmetrized_coupling
from orbiphon.crystal import opposite_cells
from orbiphon.electrons.symmetry import bloch, electron_symmetries
from orbiphon.errors import InputError
from orbiphon.study import first_principles, load_study, show

DATA = Path(os.environ.get("ORBIPHON_TEST_DATA") or Path(__file__).parents[3] / "shared" / "data")
K = np.random.default_rng(1).normal(size=(3, 3))


def noisy(array, electrons, size=1e-3):
    """Random hermitian changes of real-space operators (..., cell, orbital, orbital)."""
    random, shape = np.random.default_rng(0), np.shape(array)
    noise = size * (random.normal(size=shape) + 1j * random.normal(size=shape))
    opposite = opposite_cells(np.asarray(electrons.cells))
    return jnp.asarray(array) + jnp.asarray((noise + noise[..., opposite, :, :].conj().swapaxes(-1, -2)) / 2)


def rough(pairs):
    """The same pairs with noise in H and in dH."""
    electrons = eqx.tree_at(lambda e: e.hopping, pairs.electrons, noisy(pairs.electrons.hopping, pairs.electrons))
    return dataclasses.replace(
        pairs, coupling=Deformation(electrons, pairs.coupling.strains, noisy(pairs.coupling.derivative, electrons))
    )


def broken(coupling, group):
    """The largest element of g D[s] g^-1 - D[g s g^T] at random k, of all known strains."""
    electrons, off = coupling.electrons, []
    for g in group[::5]:
        r = g.operation.matrix
        for strain, derivative in zip(np.asarray(coupling.strains), np.asarray(coupling.derivative), strict=True):
            image = g.image(electrons.basis, bloch(electrons, derivative, K))
            turned = np.asarray(coupling.gradient_derivative(r @ strain @ r.T))
            off.append(np.max(np.abs(image - bloch(electrons, turned, g.turned(K)))))
    return max(off)


@pytest.mark.parametrize("kind", ["cubic", "hcp"])
def test_a_noisy_coupling_becomes_covariant(tmp_path, kind):
    pairs = io.read_pairs(*twins.files(tmp_path, kind, names=("xz",), steps=(0.002,)))
    exact = electron_symmetries(twins.model(kind)).kept
    given = rough(pairs)
    made = given.symmetrized()
    assert broken(given.coupling, exact) > 1e-3 and broken(made.coupling, exact) < 1e-11
    assert made.electrons is made.coupling.electrons and len(electron_symmetries(made.electrons).kept) == len(exact)
    assert made.coupling.known() == pairs.coupling.known()
    gradient = np.outer([1.0, 0.0, 0.0], [0.0, 0.0, 1.0])
    law = TwoCentre(twins.model(kind))
    direction = np.array([0.0, 0.0, 1.0])
    polarisation = np.tile([1.0, 0.0, 0.0], (law.electrons.crystal.sites, 1)).astype(complex)
    expected = bloch(law.electrons, np.asarray(law.strain(direction, polarisation)), K) / 1j

    def off(coupling):
        return np.linalg.norm(
            bloch(coupling.electrons, np.asarray(coupling.gradient_derivative(gradient)), K) - expected
        )

    assert off(made.coupling) < 0.7 * off(given.coupling)


def test_what_has_the_symmetry_stays_and_the_rest_is_told(tmp_path):
    pairs = io.read_pairs(*twins.files(tmp_path, "spinless", names=("xz",), steps=(0.002, 0.001)))
    made = pairs.symmetrized()
    assert np.allclose(made.coupling.derivative, pairs.coupling.derivative, atol=1e-12)
    assert made.coarse is not None and made.coarse.electrons.size == made.electrons.size
    notes = " ".join(made.notes)
    assert "symmetrized: m-3m, 96 operations with time reversal" in notes and "dH/dstrain changed by" in notes


def test_images_of_known_strains_become_known(tmp_path):
    pairs = io.read_pairs(*twins.files(tmp_path, "spinless", names=("xz",), steps=(0.002,)))
    weights = np.tensordot(np.asarray(pairs.coupling.strains), np.sqrt(0.5) * np.eye(3)[[2, 1, 0]] * [1, 0, 1], axes=2)
    alone = np.tensordot(weights, np.asarray(pairs.coupling.strains), axes=1)[None]
    one = Deformation(
        pairs.electrons, alone, np.tensordot(weights, np.asarray(pairs.coupling.derivative), axes=1)[None]
    )
    assert one.known() == "xz"
    made, change = symmetrized_coupling(one, oph.symmetrized(pairs.electrons).group)
    assert made.known() == "xy, xz, yz" == pairs.coupling.known() and change < 1e-12
    assert np.allclose(made.derivative, pairs.coupling.derivative, atol=1e-12)


STUDY = """
[electrons]
file = "unstrained"
symmetrize = true
[state]
temperature = "1500 K"
fermi_shift = "0 eV"
[phonons]
speed = "3000 m/s"
mass = "1e-25 kg"
direction = "z"
[drive]
kind = "coherent_wave"
amplitude = "1 pm"
frequency = "1 GHz"
[response]
observables = ["Lz"]
method = "adiabatic"
broadening = "0.6 eV"
"""


def test_a_study_says_what_symmetry_changed(tmp_path):
    path = twins.metal(tmp_path, "spinless", -1.0) / "study.toml"
    path.write_text(STUDY, encoding="utf-8")
    shown = CliRunner().invoke(app, ["check", str(path)])
    assert shown.exit_code == 0, shown.output
    assert "symmetrized: m-3m, 96 operations" in shown.stdout and "eV in the root mean square" in shown.stdout
    assert first_principles.read(load_study(path)).electrons.size == 3
    path.write_text(STUDY.replace("= true", '= "yes"'), encoding="utf-8")
    shown = CliRunner().invoke(app, ["check", str(path)])
    assert shown.exit_code == 2 and "electrons.symmetrize must be true or false" in " ".join(shown.stderr.split())


PATH = "begin kpoint_path\nG 0 0 0  X 0.5 0 0\nM 0.5 0.5 0  R 0.5 0.5 0.5\nend kpoint_path\n"


def test_bands_follow_the_path_of_the_win_file(tmp_path):
    path = twins.metal(tmp_path, "spinless", -1.0) / "study.toml"
    path.write_text(STUDY, encoding="utf-8")
    window = tmp_path / "unstrained" / "X.win"
    plain = window.read_text(encoding="utf-8")
    window.write_text(plain + PATH, encoding="utf-8")
    study, electrons = load_study(path), twins.model("spinless")
    data = show.band_data(electrons, -1.0, show.path_of_bands(study, electrons))
    assert data.attrs["labels"] == ["Γ", "X|M", "R"]
    k = np.pi / 4.0 * np.array([[0, 0, 0], [1, 0, 0], [1, 1, 1]])
    ends = data["energy"].values[data.attrs["nodes"]]
    assert np.allclose(ends, np.asarray(oph.bands(electrons, jnp.asarray(k))), atol=1e-9)
    window.write_text(plain + PATH.replace("M 0.5 0.5", "M 0.5"), encoding="utf-8")
    with pytest.raises(InputError, match=r"X.win`, line \d+ must be a segment of kpoint_path"):
        io.read_wannier(window)


real = pytest.mark.skipif(
    not (DATA / "metals").is_dir(), reason="set ORBIPHON_TEST_DATA to the folder of the real data"
)


@real
@pytest.mark.parametrize(("metal", "largest"), [("W", 2e-5), ("Pt", 2e-8)])  # the data's README: C3 of W to 1.1e-5 eV
def test_real_metals_hardly_change(metal, largest):
    electrons = io.read_wannier(DATA / "metals" / metal / "unstrained").electrons
    found = oph.symmetrized(electrons)
    assert len(found.group) == 96 and found.largest < largest
    k = jnp.asarray(np.random.default_rng(0).normal(size=(20, 3)))
    before, after = (np.asarray(oph.bands(e, k)) for e in (electrons, found.electrons))
    change = bloch(electrons, np.asarray(found.electrons.hopping - electrons.hopping), np.asarray(k))
    assert np.all(np.abs(after - before) <= np.linalg.norm(change, ord=2, axis=(1, 2))[:, None] + 1e-9)  # Weyl
    assert 0.0 < np.max(np.abs(after - before)) < 10 * found.rms


@real
def test_the_coupling_of_tungsten_hardly_changes():
    folder = DATA / "metals" / "W"
    pairs = io.read_pairs(folder / "unstrained", [folder / "ezx_p0.01", folder / "ezx_m0.01"])
    made = pairs.symmetrized()
    known = [np.asarray(p.coupling.gradient_derivative(np.outer(np.eye(3)[0], np.eye(3)[2]))) for p in (pairs, made)]
    assert np.linalg.norm(known[1] - known[0]) < 1e-4 * np.linalg.norm(known[0])
    group = electron_symmetries(made.electrons, within=1e-9).kept
    assert len(group) == 96 and broken(made.coupling, group) < 1e-9
