"""Symmetrised Hamiltonians: covariance at random k, restored degeneracies, and what must stay as it is."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
import twins

import orbiphon as oph
from orbiphon import models
from orbiphon.crystal import Crystal, Lattice, bonds_within, opposite_cells
from orbiphon.electrons import Basis, SlaterKoster, TightBinding, from_hoppings, tight_binding
from orbiphon.electrons.symmetry import bloch, electron_symmetries
from orbiphon.errors import InputError
from systems import random_crystal


def diamond(moved: int = 0) -> TightBinding:
    """s and p orbitals on the diamond lattice with spin-orbit coupling; the second atom `moved` cells away."""
    vectors = 1.8 * np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]])
    positions = np.array([[0.0, 0, 0], [0.9, 0.9, 0.9] + moved * vectors[0] - moved * vectors[2]]) + 0.17
    crystal = Crystal(Lattice(vectors), positions, ("C", "C"))
    law = SlaterKoster({"ss_sigma": -2.0, "sp_sigma": 1.5, "pp_sigma": 1.4, "pp_pi": -0.7}, length=1.55)
    basis = Basis(((0, "s"), (0, "p"), (1, "s"), (1, "p")), spin=True)
    levels = np.repeat([-2.0, 1.0, 1.0, 1.0] * 2, 2)
    bonds = bonds_within(crystal, 1.6)
    return tight_binding(crystal, basis, law, bonds, onsite=levels, spin_orbit={(0, "p"): 0.3, (1, "p"): 0.3})


MODELS = {  # and the order of the group, time reversal included
    "diamond": (diamond, 96),
    "diamond, an atom in other cells": (lambda: diamond(moved=2), 96),
    "close packed": (lambda: twins.model("hcp"), 48),
    "helix": (lambda: models.helix_p(1.0, -0.3), 12),
    "honeycomb": (lambda: models.honeycomb_p(1.0, -0.3), 24),
    "square": (lambda: models.square_p(t_sigma=-1.9, t_pi=-2.0), 32),
}


NOISE = 1e-3  # eV


@pytest.fixture(params=MODELS, scope="module")
def case(request):
    make, order = MODELS[request.param]
    return make(), order


def noisy(electrons: TightBinding, size: float, seed: int = 0) -> TightBinding:
    """The same with random changes of every element, hermitian, and without gradient."""
    random = np.random.default_rng(seed)
    noise = size * random.normal(size=(2, *electrons.hopping.shape))
    noise = noise[0] + 1j * noise[1]
    opposite = opposite_cells(np.asarray(electrons.cells))
    noise = (noise + noise[opposite].conj().swapaxes(1, 2)) / 2
    hopping = np.asarray(electrons.hopping) + noise
    return from_hoppings(electrons.crystal, electrons.basis, electrons.cells, hopping)


def at(electrons: TightBinding, k: np.ndarray) -> np.ndarray:
    return bloch(electrons, np.asarray(electrons.hopping), k)


def broken(electrons: TightBinding, group) -> float:
    """The largest element of g H(k) g^-1 - H(gk), at random k."""
    k = np.random.default_rng(3).normal(size=(3, 3))
    return max(
        float(np.max(np.abs(g.image(electrons.basis, at(electrons, k)) - at(electrons, g.turned(k))))) for g in group
    )


def test_what_is_symmetric_stays_as_it_is(case):
    electrons, order = case
    found = oph.symmetrized(electrons)
    assert len(found.group) == order and found.largest < 1e-13 and found.rms < 1e-13
    assert np.array_equal(found.electrons.cells, electrons.cells)
    assert found.electrons.sectors == electrons.sectors
    off = np.abs(np.asarray(found.electrons.hopping_gradient) - np.asarray(electrons.hopping_gradient))
    assert np.max(off) < 1e-12 and np.max(np.abs(np.asarray(electrons.hopping_gradient))) > 0.1


def test_noise_becomes_symmetric(case):
    electrons, order = case
    rough = noisy(electrons, NOISE)
    exact = electron_symmetries(electrons, kinds=electrons.crystal.species).kept
    found = oph.symmetrized(rough)
    assert broken(rough, exact) > NOISE and len(electron_symmetries(rough).kept) == 1
    assert len(found.group) == order and broken(found.electrons, exact) < 1e-12
    assert len(electron_symmetries(found.electrons, kinds=electrons.crystal.species).kept) == order
    again = oph.symmetrized(found.electrons)
    assert again.largest < 1e-13 and len(again.electrons.cells) == len(found.electrons.cells)
    # a mean of images is nearer to what is symmetric than what it is made from
    k = np.random.default_rng(5).normal(size=(40, 3))
    assert np.linalg.norm(at(found.electrons, k) - at(electrons, k)) < np.linalg.norm(at(rough, k) - at(electrons, k))


def test_the_correction_is_that_of_the_bands(case):
    rough = noisy(case[0], NOISE)
    found = oph.symmetrized(rough)
    lattice, n = rough.crystal.lattice, 12
    kappa = np.stack(np.meshgrid(*[np.arange(n) / n] * lattice.dim, indexing="ij"), axis=-1).reshape(-1, lattice.dim)
    k = np.asarray(lattice.k_from_reduced(jnp.asarray(kappa)))
    change = at(found.electrons, k) - at(rough, k)
    assert np.sqrt(np.mean(np.sum(np.abs(change) ** 2, axis=(1, 2))) / rough.size) == pytest.approx(found.rms, rel=1e-9)
    moved = np.asarray(oph.bands(found.electrons, jnp.asarray(k)) - oph.bands(rough, jnp.asarray(k)))
    assert 0.0 < np.sqrt(np.mean(moved**2)) <= found.rms  # Hoffman and Wielandt
    assert found.largest <= found.rms * np.sqrt(rough.size)


def levels_at(electrons, kappa):
    k = electrons.crystal.lattice.k_from_reduced(jnp.asarray([kappa]))
    return np.asarray(oph.bands(electrons, k))[0]


def degeneracies(levels, within=1e-10):
    return np.diff([0, *np.flatnonzero(np.diff(levels) > within) + 1, len(levels)]).tolist()


def test_degeneracies_come_back():
    electrons = diamond()
    rough, made = noisy(electrons, NOISE), oph.symmetrized(noisy(electrons, NOISE)).electrons
    gamma, x = (0.0, 0.0, 0.0), (0.5, 0.5, 0.0)
    assert degeneracies(levels_at(rough, gamma)) == [1] * 16
    assert sorted(degeneracies(levels_at(made, gamma))) == [2, 2, 2, 2, 4, 4]  # s, s, p_1/2, p_1/2, p_3/2, p_3/2
    assert degeneracies(levels_at(made, x)) == [4, 4, 4, 4]  # bands stick together: glide planes
    # sticking together on the whole face of the zone, by the screw axis and time reversal, without spin
    made = oph.symmetrized(noisy(twins.model("hcp"), NOISE)).electrons
    assert degeneracies(levels_at(made, (0.17, 0.05, 0.5))) == [2, 2, 2, 2]


def test_a_magnet_keeps_the_operations_that_come_with_time_reversal():
    electrons = diamond()
    spin = np.asarray(oph.observable(electrons.basis, "Sz").matrix)
    home = int(np.argmin(np.linalg.norm(np.asarray(electrons.cells), axis=1)))
    magnet = eqx.tree_at(lambda e: e.hopping, electrons, electrons.hopping.at[home].add(jnp.asarray(0.8 * spin)))
    found = oph.symmetrized(noisy(magnet, 1e-3))
    unitary = [g for g in found.group if not g.time_reversal]
    assert (len(found.group), len(unitary), found.point_group) == (16, 8, "4/m")
    assert found.broken is not None and broken(found.electrons, found.group) < 1e-12
    moment = levels_at(found.electrons, (0.0, 0.0, 0.0))
    assert np.min(np.diff(moment)) > 1e-3  # no Kramers pairs


def test_no_symmetry_is_the_identity_alone():
    electrons = random_crystal(3, dim=3, sites=2)
    found = oph.symmetrized(electrons, within=1e-6)
    assert found.largest < 1e-13 and len(found.group) in (1, 2)


def test_what_forms_no_group_is_refused():
    electrons, rough = MODELS["square"][0](), noisy(MODELS["square"][0](), 0.05)
    off = sorted(
        np.max(np.abs(g.image(rough.basis, at(rough, k)) - at(rough, g.turned(k))))
        for g in electron_symmetries(electrons).kept
        for k in [np.random.default_rng(4).normal(size=(2, 3)) / 5.0]
    )
    spread = np.max(np.abs(at(rough, np.zeros((1, 3)))))
    with pytest.raises(InputError, match=r"`within` must part symmetries .* form no group"):
        for cut in np.linspace(off[1], off[-1], 30):
            oph.symmetrized(rough, within=float(cut / spread))
    with pytest.raises(InputError, match="within"):
        oph.symmetrized(electrons, within=0.0)
