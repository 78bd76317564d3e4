import itertools

import jax.numpy as jnp
import numpy as np
import pytest

from lattices import BOND, SIDE, helix, helix_springs, honeycomb, honeycomb_springs, spring_energy
from orbiphon import units
from orbiphon.crystal import Crystal, Lattice, zone_points
from orbiphon.errors import InputError
from orbiphon.phonons import (
    ForceConstants,
    PhononModes,
    Spring,
    group_velocities,
    obeying_sum_rule,
    sound_velocities,
    spring_model,
)

SPRINGS = ((BOND, 20.0, 5.0), (SIDE, 3.0, 0.5))
GENERIC = np.array([0.31, -0.17, 0.0])


def k_from_reduced(crystal, kappa):
    return np.asarray(kappa) @ np.asarray(crystal.lattice.reciprocal)


def supercell_square(crystal, masses, repeats):
    """omega^2 of all modes of a supercell, from second differences of its energy."""
    count = crystal.sites * int(np.prod(repeats))
    size, step = 3 * count, 1e-2

    def energy(x):
        return spring_energy(crystal, SPRINGS, repeats, x.reshape(count, 3))

    unit = step * np.eye(size)
    one = np.array([energy(x) for x in unit])
    hessian = np.empty((size, size))
    for i, j in itertools.combinations_with_replacement(range(size), 2):
        # the energy is a quadratic form: E(x + y) - E(x) - E(y) = x.K.y exactly
        hessian[i, j] = hessian[j, i] = (energy(unit[i] + unit[j]) - one[i] - one[j]) / step**2
    m = np.repeat(np.tile(masses, count // crystal.sites), 3)
    return np.linalg.eigvalsh(hessian / np.sqrt(np.outer(m, m)))


def test_modes_are_those_of_a_supercell_of_springs():
    crystal, repeats = honeycomb(), (3, 2)
    phonons = honeycomb_springs(crystal)
    expected = supercell_square(crystal, np.asarray(phonons.masses), repeats)
    kappa = np.array(list(itertools.product(np.arange(3) / 3, np.arange(2) / 2)))
    found = np.asarray(phonons.modes(k_from_reduced(crystal, kappa)).frequency) ** 2
    np.testing.assert_allclose(np.sort(found.ravel()), expected, atol=1e-12 * expected[-1])


def test_closed_form_of_a_chain():
    # omega = 2 sqrt(k/M) |sin(qd/2)| along the chain, and with k_T across
    d, mass = 3.0, 20 * units.amu
    crystal = Crystal(Lattice([[d, 0, 0]]), np.zeros((1, 3)), ("X",))
    phonons = spring_model(crystal, [mass], [Spring(d, 4.0, 1.0)])
    q = np.linspace(-1.0, 1.0, 7)
    found = np.asarray(phonons.modes(q[:, None] * np.eye(3)[0]).frequency)
    across, along = (2 * np.sqrt(k / mass) * np.abs(np.sin(q * d / 2)) for k in (1.0, 4.0))
    np.testing.assert_allclose(found, np.stack([across, across, along], axis=1), atol=1e-14)
    speeds = np.sqrt(np.array([1.0, 1.0, 4.0]) / mass) * d
    np.testing.assert_allclose(sound_velocities(phonons, "x"), speeds, rtol=1e-10)


def test_many_wave_vectors_are_as_good_as_few():
    phonons = honeycomb_springs(honeycomb())
    q, some = np.random.default_rng(4).normal(size=(2501, 3)) * [1, 1, 0], np.r_[:3, 1022:1027, 1249:1253, 2498:2501]
    modes, slopes = group_velocities(phonons, phonons.modes(q), "x")
    few, expected = group_velocities(phonons, phonons.modes(q[some]), "x")
    np.testing.assert_allclose(modes.frequency[some], few.frequency, rtol=1e-9)
    np.testing.assert_allclose(slopes[some], expected, atol=1e-9 * np.max(np.abs(expected)))


def test_diatomic_chain_has_the_optical_mode_of_the_reduced_mass():
    d, masses = 4.0, np.array([10.0, 30.0]) * units.amu
    crystal = Crystal(Lattice([[d, 0, 0]]), [[0, 0, 0], [d / 2, 0, 0]], ("A", "B"))
    modes = spring_model(crystal, masses, [Spring(d / 2, 3.0, 1.0)]).modes(np.zeros(3))
    expected = np.sqrt(2 * 3.0 * np.sum(1 / masses))
    np.testing.assert_allclose(np.asarray(modes.frequency)[0, -1], expected, rtol=1e-12)
    assert np.asarray(modes.still)[0].tolist() == [True] * 3 + [False] * 3
    assert np.all(np.asarray(modes.displacement)[0, :3] == 0.0)


@pytest.mark.parametrize("crystal", [honeycomb(), helix()], ids=["honeycomb", "helix"])
def test_modes_are_orthonormal_and_those_of_the_opposite_wave_vector_conjugate(crystal):
    phonons = honeycomb_springs(crystal) if crystal.sites == 2 else helix_springs(crystal)
    q = k_from_reduced(crystal, np.full(crystal.lattice.dim, 0.23))
    there, back = phonons.modes(q), phonons.modes(-q)
    np.testing.assert_allclose(there.frequency, back.frequency, atol=1e-12)
    e = np.asarray(there.polarisation)[0].reshape(3 * crystal.sites, -1)
    np.testing.assert_allclose(e.conj() @ e.T, np.eye(len(e)), atol=1e-12)
    matrix = np.asarray(phonons.dynamical_matrix(jnp.asarray(-q)))
    residue = matrix @ e.conj().T - e.conj().T * np.asarray(there.frequency)[0] ** 2
    assert np.max(np.abs(residue)) < 1e-12 * np.max(np.abs(matrix))


def test_another_cell_and_another_origin_are_the_same_crystal():
    crystal = honeycomb()
    vectors, tau = np.asarray(crystal.lattice.vectors), np.asarray(crystal.positions)
    moved = Crystal(Lattice(vectors), tau + np.array([[0.3, 0.1, 0.2]]) + np.array([[0, 0, 0], vectors[1]]), ("A", "B"))
    # e^{iq(R + tau)}: nothing but an overall phase may change
    first, second = (honeycomb_springs(c).modes(GENERIC) for c in (crystal, moved))
    np.testing.assert_allclose(first.frequency, second.frequency, rtol=1e-12)
    overlap = np.abs(np.einsum("msa,msa->m", np.conj(first.polarisation[0]), second.polarisation[0]))
    np.testing.assert_allclose(overlap, 1.0, atol=1e-10)


@pytest.mark.parametrize("crystal", [honeycomb(), helix()], ids=["honeycomb", "helix"])
def test_velocities_are_slopes(crystal):
    phonons = honeycomb_springs(crystal) if crystal.sites == 2 else helix_springs(crystal)
    dim, step = crystal.lattice.dim, 1e-4
    n = np.asarray(crystal.lattice.vectors)[0] / np.linalg.norm(crystal.lattice.vectors[0])
    q = np.asarray(k_from_reduced(crystal, np.array([[0.2, 0.31], [0.1, 0.1]])[:, :dim]))
    modes, found = group_velocities(phonons, phonons.modes(q), n)
    slopes = (phonons.modes(q + step * n).frequency - phonons.modes(q - step * n).frequency) / (2 * step)
    np.testing.assert_allclose(np.sort(found), np.sort(slopes), atol=1e-5 * np.max(np.abs(slopes)))
    np.testing.assert_allclose(modes.frequency, phonons.modes(q).frequency, rtol=1e-12)


def test_velocities_of_a_degenerate_level_are_slopes_too():
    # out of plane and along: two polarisations with the same omega(q), but not the same slope, at one q of a chain
    d, mass = 3.0, 20 * units.amu
    crystal = Crystal(Lattice([[d, 0, 0]]), np.zeros((1, 3)), ("X",))
    # M omega^2 = 4 k1 sin^2(qd/2) + 4 k2 sin^2(qd): equal where k1_L - k1_T = (k2_T - k2_L) 4 cos^2(qd/2)
    phonons = spring_model(crystal, [mass], [Spring(d, 4.0, 1.0), Spring(2 * d, -0.5, 0.5)])
    q = 2 / d * np.arccos(np.sqrt(3.0 / 4.0))
    modes = phonons.modes(np.array([q, 0, 0]))
    assert np.ptp(np.asarray(modes.frequency)) < 1e-12
    random = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    polarisation = np.einsum("mn,qnsa->qmsa", random, np.asarray(modes.polarisation))
    mixed = PhononModes(modes.q, modes.frequency, polarisation, modes.masses)
    turned, found = group_velocities(phonons, mixed, "x")
    omega = float(modes.frequency[0, 0])
    slope = lambda k1, k2: (2 * k1 * d * np.sin(q * d) + 4 * k2 * d * np.sin(2 * q * d)) / (2 * omega * mass)  # noqa: E731
    np.testing.assert_allclose(found[0], np.sort([slope(1.0, 0.5)] * 2 + [slope(4.0, -0.5)]), rtol=1e-9)
    alone = int(np.argmin(np.abs(np.asarray(found[0]) - slope(4.0, -0.5))))
    np.testing.assert_allclose(np.abs(turned.polarisation[0, alone, 0]), [1, 0, 0], atol=1e-9)


@pytest.mark.parametrize("direction", [(1.0, 0.4, 0.0), (0.0, 1.0, 0.0)])
def test_speeds_of_sound_are_slopes_at_long_waves(direction):
    phonons, q = honeycomb_springs(honeycomb()), 1e-3
    n = np.array(direction) / np.linalg.norm(direction)
    expected = np.asarray(phonons.modes(q * n).frequency)[0, :3] / q
    np.testing.assert_allclose(sound_velocities(phonons, direction), expected, rtol=1e-5)


def test_mesh_of_the_zone():
    lattice = honeycomb().lattice
    q = zone_points(lattice, (4, 6))
    kappa = q @ np.asarray(lattice.vectors).T / (2 * np.pi) * np.array([4, 6])
    np.testing.assert_allclose(kappa, np.rint(kappa), atol=1e-9)
    assert len({tuple(row) for row in (np.rint(kappa).astype(int) % np.array([4, 6])).tolist()}) == 24
    around = np.array(list(itertools.product((-2, -1, 0, 1, 2), repeat=2))) @ np.asarray(lattice.reciprocal)
    shortest = np.min(np.linalg.norm(q[:, None] + around, axis=-1), axis=1)
    np.testing.assert_allclose(np.linalg.norm(q, axis=-1), shortest, atol=1e-9)
    with pytest.raises(InputError, match="`mesh` must hold a whole number of points for each of 2"):
        zone_points(lattice, (4,))


def test_springs_of_some_species_only():
    crystal = honeycomb(("A", "B"))
    only_a = spring_model(crystal, [1.0, 1.0], [Spring(BOND, 1.0), Spring(SIDE, 3.0, between=("A", "A"))])
    matrices = np.asarray(only_a.matrices)
    home = np.argmin(np.linalg.norm(only_a.cells, axis=1))
    others = np.delete(matrices, home, axis=0)
    assert np.any(others[:, 0, 0]) and not np.any(others[:, 1, 1])


def test_bad_lattices_are_refused():
    crystal = honeycomb()
    good = honeycomb_springs(crystal)
    with pytest.raises(InputError, match=r"no atoms are 2.4 Å apart; up to there the distances are \[2.0\]"):
        spring_model(crystal, [1.0, 1.0], [Spring(2.4, 1.0)])
    with pytest.raises(InputError, match="no two atoms of the crystal are within 1.3"):
        spring_model(crystal, [1.0, 1.0], [Spring(1.3, 1.0)])
    with pytest.raises(InputError, match="no atoms between A and A are 2 Å apart"):
        spring_model(crystal, [1.0, 1.0], [Spring(BOND, 1.0, between=("A", "A")), Spring(SIDE, 1.0)])
    with pytest.raises(InputError, match="`springs` must hold at least one Spring"):
        spring_model(crystal, [1.0, 1.0], [])
    with pytest.raises(InputError, match="`length` must be greater than zero"):
        Spring(0.0, 1.0)
    with pytest.raises(InputError, match=r"`masses` must have the shape \(site\) = \(2\)"):
        spring_model(crystal, [1.0], [Spring(BOND, 1.0)])
    with pytest.raises(InputError, match="`masses` must be greater than zero"):
        spring_model(crystal, [1.0, 0.0], [Spring(BOND, 1.0)])
    broken = np.array(good.matrices)
    broken[np.argmin(np.linalg.norm(good.cells, axis=1)), 0, 0] += 0.01 * np.eye(3)
    with pytest.raises(InputError, match="must obey the acoustic sum rule.*the sum is 0.01.*obeying_sum_rule"):
        ForceConstants(crystal, good.masses, good.cells, broken)
    mended = obeying_sum_rule(crystal, good.masses, good.cells, broken)
    np.testing.assert_allclose(mended.matrices, good.matrices, atol=1e-12)
    broken = np.array(good.matrices)
    broken[0, 0, 1, 0, 1] += 0.01
    with pytest.raises(InputError, match=r"must be symmetric, Φ_ss'\(R\) = Φ_s's\(−R\)ᵀ"):
        ForceConstants(crystal, good.masses, good.cells, broken)


def test_unstable_modes_are_refused():
    soft = spring_model(honeycomb(), [1.0, 1.0], [Spring(BOND, 1.0, -0.1)])
    with pytest.raises(InputError, match=r"must belong to a stable crystal, but mode 0 at q = \[0.0, 0.0, 0.0\] 1/Å"):
        soft.modes(np.stack([GENERIC, np.zeros(3)]))
