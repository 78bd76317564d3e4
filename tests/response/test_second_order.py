"""The static moment of long waves in random crystals, against traces of Green's functions."""

import equinox as eqx
import numpy as np
import pytest

import dense
from orbiphon import units
from orbiphon.crystal import Crystal, Lattice
from orbiphon.drives import OnePhonon
from orbiphon.electrons import Basis, Observable, SlaterKoster, from_hoppings, observable, tight_binding
from orbiphon.errors import InputError
from orbiphon.models import cubic_p, linear_chain, square_p
from orbiphon.phonons import AcousticBranch, circular_polarisation
from orbiphon.response import Adiabatic, ElectronState, Numerics, Problem, Published, solve, zone_map
from systems import random_crystal, random_system

SPEED, MASS, Q = 5000 * units.m / units.s, 4e-26 * units.kg, 0.02
GAMMA, LEVEL, KELVIN = 0.15, 0.2, 900.0
SCALE = Q**2 / (2 * MASS)  # m_q = q^2/(2M) times the sum
TILTED = (0.5, -0.7, 0.4)


def problem(electrons, observables=("Lx", "Ly", "Lz"), direction=TILTED, coupling="two_centre", level=LEVEL):
    branch = AcousticBranch(speed=SPEED, mass=MASS, direction=direction)
    state = ElectronState(fermi_level=level, temperature=KELVIN)
    return Problem(electrons, OnePhonon(branch, q=Q), state, coupling=coupling, observables=observables)


def expected_map(electrons, kappa, matrices, direction=TILTED):
    n, e = np.array(direction) / np.linalg.norm(direction), np.asarray(circular_polarisation(direction, 1))
    rows = []
    for k in np.asarray(kappa) @ np.asarray(electrons.crystal.lattice.reciprocal):
        h, gamma = dense.bloch(electrons, k), dense.strain(electrons, k, n, e)
        rows.append([SCALE * dense.second_order(h, gamma, o, GAMMA, LEVEL, KELVIN) for o in matrices])
    return np.array(rows)


def assert_close(found, expected, rtol=1e-8):
    scale = np.abs(expected).max()
    assert scale > 0
    np.testing.assert_allclose(np.asarray(found) / scale, np.asarray(expected) / scale, atol=rtol)


SYSTEMS = {
    "s d, one atom, chain": random_crystal(0, dim=1, sites=1),
    "three atoms, sheet": random_crystal(5, dim=2, sites=3),
    "two atoms, bulk": random_crystal(6, dim=3, sites=2),
    "two atoms, sheet": random_crystal(4, dim=2, sites=2),
    "p, cubic, spin and orbit": cubic_p(-0.7, 0.3, 3.0, spin_orbit=0.4),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_integrand_of_random_crystals(name):
    electrons = SYSTEMS[name]
    names = ("Lx", "Lz", "Sy", "Mz") if electrons.basis.spin else ("Lx", "Lz")
    kappa = np.random.default_rng(1).uniform(size=(2, electrons.crystal.lattice.dim))
    kappa = np.concatenate([kappa, 0 * kappa[:1]])  # and a point of high symmetry
    found = zone_map(problem(electrons, names), Adiabatic(GAMMA), kappa)
    matrices = [np.asarray(observable(electrons.basis, o).matrix) for o in names]
    assert_close(found, expected_map(electrons, kappa, matrices))


def test_rotated_orbitals_give_the_same():
    # A random unitary among all orbitals of the atom: one dense sector instead of small ones, and at k = 0 and along
    # k_x = k_y = k_z degenerate levels whose eigenvectors are arbitrary.
    electrons = SYSTEMS["p, cubic, spin and orbit"]
    random = np.random.default_rng(3)
    unitary = np.linalg.qr(random.normal(size=(6, 6)) + 1j * random.normal(size=(6, 6)))[0]

    def turned(matrix):
        return unitary @ np.asarray(matrix) @ unitary.conj().T

    gradient = np.moveaxis(turned(np.moveaxis(np.asarray(electrons.hopping_gradient), -1, 1)), 1, -1)
    rotated = from_hoppings(electrons.crystal, electrons.basis, electrons.cells, turned(electrons.hopping), gradient)
    assert len(rotated.sectors) == 1 < len(electrons.sectors)
    plain = [observable(electrons.basis, name) for name in ("Lx", "Sy")]
    moved = [Observable(o.name, turned(o.matrix), o.time_reversal, o.inversion, o.unit) for o in plain]
    kappa = np.concatenate([random.uniform(size=(2, 3)), [[0, 0, 0], [0.2, 0.2, 0.2], [0.5, 0, 0], [0.1, 0.1, 0.3]]])
    first = zone_map(problem(electrons, plain), Adiabatic(GAMMA), kappa)
    assert_close(zone_map(problem(rotated, moved), Adiabatic(GAMMA), kappa), first, 1e-10)


@pytest.fixture(scope="module")
def two_atoms():
    return random_system(4, dim=2, sites=2)


def moved_atoms(system, shift):
    electrons = system.electrons
    crystal = electrons.crystal
    return tight_binding(
        Crystal(crystal.lattice, np.asarray(crystal.positions) + shift, crystal.species),
        electrons.basis,
        SlaterKoster(system.integrals, length=system.length, decay=system.decay),
        system.cutoff,
        onsite=system.onsite,
    )


def test_choice_of_the_cell_does_not_matter(two_atoms):
    vectors = np.asarray(two_atoms.electrons.crystal.lattice.vectors)
    kappa = np.random.default_rng(4).uniform(size=(5, 2))
    first = zone_map(problem(two_atoms.electrons), Adiabatic(GAMMA), kappa)
    for shift in (
        np.stack([0 * vectors[0], vectors[0] - 2 * vectors[1]]),  # the second atom taken from another cell
        np.array([[0.3, -0.4, 0.9]]),  # another origin
    ):
        assert_close(zone_map(problem(moved_atoms(two_atoms, shift)), Adiabatic(GAMMA), kappa), first, 1e-10)


def test_blocks_and_meshes_do_not_matter(two_atoms):
    asked = problem(two_atoms.electrons)
    answer = solve(asked, Adiabatic(GAMMA), Numerics(rtol=1e-3, block=64))
    again = solve(asked, Adiabatic(GAMMA), Numerics(rtol=1e-3, block=17))
    assert_close(again.value, answer.value, 1e-12)
    assert np.array_equal(again.points, answer.points)

    points = 64  # another mesh, shifted at random
    shift = np.random.default_rng(5).uniform(size=2)
    axes = [(np.arange(points) + s) / points for s in shift]
    kappa = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    mean = np.mean(zone_map(asked, Adiabatic(GAMMA), kappa), axis=0)
    assert np.all(np.abs(mean - answer.value[0, 0]) <= answer.error[0, 0] + 1e-6 * np.abs(mean).max())


def test_spin_without_spin_orbit_coupling_doubles():
    shells, integrals = ((0, "p"),), {"pp_sigma": -1.0, "pp_pi": 0.4}
    crystal = Crystal(Lattice(np.diag([3.0, 3.2, 0])[:2]), np.zeros((1, 3)), ("X",))
    law, onsite = SlaterKoster(integrals, length=3.0), np.array([0.0, 0.3, -0.2])
    bare = tight_binding(crystal, Basis(shells), law, 4.6, onsite=onsite)
    both = tight_binding(crystal, Basis(shells, spin=True), law, 4.6, onsite=np.repeat(onsite, 2))
    kappa = np.random.default_rng(7).uniform(size=(4, 2))
    single = zone_map(problem(bare), Adiabatic(GAMMA), kappa)
    double = zone_map(problem(both, ("Lx", "Ly", "Lz", "Sx", "Sy", "Sz")), Adiabatic(GAMMA), kappa)
    assert_close(double[:, :3], 2 * single, 1e-10)
    assert np.all(np.abs(double[:, 3:]) < 1e-12 * np.abs(single).max())


def test_published_formula_is_refused_where_bands_mix():
    with pytest.raises(InputError, match="`published` must be given bands that the Hamiltonian never mixes"):
        solve(problem(cubic_p(-0.7, 0.3, 3.0, spin_orbit=0.4)), Published(0.01))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ElectronState(temperature=300.0), "Exactly one of `fermi_level` and `filling` .* got neither"),
        (lambda: ElectronState(temperature=300.0, fermi_level=0.0, filling=1.0), "but got both"),
        (
            lambda: ElectronState(temperature=-1.0, fermi_level=0.0),
            "`temperature` must be greater than zero, but is -1",
        ),
        (lambda: ElectronState(temperature=1.0, fermi_level=float("inf")), "`fermi_level` must be finite, but is inf"),
        (lambda: Numerics(rtol=-1.0), "`rtol` must not be negative, but is -1"),
        (lambda: Numerics(rtol=0.0), "One of `rtol` and `atol` must be greater than zero, but both are 0"),
        (lambda: Numerics(max_points=0), "`max_points` must be greater than zero, but is 0"),
        (lambda: Numerics(block=0), "`block` must be greater than zero, but is 0"),
        (lambda: Adiabatic(-0.1), "`broadening` must not be negative, but is -0.1"),
        (lambda: Published(0.0), "`broadening` must be greater than zero, but is 0"),
        (lambda: Published(0.1, "lorenz"), "`published_broadening` must be one of .* Did you mean 'lorentz'"),
        (
            lambda: problem(square_p(-1.9, -2.0), ("Lxx",)),
            "`observables` must be one of .* but is 'Lxx'. Did you mean 'Lx'",
        ),
        (lambda: problem(square_p(-1.9, -2.0), "Lx"), "`observables` must be a list of names, but is 'Lx'"),
        (lambda: problem(square_p(-1.9, -2.0), ()), "`observables` must be a list of names, but is ()"),
        (lambda: problem(square_p(-1.9, -2.0), coupling="quadropole"), "`coupling` .* Did you mean 'quadrupole'"),
        (
            lambda: solve(problem(linear_chain({"pp_sigma": 1.0, "pp_pi": 0.5}, "p"), ("Qzx",)), Adiabatic(0.1)),
            "`observables` must be odd under time reversal at order 2, but Qzx is even",
        ),
    ],
)
def test_bad_problems_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_accidental_zero_of_a_coupling_is_not_built_in():
    # the same compiled form at t_sigma = t_pi and beside it
    values = [
        solve(
            problem(square_p(-1.9, t_pi), ("Lx",), (1.0, 0, 0), "quadrupole"), Adiabatic(GAMMA), Numerics(rtol=1e-2)
        ).value.item()
        for t_pi in (-1.9, -1.8, -1.9)
    ]
    assert values[0] == values[2] == 0.0 != values[1]


def test_answer_prints_what_was_done(two_atoms):
    answer = solve(problem(two_atoms.electrons, ("Lz",)), Adiabatic(GAMMA), Numerics(rtol=1e-2))
    text = str(answer)
    assert "adiabatic, two_centre coupling, order 2, broadening 0.15 eV" in text and "Lz / hbar" in text
    assert f"{answer.value[0, 0, 0]:.5e}" in text and "tolerance missed" not in text
    assert "tolerance missed" in str(eqx.tree_at(lambda a: a.converged, answer, np.array([[False]])))
