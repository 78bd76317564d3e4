"""Symmetry in sums over phonons: waves that are images of each other, and the zone folded by the little group of q.

What is computed of a part must be what is computed of all, to rounding on meshes that the operations keep: so one
coarse mesh is enough. That the parts are the right ones is asked of spglib, and of the response at single wave vectors.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
import spglib

import orbiphon as oph
from lattices import helix, helix_springs, honeycomb, honeycomb_electrons, honeycomb_springs
from orbiphon import units
from orbiphon.crystal import Crystal, Lattice, crystal_symmetry, zone_points
from orbiphon.drives import EveryMode, TemperatureGradient
from orbiphon.electrons import Basis, SlaterKoster, tight_binding
from orbiphon.electrons.operators import of_site
from orbiphon.models import cubic_p
from orbiphon.phonons import Spring, spring_model
from orbiphon.response import Adiabatic, Keldysh, Numerics, Perturbation, Problem, lattice_waves, stars
from orbiphon.response.finite_wave import pumped
from orbiphon.response.kernels import conserving
from orbiphon.response.perturbation import dressed
from orbiphon.response.slow_wave import slow
from orbiphon.zone import at_phases
from pointwise import phases, quick_compilation as quick_compilation

L = ("Lx", "Ly", "Lz")
WARM = oph.ElectronState(fermi_level=0.1, temperature=4000.0)
ROUGH = Numerics(rtol=1e9, max_points=600, block=32)  # one coarse mesh
KELDYSH, ADIABATIC = Keldysh(0.5), Adiabatic(0.5)
PUMPS = {"keldysh": pumped, "adiabatic": slow(conserving), "perturbation": dressed}


def layer(**changes):
    crystal = honeycomb()
    return honeycomb_electrons(crystal, **changes), honeycomb_springs(crystal)


def screw():
    crystal = helix()
    basis = Basis(tuple((site, "p") for site in range(3)))
    return tight_binding(crystal, basis, SlaterKoster({"pp_sigma": 1.0, "pp_pi": -0.3}, 2.6), 3.0), helix_springs(
        crystal
    )


def cubic():
    electrons = cubic_p(-1.0, 0.3)
    return electrons, spring_model(
        electrons.crystal, [30 * units.amu], [Spring(5.0, 5.0, 1.0), Spring(50**0.5, 2.0, 0.3)]
    )


def no_symmetry():
    crystal = Crystal(Lattice([[3.0, 0, 0]]), [[0, 0, 0], [1.3, 0.7, 0.4]], ("A", "B"))
    law = SlaterKoster({"ss_sigma": -0.7, "sp_sigma": 0.9, "pp_sigma": 1.1, "pp_pi": -0.4}, length=2.0)
    electrons = tight_binding(crystal, Basis(((0, "s"), (1, "p"))), law, 3.2, onsite=[-0.6, 0.3, 0.5, 0.7])
    springs = [Spring(float(np.linalg.norm(crystal.positions[1])), 5.0, 2.0), Spring(3.0, 2.0, 0.5)]
    return electrons, spring_model(crystal, np.array([10.0, 20.0]) * units.amu, springs)


def asked(system, drive, observables=L):
    return Problem(system[0], drive, WARM, observables=observables)


def on_mesh(system, mesh):
    return EveryMode(system[1], zone_points(system[1].crystal.lattice, mesh), mesh=mesh)


def waves_of(problem, method):
    """The waves with what is known of their symmetry."""
    return lattice_waves.lattice_waves(problem, PUMPS[method.name], reactive=method.reactive)


def count(system, mesh, method=KELDYSH, observables=L):
    return len(waves_of(asked(system, on_mesh(system, mesh), observables), method).stars().computed)


def both(monkeypatch, problem, method, numerics=ROUGH):
    """Moments per phonon with symmetry and without."""
    whole = stars._operations
    with_, without = method.prepare(problem), method.prepare(problem)
    found = with_.per_phonon(0.1, 0, numerics)
    monkeypatch.setattr(stars, "_operations", lambda problem, reactive: whole(problem, reactive).some([0]))
    return found, without.per_phonon(0.1, 0, numerics)


CASES = {  # crystal, mesh, method, observables, times fewer wave vectors of electrons at least
    "honeycomb": (layer, (4, 4), KELDYSH, ("Lz",), 4.0),
    "honeycomb, another mesh": (layer, (4, 2), KELDYSH, L, 1.3),
    "helix": (screw, (8,), KELDYSH, L, 1.6),
    "cubic": (cubic, (3, 3, 3), KELDYSH, L, 20.0),
    "no symmetry but time reversal": (no_symmetry, (5,), ADIABATIC, L, 5 / 3),
}


@pytest.mark.parametrize("name", CASES)
def test_a_part_of_the_waves_and_of_the_zone_tells_all(name, monkeypatch):
    make, mesh, method, observables, fewer = CASES[name]
    system = make()
    found, plain = both(monkeypatch, asked(system, on_mesh(system, mesh), observables), method)
    scale = np.max(np.abs(plain.value), axis=0)
    assert scale[-1] > 1e-9
    if len(set(mesh)) == 1:
        np.testing.assert_allclose(found.value, plain.value, rtol=0.0, atol=1e-9 * np.max(scale))
        np.testing.assert_allclose(found.error, plain.error, rtol=1e-3, atol=1e-9 * np.max(scale))
    assert np.all(np.abs(found.value - plain.value) <= found.error + plain.error + 1e-9 * np.max(scale))
    assert np.all(found.converged == plain.converged)
    assert plain.points >= fewer * found.points


@pytest.mark.parametrize(("make", "mesh"), [(layer, (6, 6)), (screw, (7,)), (cubic, (4, 4, 4)), (no_symmetry, (5,))])
def test_the_computed_wave_vectors_are_the_irreducible_ones_of_spglib(make, mesh):
    system = make()
    symmetry = crystal_symmetry(system[1].crystal)
    cell = symmetry.vectors
    turns = {tuple(np.rint(np.linalg.inv(cell.T) @ g.matrix @ cell.T).astype(int).ravel()) for g in symmetry.operations}
    space, of_mesh = np.array(sorted(turns)).reshape(-1, 3, 3), (*mesh, 1, 1)[:3]
    for method in (KELDYSH, ADIABATIC):
        numbers, _ = spglib.get_stabilized_reciprocal_mesh(of_mesh, space, is_time_reversal=method.reactive)
        assert count(system, mesh, method) == len(np.unique(numbers))


def test_moments_are_axial_vectors(monkeypatch):
    """All waves computed, sums over levels: m(Rq) = det(R) R m(q), and opposite at -q without absorption."""
    for make, mesh, method in ((screw, (4,), KELDYSH), (no_symmetry, (5,), ADIABATIC)):
        electrons, phonons = make()
        drive = on_mesh((electrons, phonons), mesh)
        modes, lattice = drive.modes(), phonons.crystal.lattice
        with monkeypatch.context() as patched:
            _, plain = both(patched, asked((electrons, phonons), drive), method)
        level = np.asarray(modes.levels())
        of_level = (level[:, :, None] == np.arange(level.shape[1])).astype(float)
        m = np.einsum("qml,qmo->qlo", of_level, plain.value.reshape(*level.shape, 3))
        q, vectors = np.asarray(modes.q), np.asarray(lattice.vectors)
        place = lambda q, vectors=vectors, mesh=mesh: np.rint(q @ vectors.T / (2 * np.pi) * mesh).astype(int) % mesh  # noqa: E731
        number = {tuple(one): i for i, one in enumerate(place(q).tolist())}
        operations = [g.matrix for g in crystal_symmetry(phonons.crystal).operations]
        operations = operations[:1] if make is no_symmetry else operations  # levels of p orbitals break its mirror
        for turn, sign in [(r, 1) for r in operations] + [(-r, -1) for r in operations if method.reactive]:
            there = [number[tuple(one)] for one in place(q @ turn.T).tolist()]
            axial = sign * np.linalg.det(sign * turn) * sign * turn
            np.testing.assert_allclose(m[there], m @ axial.T, atol=1e-9 * np.max(np.abs(m)))
        assert np.max(np.abs(m)) > 1e-9


WAVE_VECTORS = {  # of modes: reduced q, and how many operations it has
    "honeycomb, Γ": (layer, (0, 0), KELDYSH, 12),
    "honeycomb, K": (layer, (1 / 3, 2 / 3), KELDYSH, 6),
    "honeycomb, wave functions": (layer, (0.2, 0.1), Perturbation(), 2),
    "helix, boundary": (screw, (0.5,), KELDYSH, 6),
    "cubic, R, circular about [111]": (cubic, (0.5, 0.5, 0.5), KELDYSH, 12),
}


@pytest.mark.parametrize("name", WAVE_VECTORS)
def test_every_operation_of_the_little_group_takes_a_wave_vector_to_another(name):
    """F(k) = D(g) F(gk), g by g, and all of them together: D is a representation."""
    make, kappa, method, size = WAVE_VECTORS[name]
    system = make()
    q = np.array(kappa) @ np.asarray(system[1].crystal.lattice.reciprocal)
    problem = asked(system, EveryMode(system[1], q[None]))
    waves = waves_of(problem, method)
    (group,), (little,) = waves.stars().computed, waves.stars().little
    assert len(little.cells) == size
    integrand = waves.integrand(group, method.broadening, 0.1, 0)
    k = np.random.default_rng(3).uniform(size=(2, len(kappa)))
    moved = np.concatenate([k, *(k @ c.T + o for c, o in zip(little.cells, little.offset, strict=True))])
    here, *there = np.asarray(at_phases(integrand, phases(moved))).reshape(1 + size, 2, -1)
    for number, image in enumerate(there):
        one = little.some(np.array([number]))
        turned = np.stack([one.mean(value) for value in image])
        np.testing.assert_allclose(turned, here, rtol=0.0, atol=1e-8 * np.max(np.abs(here)))
    assert np.max(np.abs(here)) > 1e-9


def test_one_wave_of_a_driven_crystal_folds_the_zone(monkeypatch):
    """At Γ a circular field leaves six of twelve operations, at K a mode six that bring reciprocal vectors."""
    system = layer()
    corner = np.array([1 / 3, 2 / 3]) @ np.asarray(system[1].crystal.lattice.reciprocal)
    field = oph.DrivenMode(system[1], field=[1, 1j, 0], charges=[1.0, -1.0], damping=1e-3, mode=4)
    for drive in (field, oph.CoherentMode(system[1], q=corner, mode=5, quanta=1.0)):
        with monkeypatch.context() as patched:
            found, plain = both(patched, asked(system, drive), KELDYSH, Numerics(rtol=1e-3))
        rounding = 1e-12 * np.max(np.abs(plain.value))
        assert np.all(np.abs(found.value - plain.value) <= found.error + plain.error + rounding)
        assert plain.points > 1.4 * found.points and abs(plain.value[0, 2]) > 100 * plain.error[0, 2]


def test_modes_with_slopes_along_a_gradient(monkeypatch):
    """Levels on the axes are parted by the gradient: what are no images is computed."""
    system = cubic()
    drive = TemperatureGradient(system[1], gradient=(1e-6, 2e-6, 0.5e-6), relaxation_time=units.ps, mesh=(3, 3, 3))
    found, plain = both(monkeypatch, asked(system, drive), KELDYSH)
    np.testing.assert_allclose(found.value, plain.value, rtol=0.0, atol=1e-9 * np.max(np.abs(plain.value)))
    assert plain.points > 3.0 * found.points


def changed_hopping(electrons, size):
    """One bond, and its way back, in no particular way."""
    hopping, cells = np.array(electrons.hopping), np.asarray(electrons.cells)
    cell = int(np.argmax(np.linalg.norm(cells, axis=1)))
    back = int(np.argmin(np.linalg.norm(cells + cells[cell], axis=1)))
    change = size * np.random.default_rng(0).normal(size=hopping.shape[1:])
    hopping[cell] += change
    hopping[back] += change.T
    return eqx.tree_at(lambda e: e.hopping, electrons, jnp.asarray(hopping))


def changed_spring(phonons, size):
    """One bond's spring, in no particular direction."""
    random = np.random.default_rng(1).normal(size=(3, 3))
    k, matrices, cells = size * (random + random.T), np.array(phonons.matrices), np.asarray(phonons.cells)
    cell = int(np.argmax(np.linalg.norm(cells, axis=1)))
    back, home = (int(np.argmin(np.linalg.norm(cells - there, axis=1))) for there in (-cells[cell], 0 * cells[cell]))
    end = len(phonons.masses) - 1
    matrices[cell, end, 0] -= k
    matrices[back, 0, end] -= k
    matrices[home, 0, 0] += k
    matrices[home, end, end] += k
    return eqx.tree_at(lambda p: p.matrices, phonons, jnp.asarray(matrices))


@pytest.mark.parametrize("size", [1e-4, 1e-1])
def test_a_broken_symmetry_is_not_used(size):
    for make, mesh in ((layer, (4, 4)), (screw, (6,)), (cubic, (3, 3, 3))):
        electrons, phonons = make()
        every = int(np.prod(mesh))
        assert count((electrons, phonons), mesh) < 0.7 * every
        assert count((changed_hopping(electrons, 1e-2 * size), phonons), mesh) == every
        # a spring between equal atoms keeps their inversion, q and -q; it does not act at q across it
        stiffer = count((electrons, changed_spring(phonons, size)), mesh)
        assert stiffer == (13 if make is cubic else every)


def test_observables_decide_what_can_be_used():
    system = layer(spin_orbit=0.3)
    basis = system[0].basis
    assert count(system, (4, 4), observables=("Lz", "Sz", "Mz")) == count(system, (4, 4)) == count(layer(), (4, 4))
    assert count(system, (4, 4), observables=("Lx",)) > count(system, (4, 4))
    sites = [of_site(basis, oph.observable(basis, "Lz"), site) for site in (0, 1)]
    assert count(system, (4, 4), observables=sites) == count(system, (4, 4))
    between = oph.observable(basis, "Lz")
    matrix = np.array(between.matrix)
    matrix[0, -1] = matrix[-1, 0] = 0.5
    assert count(system, (4, 4), observables=[eqx.tree_at(lambda o: o.matrix, between, jnp.asarray(matrix))]) == 16


def test_moments_that_depend_on_each_other(monkeypatch):
    system = layer(spin_orbit=0.3)
    found, plain = both(monkeypatch, asked(system, on_mesh(system, (2, 2)), ("Lz", "Sz", "Mz")), KELDYSH)
    np.testing.assert_allclose(found.value, plain.value, rtol=0.0, atol=1e-9 * np.max(np.abs(plain.value)))
    assert plain.points > 2.0 * found.points


def test_uniform_translations_pump_nothing():
    system = no_symmetry()
    drive = on_mesh(system, (3,))
    found = Perturbation().prepare(asked(system, drive)).per_phonon(0.1, 0, ROUGH)
    still = np.asarray(drive.modes().still).ravel()
    assert np.sum(still) == 3 and np.all(np.isfinite(found.value))
    assert np.all(found.value[still] == 0.0) and np.max(np.abs(found.value[~still])) > 1e-9
