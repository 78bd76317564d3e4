"""Any amplitude: against perturbation theory where the wave is small; convergence where it is not."""

import numpy as np
import pytest

from orbiphon.drives import CoherentWave, OnePhonon
from orbiphon.errors import InputError
from orbiphon.models import linear_chain, square_p
from orbiphon.phonons import AcousticBranch
from orbiphon.response import ElectronState, Floquet, Keldysh, Numerics, Problem, solve
from systems import random_crystal

Q, OMEGA, GAMMA, LEVEL, KELVIN = 0.4, 0.25, 0.3, 0.2, 900.0
TILTED = (0.6, 0.5, -0.3)
NAMES = {1: ("Ly", "Qzx"), 2: ("Lx", "Lz")}


def asked(electrons, amplitude, order, q=Q, chirality=1, level=LEVEL):
    branch = AcousticBranch(speed=OMEGA / q, mass=1.0, direction=TILTED)
    drive = CoherentWave(branch, amplitude=amplitude, q=q, chirality=chirality)
    state = ElectronState(fermi_level=level, temperature=KELVIN)
    return Problem(electrons, drive, state, observables=NAMES[order], order=order)


def moments(electrons, amplitude, order, method, rtol=1e-9, **wave):
    answer = solve(asked(electrons, amplitude, order, **wave), method, Numerics(rtol=rtol, block=256))
    return answer.value[0, 0], answer.error[0, 0]


def test_strong_waves_leave_perturbation_theory_and_converge_in_the_number_of_phonons():
    electrons = random_crystal(6, dim=1, sites=2)
    u = 0.3
    second = moments(electrons, u, 2, Keldysh(GAMMA), rtol=1e-6)[0]
    values, errors = zip(*(moments(electrons, u, 2, Floquet(GAMMA, n), rtol=1e-6) for n in (2, 4)), strict=True)
    assert np.abs(values[1] - second).max() > 1e-3 * np.abs(second).max()
    assert np.all(np.abs(values[0] - values[1]) <= errors[0] + errors[1])
    assert np.all(errors[1] < errors[0])


@pytest.mark.parametrize("order", [1, 2])
def test_full_and_empty_crystals_and_chirality(order):
    electrons = linear_chain({"pp_sigma": -0.7, "pp_pi": 0.3}, "p", lattice_constant=3.0)
    branch = AcousticBranch(speed=OMEGA / Q, mass=1.0)
    names = ("Lx",) if order == 2 else ("Ly", "Lz")

    def at(level, chirality=1):
        drive = CoherentWave(branch, amplitude=0.1, q=Q, chirality=chirality)
        state = ElectronState(fermi_level=level, temperature=KELVIN)
        one = Problem(electrons, drive, state, observables=names, order=order)
        return solve(one, Floquet(0.2, 1), Numerics(rtol=1e-4, block=256)).value[0, 0]

    metal = at(0.3)
    assert np.abs(metal).max() > 0
    for level in (-300.0, 300.0):  # the Lorentzian tails of the levels fall as the distance
        assert np.abs(at(level)).max() < 1e-4 * np.abs(metal).max()
    mirrored = at(0.3, chirality=-1)
    expected = -metal if order == 2 else metal * np.array([-1, 1])
    np.testing.assert_allclose(mirrored, expected, atol=1e-9 * np.abs(metal).max())


def test_only_coherent_waves_have_an_amplitude():
    one = OnePhonon(AcousticBranch(speed=1.0, mass=1.0), q=0.1)
    state = ElectronState(fermi_level=0.0, temperature=300.0)
    with pytest.raises(InputError, match="`drive` must be a CoherentWave here, but is a OnePhonon"):
        solve(Problem(square_p(-1.9, -2.0), one, state), Floquet(0.1))
    with pytest.raises(InputError, match="`broadening` must be greater than zero"):
        Floquet(0.0)
    with pytest.raises(InputError, match="`harmonics` must be greater than zero"):
        Floquet(0.1, 0)
