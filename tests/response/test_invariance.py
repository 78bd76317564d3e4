"""What no method may depend on, and what must vanish, wave vector by wave vector in the crystals of tests/cases.py."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

import dense
from cases import folded, rotated_orbitals
from orbiphon.electrons import observable
from orbiphon.phonons import circular_polarisation
from orbiphon.response import Adiabatic, Berry, Floquet, Keldysh, Kubo, Motion, Numerics, Perturbation, Published, solve
from orbiphon.zone import at_phases
from pointwise import (
    CASES,
    GAMMA,
    HALVES,
    MASS,
    OMEGA,
    asked,
    at,
    distance,
    fermi_level,
    limit,
    phases,
    quick_compilation as quick_compilation,
    summed,
    wave_vectors,
)

every_crystal = pytest.mark.parametrize("name", CASES)
Q, U = 0.4, 0.1
ROADS = {  # method and order; a wave of amplitude U for the first order and for Floquet
    "adiabatic": (Adiabatic(GAMMA), 2),
    "berry": (Berry(), 2),
    "keldysh": (Keldysh(GAMMA), 2),
    "perturbation": (Perturbation(), 2),
    "kubo": (Kubo(GAMMA), 1),
    "floquet": (Floquet(GAMMA, 1), 2),
    "floquet, first order": (Floquet(GAMMA, 1), 1),
}
every_road = pytest.mark.parametrize("road", ROADS)


def taken(road, case, kappa, **changes):
    """The contribution of each wave vector by this road."""
    method, order = ROADS[road]
    amplitude = U if order == 1 or isinstance(method, (Floquet, Motion)) else None
    return at(method, kappa, asked(case, Q, OMEGA, order, amplitude=amplitude, **changes))


def couplings(case, kappa):
    """The largest norms of a vertex of unit amplitude and of an observable."""
    n = np.array(case.direction) / np.linalg.norm(case.direction)
    e = np.asarray(circular_polarisation(case.direction, 1))
    ks = kappa @ np.asarray(case.electrons.crystal.lattice.reciprocal)
    vertices = [dense.vertex(case.electrons, k + shift * Q * n, Q * n, e) for k in ks for shift in (-1, -0.5, 0)]
    observables = [np.asarray(o.matrix) for o in case.observables]
    return (np.max(np.linalg.norm(matrices, axis=(1, 2))) for matrices in (vertices, observables))


@every_crystal
@every_road
@pytest.mark.parametrize("far", [-300.0, 300.0])
def test_full_and_empty_bands_give_nothing(name, road, far):
    # What is left are Lorentzian tails: Gamma/pi times the integral of products of 1/e beyond the Fermi level, 1/X^2
    # at first order (two Green's functions) and 1/X^3 at second (three); none without broadening.
    case, kappa, (method, order) = CASES[name], wave_vectors(name), ROADS[road]
    metal = np.max(np.abs(taken(road, case, kappa, level=fermi_level(name))))
    rest = np.max(np.abs(np.sum(taken(road, case, kappa, level=far), axis=0)))
    g, o = couplings(case, kappa)
    quanta = U**2 if road == "floquet" else 1 / (MASS * OMEGA)
    strength = g * U if order == 1 else g**2 * quanta
    tail = method.broadening / abs(far) ** (order + 1) * o * strength * len(kappa)
    assert rest <= 10 * tail + 2e-9 * metal
    assert rest < 1e-3 * metal


@pytest.mark.parametrize("name", [name for name in CASES if name != "square lattice"])
@every_road
def test_bases_and_reciprocal_vectors_do_not_matter(name, road):
    case, kappa, level = CASES[name], wave_vectors(name), fermi_level(name)
    plain = taken(road, case, kappa, level=level)
    rotated = taken(road, rotated_orbitals(9, case), kappa, level=level)
    steps = np.random.default_rng(2).integers(-2, 3, kappa.shape)
    assert distance(rotated, plain) < 1e-10
    assert distance(taken(road, case, kappa + steps, level=level), plain) < 1e-10


@every_road
def test_two_cells_in_one_do_not_matter(road):
    name = "two orbitals, chain"
    case, kappa, level = CASES[name], wave_vectors(name), fermi_level(name)
    parts = [taken(road, case, kappa + shift, level=level) for shift in (0.0, 0.5)]
    whole = taken(road, folded(case), 2 * kappa, level=level)
    assert distance(whole, sum(parts)) < 1e-10


def test_blocks_do_not_matter():
    name = "two orbitals, chain"
    problem = asked(CASES[name], Q, OMEGA, level=fermi_level(name))
    answers = [solve(problem, Keldysh(GAMMA), Numerics(rtol=1e-3, block=block)) for block in (5, 64)]
    assert distance(answers[0].value, answers[1].value) < 1e-13
    assert np.array_equal(answers[0].points, answers[1].points)


MIRRORED = {**ROADS, "published": (Published(GAMMA), 2), "motion": (Motion(GAMMA), 2)}


@pytest.mark.parametrize("road", MIRRORED)
def test_the_mirror_of_a_lattice_turns_the_wave_and_the_moment(road, monkeypatch):
    # z -> -z turns L_x and L_y, not L_z, and exchanges the circular waves along x
    monkeypatch.setitem(ROADS, road, MIRRORED[road])
    square, order = CASES["square lattice"], MIRRORED[road][1]
    names = ("Lx", "Ly") if order == 2 else ("Ly", "Lz")
    measured = tuple(observable(square.electrons.basis, name) for name in names)
    case, kappa = square._replace(observables=measured), wave_vectors("square lattice")
    level = fermi_level("square lattice")
    right, left = (np.sum(taken(road, case, kappa, level=level, chirality=chirality), axis=0) for chirality in (1, -1))
    signs = np.array([-1, -1]) if order == 2 else np.array([-1, 1])
    size = np.max(np.abs(taken(road, case, kappa, level=level)))
    assert np.max(np.abs(right)) > 1e-9 * size
    assert np.max(np.abs(left - signs * right)) < 1e-12 * size + 1e-14  # of density matrices of order 1


def real_and_imaginary(case, kappa, omega, direction, level, ellipticity=1.0, gamma=GAMMA):
    """The parts of the moment with Re K and Im K at each wave vector, (part, k, observable).

    K(b, a, c) = K(a, b, c)*, so that Tr O M with K* for K is Tr O* M between conjugate vertices: at -k, all matrices in
    real space conjugate.
    """
    problem = asked(case, Q, omega, level=level, direction=direction, amplitude=1.0, ellipticity=ellipticity)
    plain = Keldysh(gamma).prepare(problem).integrand(level, 0)
    names = ("vertex", "observables", "half")
    conjugate = eqx.tree_at(
        lambda x: (x.electrons.hopping, *(getattr(x, name) for name in names)),
        plain,
        tuple(jnp.conj(x) for x in (plain.electrons.hopping, *(getattr(plain, name) for name in names))),
    )
    one, other = (np.asarray(at_phases(x, phases(k))) for x, k in ((plain, kappa), (conjugate, -kappa)))
    return np.stack([one + other, one - other]) / 2


@every_crystal
def test_dispersion_is_odd_and_absorption_even_in_the_wave_vector(name):
    """(q, e) -> (-q, e*): the direction reversed at the same sense about it."""
    case, kappa, level = CASES[name], wave_vectors(name), fermi_level(name)
    back = tuple(-x for x in case.direction)
    there, here = (real_and_imaginary(case, kappa, OMEGA, direction, level) for direction in (case.direction, back))
    size = np.max(np.abs(there))
    sums, back_sums = np.sum(there, axis=1), np.sum(here, axis=1)
    assert np.max(np.abs(back_sums - np.array([[-1], [1]]) * sums)) < 1e-10 * size
    assert np.max(np.abs(sums[0])) > 1e-6 * size
    if name != "square lattice":  # where the mirror forbids it
        absorbed = [np.sum(real_and_imaginary(case, kappa, w, back, level)[1], axis=0) for w in OMEGA / 8 * HALVES[:4]]
        slopes = -np.diff(np.log2(np.max(np.abs(absorbed), axis=1)))
        assert abs(limit(slopes) / 2 - 1) < 0.05  # of a wave; of a quantum, U^2 ~ 1/omega, one power less


@every_crystal
def test_linear_waves(name):
    """m_q = -m_-q but for absorption: no q^2, and nothing with inversion; no absorption if a mirror forbids it."""
    case, kappa, level = CASES[name], wave_vectors(name), fermi_level(name)
    directions = case.direction, tuple(-x for x in case.direction)
    circular, linear = (
        summed(Adiabatic(GAMMA), kappa, asked(case, Q, OMEGA, level=level, amplitude=1.0, ellipticity=ellipticity))
        for ellipticity in (1.0, 0.0)
    )
    assert np.max(np.abs(linear)) < 1e-10 * np.max(np.abs(circular))

    size = np.max(np.abs(real_and_imaginary(case, kappa, OMEGA, case.direction, level)))
    there, back = (
        np.sum(real_and_imaginary(case, kappa, OMEGA, direction, level, ellipticity=0.0), axis=1)
        for direction in directions
    )
    assert np.max(np.abs(back - np.array([[-1], [1]]) * there)) < 1e-10 * size
    dispersion, absorption = np.max(np.abs(there), axis=1)
    with_inversion, with_mirror = name in ("square lattice", "spin doublets, sheet"), name == "square lattice"
    assert dispersion < 1e-10 * size if with_inversion else dispersion > 1e-4 * size
    assert absorption < 1e-10 * size if with_mirror else absorption > 1e-4 * size
