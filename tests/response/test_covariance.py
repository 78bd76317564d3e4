"""Selection rules against what the methods compute.

An operation g that electrons, coupling and drive obey maps the contribution of each wave vector to that of another:
F[O](k) = chi F[g O g^-1](g k). With L_x, L_y, L_z of each site this is a statement on every operation by itself, and
all selection rules follow from it. What they forbid is also computed, as a mean over the zone.
"""

import numpy as np
import pytest

import orbiphon as oph
from lattices import helix, helix_springs, honeycomb, honeycomb_electrons, honeycomb_springs
from orbiphon import models
from orbiphon.electrons import SlaterKoster, tight_binding
from orbiphon.electrons.operators import of_site
from orbiphon.phonons import Spring, spring_model
from orbiphon.response import (
    Adiabatic,
    Berry,
    Floquet,
    Keldysh,
    Kubo,
    Numerics,
    Perturbation,
    selection_rules,
    solve,
    zone_map,
)
from orbiphon.response.kernels import conserving
from orbiphon.response.little_group import finite_waves
from orbiphon.response.long_wave import Folding, long_wave
from pointwise import optimised, quick_compilation as quick_compilation
from systems import random_crystal

GAMMA = 0.3


def wave(direction, ellipticity=1.0):
    branch = oph.AcousticBranch(speed=0.5, mass=1.3, direction=direction)
    return oph.CoherentWave(branch, amplitude=0.1, q=0.4, ellipticity=ellipticity)


def asked(electrons, drive, order=2):
    """With L_x, L_y, L_z of every site as observables."""
    basis = electrons.basis
    measured = [
        of_site(basis, oph.observable(basis, name), site)
        for site in sorted(set(basis.site_of))
        for name in ("Lx", "Ly", "Lz")
    ]
    state = oph.ElectronState(fermi_level=-0.3, temperature=2000.0)
    return oph.Problem(electrons, drive, state, observables=measured, order=order)


def helix_waves(mode):
    crystal = helix()
    basis = oph.Basis(tuple((site, "p") for site in range(3)))
    electrons = tight_binding(crystal, basis, SlaterKoster({"pp_sigma": 1.0, "pp_pi": -0.3}, 2.6), 3.0)
    return electrons, oph.CoherentMode(helix_springs(crystal), q=[0.0, 0.0, 0.5], mode=mode, quanta=1.0)


def corner_waves():
    """An optical mode at K, alone at its frequency: three of its six operations bring reciprocal vectors."""
    crystal = honeycomb(("B", "N"))
    b = np.asarray(crystal.lattice.reciprocal)
    q = (b[0] + 2.0 * b[1]) / 3.0
    springs = honeycomb_springs(crystal)
    alone = [mode for mode in range(6) if len(springs.modes(q).level_of(mode)) == 1]
    return honeycomb_electrons(crystal), oph.CoherentMode(springs, q=q, mode=alone[-1], quanta=1.0)


CUBIC = models.cubic_p(-1.0, 0.3, spin_orbit=0.4)
CASES = {  # electrons and drive, method, order; operations kept, so that none is lost
    "cubic, long circular along [111]": ((models.cubic_p(-1.0, 0.3), wave((1, 1, 1))), Adiabatic(GAMMA), 2, 12),
    "cubic, long elliptical along [110]": ((CUBIC, wave((1, 1, 0), 0.5)), Berry(), 2, 8),
    "cubic, circular along [111]": ((CUBIC, wave((1, 1, 1))), Keldysh(GAMMA), 2, 3),
    "cubic, circular along [111], no absorption": ((CUBIC, wave((1, 1, 1))), Perturbation(), 2, 6),
    "cubic, circular along [111], first order": ((CUBIC, wave((1, 1, 1))), Kubo(GAMMA), 1, 3),
    "helix, longitudinal": (helix_waves(8), Keldysh(GAMMA), 2, 3),
    "helix, circular, first order": (helix_waves(0), Kubo(GAMMA), 1, 3),
    "helix, longitudinal, low frequency": (helix_waves(8), Berry(), 2, 6),
    "corner of the zone": (corner_waves(), Keldysh(GAMMA), 2, 6),
    "corner of the zone, first order": (corner_waves(), Kubo(GAMMA), 1, 6),
    "corner of the zone, any amplitude": (corner_waves(), Floquet(GAMMA, 1), 1, 6),
}


@pytest.mark.parametrize("name", CASES)
def test_every_operation_maps_the_zone_onto_itself(name):
    system, method, order, count = CASES[name]
    problem = asked(*system, order)
    electrons, rules = problem.electrons, selection_rules(problem, method)
    assert len(rules.kept) == count
    matrices = np.stack([np.asarray(o.matrix) for o in problem.observables])
    lattice, waves = electrons.crystal.lattice, finite_waves(problem)
    kappa = np.random.default_rng(6).uniform(size=(3, lattice.dim))
    k, vectors = kappa @ np.asarray(lattice.reciprocal), np.asarray(lattice.vectors)
    # at second order k lies half-way between the states, k + q/2 and k - q/2
    half = [waves.reciprocal(g) / 2 if isinstance(method, Keldysh) else np.zeros(3) for g in rules.kept]
    turned = np.concatenate(
        [(g.turned(k) + h) @ vectors.T / (2 * np.pi) for g, h in zip(rules.kept, half, strict=True)]
    )
    here, *there = zone_map(problem, method, np.concatenate([kappa, turned])).reshape(1 + count, 3, -1)
    norm = np.einsum("aij,aji->a", matrices, matrices)
    for g, chi, twist, image in zip(rules.kept, rules.characters, rules.twists, there, strict=True):
        # g L_a g^-1 = sum_b M_ab L_b; with a wave, each site has its phase
        onto = np.einsum("aij,bji->ab", twist[None, :, None] * g.image(electrons.basis, matrices), matrices) / norm
        assert np.allclose(np.abs(np.linalg.det(onto)), 1.0)
        assert np.max(np.abs(chi * image @ onto.T - here)) < 1e-9 * np.max(np.abs(here))
    assert np.max(np.abs(here)) > 1e-9


def test_time_reversal_holds_without_absorption_only():
    # inversion and time reversal together leave a linear wave alone, and turn L
    problem = asked(CUBIC, wave((1, 1, 1), 0.0))
    kappa = np.random.default_rng(7).uniform(size=(40, 3))
    dark, bright = (np.abs(zone_map(problem, method, kappa)).max() for method in (Perturbation(), Keldysh(GAMMA)))
    circular = np.abs(zone_map(asked(CUBIC, wave((1, 1, 1))), Keldysh(GAMMA), kappa)).max()
    assert dark < 1e-9 * circular and bright > 1e-3 * circular
    assert all(selection_rules(problem, Perturbation()).forbidden)
    assert not all(selection_rules(problem, Keldysh(GAMMA)).forbidden)


def test_a_long_linear_wave_creates_nothing_in_any_crystal():
    electrons = random_crystal(1, dim=2, sites=2)
    linear, circular = (asked(electrons, wave((1, 0.3, 0.2), ellipticity)) for ellipticity in (0.0, 1.0))
    kappa = np.random.default_rng(8).uniform(size=(20, 2))
    nothing, something = (np.max(np.abs(zone_map(one, Adiabatic(GAMMA), kappa))) for one in (linear, circular))
    assert nothing < 1e-12 * something
    assert all(selection_rules(linear, Adiabatic(GAMMA)).forbidden)
    assert not any(selection_rules(circular, Adiabatic(GAMMA)).forbidden[3:])  # atom 0 has an s orbital alone


def test_slow_waves_and_their_reverse_make_up_for_each_other_in_any_crystal():
    # (q, u) and (-q, u*): time reversal, which holds for slow waves, and fails where they are absorbed
    electrons = random_crystal(1, dim=1, sites=2)
    q = 0.3 * np.asarray(electrons.crystal.lattice.reciprocal)
    period, apart = np.asarray(electrons.crystal.lattice.vectors)[0], np.diff(electrons.crystal.positions, axis=0)[0]
    lengths = [float(np.linalg.norm(x)) for x in (period, apart, apart - period)]
    springs = spring_model(electrons.crystal, [1.0, 1.7], [Spring(x, 20.0 / x, 5.0) for x in lengths])
    kappa, sizes = np.random.default_rng(9).uniform(size=(4, 1)), {}
    both = asked(electrons, oph.EveryMode(springs, np.concatenate([q, -q])))
    for method in (Adiabatic(GAMMA), Keldysh(GAMMA)):
        there, back = (
            zone_map(asked(electrons, oph.OneMode(springs, q=wave, mode=4)), method, np.concatenate([kappa, -kappa]))
            for wave in (q[0], -q[0])
        )
        paired = np.sum((there + back).reshape(2, 4, -1), axis=0)
        sizes[method.name] = np.max(np.abs(paired)) / np.max(np.abs(there))
        assert all(selection_rules(both, method).forbidden[3:]) == (method.name == "adiabatic")
    assert sizes["adiabatic"] < 1e-9 and sizes["keldysh"] > 1e-3


@pytest.mark.parametrize(("ellipticity", "forbidden"), [(1.0, (True, False)), (0.0, (True, True))])
def test_forbidden_moments_are_below_their_error_and_others_are_not(ellipticity, forbidden):
    # along a bond of a honeycomb; no mesh has its mirror, which forbids L_z of a linear wave
    electrons = models.honeycomb_p(1.5, -0.5, stagger=0.6)
    basis = electrons.basis
    state = oph.ElectronState(fermi_level=-0.8, temperature=3000.0)
    drive = wave("y", ellipticity)
    # circular about y: C2 leaves L_y only
    names = ("Lx", "Ly") if ellipticity else ("Lx", "Lz")
    problem = oph.Problem(electrons, drive, state, observables=[oph.observable(basis, name) for name in names])
    numerics = Numerics(rtol=3e-2, max_points=100_000)
    raw = Keldysh(GAMMA).prepare(problem).moments(-0.8, 0, numerics)
    answer = solve(problem, Keldysh(GAMMA), numerics)
    assert answer.forbidden == forbidden and np.all(answer.converged)
    for value, error, zero in zip(raw.value, raw.error, forbidden, strict=True):
        assert abs(value) <= error + 1e-18 if zero else abs(value) > 10 * error
    shown = str(answer).splitlines()[-2:]
    assert [line.endswith("zero by symmetry") for line in shown] == list(forbidden)
    assert np.all(np.abs(answer.value[0, 0])[list(forbidden)] <= answer.error[0, 0][list(forbidden)])
    data = oph.study.to_xarray(answer)
    assert data.zero_by_symmetry.values.tolist() == list(forbidden)


def test_folding_the_zone_does_not_change_a_moment():
    # p orbitals on a face-centred lattice: no mirror is one of the mesh; C4h about the wave is
    vectors = 2.0 * np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
    crystal = oph.Crystal(oph.Lattice(vectors), np.zeros((1, 3)), ("X",))
    law = SlaterKoster({"pp_sigma": 0.5, "pp_pi": -0.1}, length=2.83)
    electrons = tight_binding(crystal, oph.Basis(((0, "p"),)), law, 2.9)
    drive = oph.OnePhonon(oph.AcousticBranch(speed=0.5, mass=1.3, direction="z"), q=0.01)
    state = oph.ElectronState(fermi_level=-0.8, temperature=9000.0)
    problem = oph.Problem(electrons, drive, state, observables=("Lz", "Lx"))
    waves, numerics = long_wave(problem, conserving), Numerics(rtol=1e-2)
    folding = waves.folding()
    assert len(folding.operations) >= 8 and not any(folding.mirrors)
    unfolded = waves._replace(folding=lambda: Folding(waves.template, folding.mirrors, ()))
    with optimised():
        folded, plain = (one.moments(GAMMA, -0.8, 0, numerics) for one in (waves, unfolded))
    assert folded.points < 2 * plain.points / len(folding.operations)
    assert np.all(np.abs(folded.value - plain.value) <= folded.error + plain.error + 1e-18)
    assert np.abs(plain.value[0]) > 30 * plain.error[0]
