"""The moment that a phonon shows to a field, against the moment that it pumps."""

import numpy as np
import pytest

from orbiphon.drives import CoherentWave, OnePhonon
from orbiphon.errors import InputError
from orbiphon.models import linear_chain, square_p
from orbiphon.phonons import AcousticBranch
from orbiphon.response import ElectronState, Keldysh, Numerics, Problem, phonon_magnetic_moment, solve

Q, OMEGA, LEVEL, KELVIN, MASS = 0.4, 0.25, 0.2, 900.0, 1.0
TILTED = (0.6, 0.5, -0.3)


def problem(electrons, chirality=1, names=("Lx", "Lz"), omega=OMEGA, level=LEVEL, kelvin=KELVIN, direction=TILTED):
    drive = OnePhonon(AcousticBranch(speed=omega / Q, mass=MASS, direction=direction), q=Q, chirality=chirality)
    return Problem(electrons, drive, ElectronState(fermi_level=level, temperature=kelvin), observables=names)


def insulator():
    """p orbitals on a chain along x, p_x far below p_y, p_z: the Fermi level lies in the gap."""
    chain = linear_chain({"pp_sigma": 0.3, "pp_pi": -0.2}, "p")
    home = np.linalg.norm(np.asarray(chain.cells), axis=1) == 0
    onsite = home[:, None, None] * np.diag([-3.0, 1.0, 1.4])
    return type(chain)(**{**vars(chain), "hopping": chain.hopping + onsite.astype(complex)})


def test_in_a_gap_the_phonon_shows_what_it_pumps():
    asked = problem(insulator(), names=("Lx",), omega=0.05, level=-1.0, kelvin=300.0, direction="x")
    shown = phonon_magnetic_moment(asked, 0.01, Numerics(rtol=1e-6, block=256))
    pumped = solve(asked, Keldysh(0.01), Numerics(rtol=1e-6, block=256)).value.item()
    assert shown.converged and pumped != 0
    np.testing.assert_allclose(shown.value[0, 0, 0], pumped, rtol=1e-5)
    # the other chirality shows the opposite, and the field splits the pair by the difference
    np.testing.assert_allclose(shown.value[0, 1, 1], -pumped, rtol=1e-5)
    np.testing.assert_allclose(shown.split[0], 2 * abs(pumped), rtol=1e-5)


def test_bad_problems_are_refused():
    electrons = square_p(-1.9, -2.0)
    branch = AcousticBranch(speed=1.0, mass=1.0)
    state = ElectronState(fermi_level=0.0, temperature=300.0)
    wave = CoherentWave(branch, amplitude=0.1, q=0.1)
    with pytest.raises(InputError, match="`drive` must be OnePhonon here, but is CoherentWave"):
        phonon_magnetic_moment(Problem(electrons, wave, state), 0.1)
    many = ElectronState(fermi_level=[0.0, 0.1], temperature=300.0)
    with pytest.raises(InputError, match="`state` must hold one state here, but holds 2"):
        phonon_magnetic_moment(Problem(electrons, OnePhonon(branch, q=0.1), many), 0.1)
    with pytest.raises(InputError, match="`broadening` must be greater than zero"):
        phonon_magnetic_moment(Problem(electrons, OnePhonon(branch, q=0.1), state), 0.0)
