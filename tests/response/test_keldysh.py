"""The second order at any wave vector and frequency."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import block_diag
from scipy.special import expit

import dense
import fermi_mpmath as exact
from orbiphon import units
from orbiphon.drives import OnePhonon, ThermalInjection
from orbiphon.electrons import observable
from orbiphon.errors import InputError, ToleranceWarning
from orbiphon.models import square_p
from orbiphon.phonons import AcousticBranch, circular_polarisation
from orbiphon.response import ElectronState, Keldysh, Numerics, Problem, solve, zone_map
from orbiphon.response.finite_wave import pumped
from orbiphon.response.integrand import resolved_mean
from orbiphon.response.line_sum import line_sum
from orbiphon.response.wave_sum import at_wave, wave_sum
from orbiphon.zone import ZoneMean, at_phases
from systems import random_crystal

DIRECTION = (0.6, 0.5, -0.3)


def dense_matrices(above, below, g, omega, broadening, fermi_level, temperature):
    """M^+ + M^-, with matrices in the orbital basis and a grid of energies.

    M^s = -(i/2 pi) int { -f [R W R^- W^+ R - A W A^- W^+ A] + [f - f^-] R W (R^- - A^-) W^+ A }
    """
    e, weight = dense.energies(step=0.006)
    e = e + fermi_level

    def occupation(energy):
        return expit((fermi_level - energy) / (units.k_B * temperature))[:, None, None]

    def density(here, there, w, shift):
        r, r_less = dense.green(here, e, broadening), dense.green(there, e - shift, broadening)
        a, a_less, w_adjoint = dense.adjoint(r), dense.adjoint(r_less), np.conj(w.T)
        sea = r @ w @ r_less @ w_adjoint @ r - a @ w @ a_less @ w_adjoint @ a
        edge = r @ w @ (r_less - a_less) @ w_adjoint @ a
        inner = -occupation(e) * sea + (occupation(e) - occupation(e - shift)) * edge
        return -1j / (2 * np.pi) * np.sum(weight[:, None, None] * inner, axis=0)

    return density(above, below, g, omega) + density(below, above, np.conj(g.T), -omega)


CRYSTALS = [(6, 1, 2, False), (3, 3, 1, False), (7, 2, 1, True)]


@pytest.mark.parametrize(("seed", "dim", "sites", "spin"), CRYSTALS)
def test_random_crystals_against_green_functions(seed, dim, sites, spin):
    electrons, q = random_crystal(seed, dim=dim, sites=sites, spin=spin), 0.7
    direction = np.array(DIRECTION) / np.linalg.norm(DIRECTION)
    names = ("Ly", "Lz", "Sx") if spin else ("Ly", "Lz")
    kappa = np.random.default_rng(seed).uniform(size=(2, dim))
    for omega, gamma, level, kelvin in ((0.25, 0.3, 0.2, 900.0), (2.0, 0.15, -0.6, 3000.0)):
        branch = AcousticBranch(speed=omega / q, mass=1.3, direction=DIRECTION)
        state = ElectronState(fermi_level=level, temperature=kelvin)
        asked = Problem(electrons, OnePhonon(branch, q=q, chirality=-1), state, observables=names)
        found = zone_map(asked, Keldysh(gamma), kappa)
        e = np.asarray(circular_polarisation(DIRECTION, -1))
        expected = []
        for k in kappa @ np.asarray(electrons.crystal.lattice.reciprocal):
            start, end = k - q * direction / 2, k + q * direction / 2
            g = dense.vertex(electrons, start, q * direction, e)
            ends = dense.bloch(electrons, end), dense.bloch(electrons, start)
            matrices = [np.asarray(observable(electrons.basis, name).matrix) for name in names]
            density = dense_matrices(*ends, g, omega, gamma, level, kelvin)
            expected.append([np.trace(o @ density).real for o in matrices])
        expected = np.array(expected) / (2 * 1.3 * omega)
        np.testing.assert_allclose(found, expected, atol=1e-8 * np.abs(expected).max(), rtol=1e-6)
        assert np.abs(expected).max() > 0


PUMPED = jax.jit(pumped)
SCALES = [(1.0, 1e-4, 0.0, 1e-3), (300.0, 0.01, -0.3, 0.004), (2000.0, 1.0, 0.4, 1.3), (30.0, 1e-3, 0.02, 1e-6)]


@pytest.mark.parametrize("spacing", [0.0, 1e-12, 1e-8, 1e-6, 1e-4, 3e-3, 0.05, 1.0])
@pytest.mark.parametrize(("kelvin", "gamma", "level", "omega"), SCALES)
def test_pumped_density_matrix_in_many_digits(kelvin, gamma, level, omega, spacing):
    """Two states on each side, split by `spacing`, and the two sides off resonance by half of it."""
    random = np.random.default_rng(1)
    above = level + np.array([0.0, spacing])
    below = above - omega + np.array([0.5, -0.5]) * spacing
    g = random.normal(size=(2, 2)) + 1j * random.normal(size=(2, 2))
    unit = 2 * np.pi * units.k_B * kelvin
    found = np.asarray(
        PUMPED(
            jnp.asarray(g)[None, None],
            jnp.asarray(np.stack([above, below]) / unit),
            jnp.asarray([omega / unit]),
            jnp.asarray(gamma / unit),
        )
    )[:, 0]
    for side, (ends, others, w, shift) in enumerate(((above, below, g, omega), (below, above, np.conj(g.T), -omega))):
        kernel = np.array([[[many_digits(a, b, c, shift, gamma, kelvin) for c in others] for b in ends] for a in ends])
        expected = np.einsum("bc,ac,abc->ba", w, np.conj(w), kernel) * unit**2
        scale = np.abs(kernel).max() * unit**2
        np.testing.assert_allclose(found[side, 0] / scale, expected / scale, atol=2e-9)


@pytest.mark.parametrize("bands", [1, 3, 4])
def test_many_wave_vectors_at_once_are_one_after_the_other(bands):
    random = np.random.default_rng(2)
    g = random.normal(size=(5, 2, 1, bands, bands)) + 1j * random.normal(size=(5, 2, 1, bands, bands))
    levels, waves = random.normal(size=(5, 2, bands)), jnp.asarray([0.2, 0.3])
    state = waves, jnp.asarray(0.05)
    expected = [np.asarray(PUMPED(jnp.asarray(g[k]), jnp.asarray(levels[k]), *state)) for k in range(5)]
    mapped = jax.vmap(pumped, (0, 0, None, None))(jnp.asarray(g), jnp.asarray(levels), *state)
    np.testing.assert_allclose(mapped, expected, rtol=1e-12, atol=1e-13 * np.abs(expected).max())
    also = jax.vmap(pumped, (0, 0, 0, None))(jnp.asarray(g), jnp.asarray(levels), jnp.tile(waves, (5, 1)), state[1])
    np.testing.assert_allclose(also, expected, rtol=1e-12, atol=1e-13 * np.abs(expected).max())


def many_digits(a, b, c, omega, gamma, kelvin):
    """K(a, b, c; omega), the Fermi level at zero."""
    thermal = exact.mp.mpf(units.k_B) * exact.mp.mpf(kelvin)
    (below_a, below_b), (above_a,) = exact.poles([a, b], -1, gamma, 0.0), exact.poles([a], 1, gamma, 0.0)
    omega = exact.mp.mpf(float(omega))
    below_c, above_c = (exact.poles([c], side, gamma, 0.0)[0] + omega for side in (-1, 1))

    def jump(*poles):
        moved = [pole - omega for pole in poles]
        return exact.divided(exact.potential, poles, thermal) - exact.divided(exact.potential, moved, thermal)

    sea = exact.divided(exact.potential, [below_a, below_b, below_c], thermal)
    surface = jump(below_b, below_c, above_a) - jump(below_b, above_c, above_a)
    return complex(-exact.mp.im(sea) / exact.mp.pi - 1j / (2 * exact.mp.pi) * surface)


def test_basis_of_degenerate_states_does_not_matter():
    random = np.random.default_rng(5)
    levels = np.array([[0.3, 0.3, 1.0, 1.0 + 1e-13], [0.3, -0.5, -0.5, -0.5]])
    g = random.normal(size=(1, 4, 4)) + 1j * random.normal(size=(1, 4, 4))
    unitary = lambda n: np.linalg.qr(random.normal(size=(n, n)) + 1j * random.normal(size=(n, n)))[0]  # noqa: E731
    turns = [block_diag(unitary(2), unitary(2)), block_diag(unitary(1), unitary(3))]
    turned = np.conj(turns[0].T) @ g @ turns[1]
    state = jnp.asarray(levels), jnp.asarray([0.7]), jnp.asarray(0.05)
    plain, other = (np.asarray(PUMPED(jnp.asarray(vertex)[None], *state))[:, 0, 0] for vertex in (g, turned))
    for side, turn in enumerate(turns):
        np.testing.assert_allclose(turn @ other[side] @ np.conj(turn.T), plain[side], atol=1e-11 * np.abs(plain).max())


SOUND = AcousticBranch(speed=5000 * units.m / units.s, mass=4e-26 * units.kg)
LATTICE = 5.0


def reduced(qd, rtol, method=None, level=-1.5, chirality=1, **options):
    """N m_q/(4 omega |C'_q|^2 N/2) in 1/eV^3 and its error, paper's model at 300 K."""
    drive = OnePhonon(SOUND, q=qd / LATTICE, chirality=chirality)
    state = ElectronState(fermi_level=level, temperature=300.0)
    asked = Problem(square_p(-1.9, -2.0, LATTICE), drive, state)
    answer = solve(asked, method or Keldysh(0.01), Numerics(rtol=rtol, **options))
    scale = SOUND.mass / (4 * (1.9 - 2.0) ** 2 * (qd / LATTICE) ** 2)
    return float(answer.value[0, 0, 0] * scale), float(answer.error[0, 0, 0] * scale), answer


@pytest.mark.parametrize(
    ("qd", "expected", "digits"),
    [(0.05, -0.363, 6e-4), (0.5, -0.061, 6e-4), (1.0, -0.04346, 1e-5), (2.0, -0.144, 6e-4)],
)
def test_numbers_of_the_papers_model(qd, expected, digits):
    value, error, answer = reduced(qd, 2e-2)
    assert answer.converged.all()
    assert abs(value - expected) < digits + error and error < 0.02 * abs(expected)


def chain_moment(electrons, method, q, speed, level=0.2, kelvin=900.0, chirality=1, names=("Lx",), direction="x"):
    branch = AcousticBranch(speed=speed, mass=1.0, direction=direction)
    state = ElectronState(fermi_level=level, temperature=kelvin)
    asked = Problem(electrons, OnePhonon(branch, q=q, chirality=chirality), state, observables=names)
    answer = solve(asked, method, Numerics(rtol=1e-9, atol=1e-14))
    assert answer.converged.all()
    return answer.value[0, 0]


def test_sum_over_many_waves():
    """m_q known in closed form, steep at small q and of both signs; the modes of a thermal drive."""
    thermal = ThermalInjection(SOUND, transmission=0.1, splitting=0.1, q_domain="line")
    modes = thermal.modes(square_p(-1.9, -2.0).crystal, jnp.array([300.0]))
    along, excess, asked = np.asarray(modes.along), np.asarray(modes.excess[0]), []

    def moment(q):
        steep = q**2 * (1 / (1 + (q / 0.02) ** 2) - 0.05 + 0.1 * q)
        return np.stack([np.stack([steep, 2 * q**3]), np.stack([-steep, q**2])])  # (polarisation, observable)

    def per_phonon(q, rtol, atol):
        asked.append(q)
        return ZoneMean(moment(q).ravel(), 1e-9 * np.abs(moment(q).ravel()), (4,), 10, True)

    found = line_sum(per_phonon, along, excess, Numerics(rtol=1e-4))
    expected = np.sum(excess[:, None] * moment(along), axis=(0, 2))
    assert found.converged and found.points == 10 * len(asked) and len(set(asked)) < 70
    assert np.all(np.abs(found.value - expected) <= found.error)
    assert np.all(found.error <= 1e-4 * np.abs(expected))


@pytest.mark.parametrize("place", [0.02, 0.3, 0.41, 0.77, 0.9])
@pytest.mark.parametrize("width", [0.003, 0.01, 0.05])
def test_sum_over_a_peak(place, width):
    """Between few nodes there is a peak as resonances make it: it is found or belongs to the error."""
    q = np.linspace(0.001, 1.0, 2000)
    centre, excess = q[0] + place, np.ones((1, q.size)) / q.size

    def moment(q):
        return 1e-3 * q + q * width / ((q - centre) ** 2 + width**2)

    def per_phonon(q, rtol, atol):
        return ZoneMean(np.array([moment(q)]), np.array([1e-9]), (4,), 1, True)

    found = line_sum(per_phonon, q, excess, Numerics(rtol=1e-3))
    expected = float(np.sum(excess[0] * moment(q)))
    assert found.converged and found.points < 160
    assert abs(found.value[0] - expected) <= found.error[0] <= 1e-3 * expected


def test_errors_of_single_waves_are_in_that_of_their_sum():
    """Moments that scatter by a tenth of what they are asked for: the sum says how much is left of it."""
    thermal = ThermalInjection(SOUND, transmission=0.1, splitting=0.1, q_domain="line")
    modes = thermal.modes(square_p(-1.9, -2.0).crystal, jnp.array([300.0]))
    along, excess = np.asarray(modes.along), np.asarray(modes.excess[0])
    expected, ratios = np.sum(excess[0] * along**2), []
    for seed in range(30):
        random = np.random.default_rng(seed)

        def per_phonon(q, rtol, atol, random=random):
            error = max(rtol * q**2, atol)
            return ZoneMean(np.array([q**2 + error * random.normal() / 3]), np.array([error]), (4,), 1, True)

        found = line_sum(per_phonon, along, excess[:1], Numerics(rtol=1e-2))
        ratios.append(float(abs(found.value[0] - expected) / found.error[0]))
        assert found.converged
    assert 0.05 < np.max(ratios) <= 1


def test_opposite_waves_are_computed_once():
    """A mirror that contains q makes the two moments opposite at every k."""
    thermal = ThermalInjection(SOUND, transmission=0.1, splitting=0.1, q_domain="line")
    state = ElectronState(fermi_level=-1.5, temperature=300.0)
    square = wave_sum(Problem(square_p(-1.9, -2.0), thermal, state), pumped)
    np.testing.assert_array_equal(square.alike(), [[1.0], [-1.0]])
    both = at_wave(square.problem, square.modes, square.pump, 0.3, 0.1, -1.5, 300.0)
    once = square._at(0.3, 0.1, -1.5, 0)
    assert both.vertex.shape[1] == 2 and once.vertex.shape[1] == 1
    phases = jnp.asarray(np.exp(2j * np.pi * np.random.default_rng(4).uniform(size=(20, 2))))
    separate, together = (np.asarray(at_phases(one, phases)) for one in (both, once))
    np.testing.assert_allclose(together, separate, rtol=1e-9)
    assert np.max(np.abs(together)) > 1e-12


def test_a_thermal_drive_is_the_sum_of_its_waves():
    """A chain without inversion, where the two circular waves pump different moments, wave by wave."""
    electrons = random_crystal(3, dim=1, sites=2)
    state = ElectronState(fermi_level=0.2, temperature=900.0)
    branch = AcousticBranch(speed=0.6, mass=1.3, direction="x")
    thermal = ThermalInjection(branch, transmission=0.1, splitting=0.1, q_domain="line")
    method, loose = Keldysh(0.3), Numerics(rtol=1e-4)
    found = solve(Problem(electrons, thermal, state), method, loose)
    waves = wave_sum(Problem(electrons, thermal, state), pumped)
    np.testing.assert_array_equal(waves.alike(), np.eye(2))
    each = [waves.excess(mode, 0.3, 0.2, 0) for mode in range(waves.modes.along.size)]
    expected = sum(resolved_mean(one, Numerics(rtol=1e-7), 256, (False,)).value[0] for one in each)
    assert found.converged.all()
    assert abs(found.value[0, 0, 0] - expected) <= found.error[0, 0, 0] <= 1e-4 * abs(expected)


def test_refused():
    electrons, state = square_p(-1.9, -2.0), ElectronState(fermi_level=0.0, temperature=300.0)
    with pytest.raises(InputError, match="`observables` must be odd under time reversal"):
        solve(Problem(electrons, OnePhonon(SOUND, q=0.1), state, observables=["Qzx"]), Keldysh(0.1))
    thermal = ThermalInjection(SOUND, transmission=0.1, splitting=0.1, q_domain="sphere")
    with pytest.raises(InputError, match="`drive` must hold waves along its direction only .* `q_domain` is 'sphere'"):
        solve(Problem(electrons, thermal, state), Keldysh(0.1))
    with pytest.raises(InputError, match="`broadening` must not be negative, but is -1"):
        Keldysh(-1.0)


def test_zero_broadening_is_the_limit_off_resonance():
    electrons, q, speed, kelvin = random_crystal(7, dim=1, sites=1), 0.3, 50.0, 3000.0
    limit = chain_moment(electrons, Keldysh(0.0), q, speed, kelvin=kelvin)
    coarse, fine = (chain_moment(electrons, Keldysh(gamma), q, speed, kelvin=kelvin) for gamma in (0.04, 0.02))
    assert np.abs(coarse - limit) > 1e-4 * np.abs(limit)
    np.testing.assert_allclose(2 * fine - coarse, limit, rtol=5e-3)


def test_no_limit_on_resonance_is_flagged():
    branch = AcousticBranch(speed=0.5, mass=1.0)
    state = ElectronState(fermi_level=0.2, temperature=3000.0)
    asked = Problem(random_crystal(7, dim=1, sites=1), OnePhonon(branch, q=0.3), state)
    with pytest.warns(ToleranceWarning):
        answer = solve(asked, Keldysh(0.0), Numerics(rtol=1e-4))
    sharper = solve(asked, Keldysh(0.001), Numerics(rtol=1e-4))
    assert not answer.converged.any()
    assert np.all(np.abs(answer.value - sharper.value) < answer.error)
