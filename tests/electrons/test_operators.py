import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from orbiphon.electrons import OBSERVABLES, Basis, observable, orbital_momentum, shell_quadrupoles, spin_momentum
from orbiphon.errors import InputError

# Real harmonics as polynomials of degree l with equal norms on the sphere, in the order of `orbitals`.
R3, R5, R6, R10, R15 = np.sqrt([3.0, 5.0, 6.0, 10.0, 15.0])
HARMONICS = {
    0: lambda x, y, z: [1.0 + 0 * x],
    1: lambda x, y, z: [x, y, z],
    2: lambda x, y, z: [
        (2 * z * z - x * x - y * y) / 2,
        R3 * z * x,
        R3 * y * z,
        R3 * (x * x - y * y) / 2,
        R3 * x * y,
    ],
    3: lambda x, y, z: [
        z * (2 * z * z - 3 * x * x - 3 * y * y) / 2,
        R6 / 4 * x * (4 * z * z - x * x - y * y),
        R6 / 4 * y * (4 * z * z - x * x - y * y),
        R15 / 2 * z * (x * x - y * y),
        R15 * x * y * z,
        R10 / 4 * x * (x * x - 3 * y * y),
        R10 / 4 * y * (3 * x * x - y * y),
    ],
}


@pytest.mark.parametrize("l", range(5))
def test_momentum_algebra(l):
    momentum = orbital_momentum(l)
    for a in range(3):
        x, y, z = (momentum[(a + shift) % 3] for shift in range(3))
        np.testing.assert_allclose(x @ y - y @ x, 1j * z, atol=1e-13)
    square = sum(component @ component for component in momentum)
    np.testing.assert_allclose(square, l * (l + 1) * np.eye(2 * l + 1), atol=1e-13)


@pytest.mark.parametrize("l", range(4))
def test_momentum_is_minus_i_r_cross_gradient_of_the_harmonics(l):
    def harmonics(r):
        return jnp.stack(HARMONICS[l](*r))

    points = jnp.asarray(np.random.default_rng(l).normal(size=(40, 3)))
    values = np.asarray(jax.vmap(harmonics)(points))  # (point, orbital)
    slopes = np.asarray(jax.vmap(jax.jacfwd(harmonics))(points))  # (point, orbital, xyz)
    turned = -1j * np.cross(np.asarray(points)[:, None, :], slopes)  # L f_b at each point
    expected = np.stack([np.linalg.lstsq(values, turned[..., a], rcond=None)[0] for a in range(3)])  # Σ_a f_a L_ab
    np.testing.assert_allclose(orbital_momentum(l), expected, atol=1e-12)


def test_p_matrices_are_those_of_the_paper():
    epsilon = np.zeros((3, 3, 3))
    for a, b, c in itertools.permutations(range(3)):
        epsilon[a, b, c] = np.linalg.det(np.eye(3)[[a, b, c]])
    np.testing.assert_array_equal(orbital_momentum(1), -1j * epsilon)
    expected = np.zeros((3, 3))
    expected[0, 1] = expected[1, 0] = -1  # Q^xy = −(|x><y| + |y><x|)
    np.testing.assert_allclose(shell_quadrupoles(1)["Qxy"], expected, atol=1e-15)


@pytest.mark.parametrize("l", range(5))
def test_quadrupoles_are_the_symmetric_traceless_products(l):
    x, y, z = orbital_momentum(l)
    quadrupoles = shell_quadrupoles(l)
    np.testing.assert_allclose(quadrupoles["Qzx"], z @ x + x @ z, atol=1e-13)
    np.testing.assert_allclose(quadrupoles["Q3z2-r2"] * np.sqrt(3), 2 * z @ z - x @ x - y @ y, atol=1e-12)
    sizes = [np.trace(q @ q).real for q in quadrupoles.values()]
    np.testing.assert_allclose(sizes, sizes[0])  # equal norms: a basis of one rank-2 tensor
    for a, b in itertools.combinations(quadrupoles.values(), 2):
        assert abs(np.trace(a @ b)) < 1e-12


def test_spin_algebra():
    x, y, z = spin_momentum()
    np.testing.assert_allclose(x @ y - y @ x, 1j * z)
    np.testing.assert_allclose(x @ x + y @ y + z @ z, 0.75 * np.eye(2))


@pytest.mark.parametrize("spin", [False, True])
@pytest.mark.parametrize("name", OBSERVABLES)
def test_parities_and_hermiticity(name, spin):
    basis = Basis(((0, "s"), (0, "p"), (1, "d")), spin=spin)
    if not spin and name[0] in "SJM":
        return
    made = observable(basis, name)
    matrix = np.asarray(made.matrix)
    np.testing.assert_allclose(matrix, matrix.conj().T, atol=1e-15)
    assert np.linalg.norm(matrix) > 0.5
    # Time reversal: complex conjugation of real harmonics, times iσ_y on the spin.
    turn = np.kron(np.eye(basis.spatial_size), np.array([[0, 1], [-1, 0]]) if spin else np.eye(1))
    np.testing.assert_allclose(turn @ matrix.conj() @ turn.T, made.time_reversal * matrix, atol=1e-14)
    # Inversion: (−1)^l.
    parity = np.repeat([1.0] + [-1.0] * 3 + [1.0] * 5, basis.spins)
    np.testing.assert_allclose(parity[:, None] * matrix * parity, made.inversion * matrix, atol=1e-14)
    assert made.name == name


def test_total_momentum_and_magnetic_moment():
    basis = Basis(((0, "p"), (0, "d")), spin=True)
    get = {name: np.asarray(observable(basis, name).matrix) for name in ("Lz", "Sz", "Jz", "Mz", "Jx", "Jy")}
    np.testing.assert_allclose(get["Jz"], get["Lz"] + get["Sz"])
    np.testing.assert_allclose(get["Mz"], get["Lz"] + 2 * get["Sz"])
    np.testing.assert_allclose(get["Jx"] @ get["Jy"] - get["Jy"] @ get["Jx"], 1j * get["Jz"], atol=1e-13)


def test_bad_names_are_refused():
    basis = Basis(((0, "p"),))
    with pytest.raises(InputError, match=r"`observables` must be one of .* but is 'lx'. Did you mean 'Lx'"):
        observable(basis, "lx")
    with pytest.raises(InputError, match=r"must not need spin in a basis without, but is 'Sy'. Use Basis"):
        observable(basis, "Sy")
    with pytest.raises(InputError, match="`l` must not be negative, but is -1"):
        orbital_momentum(-1)


def test_bad_bases_are_refused():
    with pytest.raises(InputError, match="`shells` must be one of 's', 'p', 'd', .*but is 'q'"):
        Basis(((0, "q"),))
    with pytest.raises(InputError, match=r"each \(site, shell\) once"):
        Basis(((0, "s"), (0, "s")))
    with pytest.raises(InputError, match="sites from 0 on, but has site -1"):
        Basis(((-1, "s"),))


def test_labels_and_sites_follow_the_order_of_orbitals():
    basis = Basis(((1, "p"), (0, "s")), spin=True)
    assert basis.size == 8
    assert basis.labels == ("1:px↑", "1:px↓", "1:py↑", "1:py↓", "1:pz↑", "1:pz↓", "0:s↑", "0:s↓")
    assert basis.site_of == (1,) * 6 + (0,) * 2
