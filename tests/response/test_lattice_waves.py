"""Moments per phonon of the modes of a crystal: against the acoustic branch, other methods, and themselves."""

import jax
import numpy as np
import pytest

from lattices import BOND, SIDE, honeycomb, honeycomb_electrons, honeycomb_springs
from orbiphon import units
from orbiphon.crystal import Crystal, Lattice, zone_points
from orbiphon.drives import (
    CoherentMode,
    CoherentWave,
    EveryMode,
    OnePhonon,
    PhononTable,
)
from orbiphon.electrons import Basis, SlaterKoster, tight_binding
from orbiphon.models import square_p
from orbiphon.phonons import (
    AbstractPhonons,
    AcousticBranch,
    PhononModes,
    Spring,
    circular_polarisation,
    spring_model,
)
from orbiphon.response import (
    Adiabatic,
    Berry,
    ElectronState,
    Floquet,
    Keldysh,
    Numerics,
    Perturbation,
    Problem,
    solve,
)

WARM = ElectronState(fermi_level=0.1, temperature=4000.0)
KELDYSH = Keldysh(0.8)
FINE = Numerics(rtol=1e-10)
L = ("Lx", "Ly", "Lz")


def reduced(crystal, *kappa):
    return np.asarray(kappa) @ np.asarray(crystal.lattice.reciprocal)


def per_phonon(electrons, drive, method=KELDYSH, observables=L, numerics=FINE, state=WARM):
    problem = Problem(electrons, drive, state, observables=observables)
    level = float(state.fermi_levels(electrons)[0, 0])
    found = method.prepare(problem).per_phonon(level, 0, numerics)
    assert found.converged.all()
    return found


def chain(side=3.0):
    """Two atoms, s and p orbitals, off the line: no symmetry but time reversal."""
    crystal = Crystal(Lattice([[side, 0, 0]]), [[0, 0, 0], [1.3, 0.7, 0.4]], ("A", "B"))
    law = SlaterKoster({"ss_sigma": -0.7, "sp_sigma": 0.9, "pp_sigma": 1.1, "pp_pi": -0.4}, length=2.0)
    electrons = tight_binding(crystal, Basis(((0, "s"), (1, "p"))), law, 3.2, onsite=[-0.6, 0.3, 0.5, 0.7])
    return crystal, electrons


def table_of(crystal, q, seed=0, frequency=(0.03, 0.05)):
    """Any orthonormal polarisations, which need not come from springs."""
    random = np.random.default_rng(seed)
    size = 3 * crystal.sites
    e = np.linalg.qr(random.normal(size=(size, size)) + 1j * random.normal(size=(size, size)))[0]
    omega = np.linspace(*frequency, size)[None]
    masses = random.uniform(10, 30, crystal.sites) * units.amu
    return PhononModes(np.asarray(q)[None], omega, e.T.reshape(1, size, crystal.sites, 3), masses)


@pytest.mark.parametrize("method", [Keldysh(0.4), Adiabatic(0.4)], ids=["keldysh", "adiabatic"])
def test_the_acoustic_branch_is_a_special_case(method):
    """Square p: one phonon of the branch, and the same wave as a table of modes with omega = v q."""
    electrons, q = square_p(t_sigma=-1.9, t_pi=-2.0), 0.3 if isinstance(method, Keldysh) else 1e-4
    branch = AcousticBranch(speed=5000 * units.m / units.s, mass=4e-26 * units.kg, direction="x")
    state = ElectronState(fermi_level=-1.5, temperature=2000.0)
    e = np.stack([circular_polarisation("x", 1), circular_polarisation("x", -1), np.array([1, 0, 0])])
    omega = float(branch.frequency(q))
    modes = PhononModes(np.array([[q, 0, 0]]), np.full((1, 3), omega), e[None, :, None], [branch.mass])
    numerics = Numerics(rtol=1e-9)
    found = per_phonon(electrons, PhononTable(modes, excess=np.ones((1, 3))), method, ("Lx",), numerics, state)
    for index, chirality in enumerate((1, -1)):
        problem = Problem(electrons, OnePhonon(branch, q=q, chirality=chirality), state, observables=["Lx"])
        expected = solve(problem, method, numerics).value.item()
        rtol = 1e-8 if isinstance(method, Keldysh) else 1e-4  # the long-wave limit differs by (qd)^2
        np.testing.assert_allclose(found.value[index, 0], expected, rtol=rtol)
    np.testing.assert_allclose(found.value[2], 0.0, atol=1e-9 * np.max(np.abs(found.value)))


def test_a_coherent_wave_weighs_its_quanta():
    electrons, q = square_p(t_sigma=-1.9, t_pi=-2.0), 0.3
    branch = AcousticBranch(speed=5000 * units.m / units.s, mass=4e-26 * units.kg, direction="x")
    acoustic = CoherentWave(branch, amplitude=0.01, q=q, chirality=-1, ellipticity=0.5)
    e = np.stack([circular_polarisation("x", 1), circular_polarisation("x", -1), np.array([1, 0, 0])])
    modes = PhononModes(np.array([[q, 0, 0]]), [[float(branch.frequency(q))] * 3], e[None, :, None], [branch.mass])
    # an ellipse with axes 1 : 1/2 is (3 circular quanta-amplitudes of -1 to 1 of +1): 9 : 1 in quanta
    quanta = float(acoustic.modes(electrons.crystal, WARM.temperature).excess[0, 0, 0])
    m = per_phonon(electrons, PhononTable(modes, excess=[[0.1, 0.9, 0.0]]), observables=("Lx",)).value[:, 0]
    found = solve(Problem(electrons, acoustic, WARM, observables=["Lx"]), KELDYSH, Numerics(rtol=1e-9)).value.item()
    diagonal = quanta * (0.1 * m[0] + 0.9 * m[1])
    across = 2 * 0.3 * quanta * _cross(electrons, modes)
    np.testing.assert_allclose(found, diagonal + across, rtol=1e-6)


def _cross(electrons, modes):
    """Re m_+- from a linear wave along e_1 = (e_+ + e_-)/sqrt 2."""
    mixing = np.array([[1, 1, 0], [1, -1, 0], [0, 0, np.sqrt(2)]]) / np.sqrt(2)
    linear = np.einsum("mn,qnsa->qmsa", mixing, np.asarray(modes.polarisation))
    turned = PhononModes(modes.q, modes.frequency, linear, modes.masses)
    first, second, _ = per_phonon(electrons, PhononTable(turned, excess=np.ones((1, 3))), observables=("Lx",)).value
    return (first[0] - second[0]) / 2


@pytest.mark.parametrize("kappa", [0.0, 0.21])
def test_keldysh_is_the_small_amplitude_of_floquet(kappa):
    """No formula is shared: chains of states at k + n q against the second order, for displacements that differ from
    atom to atom."""
    crystal, electrons = chain()
    modes = table_of(crystal, reduced(crystal, kappa), frequency=(0.2, 0.5))
    m = per_phonon(electrons, PhononTable(modes, excess=np.ones((1, 6))), numerics=Numerics(rtol=1e-8)).value
    for mode in (0,):
        values = []
        for quanta in (0.1, 0.4):
            given = GivenModes(crystal, modes.masses, modes)
            wave = CoherentMode(given, q=modes.q[0], mode=mode, quanta=quanta)
            found = solve(
                Problem(electrons, wave, WARM, observables=L),
                Floquet(0.8, harmonics=1),
                Numerics(rtol=1e-6, atol=1e-11),
            )
            values.append(found.value[0, 0] / quanta)
        limit = (4 * values[0] - values[1]) / 3  # the next order is linear in the quanta
        np.testing.assert_allclose(limit, m[mode], atol=1e-7 * np.max(np.abs(m)))


class GivenModes(AbstractPhonons):
    """Modes that do not come from springs, at one q."""

    crystal: Crystal
    masses: jax.Array
    given: PhononModes

    def modes(self, q):
        return self.given


@pytest.mark.parametrize("seed", range(3))
def test_no_choice_of_phases_or_of_degenerate_modes_matters(seed):
    crystal, electrons = chain()
    modes = table_of(crystal, reduced(crystal, 0.21), seed, frequency=(0.04, 0.04))
    random = np.random.default_rng(seed)
    mixing = np.linalg.qr(random.normal(size=(6, 6)) + 1j * random.normal(size=(6, 6)))[0]
    mixed = PhononModes(
        modes.q, modes.frequency, np.einsum("mn,qnsa->qmsa", mixing, np.asarray(modes.polarisation)), modes.masses
    )
    phases = PhononModes(
        modes.q, modes.frequency, modes.polarisation * np.exp(1j * np.arange(6))[None, :, None, None], modes.masses
    )
    one, other, turned = (
        per_phonon(electrons, PhononTable(m, excess=np.ones((1, 6)))).value for m in (modes, mixed, phases)
    )
    scale = np.max(np.abs(one))
    np.testing.assert_allclose(one.sum(axis=0), other.sum(axis=0), atol=1e-9 * scale)
    np.testing.assert_allclose(one, turned, atol=1e-9 * scale)
    assert np.max(np.abs(one - other)) > 1e-3 * scale


def test_another_origin_and_another_cell_change_nothing():
    crystal = honeycomb()
    vectors, tau = np.asarray(crystal.lattice.vectors), np.asarray(crystal.positions)
    skew = np.array([[1, 1], [0, 1]]) @ vectors  # another primitive cell
    moved = Crystal(Lattice(skew), tau + np.array([0.3, 0.1, 0.2]) + np.array([[0, 0, 0], vectors[1]]), ("A", "B"))
    q = reduced(crystal, 0.27, 0.11)
    values = []
    for one in (crystal, moved):
        drive = EveryMode(honeycomb_springs(one), q[None])
        values.append(per_phonon(honeycomb_electrons(one), drive, observables=("Lz",)).value)
    np.testing.assert_allclose(*values, atol=1e-9 * np.max(np.abs(values)))


def test_a_supercell_has_the_same_moments():
    """2 x 1 cells: its modes at q are those of the primitive cell at q and q + b_1/2."""
    crystal = honeycomb()
    vectors, tau = np.asarray(crystal.lattice.vectors), np.asarray(crystal.positions)
    double = Crystal(
        Lattice(np.array([2 * vectors[0], vectors[1]])), np.concatenate([tau, tau + vectors[0]]), ("A", "B") * 2
    )
    springs = honeycomb_springs(crystal)
    folded = spring_model(double, np.tile(springs.masses, 2), [Spring(BOND, 20.0, 5.0), Spring(SIDE, 3.0, 0.5)])
    law = SlaterKoster({"pp_sigma": 1.5, "pp_pi": -0.5}, length=BOND)
    basis = Basis(tuple((site, "p") for site in range(4)))
    electrons = tight_binding(double, basis, law, 1.1 * BOND, onsite=np.repeat([0.8, -0.8] * 2, 3))
    q = reduced(crystal, 0.21, 0.13)
    half = np.asarray(crystal.lattice.reciprocal)[0] / 2
    drive = EveryMode(springs, np.stack([q, q + half]))
    expected = per_phonon(honeycomb_electrons(crystal), drive, observables=("Lz",)).value
    big = EveryMode(folded, q[None])
    found = per_phonon(electrons, big, observables=("Lz",)).value
    order = np.argsort(np.asarray(drive.modes().frequency).ravel())
    np.testing.assert_allclose(np.sort(np.ravel(drive.modes().frequency)), big.modes().frequency[0], atol=1e-10)
    np.testing.assert_allclose(found, expected[order], atol=1e-9 * np.max(np.abs(expected)))


def test_opposite_wave_vectors_without_absorption_are_opposite():
    """m_odd alone, by wave functions in a gap: m(-q, e*) = -m(q, e); and what symmetry forbids is zero."""
    crystal = honeycomb()
    electrons, phonons = honeycomb_electrons(crystal), honeycomb_springs(crystal)
    q = reduced(crystal, 0.27, 0.11)
    state = ElectronState(fermi_level=0.0, temperature=100.0)
    for method in (Perturbation(), Berry()):
        drive = EveryMode(phonons, np.stack([q, -q]))
        m = per_phonon(electrons, drive, method, numerics=Numerics(rtol=1e-2), state=state).value.reshape(2, 6, 3)
        np.testing.assert_allclose(m[0], -m[1], atol=1e-9 * np.max(np.abs(m)))
        assert np.max(np.abs(m[:, :, 2])) > 0.0
        np.testing.assert_allclose(m[:, :, :2], 0.0, atol=1e-9 * np.max(np.abs(m)))  # the layer is a mirror


def test_inversion_leaves_none_at_leading_order():
    """With inversion and time reversal a mode that is not degenerate is linear, and pumps nothing at leading order in
    omega; here no mirror forbids it."""
    vectors = np.array([[3.0, 0.0, 0.0], [0.7, 3.3, 0.4]])
    crystal = Crystal(Lattice(vectors), np.zeros((1, 3)), ("X",))
    law = SlaterKoster({"pp_sigma": 1.1, "pp_pi": -0.4}, length=3.0)
    electrons = tight_binding(crystal, Basis(((0, "p"),)), law, 4.0, onsite=[0.0, 0.3, 0.5])
    length = float(np.linalg.norm(vectors[1]))
    phonons = spring_model(crystal, [20 * units.amu], [Spring(3.0, 4.0, 1.0), Spring(length, 2.0, 0.3)])
    q = reduced(crystal, 0.27, 0.11)
    linear = phonons.modes(q)
    assert np.min(np.diff(linear.frequency)) > 1e-3
    circular = PhononModes(q[None], linear.frequency, table_of(crystal, q).polarisation, phonons.masses)
    none, some = (
        per_phonon(
            electrons, PhononTable(m, excess=np.ones((1, 3))), Adiabatic(0.4), numerics=Numerics(rtol=1e-3)
        ).value
        for m in (linear, circular)
    )
    assert np.max(np.abs(none)) < 1e-9 * np.max(np.abs(some))


def test_equilibrium_gives_nothing():
    crystal, electrons = chain()
    modes = table_of(crystal, reduced(crystal, 0.21))
    occupation = 1.0 / np.expm1(np.asarray(modes.frequency) / (units.k_B * 4000.0))
    problem = Problem(electrons, PhononTable(modes, occupation=occupation), WARM, observables=L)
    full = Problem(electrons, PhononTable(modes, occupation=2.0 * occupation), WARM, observables=L)
    nothing, something = (solve(p, KELDYSH, Numerics(rtol=1e-4)).value for p in (problem, full))
    assert np.max(np.abs(nothing)) < 1e-12 * np.max(np.abs(something))


def test_on_a_mesh_of_q_and_off_it_alike():
    crystal, electrons = chain()
    first = float(np.linalg.norm(np.asarray(crystal.positions)[1]))
    phonons = spring_model(
        crystal, np.array([10.0, 20.0]) * units.amu, [Spring(first, 5.0, 2.0), Spring(3.0, 2.0, 0.5)]
    )
    q = zone_points(crystal.lattice, (5,))
    on = per_phonon(electrons, EveryMode(phonons, q, mesh=(5,)))
    off = per_phonon(electrons, EveryMode(phonons, q))
    assert np.max(np.abs(off.value)) > 0.0
    np.testing.assert_allclose(on.value, off.value, atol=1e-9 * np.max(np.abs(off.value)))


@pytest.mark.parametrize("rtol", [1e-2, 1e-4])
def test_errors_are_honest(rtol):
    crystal, electrons = chain()
    modes = table_of(crystal, reduced(crystal, 0.21))
    cold = ElectronState(fermi_level=0.1, temperature=300.0)
    drive = PhononTable(modes, excess=np.ones((1, 6)))
    rough, fine = (
        per_phonon(electrons, drive, Keldysh(0.02), numerics=Numerics(rtol=r), state=cold) for r in (rtol, 1e-9)
    )
    assert np.all(np.abs(rough.value - fine.value) <= rough.error + fine.error)
    assert np.max(rough.error) <= rtol * np.max(np.abs(rough.value))
