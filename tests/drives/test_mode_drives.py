"""How many phonons the drives on the modes of a crystal hold."""

import jax.numpy as jnp
import numpy as np
import pytest

from lattices import helix, helix_springs, honeycomb, honeycomb_electrons, honeycomb_springs
from orbiphon import units
from orbiphon.crystal import Crystal, Lattice, zone_points
from orbiphon.drives import (
    CoherentMode,
    DrivenMode,
    EveryMode,
    InterfaceInjection,
    OneMode,
    PhononTable,
    TemperatureGradient,
)
from orbiphon.errors import InputError
from orbiphon.phonons import Spring, circular_modes, phonon_angular_momentum, spring_model
from orbiphon.response import Adiabatic, ElectronState, Keldysh, Motion, Problem, Published, moment_per_phonon, solve

KELVIN = jnp.array([200.0, 300.0])
CRYSTAL = honeycomb()
PHONONS = honeycomb_springs(CRYSTAL)
D, MASS = 3.0, 20 * units.amu
LINE = Crystal(Lattice([[D, 0, 0]]), np.zeros((1, 3)), ("X",))
CHAIN = spring_model(LINE, [MASS], [Spring(D, 4.0, 1.0)])


def bose(omega, kelvin):
    return 1.0 / np.expm1(omega / (units.k_B * kelvin))


def semi_axis(u):
    """The largest distance from rest of Re{u exp(-i t)}, by looking."""
    t = np.linspace(0, 2 * np.pi, 2001)[:, None, None]
    return np.max(np.linalg.norm(np.real(np.asarray(u) * np.exp(-1j * t)), axis=-1))


@pytest.mark.parametrize("mode", [0, 4, 5])
def test_amplitude_of_a_coherent_mode_is_how_far_an_atom_gets(mode):
    q = np.array([0.3, 0.1, 0.0])
    wave = CoherentMode(PHONONS, q=q, mode=mode, amplitude=0.02)
    np.testing.assert_allclose(semi_axis(wave.displacement), 0.02, rtol=1e-5)
    waves = wave.waves(CRYSTAL, KELVIN)
    np.testing.assert_allclose(2 * np.sqrt(waves.excess[0, 0]) * np.asarray(waves.displacement[0]), wave.displacement)
    quanta = CoherentMode(PHONONS, q=q, mode=mode, quanta=float(wave.quanta))
    np.testing.assert_allclose(quanta.displacement, wave.displacement, rtol=1e-12)
    # n quanta hold the energy n omega: twice the kinetic one, sum M |omega U|^2/4
    omega = float(waves.frequency[0])
    energy = np.sum(np.asarray(PHONONS.masses)[:, None] * np.abs(omega * np.asarray(wave.displacement)) ** 2) / 2
    np.testing.assert_allclose(energy, float(wave.quanta) * omega, rtol=1e-10)


def test_mixture_of_a_degenerate_level():
    circular = CoherentMode(PHONONS, q=np.zeros(3), mode=4, quanta=1.0)
    linear = CoherentMode(PHONONS, q=np.zeros(3), mode=4, quanta=1.0, mixture=[1.0, 1.0])
    turning = lambda w: np.imag(np.sum(np.cross(np.conj(w.displacement), w.displacement)[:, 2]))  # noqa: E731
    assert turning(circular) < 0.0  # chirality +1 comes first
    assert abs(turning(linear)) < 1e-12 * abs(turning(circular))


def equation_of_motion(drive, omega, gamma):
    """U from M u'' + M gamma u' + Phi u = Re{F exp(-i omega t)} at q = 0, Phi and M as matrices."""
    m = np.repeat(np.asarray(PHONONS.masses), 3)
    phi = np.real(np.asarray(PHONONS.dynamical_matrix(jnp.zeros(3)))) * np.sqrt(np.outer(m, m))
    force = np.einsum("a,sab->sb", np.asarray(drive.field), np.asarray(drive.charges)).ravel()
    return np.linalg.solve(phi - np.diag(m) * (omega**2 + 1j * gamma * omega), force).reshape(-1, 3)


def test_driven_mode_obeys_the_equation_of_motion():
    random = np.random.default_rng(0).normal(size=(3, 3))
    charges, field = np.stack([random, -random]), np.array([1.0, 1j, 0.3]) * 0.01
    top = float(PHONONS.modes(np.zeros(3)).frequency[0, -1])
    for options, omega in ((dict(mode=5), top), (dict(frequency=0.11 * units.eV / (2 * np.pi)), 0.11)):
        drive = DrivenMode(PHONONS, field=field, charges=charges, damping=2e-3, **options)
        np.testing.assert_allclose(float(drive.frequency), omega, rtol=1e-12)
        expected = equation_of_motion(drive, omega, 2e-3)
        np.testing.assert_allclose(drive.displacement, expected, atol=1e-9 * np.max(np.abs(expected)))
        waves = drive.waves(CRYSTAL, KELVIN)
        u = 2 * np.sqrt(waves.excess[0, 0]) * np.asarray(waves.displacement[0])
        np.testing.assert_allclose(u, drive.displacement, rtol=1e-10)


def test_circular_light_turns_the_atoms_its_own_way():
    field = np.array([1.0, 1j, 0.0]) / np.sqrt(2)  # counterclockwise
    drive = DrivenMode(PHONONS, field=field, charges=[1.0, -1.0], damping=1e-3, mode=5)
    u = np.asarray(drive.displacement)
    spin = np.imag(np.cross(u.conj(), u))[:, 2]
    assert np.all(spin > 0.99 * np.sum(np.abs(u) ** 2, axis=1))


def test_temperature_gradient_of_a_chain():
    """Closed form: omega = 2 sqrt(k/M) |sin(qd/2)|, v its slope, dn/dT = x n(n+1)/T."""
    tau, gradient, points = 2.0 * units.ps, 1e-6, 8
    drive = TemperatureGradient(CHAIN, gradient=(gradient, 0, 0), relaxation_time=tau, mesh=(points,))
    waves = drive.waves(LINE, KELVIN)
    q = np.asarray(waves.q)[:, 0].reshape(points, 3)[:, 0]
    for index, kelvin in enumerate(np.asarray(KELVIN)):
        excess = np.asarray(waves.excess[index]).reshape(points, 3)
        for mode, k in enumerate((1.0, 1.0, 4.0)):
            omega = 2 * np.sqrt(k / MASS) * np.abs(np.sin(q * D / 2))
            slope = np.sqrt(k / MASS) * D * np.cos(q * D / 2) * np.sign(q)
            slope = np.where(np.abs(np.cos(q * D / 2)) < 1e-9, 0.0, slope)
            n = bose(np.where(omega > 0, omega, np.inf), kelvin)
            expected = -tau * gradient * slope * n * (n + 1) * omega / (units.k_B * kelvin**2) / points
            np.testing.assert_allclose(excess[:, mode], expected, atol=1e-12 * np.max(np.abs(expected)))
            # heat flows down the gradient
            assert np.sum(omega * slope * excess[:, mode]) < 0.0


def test_relaxation_time_may_depend_on_the_frequency():
    flat, steep = (
        TemperatureGradient(CHAIN, gradient=(1e-6, 0, 0), relaxation_time=time, mesh=(6,)).waves(LINE, KELVIN)
        for time in (1.0, lambda omega: omega)
    )
    np.testing.assert_allclose(steep.excess, flat.excess * flat.frequency[None], rtol=1e-12)


def test_injection_from_the_same_crystal_fills_what_travels_away():
    drive = InterfaceInjection(CHAIN, source=CHAIN, transmission=0.2, direction="x", mesh=(8,), temperature=250.0)
    waves = drive.waves(LINE, KELVIN)
    q, omega = np.asarray(waves.q)[:, 0], np.asarray(waves.frequency)
    inside = (q > 1e-9) & (q < np.pi / D - 1e-9)
    expected = np.where(inside, 0.2 * bose(np.where(omega > 0, omega, np.inf), 250.0) / 8, 0.0)
    for excess in np.asarray(waves.excess):
        np.testing.assert_allclose(excess, expected, atol=1e-12 * np.max(expected))


def test_injection_from_a_chiral_crystal_prefers_a_chirality():
    """The target's transverse pair is degenerate; the helix has two circular branches of different speed. The paper's
    n^lambda = T n_B(Omega^lambda) for long waves; and the other hand prefers the other chirality."""
    side = 5.0
    line = Crystal(Lattice([[0, 0, side]]), np.zeros((1, 3)), ("X",))
    target = spring_model(line, [MASS], [Spring(side, 4.0, 1.0)])
    difference = []
    for hand in (1, -1):
        source = helix_springs(helix(hand))
        drive = InterfaceInjection(target, source=source, transmission=0.1, direction="z", mesh=(10,))
        waves = drive.waves(line, KELVIN)
        modes = circular_modes(target.modes(np.asarray(waves.q[::3])))
        lambdas = []
        for point in range(10):
            e = np.asarray(waves.displacement)[3 * point : 3 * point + 2, 0]
            spin = np.imag(np.cross(e.conj(), e))[:, 2]
            excess = np.asarray(waves.excess[1])[3 * point : 3 * point + 2]
            lambdas.append(-np.sign(spin) @ excess if np.any(excess) else 0.0)
            assert np.all(excess >= 0.0)
        assert modes.q.shape == (10, 3)
        difference.append(np.array(lambdas))
    assert np.max(np.abs(difference[0])) > 0.0
    np.testing.assert_allclose(difference[0], -difference[1], atol=1e-9 * np.max(np.abs(difference[0])))


def test_table_subtracts_equilibrium():
    modes = PHONONS.modes(zone_points(CRYSTAL.lattice, (3, 2)))
    n = np.where(np.asarray(modes.still), 0.0, bose(np.where(modes.still, np.inf, modes.frequency), 300.0))
    waves = PhononTable(modes, occupation=n + 0.25).waves(CRYSTAL, KELVIN)
    excess = np.asarray(waves.excess[1]).reshape(6, 6)
    np.testing.assert_allclose(excess, np.where(modes.still, 0.0, 0.25) / 6, atol=1e-12)
    given = PhononTable(modes, excess=np.ones((6, 6)), weights=np.arange(6.0)).waves(CRYSTAL, KELVIN)
    np.testing.assert_allclose(np.asarray(given.excess[0]).reshape(6, 6)[3], 3.0)


def test_one_mode_and_every_mode_are_circular_where_degenerate():
    modes, level = OneMode(PHONONS, q=np.zeros(3), mode=5).level()
    assert level == (4, 5)
    np.testing.assert_allclose(phonon_angular_momentum(modes)[0, 4:, 2], [-1, 1], atol=1e-10)
    waves = EveryMode(PHONONS, np.zeros((1, 3))).waves(CRYSTAL, KELVIN)
    one = OneMode(PHONONS, q=np.zeros(3), mode=5).waves(CRYSTAL, KELVIN)
    np.testing.assert_allclose(one.displacement[0], waves.displacement[5])


def test_bad_drives_are_refused():
    q = np.array([0.3, 0.1, 0.0])
    cases = [
        (lambda: OneMode(PHONONS, q=q, mode=6), "`mode` must be a whole number from 0 to 5"),
        (lambda: OneMode(PHONONS, q=q, mode=-1), "`mode` must be a whole number"),
        (lambda: OneMode(PHONONS, q=q, mode=3, circular=True), "is alone at its frequency"),
        (lambda: OneMode(PHONONS, q=[0.1, 0.2], mode=3), r"`q` must have the shape \(xyz\)"),
        (lambda: CoherentMode(PHONONS, q=np.zeros(3), mode=1, quanta=1.0), "is a uniform translation"),
        (lambda: CoherentMode(PHONONS, q=q, mode=1), "Exactly one of `amplitude`, `quanta` must be given"),
        (lambda: CoherentMode(PHONONS, q=q, mode=1, quanta=-1.0), "`quanta` must not be negative"),
        (lambda: CoherentMode(PHONONS, q=q, mode=1, quanta=1.0, mixture=[1, 1]), "`mixture` must have the shape"),
        (lambda: driven(charges=[1.0, -0.5]), "`charges` must add up to zero over the cell, but the sum is 0.5"),
        (lambda: driven(damping=0.0), "`damping` must be greater than zero"),
        (lambda: driven(mode=1), "`mode` must name an optical mode, but 1 is a translation"),
        (lambda: driven(mode=7), "`mode` must be a whole number from 0 to 5"),
        (lambda: driven(frequency=1.0), "Exactly one of `frequency` and `mode` must be given, but got both"),
        (lambda: driven(charges=[0.0, 0.0]), "but none is active"),
        (lambda: PhononTable(PHONONS.modes(q)), "Exactly one of `occupation` and `excess`"),
        (lambda: PhononTable(PHONONS.modes(q), occupation=np.ones((1, 5))), r"`occupation` must have the shape"),
        (lambda: PhononTable(PHONONS.modes(q), occupation=-np.ones((1, 6))), "`occupation` must not be negative"),
        (lambda: gradient(relaxation_time=-1.0), "`relaxation_time` must be greater than zero"),
        (lambda: gradient(mesh=(4, 4)), "`mesh` must hold a whole number of points for each of 1"),
        (lambda: gradient(gradient=(1.0, np.nan, 0.0)), "`gradient` must be finite"),
        (lambda: injection(transmission=1.5), "`transmission` must lie between 0 and 1"),
        (lambda: injection(direction="w"), "`direction` must be one of"),
    ]
    for call, words in cases:
        with pytest.raises(InputError, match=words):
            call()


def driven(**changes):
    return DrivenMode(PHONONS, **({"field": [1, 0, 0], "charges": [1.0, -1.0], "damping": 1e-3, "mode": 5} | changes))


def gradient(**changes):
    return TemperatureGradient(CHAIN, **({"gradient": (1, 0, 0), "relaxation_time": 1.0, "mesh": (4,)} | changes))


def injection(**changes):
    return InterfaceInjection(
        CHAIN, **({"source": CHAIN, "transmission": 0.1, "direction": "x", "mesh": (4,)} | changes)
    )


def test_methods_that_do_not_fit_are_refused():
    electrons = honeycomb_electrons(CRYSTAL)
    state = ElectronState(fermi_level=0.0, temperature=300.0)
    problem = Problem(electrons, OneMode(PHONONS, q=np.zeros(3), mode=5), state, observables=["Lz"])
    for method in (Published(0.01), Motion(0.01)):
        with pytest.raises(InputError, match="`drive` must"):
            solve(problem, method)
    with pytest.raises(InputError, match="`drive` must hold phonons of the electrons' crystal, but they move 1 atoms"):
        solve(Problem(electrons, OneMode(CHAIN, q=[0.1, 0, 0], mode=0), state), Keldysh(0.01))
    with pytest.raises(InputError, match="`state` must hold one state here, but holds 2"):
        several = ElectronState(fermi_level=[0.0, 0.1], temperature=300.0)
        moment_per_phonon(Problem(electrons, problem.drive, several), Keldysh(0.01))
    assert isinstance(Adiabatic(0.1), Adiabatic)
