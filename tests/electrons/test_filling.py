import numpy as np
import pytest
from scipy.special import expit

from orbiphon.electrons import density_of_states, electron_number, fermi_level_for
from orbiphon.errors import InputError, ToleranceWarning
from orbiphon.models import linear_chain, square_p
from orbiphon.units import k_B
from systems import random_crystal


def test_density_of_states_of_the_paper():
    # 0.237 per eV, spin and site at −1.5 eV, where the paper's text says 0.6
    states = density_of_states(square_p(t_sigma=-1.9, t_pi=-2.0), -1.5, 200)
    assert abs(float(states.value[0]) - 0.237) < 0.002
    assert states.converged and float(states.error[0]) < 1e-4


def test_density_of_states_of_a_chain():
    # D(ε) = 1/(π √(4t² − ε²)), up to the curvature over k_B T
    states = density_of_states(linear_chain({"ss_sigma": -1.0}), 0.7, 20)
    np.testing.assert_allclose(states.value[0], 1 / (np.pi * np.sqrt(4 - 0.7**2)), rtol=1e-4)


def test_density_of_states_is_the_slope_of_the_number():
    electrons, step = random_crystal(3, dim=1), 1e-3
    high, low = (electron_number(electrons, 0.2 + s, 900, rtol=1e-10).value[0] for s in (step, -step))
    np.testing.assert_allclose(density_of_states(electrons, 0.2, 900).value[0], (high - low) / (2 * step), rtol=1e-4)


def test_number_against_a_plain_sum():
    t, level, temperature = -1.0, 0.3, 400.0
    kd = 2 * np.pi * np.arange(4000) / 4000
    expected = np.mean(expit((level - 2 * t * np.cos(kd)) / (k_B * temperature)))
    np.testing.assert_allclose(electron_number(linear_chain({"ss_sigma": t}), level, temperature).value[0], expected)


def test_number_counts_every_orbital_far_above_the_bands():
    electrons = random_crystal(1, dim=1, spin=True)
    np.testing.assert_allclose(electron_number(electrons, 50.0, 300).value[0], electrons.size)
    assert abs(float(electron_number(electrons, -50.0, 300).value[0])) < 1e-9


@pytest.mark.parametrize(("level", "temperature"), [(-2.5, 300), (-1.5, 300), (0.2, 500), (6.0, 300)])
def test_fermi_level_and_filling_are_inverse(level, temperature):
    electrons = square_p(t_sigma=-1.9, t_pi=-2.0, pz_shift=0.1)
    filling = float(electron_number(electrons, level, temperature, rtol=1e-8).value[0])
    assert abs(fermi_level_for(electrons, filling, temperature) - level) < 2e-5


@pytest.mark.parametrize("seed", range(2))
def test_fermi_level_and_filling_are_inverse_for_random_crystals(seed):
    electrons = random_crystal(seed, dim=1)
    filling = 0.37 * electrons.size
    level = fermi_level_for(electrons, filling, 600)
    np.testing.assert_allclose(electron_number(electrons, level, 600).value[0], filling, rtol=1e-5)


def test_fermi_level_of_an_insulator_is_in_the_middle_of_its_gap():
    # p levels at −3 (x), and at 1 and 1 (y, z) without hopping: one electron, gap from −3 to 1
    electrons = linear_chain({"pp_sigma": 0.0, "pp_pi": 0.0}, "p")
    shifted = electrons.hopping.at[electrons.hopping.shape[0] // 2].add(np.diag([-3.0, 1.0, 1.0]).astype(complex))
    insulator = type(electrons)(**{**vars(electrons), "hopping": shifted})
    assert abs(fermi_level_for(insulator, 1, 300) + 1.0) < 0.02


def test_bad_fillings_are_refused():
    electrons = linear_chain({"ss_sigma": -1.0})
    for filling in (0.0, -0.5):
        with pytest.raises(InputError, match="`filling` must be greater than zero"):
            fermi_level_for(electrons, filling, 300)
    with pytest.raises(InputError, match="`filling` must be less than the 1 orbitals of a cell, but is 1"):
        fermi_level_for(electrons, 1, 300)
    with pytest.raises(InputError, match="`temperature` must be greater than zero, but is -3"):
        electron_number(electrons, 0.0, -3)


def test_missed_tolerance_warns():
    with pytest.warns(ToleranceWarning, match="missed"):
        mean = density_of_states(linear_chain({"ss_sigma": -1.0}), 0.3, 1.0, max_points=500)
    assert not mean.converged and np.isinf(mean.error[0])
