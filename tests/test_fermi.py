"""The special functions against mpmath at 160 digits, and that against the integrals that define them."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

import fermi_mpmath as exact
from fermi_mpmath import mp
from orbiphon import fermi
from orbiphon.units import k_B

RTOL = 1e-10
SPACINGS = (0.0, 1e-12, 1e-10, 1e-8, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 0.3, 1.0)
CASES = 60

sea_integral = jax.jit(jax.vmap(lambda levels, *state: fermi.sea_integral(list(levels), *state)))
surface_integral = jax.jit(jax.vmap(lambda retarded, *rest: fermi.surface_integral(list(retarded), *rest)))


def states(seed: int, levels: int, positive: bool = False):
    """Levels (case, level), broadening, Fermi level, temperature; with exact and near degeneracies, near mu and far."""
    random = np.random.default_rng(seed)
    fermi_level = random.uniform(-3, 3, CASES)
    first = fermi_level + random.choice([-1, 1], CASES) * 10 ** random.uniform(-5, np.log10(19), CASES)
    first[:: CASES // 6] = fermi_level[:: CASES // 6]
    spacing = random.choice([-1, 1], (CASES, levels - 1)) * random.choice(SPACINGS, (CASES, levels - 1))
    energies = random.permuted(np.column_stack([first[:, None], first[:, None] + spacing]), axis=1)
    temperature = 10 ** random.uniform(0, np.log10(2000), CASES)
    temperature[:4] = [1, 1, 2000, 2000]
    broadening = 10 ** random.uniform(-9, 0, CASES)
    broadening[1::7] = 1.0
    if not positive:
        broadening[::4] = 0.0
    return tuple(jnp.asarray(x) for x in (energies, broadening, fermi_level, temperature))


def assert_close(found, expected, rtol=RTOL):
    found, expected = np.asarray(found), exact.to_complex(expected)
    error = np.abs(found - expected) / np.abs(expected)
    assert np.all(np.isfinite(found)) and error.max() < rtol, (error.max(), int(error.argmax()))


@pytest.mark.parametrize("order", [2, 3, 4])
def test_sea_integral(order):
    energies, *state = states(order, order)
    expected = [exact.sea(e, *s) for e, *s in zip(energies, *state, strict=True)]
    assert_close(sea_integral(energies, *state), expected)


@pytest.mark.parametrize("order", [1, 2])
def test_surface_integral(order):
    energies, *state = states(10 + order, order + 1, positive=True)
    retarded, advanced = energies[:, :-1], energies[:, -1]
    expected = [exact.surface(r, a, *s) for r, a, *s in zip(retarded, advanced, *state, strict=True)]
    assert_close(surface_integral(retarded, advanced, *state), expected)


@pytest.mark.parametrize("ratio", [0.3, 0.39, 0.41, 0.49, 0.5, 0.51, 0.9, 1.0, 1.5, 2.5, 7.5])
def test_surface_integral_where_poles_of_both_kinds_meet(ratio):
    # z_a* = mu + i Gamma on or beside a pole mu + i pi k_B T (2n + 1) of the Fermi function, and at a distance from it
    temperature, fermi_level = 300.0, 0.2
    broadening = ratio * 2 * np.pi * k_B * temperature
    away = np.array([0.0, 1e-12, 1e-6, 1e-3, 0.3, 1.0, 5.0, 20.0, 29.9, 30.1, 100.0]) * broadening
    advanced = jnp.asarray(fermi_level + away)
    retarded = jnp.stack([advanced + 0.1 * broadening, advanced], axis=1)
    state = [jnp.full_like(advanced, x) for x in (broadening, fermi_level, temperature)]
    expected = [exact.surface(r, a, *s) for r, a, *s in zip(retarded, advanced, *state, strict=True)]
    assert_close(surface_integral(retarded, advanced, *state), expected, 1e-9)


def test_levels_may_come_in_any_order_and_shape():
    levels, state = [0.3, -0.1, 0.3 + 1e-9, 0.0], (jnp.asarray(0.02), jnp.asarray(0.1), jnp.asarray(200.0))
    first = fermi.sea_integral([jnp.full((1, 1), levels[0]), *map(jnp.asarray, levels[1:])], *state)
    assert first.shape == (1, 1)
    for order in ([3, 2, 1, 0], [1, 3, 0, 2]):
        again = fermi.sea_integral([jnp.asarray(levels[i]) for i in order], *state)
        np.testing.assert_allclose(again, first[0, 0], rtol=1e-14)


def test_zero_broadening_leaves_the_divided_difference_of_the_fermi_function():
    energies, _, fermi_level, temperature = states(5, 3)
    near = jnp.asarray(fermi_level)[:, None] + (energies - energies[:, :1])  # within 2 eV of the Fermi level
    found = -np.imag(sea_integral(near, jnp.zeros(CASES), fermi_level, temperature)) / np.pi
    for value, levels, mu, kelvin in zip(found, near, fermi_level, temperature, strict=True):
        x = [mp.mpf(float(e)) + i * mp.mpf(10) ** -36 for i, e in enumerate(levels)]
        thermal = mp.mpf(k_B) * mp.mpf(float(kelvin))
        table = [1 / (mp.exp((xi - mp.mpf(float(mu))) / thermal) + 1) for xi in x]
        for order in (1, 2):
            table = [(table[i + 1] - table[i]) / (x[i + order] - x[i]) for i in range(3 - order)]
        scale = abs(complex(exact.sea(levels, 0.0, mu, kelvin))) / np.pi
        assert abs(value - float(table[0])) < RTOL * scale


@pytest.mark.parametrize(("broadening", "temperature"), [(0.01, 300.0), (0.2, 50.0), (0.5, 2000.0)])
def test_the_closed_forms_are_the_integrals(broadening, temperature):
    # The defining integrals, numerically: nothing of H(z) enters.
    levels, fermi_level, thermal = (0.3, -0.1, 0.05), 0.1, k_B * temperature
    context = mpmath.mp.clone()
    context.dps = 20

    def green(e, level, sign=1):
        return 1 / (e - level + 1j * sign * broadening)

    def f(e):
        return 1 / (context.exp((e - fermi_level) / thermal) + 1)

    def df(e):
        return -1 / (4 * thermal * context.cosh((e - fermi_level) / (2 * thermal)) ** 2)

    marks = sorted({*levels, fermi_level, *(fermi_level + s * thermal for s in (-30, -5, 5, 30))})
    marks = [-1000, -30, -3, *marks, 3]
    sea = context.quad(lambda e: f(e) * green(e, 0.3) * green(e, -0.1) * green(e, 0.05) ** 2, [-context.inf, *marks])
    edge = context.quad(lambda e: df(e) * green(e, 0.3) * green(e, -0.1) * green(e, 0.05, -1), marks)
    state = (broadening, fermi_level, temperature)
    # beyond 60 k_B T from the level f is 1 or 0 to 1e-26
    np.testing.assert_allclose(complex(exact.sea([0.3, -0.1, 0.05, 0.05], *state)), complex(sea), rtol=1e-9)
    np.testing.assert_allclose(complex(exact.surface([0.3, -0.1], 0.05, *state)), complex(edge), rtol=1e-9)


def test_fermi_function_and_its_derivative():
    random = np.random.default_rng(3)
    temperature = jnp.asarray([1.0, 2.0, 10.0, 77.0, 300.0, 2000.0])
    x = jnp.asarray(random.uniform(-30, 30, (40, 1)) * np.ones(6))
    energy = 0.3 + x * k_B * temperature[None, :]
    mu, kelvin = (jnp.broadcast_to(v, energy.shape) for v in (jnp.asarray(0.3), temperature[None, :]))
    f, slope = fermi.fermi(energy, mu, kelvin), fermi.fermi_derivative(energy, mu, kelvin)
    for index in np.ndindex(energy.shape):
        thermal = mp.mpf(k_B) * mp.mpf(float(kelvin[index]))
        value = exact.fermi(energy[index], 0.3, kelvin[index])
        np.testing.assert_allclose(f[index], float(value), atol=2e-16, rtol=1e-10)
        exact_slope = exact.fermi_derivative(mp.mpf(float(energy[index])) - mp.mpf(0.3), thermal)
        np.testing.assert_allclose(slope[index], float(exact_slope), rtol=1e-11)


def test_far_levels_are_full_or_empty_without_overflow():
    energy, mu, kelvin = jnp.asarray([-20.0, 20.0, -1e4, 1e4]), jnp.zeros(4), jnp.ones(4)
    np.testing.assert_array_equal(fermi.fermi(energy, mu, kelvin), [1, 0, 1, 0])
    np.testing.assert_array_equal(fermi.fermi_derivative(energy, mu, kelvin), 0)


def test_fermi_derivative_off_the_real_axis():
    random = np.random.default_rng(4)
    z = random.uniform(-0.5, 0.5, 50) + 1j * random.uniform(-0.5, 0.5, 50)
    found = fermi.fermi_derivative(jnp.asarray(z), jnp.asarray(0.0), jnp.asarray(350.0))
    expected = [exact.fermi_derivative(mp.mpc(zi), mp.mpf(k_B) * 350) for zi in z]
    assert_close(found, expected, 1e-9)


def test_digamma():
    random = np.random.default_rng(5)
    w = 10 ** random.uniform(-4, 6, 200) * np.exp(1j * random.uniform(-1.57, 1.57, 200))
    w = np.concatenate([w, [0.5, 1.0, 1e-3, 0.5 + 1e5j, 0.5 - 1e-9j, 11.5 + 4j, 1e-6 + 3j]])
    found = np.asarray(jax.jit(fermi.digamma)(jnp.asarray(w)))
    expected = exact.to_complex(mp.digamma(mp.mpc(wi)) for wi in w)
    np.testing.assert_array_less(np.abs(found - expected), 1e-12 * np.maximum(np.abs(expected), 1))


def test_fermi_potential_on_both_sides_of_the_axis():
    random = np.random.default_rng(6)
    z = random.uniform(-5, 5, 60) + 1j * random.uniform(-1, 1, 60)
    z[:5] = z[:5].real
    found = np.asarray(fermi.fermi_potential(jnp.asarray(z), jnp.asarray(0.4), jnp.asarray(120.0)))
    thermal = mp.mpf(k_B) * 120
    expected = exact.to_complex(exact.potential(mp.mpc(zi) - mp.mpf(0.4), thermal) for zi in z)
    np.testing.assert_allclose(found, expected, rtol=1e-11)
