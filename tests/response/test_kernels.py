"""The kernels K' of the second order, level by level, without any crystal."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit

import fermi_mpmath as exact
from fermi_mpmath import mp
from orbiphon.response import kernels
from orbiphon.units import k_B

CASES = 80
SPACINGS = (0.0, 1e-12, 1e-9, 1e-6, 1e-4, 1e-3, 1e-2, 0.1, 0.4, 1.0)

conserving = jax.jit(jax.vmap(kernels.conserving))
conserving_sea = jax.jit(jax.vmap(kernels.conserving_sea))


def states(seed, zero=False):
    """(a, b, c), broadening, Fermi level, temperature: T 1-2000 K, spacings and broadenings 0-1 eV."""
    random = np.random.default_rng(seed)
    fermi_level = random.uniform(-3, 3, CASES)
    first = fermi_level + random.choice([-1, 1], CASES) * 10 ** random.uniform(-5, np.log10(19), CASES)
    spacing = random.choice([-1, 1], (CASES, 2)) * random.choice(SPACINGS, (CASES, 2))
    levels = random.permuted(np.column_stack([first[:, None], first[:, None] + spacing]), axis=1)
    broadening = np.zeros(CASES) if zero else 10 ** random.uniform(-8, 0, CASES)
    temperature = 10 ** random.uniform(0, np.log10(2000), CASES)
    temperature[:6], broadening[:6] = [1, 1, 1, 2000, 2000, 2000], [0, 0, 0] * 2 if zero else [1e-8, 1e-2, 1] * 2
    return tuple(jnp.asarray(x) for x in (*levels.T, broadening, fermi_level, temperature))


def test_conserving_kernel_against_many_digits():
    cases = states(1)
    found = np.asarray(conserving(*cases))
    for value, *case in zip(found, *cases, strict=True):
        a, b, c, *state = case
        sea, edge = exact.conserving(*case)
        largest = max(abs(complex(exact.sea([a, b, c, c], *state))) / np.pi, abs(complex(edge)))
        assert abs(value - complex(sea + edge)) < 1e-10 * largest, case


def test_sea_at_zero_broadening_is_the_divided_difference():
    cases = states(2, zero=True)
    found = np.asarray(conserving_sea(*cases))
    for value, *case in zip(found, *cases, strict=True):
        a, b, c, gamma, *state = case
        largest = abs(complex(exact.sea([a, b, c, c], gamma, *state))) / np.pi
        levels = [mp.mpf(float(e)) + i * mp.mpf(10) ** -36 for i, e in enumerate((a, b, c, c))]
        table = [fermi_exact(e, *state) for e in levels]
        for order in (1, 2, 3):
            table = [(table[i + 1] - table[i]) / (levels[i + order] - levels[i]) for i in range(4 - order)]
        assert abs(value - float(table[0])) < 1e-10 * largest, case


def fermi_exact(energy, fermi_level, temperature):
    thermal = mp.mpf(k_B) * mp.mpf(float(temperature))
    return 1 / (mp.exp((energy - mp.mpf(float(fermi_level))) / thermal) + 1)


def curvature(x, y, z, fermi_level, temperature):
    """A_k of (21), as printed, in many digits."""
    x, y, z = (mp.mpf(float(e)) for e in (x, y, z))
    f_x, f_y, f_z = (fermi_exact(e, fermi_level, temperature) for e in (x, y, z))
    return (
        f_x / ((x - y) * (x - z) ** 2)
        + f_x / ((x - z) * (x - y) ** 2)
        - f_y / ((y - z) * (y - x) ** 2)
        - f_z / ((z - y) * (z - x) ** 2)
    )


@pytest.mark.parametrize("seed", range(6))
def test_zero_broadening_off_degeneracy_is_21(seed):
    random = np.random.default_rng(seed)
    x, y, z = random.permutation([-0.4, 0.05, 0.3]) + random.uniform(-0.1, 0.1, 3)
    fermi_level, temperature = random.uniform(-0.4, 0.4), random.uniform(100, 1500)
    expected = float(curvature(x, y, z, fermi_level, temperature))

    # 5.1: A_k = f'(x)/[(x-y)(x-z)] - f[x,x,y,z], the second part the kernel's sea
    edge = float(exact.fermi_derivative(mp.mpf(x - fermi_level), mp.mpf(k_B * temperature)))
    state = [jnp.asarray([v]) for v in (y, z, x, 0.0, fermi_level, temperature)]
    sea = complex(conserving_sea(*state)[0])
    np.testing.assert_allclose(edge / ((x - y) * (x - z)) - sea, expected, rtol=1e-9)

    state[3] = jnp.asarray([1e-7])
    np.testing.assert_allclose(-np.real(conserving(*state)[0]), expected, rtol=1e-4)


def green_integral(a, b, c, broadening, fermi_level, temperature, omega):
    """K(a,b,c;omega) of theory 5.3 by quadrature in energy."""
    thermal = k_B * temperature

    def integrand(e):
        r_a, r_b, r_c = (1 / (e - level + 1j * broadening) for level in (a, b, c + omega))
        f, df = expit((fermi_level - e) / thermal), expit((fermi_level + omega - e) / thermal)
        bulk = r_b * r_c * r_a - np.conj(r_b * r_c * r_a)
        return -1j / (2 * np.pi) * (-f * bulk + (f - df) * (r_b * r_c * np.conj(r_a) - r_b * np.conj(r_c * r_a)))

    marks = sorted([a, b, c, fermi_level])
    edges = [marks[0] - 40, marks[0] - 2, *marks, marks[-1] + 2, marks[-1] + 40]
    return _quad(integrand, edges, tail=True)


def _quad(integrand, edges, tail=False):
    pieces = [(low, high) for low, high in itertools.pairwise(edges) if high > low]
    pieces += [(-np.inf, edges[0])] if tail else []
    total = 0.0
    for low, high in pieces:
        for part, factor in ((np.real, 1), (np.imag, 1j)):
            total += factor * quad(lambda e, p=part: float(p(integrand(e))), low, high, epsabs=1e-13, limit=400)[0]
    return total


CLOSE = [(0.11, -0.07, 0.02, 0.05, 0.03, 300.0), (0.2, 0.2, -0.1, 0.1, 0.1, 800.0), (0.0, 0.1, 0.1, 0.03, 0.05, 500.0)]


@pytest.mark.parametrize("case", CLOSE)
def test_kernel_is_the_slope_of_the_energy_integral(case):
    def slope(omega):
        return (green_integral(*case, omega) - green_integral(*case, -omega)) / (2 * omega)

    step = 1e-3
    expected = (slope(2 * step) - 20 * slope(step) + 64 * slope(step / 2)) / 45  # Richardson, to step^6
    found = complex(conserving(*(jnp.asarray([v]) for v in case))[0])
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("case", CLOSE)
def test_real_part_is_the_curvature_of_theory_5_2(case):
    # A_k^Gamma = -(1/pi) int { -f Im[R_z R_x^2 R_y] + f' Im[R_x] Re[R_z R_y*] }
    y, z, x, broadening, fermi_level, temperature = case
    thermal = k_B * temperature

    def integrand(e):
        r_x, r_y, r_z = (1 / (e - level + 1j * broadening) for level in (x, y, z))
        f = expit((fermi_level - e) / thermal)
        edge = -f * (1 - f) / thermal * r_x.imag * (r_z * np.conj(r_y)).real
        return -(-f * (r_z * r_x**2 * r_y).imag + edge) / np.pi

    marks = sorted([x, y, z, fermi_level])
    expected = _quad(integrand, [marks[0] - 40, marks[0] - 2, *marks, marks[-1] + 2, marks[-1] + 40], tail=True).real
    found = complex(conserving(*(jnp.asarray([v]) for v in case))[0])
    np.testing.assert_allclose(-found.real, expected, rtol=1e-9)


def test_exchange_of_a_and_b_conjugates():
    a, b, c, *state = states(3)
    np.testing.assert_allclose(conserving(b, a, c, *state), np.conj(conserving(a, b, c, *state)), rtol=1e-9)


@pytest.mark.parametrize("side", [1, -1])
def test_full_and_empty_levels_do_nothing(side):
    random = np.random.default_rng(4)
    a, b, c, broadening, _, temperature = (np.array(x) for x in states(5))
    broadening[::5] = 10 ** random.uniform(-4, 0, broadening[::5].size)
    top = np.max(side * np.stack([a, b, c]), axis=0)
    level = side * (top + 20.0)
    value = np.asarray(conserving(*(jnp.asarray(x) for x in (a, b, c, broadening, level, temperature))))
    assert np.all(np.abs(value.real) < np.maximum(1e-12, 1e-8 * broadening**3))


@pytest.mark.parametrize("side", [1, -1])
def test_full_levels_at_zero_broadening_are_silent_in_the_sea(side):
    a, b, c, broadening, _, temperature = (np.array(x) for x in states(6, zero=True))
    level = side * (np.max(side * np.stack([a, b, c]), axis=0) + 20.0)
    value = np.asarray(conserving_sea(*(jnp.asarray(x) for x in (a, b, c, broadening, level, temperature))))
    assert np.all(np.abs(value) < 1e-12)


def test_published_kernels_are_21_with_its_denominators_broadened():
    random = np.random.default_rng(7)
    x, y, z = random.uniform(-1, 1, (3, 50))
    y[:5] = x[:5]
    gamma, mu, kelvin = 0.02, 0.1, 300.0
    f_x, f_y, f_z = (expit((mu - e) / (k_B * kelvin)) for e in (x, y, z))
    one = {
        "lorentz": lambda e: e / (e**2 + gamma**2),
        "lorentz_squared": lambda e: e / (e**2 + gamma**2),
        "complex_powers": lambda e: np.real(1 / (e + 1j * gamma)),
    }
    two = {
        "lorentz": lambda e: (e / (e**2 + gamma**2)) ** 2,
        "lorentz_squared": lambda e: 1 / (e**2 + gamma**2),
        "complex_powers": lambda e: np.real(1 / (e + 1j * gamma) ** 2),
    }
    state = [jnp.asarray(v) for v in (gamma, mu, kelvin)]
    assert set(kernels.PUBLISHED) == set(one)
    for name, kernel in kernels.PUBLISHED.items():
        p, s = one[name], two[name]
        expected = f_x * (p(x - y) * s(x - z) + p(x - z) * s(x - y))
        expected -= f_y * p(y - z) * s(y - x) + f_z * p(z - y) * s(z - x)
        found = np.asarray(kernel(*(jnp.asarray(e) for e in (y, z, x)), *state))
        np.testing.assert_allclose(-found, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ["lorentz", "lorentz_squared", "complex_powers"])
def test_published_kernels_break_the_sum_rule(name):
    # three full levels, 50 meV apart: (21) gives 0, its broadened form does not
    state = [jnp.asarray(v) for v in (0.0, 0.05, 0.1, 0.01, 20.0, 300.0)]
    x, y, z = 0.1, 0.0, 0.05
    assert abs(float(curvature(x, y, z, 20.0, 300.0))) < 1e-12
    assert abs(complex(kernels.PUBLISHED[name](*state))) > 100
