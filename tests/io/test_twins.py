"""Synthetic twins: models with known answers, written as Wannier90 files and read back through the whole chain."""

import jax.numpy as jnp
import numpy as np
import pytest
import twins

import orbiphon as oph
from orbiphon import io
from orbiphon.coupling import TwoCentre
from orbiphon.coupling.deformed import rotation_derivative
from orbiphon.electrons import Basis, SlaterKoster, tight_binding
from orbiphon.electrons.on_mesh import folded, unfolded
from orbiphon.errors import InputError
from orbiphon.io.nearest import nearest_cells
from orbiphon.io.writing import wigner_seitz
from orbiphon.response.scan import scan
from systems import random_crystal


def on_mesh(electrons, mesh):
    inverse = np.linalg.inv(np.asarray(electrons.crystal.lattice.vectors))
    return folded(np.rint(np.asarray(electrons.cells) @ inverse).astype(int), np.asarray(electrons.hopping), mesh)


@pytest.mark.parametrize("kind", ["square", "cubic"])
def test_what_is_written_is_read_back(tmp_path, kind):
    electrons = twins.model(kind)
    read = io.read_wannier(io.write_wannier(tmp_path, "X", electrons, twins.MESH[kind]))
    assert read.electrons.basis == electrons.basis and read.mesh == twins.MESH[kind]
    assert np.max(np.abs(read.on_mesh() - on_mesh(electrons, read.mesh))) < 1e-13
    k = jnp.asarray(np.random.default_rng(0).normal(size=(7, 3)))
    assert np.max(np.abs(np.asarray(oph.bands(read.electrons, k) - oph.bands(electrons, k)))) < 1e-12


@pytest.mark.parametrize(("seed", "spin"), [(3, False), (5, True), (11, False)])
def test_crystals_without_symmetry_are_read_back(tmp_path, seed, spin):
    electrons = random_crystal(seed, dim=3, spin=spin)
    mesh = (5, 5, 5)
    read = io.read_wannier(io.write_wannier(tmp_path, "X", electrons, mesh))
    assert read.electrons.basis == electrons.basis
    assert np.max(np.abs(read.on_mesh() - on_mesh(electrons, mesh))) < 1e-13


@pytest.mark.parametrize("kind", ["square", "cubic"])
def test_the_coupling_is_the_derivative_of_the_hopping_law(tmp_path, kind):
    home, deformed = twins.files(tmp_path, kind, names=tuple(twins.STRAINS))
    pairs, exact = io.read_pairs(home, deformed), TwoCentre(twins.model(kind))
    assert pairs.coarse is not None and len(pairs.coupling.strains) == 6
    assert pairs.step_error is not None and pairs.step_error < 2e-4
    for n, e in np.ndindex(3, 3):
        direction, polarisation = jnp.asarray(np.eye(3)[n]), jnp.asarray(np.eye(3)[e].astype(complex)[None])
        expected = on_mesh_of(exact, exact.strain(direction, polarisation), pairs.home.mesh)
        scale = np.max(np.abs(expected))
        for coupling, most in ((pairs.coupling, 1e-5), (pairs.coarse, 4e-5)):
            found = folded(pairs.home.cells, np.asarray(coupling.strain(direction, polarisation)), pairs.home.mesh)
            assert np.max(np.abs(found - expected)) < most * max(scale, 1.0) * 10


def on_mesh_of(coupling, bonds, mesh):
    inverse = np.linalg.inv(np.asarray(coupling.electrons.crystal.lattice.vectors))
    cells = np.rint(np.asarray(coupling.electrons.cells) @ inverse).astype(int)
    return folded(cells, np.asarray(bonds), mesh)


@pytest.mark.parametrize("kind", ["square", "cubic"])
def test_a_rigidly_turned_crystal_follows_its_rotation(kind):
    axis, step = np.array([0.3, -0.5, 0.8]), 1e-4

    def turned(angle):
        from scipy.spatial.transform import Rotation

        return np.asarray(twins.model(kind, Rotation.from_rotvec(angle * axis).as_matrix()).hopping)

    slope = (turned(step) - turned(-step)) / (2 * step)
    expected = rotation_derivative(twins.model(kind), axis.astype(complex))
    assert np.max(np.abs(slope - expected)) < 1e-6 * np.max(np.abs(expected))


def test_the_square_lattice_gives_its_analytic_answer(tmp_path):
    # theory.md 5.2: per site 4 lambda (t_sigma - t_pi)^2 <A cos^2 k_x d>, -1.1256 /eV^3 at 10 meV, 300 K, -1.5 eV
    pairs = io.read_pairs(*twins.files(tmp_path, "square"))
    couplings = [pairs.coupling, pairs.coarse]
    states = [[-1.5, 300.0], [20.0, 300.0]]
    numerics = oph.Numerics(rtol=3e-4)
    found = scan(couplings, 0.01, states, observables=["Lx"], direction="x", numerics=numerics)
    assert found.converged and found.value.shape == (2, 2, 1)
    expected = 4 * 0.1**2 * -1.1256
    step_error = abs(found.value[1, 0, 0] - found.value[0, 0, 0])
    assert abs(found.value[0, 0, 0] - expected) < 5e-5 * abs(expected) + found.error[0, 0, 0] + step_error
    assert step_error < 1e-3 * abs(expected)
    assert abs(found.value[0, 1, 0]) < 1e-12  # full bands
    opposite = scan(couplings, 0.01, states[:1], observables=["Lx"], direction="x", chirality=-1, numerics=numerics)
    assert opposite.value[0, 0, 0] == pytest.approx(-found.value[0, 0, 0], rel=1e-9)


def test_without_the_rotation_the_answer_is_another(tmp_path):
    pairs = io.read_pairs(*twins.files(tmp_path, "square"))
    gradient = np.outer(np.eye(3)[2], np.eye(3)[0])  # du_z/dx
    whole = np.asarray(pairs.coupling.gradient_derivative(gradient))
    strain_only = np.asarray(pairs.coupling.gradient_derivative((gradient + gradient.T) / 2))
    assert np.linalg.norm(whole - strain_only) > 0.3 * np.linalg.norm(whole)


def test_a_model_with_spin_gives_the_answer_of_the_hopping_law(tmp_path):
    electrons = twins.model("cubic")
    pairs = io.read_pairs(*twins.files(tmp_path, "cubic", names=("xz", "yz")))
    numerics = oph.Numerics(rtol=2e-3)
    found = scan([pairs.coupling], 0.4, [[-1.0, 1500.0]], observables=["Lz", "Sz"], numerics=numerics)
    unit = oph.AcousticBranch(speed=1.0, mass=1.0, direction="z")
    drive = oph.CoherentWave(unit, amplitude=1.0, q=1.0)
    problem = oph.Problem(
        electrons, drive, oph.ElectronState(fermi_level=-1.0, temperature=1500), observables=["Lz", "Sz"]
    )
    exact = oph.solve(problem, oph.Adiabatic(broadening=0.4), numerics)
    assert np.min(np.abs(exact.value)) > 1e-3
    assert np.all(np.abs(found.value[0, 0] - exact.value[0, 0]) < 3e-3 * np.abs(exact.value[0, 0]))


def test_cubic_symmetry_turns_the_wave(tmp_path):
    pairs = io.read_pairs(*twins.files(tmp_path, "cubic", names=("xz",)))
    state, numerics = [[-1.0, 1500.0]], oph.Numerics(rtol=2e-3)
    along = {
        axis: scan([pairs.coupling], 0.4, state, observables=[f"L{axis}"], direction=axis, numerics=numerics).value[
            0, 0, 0
        ]
        for axis in "xyz"
    }
    assert along["x"] == pytest.approx(along["z"], rel=1e-3) and along["y"] == pytest.approx(along["z"], rel=1e-3)
    assert abs(along["z"]) > 1e-3


def test_two_atoms_in_a_hexagonal_cell(tmp_path):
    home, deformed = twins.files(tmp_path, "hcp", names=("xz",))
    electrons, pairs = twins.model("hcp"), io.read_pairs(home, deformed)
    assert any("nearest atoms" in note for note in pairs.home.notes)
    k = jnp.asarray(np.random.default_rng(0).normal(size=(9, 3)))
    assert np.max(np.abs(np.asarray(oph.bands(pairs.home.electrons, k) - oph.bands(electrons, k)))) < 1e-11
    found = scan([pairs.coupling], 0.8, [[-1.0, 2000.0]], numerics=oph.Numerics(rtol=5e-3))
    exact = scan([TwoCentre(electrons)], 0.8, [[-1.0, 2000.0]], numerics=oph.Numerics(rtol=5e-3)).value
    assert found.value[0, 0, 0] == pytest.approx(exact[0, 0, 0], rel=5e-3) and abs(exact[0, 0, 0]) > 1e-3
    assert found.points < np.prod(found.shape) / 5


def test_short_hoppings_come_back_from_a_small_mesh_when_elements_go_to_the_nearest_atoms():
    electrons, mesh = twins.model("hcp"), (3, 3, 2)
    vectors, positions = np.asarray(electrons.crystal.lattice.vectors), np.asarray(electrons.crystal.positions)
    cells, parts = nearest_cells(vectors, mesh, positions)
    site_of = np.array(electrons.basis.site_of)
    matrix = unfolded(on_mesh(electrons, mesh), cells) * parts[:, site_of[:, None], site_of[None, :]]
    k = np.random.default_rng(0).normal(size=3)
    found = np.tensordot(np.exp(-1j * (cells @ vectors) @ k), matrix, axes=1)
    expected = np.tensordot(np.exp(-1j * np.asarray(electrons.cells) @ k), np.asarray(electrons.hopping), axes=1)
    assert np.max(np.abs(found - expected)) < 1e-12
    one, alone = nearest_cells(vectors, (4, 4, 3), positions[:1])
    cell, degeneracy = wigner_seitz(vectors, (4, 4, 3))
    assert dict(zip(map(tuple, one.tolist()), 1 / alone[:, 0, 0], strict=True)) == pytest.approx(
        dict(zip(map(tuple, cell.tolist()), degeneracy, strict=True))
    )


def test_one_sided_and_rotated_samples_are_completed_by_symmetry(tmp_path):
    home = io.write_wannier(tmp_path / "unstrained", "X", twins.model("cubic"), twins.MESH["cubic"])
    shear = np.eye(3)
    shear[0, 2] = 0.01  # du_x/dz: a strain and a rotation
    one = io.write_wannier(tmp_path / "uxz", "X", twins.model("cubic", shear), twins.MESH["cubic"])
    sided, full = io.read_pairs(home, [one]), io.read_pairs(*twins.files(tmp_path / "full", "cubic"))
    assert sided.coupling.known() == full.coupling.known() == "xy, xz, yz"
    gradient = np.outer(np.eye(3)[1], np.eye(3)[2])  # du_y/dz
    a, b = (np.asarray(p.coupling.gradient_derivative(gradient)) for p in (sided, full))
    assert np.max(np.abs(a - b)) < 1e-3 * np.max(np.abs(b))


def test_an_unknown_strain_is_refused(tmp_path):
    pairs = io.read_pairs(*twins.files(tmp_path, "square", names=("xy",)))
    with pytest.raises(InputError, match=r"must know the strain xz, but knows xy"):
        scan([pairs.coupling], 0.1, [[-1.5, 300.0]], observables=["Lx"], direction="x")
    with pytest.raises(InputError, match=r"`coupling` must be a coupling object"):
        TwoCentre(pairs.home.electrons)


def test_hybrids_become_whole_shells(tmp_path):
    # s and p on a cubic lattice, written in sp3 hybrids along turned axes
    crystal = twins.model("cubic").crystal
    law = SlaterKoster({"ss_sigma": -0.5, "sp_sigma": 0.7, "pp_sigma": 1.1, "pp_pi": -0.3}, length=4.0)
    electrons = tight_binding(crystal, Basis(((0, "s"), (0, "p"))), law, 4.1, onsite=[-3.0, 1.0, 1.0, 1.0])
    path = io.write_wannier(tmp_path, "X", electrons, (3, 3, 3))
    lines = path.read_text(encoding="utf-8")
    window = path.with_name("X.win")
    text = window.read_text(encoding="utf-8")
    begin, end = text.index("begin projections"), text.index("end projections")
    window.write_text(text[:begin] + "begin projections\nX:sp3:z=1,1,0:x=0,0,1\n" + text[end:], encoding="utf-8")
    from orbiphon.io.projections import orbitals
    from orbiphon.io.win import read_win

    z, x = np.array([1.0, 1.0, 0.0]) / np.sqrt(2), np.array([0.0, 0.0, 1.0])
    y = np.cross(z, x)
    signs = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    hybrids = np.array([[0.5, *(0.5 * (s[0] * x + s[1] * y + s[2] * z))] for s in signs])  # rows: over s, px, py, pz
    change = orbitals(window, read_win(window)).change
    assert np.max(np.abs(change - hybrids.T)) < 1e-12
    # the file holds s, pz, px, py: rewrite it in hybrids by hand
    read = io.read_wannier  # and read the rewritten file
    from orbiphon.io.hamiltonian import read_tb
    from orbiphon.io.writing import _tb

    raw = read_tb(path)
    order = [0, 2, 3, 1]  # s, px, py, pz from s, pz, px, py
    matrix = hybrids @ raw.matrix[:, order][:, :, order] @ hybrids.T
    path.write_text(_tb(raw.vectors, raw.cells, raw.degeneracy, matrix, np.zeros((4, 3))), encoding="utf-8")
    assert lines != path.read_text(encoding="utf-8")
    assert np.max(np.abs(read(path).on_mesh() - on_mesh(electrons, (3, 3, 3)))) < 1e-12
