"""Which phonons, and how many: against quadratures of the sums that define them."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad

from orbiphon import units
from orbiphon.drives import CoherentWave, OnePhonon, ThermalInjection
from orbiphon.errors import InputError
from orbiphon.models import cubic_p, linear_chain, square_p
from orbiphon.phonons import AcousticBranch, circular_polarisation

D, SPEED, MASS = 5.0, 5000 * units.m / units.s, 4e-26 * units.kg
SOUND = AcousticBranch(speed=SPEED, mass=MASS, direction="x")
CRYSTAL = square_p(-1.9, -2.0, D).crystal
DOMAINS = ("line", "square", "disc", "sphere")


def injection(domain="line", **changes):
    return ThermalInjection(SOUND, **({"transmission": 0.1, "splitting": 0.1, "q_domain": domain} | changes))


def half_domain(domain, function):
    """(1/N) sum over q_x > 0 of function(q_x, |q|), lengths in units of d."""

    def quadrature(integrand, *edges):
        return quad(integrand, *edges, epsabs=0, epsrel=1e-12)[0]

    if domain == "line":
        return quadrature(lambda q: function(q, q), 0, np.pi) / (2 * np.pi)
    if domain == "square":  # in polar coordinates: |q| has a cusp at the corner

        def ray(angle):
            c, edge = np.cos(angle), np.pi / max(np.cos(angle), np.sin(angle))
            return quadrature(lambda q: q * function(q * c, q), 0, edge)

        return 2 * (quadrature(ray, 0, np.pi / 4) + quadrature(ray, np.pi / 4, np.pi / 2)) / (2 * np.pi) ** 2

    def shell(q):
        if domain == "disc":
            return q * quadrature(lambda angle: function(q * np.cos(angle), q), -np.pi / 2, np.pi / 2)
        return 2 * np.pi * q**2 * quadrature(lambda c: function(q * c, q), 0, 1)

    return quadrature(shell, 0, np.pi) / (2 * np.pi) ** (2 if domain == "disc" else 3)


def bose(q, temperature, sign, speed=SPEED, splitting=0.1):
    return 1 / np.expm1(speed * (1 + sign * splitting) * q / D / (units.k_B * temperature))


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("temperature", [2.0, 60.0, 400.0])
def test_sums_over_the_domains(domain, temperature):
    drive = injection(domain)
    modes = drive.modes(CRYSTAL, jnp.asarray([temperature]))
    assert np.all(np.asarray(modes.along) > 0) and modes.excess.shape == (1, 2, modes.along.size)
    for index, sign in enumerate((1, -1)):
        expected = 0.1 * half_domain(domain, lambda x, q, s=sign: x**2 * bose(q, temperature, s)) / D**2
        found = float(jnp.sum(modes.excess[0, index] * modes.along**2))
        error = float(modes.excess_error[0, index])
        np.testing.assert_allclose(found, expected, rtol=max(error, 1e-9))
        assert error < 1e-7


@pytest.mark.parametrize(
    ("domain", "s"), [("line", np.pi / 4), ("square", 0.601), ("disc", np.pi**2 / 24), ("sphere", np.pi**2 / 48)]
)
def test_classical_limit(domain, s):
    # n -> T k_B T/hbar Omega: sum q_x^2 n = transmission k_B T/v^lambda times S
    hot = 1e7
    modes = injection(domain, temperature=hot).modes(CRYSTAL, jnp.asarray([300.0]))
    for index, sign in enumerate((1, -1)):
        expected = 0.1 * units.k_B * hot / (SPEED * (1 + 0.1 * sign)) * s / D
        found = float(jnp.sum(modes.excess[0, index] * modes.along**2))
        np.testing.assert_allclose(found, expected, rtol=1e-3 if domain == "square" else 2e-5)


def test_modes_of_thermal_injection():
    drive = injection("sphere", source_speed=2 * SPEED, splitting=0.2, transmission=0.3)
    modes = drive.modes(CRYSTAL, jnp.asarray([100.0, 200.0]))
    np.testing.assert_allclose(modes.polarisation, [circular_polarisation("x", 1), circular_polarisation("x", -1)])
    norm = np.asarray(modes.frequency) / SPEED  # omega = v |q|, not v q_x
    assert np.all(norm >= np.asarray(modes.along)) and norm.max() < np.pi / D
    ratio = np.asarray(modes.excess[:, 0] / modes.excess[:, 1])
    for row, temperature in zip(ratio, (100.0, 200.0), strict=True):
        plus, minus = (bose(norm * D, temperature, s, 2 * SPEED, 0.2) for s in (1, -1))
        np.testing.assert_allclose(row, plus / minus, rtol=1e-9)


def test_cut_off_is_set_by_the_cell():
    temperature = jnp.asarray([300.0])
    for electrons in (cubic_p(-1.0, -0.5, D), linear_chain({"ss_sigma": -1.0}, lattice_constant=D)):
        np.testing.assert_allclose(injection().modes(electrons.crystal, temperature).along.max(), np.pi / D, rtol=1e-3)
    chosen = injection(spacing=2.5).modes(CRYSTAL, temperature)
    np.testing.assert_allclose(chosen.along.max(), np.pi / 2.5, rtol=1e-3)


@pytest.mark.parametrize("domain", DOMAINS)
def test_energy_flux(domain):
    temperature, expected = 250.0, 0.0
    for sign in (1, -1):
        speed = SPEED * (1 + 0.1 * sign)
        term = lambda x, q, v=speed, s=sign: v * q / D * bose(q, temperature, s) * v * x / q  # noqa: E731
        expected += 0.1 * half_domain(domain, term) / D**3
    found = injection(domain).energy_flux(CRYSTAL, jnp.asarray([temperature]))
    np.testing.assert_allclose(found, [expected], rtol=1e-8)


def test_energy_flux_at_high_temperature():
    drive, hot = injection(source_speed=0.7 * SPEED), jnp.asarray([1e7])
    expected = 0.1 * 0.7 * SPEED * units.k_B * 1e7 / D**3
    np.testing.assert_allclose(drive.energy_flux_high_temperature(CRYSTAL, hot), [expected], rtol=1e-12)
    np.testing.assert_allclose(drive.energy_flux(CRYSTAL, hot), [expected], rtol=1e-4)
    # in SI units: 0.1 * 3500 m/s * k_B * 300 K/(5e-10 m)^3
    watt = float(drive.energy_flux_high_temperature(CRYSTAL, jnp.asarray([300.0]))[0]) / (units.W / units.m**2)
    np.testing.assert_allclose(watt, 0.1 * 3500 * 1.380649e-23 * 300 / (5e-10) ** 3, rtol=1e-9)


@pytest.mark.parametrize("ellipticity", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("chirality", [1, -1])
def test_quanta_of_a_wave_are_its_energy(ellipticity, chirality):
    q, amplitude = 0.02, 0.03
    drive = CoherentWave(SOUND, amplitude=amplitude, q=q, chirality=chirality, ellipticity=ellipticity)
    omega = float(drive.frequency)
    np.testing.assert_allclose(omega, SPEED * q)
    # the motion (8) of one atom: kinetic energy averaged over a period, twice
    time = 2 * np.pi * np.arange(64) / 64 / omega
    motion = np.real(np.asarray(drive.displacement)[None] * np.exp(-1j * omega * time)[:, None])
    written = amplitude * np.stack([0 * time, np.cos(omega * time), -chirality * ellipticity * np.sin(omega * time)], 1)
    np.testing.assert_allclose(motion, written, atol=1e-15)
    velocity = np.fft.ifft(1j * omega * 64 * np.fft.fftfreq(64)[:, None] * np.fft.fft(motion, axis=0), axis=0).real
    energy = MASS * np.mean(np.sum(velocity**2, axis=1))
    modes = drive.modes(CRYSTAL, jnp.asarray([10.0, 300.0]))
    np.testing.assert_allclose(np.asarray(modes.excess[:, 0, 0]) * omega, energy, rtol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(modes.polarisation[0]), 1)
    if ellipticity == 1:  # n = M omega U^2/hbar
        np.testing.assert_allclose(modes.excess[0, 0, 0], MASS * omega * amplitude**2, rtol=1e-12)


def test_three_ways_to_give_an_amplitude():
    frequency, amplitude, density, ellipticity = 1 * units.GHz, 1 * units.pm, 4000 * units.kg / units.m**3, 0.5
    by_amplitude = CoherentWave(SOUND, amplitude=amplitude, frequency=frequency, ellipticity=ellipticity)
    q = 2 * np.pi * 1e9 / 5000 / units.m
    np.testing.assert_allclose(by_amplitude.q, q, rtol=1e-12)
    np.testing.assert_allclose(by_amplitude.frequency, 2 * np.pi * 1e9 * 6.582119569e-16, rtol=1e-9)
    by_strain = CoherentWave(SOUND, strain=q * amplitude, q=q, ellipticity=ellipticity)
    np.testing.assert_allclose(by_strain.amplitude, amplitude, rtol=1e-12)
    # in SI: rho omega^2 U^2 (1 + eta^2)/2 * v * wavelength
    flow = 4000 * (2 * np.pi * 1e9 * 1e-12) ** 2 * (1 + ellipticity**2) / 2 * 5000
    for depth, metres in ((None, 5e-6), (0.1 * units.um, 1e-7)):
        power = flow * metres * units.W / units.m
        by_power = CoherentWave(
            SOUND, power_per_width=power, density=density, depth=depth, frequency=frequency, ellipticity=ellipticity
        )
        np.testing.assert_allclose(by_power.amplitude, amplitude, rtol=1e-9)


def test_one_phonon():
    modes = OnePhonon(SOUND, q=0.1, chirality=-1).modes(CRYSTAL, jnp.asarray([10.0, 20.0]))
    np.testing.assert_array_equal(modes.excess, np.ones((2, 1, 1)))
    np.testing.assert_array_equal(modes.polarisation[0], circular_polarisation("x", -1))
    np.testing.assert_allclose((modes.along[0], modes.frequency[0]), (0.1, 0.1 * SPEED))


def wave(**changes):
    return CoherentWave(SOUND, **({"amplitude": 0.01, "q": 0.1} | changes))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: wave(amplitude=None), "Exactly one of `amplitude`, `strain`, `power_per_width` .* none of them"),
        (lambda: wave(strain=1e-4), "must be given, but got `amplitude` and `strain`. Give"),
        (lambda: wave(q=None), "Exactly one of `frequency`, `q` must be given, but got none of them"),
        (lambda: wave(frequency=1.0), "Exactly one of `frequency`, `q` .* got `frequency` and `q`"),
        (lambda: wave(chirality=2), "`chirality` must be 1 or -1, but is 2. For a linear wave set `ellipticity`"),
        (lambda: wave(ellipticity=1.5), "`ellipticity` must lie between 0 .* and 1 .*, but is 1.5"),
        (lambda: wave(ellipticity=-0.5), "`ellipticity` must lie between .*, but is -0.5"),
        (lambda: wave(amplitude=None, power_per_width=1.0), "`power_per_width` and `density` must be given together"),
        (lambda: wave(density=1.0), "`power_per_width` and `density` must be given together"),
        (lambda: wave(amplitude=-1.0), "`amplitude` must not be negative, but is -1"),
        (lambda: wave(q=0.0), "`q` must be greater than zero, but is 0"),
        (lambda: wave(q=None, frequency=-2.0), "`frequency` must be greater than zero, but is -2"),
        (lambda: wave(amplitude=float("nan")), "`amplitude` must be finite, but is nan"),
        (
            lambda: wave(amplitude=None, power_per_width=1.0, density=-3.0),
            "`density` must be greater than zero, but is -3",
        ),
        (
            lambda: wave(amplitude=None, power_per_width=1.0, density=3.0, depth=0.0),
            "`depth` must be greater than zero, but is 0",
        ),
        (lambda: injection("shpere"), "`q_domain` must be one of .*'sphere', but is 'shpere'. Did you mean 'sphere'"),
        (lambda: injection(transmission=1.2), "`transmission` must lie between 0 and 1, but is 1.2"),
        (lambda: injection(transmission=-0.1), "`transmission` must lie between 0 and 1, but is -0.1"),
        (lambda: injection(splitting=1.0), "`splitting` must lie between .* but is 1.0"),
        (lambda: injection(source_speed=0.0), "`source_speed` must be greater than zero, but is 0"),
        (lambda: injection(temperature=-5.0), "`temperature` must be greater than zero, but is -5"),
        (lambda: injection(spacing=0.0), "`spacing` must be greater than zero, but is 0"),
        (lambda: OnePhonon(SOUND, q=-0.1), "`q` must be greater than zero, but is -0.1"),
        (lambda: OnePhonon(SOUND, q=0.1, chirality=0), "`chirality` must be 1 or -1, but is 0"),
        (lambda: AcousticBranch(speed=SPEED, mass=0.0), "`mass` must be greater than zero, but is 0"),
        (lambda: AcousticBranch(speed=-1.0, mass=MASS), "`speed` must be greater than zero, but is -1"),
    ],
)
def test_bad_arguments_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
