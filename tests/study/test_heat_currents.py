"""A study with a heat current in a crystal without inversion: a helix, and its mirror image."""

import numpy as np
import xarray

import orbiphon as oph
from orbiphon import units
from orbiphon.models import helix, helix_p, helix_springs
from orbiphon.models.helix import helix_distances
from orbiphon.study import read_study, run
from orbiphon.study.estimate import describe
from pointwise import quick_compilation as quick_compilation

STUDY = """\
[electrons]
model = "helix_p"
t_sigma = "1.7 eV"
t_pi = "-0.6 eV"

[state]
temperature = "3000 K"
fermi_level = "-0.5 eV"

[phonons]
kind = "springs"
masses = ["79 amu", "79 amu", "79 amu"]
springs = [
    { length = "FIRST angstrom", central = "4 eV/angstrom^2", transverse = "0.5 eV/angstrom^2" },
    { length = "SECOND angstrom", central = "1 eV/angstrom^2", transverse = "0.2 eV/angstrom^2" },
]

[drive]
kind = "temperature_gradient"
gradient = ["1 K/um", "-1 K/um"]
direction = "z"
relaxation_time = "1 ps"
mesh = [6]

[response]
observables = ["Lz"]
method = "keldysh"
broadening = "0.4 eV"

[numerics]
rtol = 1e-3
"""


def complete(text):
    """With the distances of neighbours."""
    for name, length in zip(("FIRST", "SECOND"), helix_distances(helix()), strict=True):
        text = text.replace(name, repr(length))
    return read_study(text)


def moments(text, folder):
    """<L_z> and its error for the two gradients."""
    assert run(complete(text), folder, quiet=True).missed == 0
    found = xarray.open_zarr(folder / "result.zarr")
    return found.value.values.ravel(), found.error.values.ravel()


def of_hand(hand):
    """The same by a script, for either hand."""
    electrons = helix_p(1.7, -0.6, hand)
    springs = helix_springs(electrons.crystal, 79 * units.amu, (4.0, 1.0), (0.5, 0.2))
    drive = oph.TemperatureGradient(springs, gradient=(0, 0, 1e-4), relaxation_time=1 * units.ps, mesh=(6,))
    state = oph.ElectronState(fermi_level=-0.5, temperature=3000.0)
    problem = oph.Problem(electrons, drive, state, observables=["Lz"])
    return oph.solve(problem, oph.Keldysh(0.4), oph.Numerics(rtol=1e-3)).value.item()


def test_the_moment_turns_with_the_gradient_and_with_the_hand(tmp_path):
    (there, back), error = moments(STUDY, tmp_path / "right")
    assert abs(there) > 1e-12 and np.max(error) < abs(there)  # the sign is known
    np.testing.assert_allclose(back, -there, rtol=1e-9)
    np.testing.assert_allclose([of_hand("right"), of_hand("left")], [there, -there], rtol=1e-6)


def test_check_counts_the_irreducible_wave_vectors():
    """Axes across the helix take q to -q: of six points 0, 1, 2 and 3 are different."""
    assert "for each of 4 (of 6) wave vectors of the phonons" in describe(complete(STUDY))


def test_no_moment_across_the_axis(tmp_path):
    (along, _), _ = moments(STUDY, tmp_path / "along")
    across, _ = moments(STUDY.replace('["Lz"]', '["Lx", "Ly"]'), tmp_path / "across")
    np.testing.assert_allclose(across, 0.0, atol=1e-9 * abs(along))
