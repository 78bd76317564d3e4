"""The density matrix in time: against closed forms in the steady state, against another integrator on the way there."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.special import expit

from orbiphon.drives import CoherentWave, ContinuousEnvelope, GaussianEnvelope, Pulse, RampEnvelope
from orbiphon.errors import InputError
from orbiphon.models import linear_chain
from orbiphon.phonons import AcousticBranch, direction_vector
from orbiphon.plot import draw_traces
from orbiphon.response import ElectronState, Floquet, Keldysh, Kubo, Motion, Numerics, Problem, solve, time_traces
from orbiphon.response.exponential import phi
from orbiphon.response.poles import fermi_poles
from orbiphon.units import k_B
from systems import random_crystal

Q, OMEGA, GAMMA, LEVEL, KELVIN = 0.4, 0.25, 0.3, 0.2, 900.0
TILTED = (0.6, 0.5, -0.3)
NAMES = {1: ("Ly", "Qzx"), 2: ("Lx", "Lz")}
PULSE = GaussianEnvelope(centre=25.0, duration=15.0, chirp=0.004, phase=0.3)
TIMES = np.linspace(0.0, 60.0, 13)


def wave(amplitude, chirality=1, direction=TILTED):
    branch = AcousticBranch(speed=OMEGA / Q, mass=1.0, direction=direction)
    return CoherentWave(branch, amplitude=amplitude, q=Q, chirality=chirality)


CHAIN = linear_chain({"pp_sigma": -0.7, "pp_pi": 0.3}, "p", lattice_constant=3.0)


def asked(electrons, drive, order=2, names=None, level=LEVEL):
    state = ElectronState(fermi_level=level, temperature=KELVIN)
    return Problem(electrons, drive, state, observables=NAMES[order] if names is None else names, order=order)


@pytest.mark.parametrize(
    ("order", "amplitude", "closed"), [(1, 1e-3, Kubo(GAMMA)), (2, 1e-3, Keldysh(GAMMA)), (2, 0.2, Floquet(GAMMA, 1))]
)
def test_steady_states_are_the_closed_forms(order, amplitude, closed):
    problem = asked(random_crystal(6, dim=1, sites=2), wave(amplitude), order)
    exact = solve(problem, closed, Numerics(rtol=1e-6, block=256))
    motion = solve(problem, Motion(GAMMA), Numerics(rtol=1e-3, block=18))
    scale = np.abs(exact.value).max()
    np.testing.assert_allclose(motion.value / scale, exact.value / scale, atol=1e-4)
    assert np.all(np.abs(motion.value - exact.value) <= motion.error + 1e-6 * scale)
    assert np.all(motion.error < (0.02 if amplitude < 0.1 else 0.2) * scale)


def test_phonons_left_out_are_in_the_error():
    """A strong wave, followed in time with one phonon, against the static chain of up to five."""
    problem = asked(random_crystal(6, dim=1, sites=2), wave(0.2))
    motion = solve(problem, Motion(GAMMA), Numerics(rtol=1e-3, block=18))
    exact = solve(problem, Floquet(GAMMA, 5), Numerics(rtol=1e-6, block=256)).value
    off, scale = np.abs(motion.value - exact), np.abs(exact).max()
    assert 0.01 * scale < off.max()
    assert np.all(off <= motion.error) and np.all(motion.error < 0.1 * scale)


def test_a_relaxation_time_against_another_integrator():
    """One wave vector, matrices of numpy, the laboratory frame, no eigenstates: nothing in common but H(k) and g."""
    electrons, tau = random_crystal(6, dim=1, sites=2), 4.0
    drive, names = wave(0.15), ("Lx", "Lz")
    problem = asked(electrons, Pulse(drive, PULSE), names=names)
    traces = time_traces(problem, TIMES, Motion(relaxation_time=tau, tolerance=1e-6), mesh=(2,))
    kappa = np.array([0.25, 0.75])
    expected = [
        laboratory(problem, drive, k, tau)
        for k in np.asarray(electrons.crystal.lattice.k_from_reduced(jnp.asarray(kappa[:, None])))
    ]
    uniform, first = (np.mean([one[part] for one in expected], axis=0) for part in (0, 1))
    np.testing.assert_allclose(traces.uniform, uniform.real, atol=2e-6 * np.abs(uniform).max())
    np.testing.assert_allclose(traces.wave, first, atol=2e-6 * np.abs(first).max())
    assert np.ptp(traces.uniform[:, 0]) > 0.01 * np.abs(traces.uniform).max()


def laboratory(problem, drive, k, tau):
    """Tr O rho_00 and 2 Tr O rho_10 from d rho/dt = -i[H, rho] - (rho - rho_0)/tau with n = -1, 0, 1."""
    electrons = problem.electrons
    size, q = electrons.size, float(drive.q) * np.asarray(direction_vector(drive.branch.direction))
    displacement = jnp.tile(drive.displacement[None], (electrons.crystal.sites, 1))
    still, link = np.zeros((2, 3 * size, 3 * size), complex)
    for n in range(3):
        at = k + (n - 1) * q
        still[n * size :, n * size :][:size, :size] = electrons.hamiltonian(jnp.asarray(at))
        if n < 2:
            g = problem.coupling.vertex(jnp.asarray(at), jnp.asarray(q), displacement)
            link[(n + 1) * size :, n * size :][:size, :size] = np.asarray(g) / 2
    e, v = np.linalg.eigh(still)
    rest = (v * expit((LEVEL - e) / (k_B * KELVIN))) @ v.conj().T

    def slope(t, y):
        rho = y.reshape(rest.shape)
        s = t - 25.0
        part = link * np.exp(-2 * np.log(2) * (s / 15.0) ** 2 + 0.3j - 0.002j * s**2 - 1j * OMEGA * t)
        h = still + part + part.conj().T
        return (-1j * (h @ rho - rho @ h) - (rho - rest) / tau).ravel()

    found = solve_ivp(slope, (0, TIMES[-1]), rest.ravel(), method="DOP853", t_eval=TIMES, rtol=1e-9, atol=1e-11)
    rho = found.y.T.reshape(-1, 3, size, 3, size)
    o = np.stack([o.matrix for o in problem.observables])
    return np.einsum("oij,tji->to", o, rho[:, 1, :, 1]), 2 * np.einsum("oij,tji->to", o, rho[:, 2, :, 1])


def test_equilibrium_stays_and_chirality_turns_the_rectified_moment(tmp_path):

    def traces(amplitude, chirality=1, level=0.3):
        drive = Pulse(wave(amplitude, chirality, "x"), GaussianEnvelope(centre=25.0, duration=15.0))
        return time_traces(asked(CHAIN, drive, names=("Lx", "Lz", "Qzx"), level=level), TIMES, Motion(0.2), mesh=(18,))

    still, plus, minus = traces(0.0), traces(0.1), traces(0.1, -1)
    assert np.abs(still.uniform[:, 0]).max() < 1e-13 and np.abs(still.wave).max() == 0.0
    moment = np.abs(plus.uniform[:, 0]).max()
    assert moment > 1e-6
    np.testing.assert_allclose(minus.uniform[:, 0], -plus.uniform[:, 0], atol=1e-9 * moment)
    np.testing.assert_allclose(np.abs(minus.wave), np.abs(plus.wave), atol=1e-9 * np.abs(plus.wave).max())
    assert np.all(np.isnan(plus.uniform[:, 2]))  # even under time reversal
    assert np.all(plus.uniform_error[:, 0] < 0.1 * moment)
    picture = draw_traces(plus, tmp_path / "traces.png")
    assert picture.read_bytes()[1:4] == b"PNG"
    full = traces(0.1, level=40.0)  # every band full, but for Lorentzian tails
    assert np.abs(full.uniform[:, 0]).max() < 1e-4 * moment
    assert np.abs(full.wave).max() < 1e-3 * np.abs(plus.wave).max()


@pytest.mark.parametrize(("reach", "accuracy", "most"), [(20.0, 1e-6, 6), (300.0, 1e-8, 27), (2000.0, 1e-4, 50)])
def test_poles_are_the_fermi_function(reach, accuracy, most):
    poles = fermi_poles(reach, accuracy)
    x = np.random.default_rng(1).uniform(-reach, reach, 5000)
    assert np.max(np.abs(poles(x) - expit(-x))) <= 1.01 * accuracy
    assert poles.height.size <= most  # Matsubara's would be tens of thousands
    np.testing.assert_allclose(poles.height[:3], np.pi * np.array([1, 3, 5]), rtol=1e-3)


def test_phi_functions_are_their_integrals():
    random = np.random.default_rng(3)
    z = np.concatenate([random.normal(size=8), -random.exponential(30, 8)]) + 1j * random.normal(size=16) * 20
    x, weight = np.polynomial.legendre.leggauss(200)
    x, weight = (x + 1) / 2, weight / 2
    for at, values in zip((z / 2, z), phi(jnp.asarray(z)), strict=True):
        for k in (1, 2, 3):
            kernel = np.exp(np.outer(at, 1 - x)) * x ** (k - 1) / max(k - 1, 1)
            np.testing.assert_allclose(values[k], kernel @ weight, rtol=1e-11)


def test_envelopes():
    at = jnp.asarray
    assert complex(ContinuousEnvelope(rise=4.0, start=1.0)(at(3.0))) == 0.5
    assert [complex(RampEnvelope(rise=4.0)(at(t))) for t in (-1.0, 1.0, 9.0)] == [0.0, 0.25, 1.0]
    gauss = GaussianEnvelope(centre=5.0, duration=2.0, chirp=0.5)
    assert abs(complex(gauss(at(6.0)))) ** 2 == pytest.approx(0.5)
    frequency = [(np.angle(complex(gauss(at(t + 1e-5)) / gauss(at(t - 1e-5)))) / -2e-5) for t in (4.0, 5.0, 6.0)]
    np.testing.assert_allclose(frequency, [-0.5, 0.0, 0.5], atol=1e-6)
    pulse = Pulse(wave(0.1), RampEnvelope(rise=1.0))
    np.testing.assert_allclose(pulse(at(7.0)), np.exp(-7j * OMEGA) * np.asarray(pulse.wave.displacement), rtol=1e-12)


def test_bad_input():
    still = asked(CHAIN, wave(0.1, direction="x"))
    moving = asked(CHAIN, Pulse(wave(0.1, direction="x"), PULSE))
    with pytest.raises(InputError, match="`broadening` must be greater than zero"):
        Motion(-0.1)
    with pytest.raises(InputError, match="`relaxation_time` must be greater than zero"):
        Motion(relaxation_time=0.0)
    with pytest.raises(InputError, match="Exactly one of `broadening` and `relaxation_time`"):
        Motion()
    with pytest.raises(InputError, match="`drive` of the problem must be a Pulse here, but is a CoherentWave"):
        time_traces(still, TIMES, Motion(0.1))
    with pytest.raises(InputError, match="`times` must hold at least two increasing numbers"):
        time_traces(moving, TIMES[::-1], Motion(0.1))
    with pytest.raises(InputError, match="`drive` must be a CoherentWave here, but is a Pulse"):
        solve(moving, Motion(0.1))
    with pytest.raises(InputError, match="must not change in time here, but is a Pulse"):
        solve(moving, Keldysh(0.1))
    with pytest.raises(InputError, match="`observables` must be odd under time reversal at order 2, but Qzx"):
        solve(asked(CHAIN, wave(0.1), names=("Qzx",)), Motion(0.1))
    with pytest.raises(InputError, match="`duration` must be greater than zero"):
        GaussianEnvelope(centre=0.0, duration=0.0)
    with pytest.raises(InputError, match="`temperature` must be high enough"):
        fermi_poles(1e6, 1e-8)
