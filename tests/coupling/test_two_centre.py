import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from orbiphon.coupling import Quadrupole, TwoCentre, make_coupling
from orbiphon.electrons import shell_quadrupoles
from orbiphon.errors import InputError
from orbiphon.models import square_p, square_p_long_wave, square_p_vertex
from systems import (
    random_crystal,
    random_polarisation,
    random_system,
    random_wave_vector,
    supercell_bloch,
    supercell_hamiltonian,
)

T_SIGMA, T_PI, D = -1.9, -2.3, 5.0
SYSTEMS = [(seed, dim, sites) for seed, (dim, sites) in enumerate((d, s) for d in (1, 2, 3) for s in (1, 2, 3))]
REPEATS = {1: (5,), 2: (3, 2), 3: (2, 2, 1)}


vertex = eqx.filter_jit(lambda coupling, k, q, e: coupling.vertex(k, q, e))
long_wave = eqx.filter_jit(lambda coupling, k, n, e: coupling.long_wave(k, n, e))


def bond_gradient(electrons, cell):
    """∂H(R)/∂d (orbital orbital xyz) for R = cell."""
    index = np.argmin(np.linalg.norm(np.asarray(electrons.cells) - np.asarray(cell), axis=1))
    np.testing.assert_allclose(electrons.cells[index], cell)
    return np.asarray(electrons.hopping_gradient[index])


@pytest.mark.parametrize("sign", [1, -1])
def test_bond_derivatives_are_s27_to_s31(sign):
    electrons, turn = square_p(T_SIGMA, T_PI, D), (T_SIGMA - T_PI) / D
    x, y, z = range(3)
    along_x, along_y = np.zeros((3, 3, 3)), np.zeros((3, 3, 3))
    along_x[x, y, y] = along_x[y, x, y] = sign * turn  # s_xy(±d e_x) = ± e_y (t_σ − t_π)/d
    along_x[z, x, z] = along_x[x, z, z] = sign * turn  # s_zx(±d e_x) = ± e_z (t_σ − t_π)/d
    along_y[x, y, x] = along_y[y, x, x] = sign * turn  # s_xy(±d e_y) = ± e_x (t_σ − t_π)/d
    along_y[y, z, z] = along_y[z, y, z] = sign * turn  # s_yz(±d e_y) = ± e_z (t_σ − t_π)/d
    off_diagonal = ~np.eye(3, dtype=bool)[:, :, None]
    for cell, expected in (([sign * D, 0, 0], along_x), ([0, sign * D, 0], along_y)):
        np.testing.assert_allclose(bond_gradient(electrons, cell) * off_diagonal, expected, atol=1e-15)


def test_diagonal_bond_derivatives_are_those_of_the_bond_length():
    # (S17)–(S22): dt/dr = −2 t/d for the default decay, along the bond
    electrons = square_p(T_SIGMA, T_PI, D)
    diagonal = np.einsum("iia->ia", bond_gradient(electrons, [D, 0, 0]))
    expected = np.zeros((3, 3))
    expected[:, 0] = -2 * np.array([T_SIGMA, T_PI, T_PI]) / D
    np.testing.assert_allclose(diagonal, expected, atol=1e-15)


@pytest.mark.parametrize("seed", range(3))
def test_square_vertex_is_s35_s36(seed):
    electrons = square_p(T_SIGMA, T_PI, D)
    k, q = (jnp.asarray(random_wave_vector(10 * seed + i, electrons)) for i in range(2))
    e = jnp.asarray(random_polarisation(seed, 1))
    g = np.asarray(vertex(TwoCentre(electrons), k, q, e))
    off_diagonal = 1.0 - np.eye(3)
    np.testing.assert_allclose(g * off_diagonal, square_p_vertex(k, q, e, T_SIGMA, T_PI, D), atol=1e-15)


@pytest.mark.parametrize(("seed", "dim", "sites"), SYSTEMS)
def test_vertex_is_the_derivative_of_a_displaced_supercell(seed, dim, sites):
    system, repeats, random = random_system(seed, dim, sites), REPEATS[dim], np.random.default_rng(seed)
    reciprocal = np.asarray(system.electrons.crystal.lattice.reciprocal)
    k = random.integers(-2, 3, dim) / np.array(repeats) @ reciprocal
    q = (1 + np.arange(dim)) / np.array(repeats) @ reciprocal
    e = random_polarisation(seed, sites)

    # H is real-analytic in the displacements: differentiate along Re and Im of e e^{iq·r} and add i times the second.
    step, change = 1e-3, 0.0
    for part, factor in ((np.real, 1), (np.imag, 1j)):
        for shift, weight in ((-2, 1 / 12), (-1, -8 / 12), (1, 8 / 12), (2, -1 / 12)):
            wave = lambda r, site, u=shift * step, part=part: u * part(e[site] * np.exp(1j * q @ r))  # noqa: E731
            change = change + factor * weight / step * supercell_hamiltonian(system, repeats, wave)
    expected = supercell_bloch(system, repeats, k + q).conj().T @ change @ supercell_bloch(system, repeats, k)

    g = np.asarray(vertex(TwoCentre(system.electrons), jnp.asarray(k), jnp.asarray(q), jnp.asarray(e)))
    scale = np.abs(expected).max()
    assert scale > 0.01
    np.testing.assert_allclose(g / scale, expected / scale, atol=1e-7)


@pytest.mark.parametrize(("seed", "dim", "sites"), SYSTEMS)
def test_uniform_translation_gives_exactly_zero(seed, dim, sites):
    electrons = random_crystal(seed, dim, sites)
    e = jnp.asarray(np.tile(random_polarisation(seed, 1), (sites, 1)))
    k = jnp.asarray(random_wave_vector(seed, electrons))
    coupling = TwoCentre(electrons)
    assert np.all(np.asarray(vertex(coupling, k, jnp.zeros(3), e)) == 0)
    many = jax.jit(lambda k, q, e: jax.vmap(coupling.vertex, (0, None, None))(k, q, e))
    assert np.all(np.asarray(many(jnp.stack([k, -2 * k]), jnp.zeros(3), e)) == 0)


@pytest.mark.parametrize("spin", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_hermiticity(seed, spin):
    electrons = random_crystal(seed, spin=spin)
    k, q = (jnp.asarray(random_wave_vector(10 * seed + i, electrons)) for i in range(2))
    e = jnp.asarray(random_polarisation(seed, electrons.crystal.sites))
    coupling = TwoCentre(electrons)
    # g(k, q; e) = g(k+q, −q; e*)†
    back = np.asarray(vertex(coupling, k + q, -q, e.conj())).conj().T
    np.testing.assert_allclose(vertex(coupling, k, q, e), back, atol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_time_reversal(seed):
    # H is real in space without magnetic field: g(−k, −q; e*) = g(k, q; e)*
    electrons = random_crystal(seed)
    k, q = (jnp.asarray(random_wave_vector(10 * seed + i, electrons)) for i in range(2))
    e = jnp.asarray(random_polarisation(seed, electrons.crystal.sites))
    coupling = TwoCentre(electrons)
    np.testing.assert_allclose(vertex(coupling, -k, -q, e.conj()), vertex(coupling, k, q, e).conj(), atol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_long_wave_is_the_slope_at_small_q(seed):
    electrons = random_crystal(seed)
    k = jnp.asarray(random_wave_vector(seed, electrons))
    direction = jnp.asarray(random_wave_vector(seed + 1, electrons))
    direction = direction / jnp.linalg.norm(direction)
    e = jnp.asarray(random_polarisation(seed, electrons.crystal.sites))
    coupling, step = TwoCentre(electrons), 1e-4
    ahead, behind = (np.asarray(vertex(coupling, k, s * direction, e)) for s in (step, -step))
    slope = (ahead - behind) / (2 * step)
    np.testing.assert_allclose(long_wave(coupling, k, direction, e), slope, atol=1e-5)


def test_long_waves_keep_the_digits_of_every_order():
    # Even in q: g = q² g''/2 + …, next to an odd part a million times larger.
    electrons = random_crystal(2, sites=2)
    k, q = jnp.asarray(random_wave_vector(2, electrons)), 1e-6
    direction = electrons.crystal.lattice.vectors[0] / jnp.linalg.norm(electrons.crystal.lattice.vectors[0])
    e = jnp.ones((2, 3), dtype=complex)  # equal on both atoms: acoustic
    coupling = TwoCentre(electrons)
    even = (
        np.asarray(vertex(coupling, k, q * direction, e)) + np.asarray(vertex(coupling, k, -q * direction, e))
    ) / q**2
    slope = lambda s: jax.jvp(lambda t: vertex(coupling, k, t * direction, e), (s,), (1.0,))[1]  # noqa: E731
    expected = np.asarray(jax.jvp(slope, (0.0,), (1.0,))[1])
    scale = np.abs(expected).max()
    np.testing.assert_allclose(even / scale, expected / scale, atol=1e-7)


@pytest.mark.parametrize("seed", range(6))
def test_pairs_hold_every_element_of_the_vertex(seed):
    electrons = random_crystal(seed) if seed else square_p(T_SIGMA, T_PI)
    k, q = (jnp.asarray(random_wave_vector(10 * seed + i, electrons)) for i in range(2))
    g = vertex(TwoCentre(electrons), k, q, jnp.asarray(random_polarisation(seed, electrons.crystal.sites)))
    sectors, outside = electrons.sectors, np.asarray(g).copy()
    for rows, columns in TwoCentre(electrons).pairs:
        assert np.abs(outside[np.ix_(sectors[rows], sectors[columns])]).max() > 1e-6
        outside[np.ix_(sectors[rows], sectors[columns])] = 0
    assert np.all(outside == 0)


def test_quadrupole_is_equation_10():
    # 2C (u_y Q^xy + u_z Q^zx), |C|/q = |t_σ − t_π|, at every k; with the phase i of a strain
    electrons, quadrupoles = square_p(T_SIGMA, T_PI, D), shell_quadrupoles(1)
    e, x = jnp.asarray([[0.0, 0.6 - 0.2j, 0.3j]]), jnp.array([1.0, 0.0, 0.0])
    coupling = Quadrupole(electrons)
    expected = -2j * (T_SIGMA - T_PI) * (complex(e[0, 1]) * quadrupoles["Qxy"] + complex(e[0, 2]) * quadrupoles["Qzx"])
    for k in (jnp.zeros(3), jnp.array([0.3, 0.1, 0.0])):
        np.testing.assert_allclose(long_wave(coupling, k, x, e), expected, atol=1e-14)
        np.testing.assert_allclose(vertex(coupling, k, 0.2 * x, e), 0.2 * expected, atol=1e-14)
    np.testing.assert_allclose(square_p_long_wave(T_SIGMA, T_PI), abs(T_SIGMA - T_PI))


@pytest.mark.parametrize("seed", range(3))
def test_quadrupole_is_the_two_centre_coupling_at_zone_centre(seed):
    electrons = random_crystal(seed, sites=1)
    k, n = (jnp.asarray(random_wave_vector(10 * seed + i, electrons)) for i in range(2))
    e = jnp.asarray(random_polarisation(seed, 1))
    exact, constant = TwoCentre(electrons), Quadrupole(electrons)
    np.testing.assert_allclose(long_wave(constant, k, n, e), long_wave(exact, 0 * k, n, e), atol=1e-12)
    assert not np.allclose(long_wave(constant, k, n, e), long_wave(exact, k, n, e))


def test_couplings_by_name():
    electrons = square_p(T_SIGMA, T_PI)
    assert isinstance(make_coupling("two_centre", electrons), TwoCentre)
    assert isinstance(make_coupling("quadrupole", electrons), Quadrupole)
    with pytest.raises(InputError, match="`coupling` must be one of .* Did you mean 'two_centre'"):
        make_coupling("two_center", electrons)
    with pytest.raises(InputError, match="`coupling` must be 'two_centre' for several atoms per cell"):
        make_coupling("quadrupole", random_crystal(0, sites=2))
