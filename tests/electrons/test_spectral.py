"""Density of states by orbital, and orbital weights: closed forms, counts, and independence of choices."""

import jax.numpy as jnp
import numpy as np
import pytest
import twins
from scipy.integrate import quad
from scipy.special import ellipk

import orbiphon as oph
from orbiphon import models
from orbiphon.crystal import bonds_within
from orbiphon.electrons import OrbitalGroups, characters, orbital_groups, tight_binding
from orbiphon.electrons.bands import eigensystem
from orbiphon.errors import InputError
from orbiphon.models.lattices import hypercubic

T, SIGMA = -0.8, 0.15


def s_band(dim):
    crystal = hypercubic(3.0, dim)
    law = oph.SlaterKoster({"ss_sigma": T}, length=3.0)
    return tight_binding(crystal, oph.Basis(((0, "s"),)), law, bonds_within(crystal, 3.1))


def smeared(density, energy, ends, kinks=()):
    def integrand(x):
        return density(x) * np.exp(-((x - energy) ** 2) / (2 * SIGMA**2)) / (np.sqrt(2 * np.pi) * SIGMA)

    points = [energy - 3 * SIGMA, energy, energy + 3 * SIGMA, *kinks]
    inside = sorted({x for x in points if ends[0] < x < ends[1]})
    return quad(integrand, *ends, points=inside, limit=400)[0]


@pytest.mark.parametrize("energy", [0.0, 0.7, -1.5, 1.6])
def test_a_chain_has_the_density_of_states_of_the_book(energy):
    width = 2 * abs(T)
    found = oph.spectral_density(s_band(1), [energy], SIGMA, rtol=1e-5)
    # sqrt singularities: in terms of the phase, E = width sin(phi), D dE = dphi/pi
    expected = quad(
        lambda phi: np.exp(-((width * np.sin(phi) - energy) ** 2) / (2 * SIGMA**2)) / (np.sqrt(2 * np.pi) * SIGMA),
        -np.pi / 2,
        np.pi / 2,
    )[0]
    assert found.converged and found.total[0] == pytest.approx(expected / np.pi, rel=1e-4)
    if abs(energy) < 1:  # and where the Gaussian sees no edge: 1/(pi sqrt(4 t^2 - E^2)), to second order in the width
        there = 1 / (np.pi * np.sqrt(width**2 - energy**2))
        curvature = there * (width**2 + 2 * energy**2) / (width**2 - energy**2) ** 2
        assert found.total[0] == pytest.approx(there + SIGMA**2 / 2 * curvature, rel=3e-3)


@pytest.mark.parametrize("energy", [0.0, 1.1, -2.9])
def test_a_square_has_the_logarithm_of_van_hove(energy):
    found = oph.spectral_density(s_band(2), [energy], SIGMA, rtol=1e-4)
    width = 4 * abs(T)
    exact = smeared(lambda x: 2 / (np.pi**2 * width) * ellipk(1 - (x / width) ** 2), energy, (-width, width), (0.0,))
    assert abs(found.total[0] - exact) < found.error[0, 0] + 2e-4 * exact


@pytest.mark.parametrize(
    "make",
    [lambda: twins.model("hcp"), lambda: models.cubic_p(1.0, -0.3, spin_orbit=0.4), lambda: models.helix_p(1.0, -0.3)],
)
def test_states_are_counted_once(make):
    electrons = make()
    energies = np.arange(-12.0, 12.0, 0.1)
    found = oph.spectral_density(electrons, energies, 0.25)
    groups = orbital_groups(electrons.crystal, electrons.basis)
    counted = 0.1 * np.sum(found.value, axis=0)  # of a smooth curve: exact to rounding
    assert np.allclose(counted, np.sum(groups.member, axis=0), rtol=1e-9) and found.names == groups.names
    assert np.sum(counted) == pytest.approx(electrons.size)
    # and each orbital's first moment is its level on site: tr_i H
    home = int(np.argmin(np.linalg.norm(np.asarray(electrons.cells), axis=1)))
    level = np.real(np.diag(np.asarray(electrons.hopping)[home])) @ groups.member
    assert np.allclose(0.1 * energies @ found.value, level, atol=20 * 240 * 0.1 * np.max(found.error))
    rough = oph.spectral_density(electrons, energies, 0.25, rtol=0.05)
    assert np.all(np.abs(rough.value - found.value) <= rough.error + found.error + 1e-9)


def test_electrons_below_the_fermi_level_are_the_filling():
    electrons = models.cubic_p(1.0, -0.3, spin_orbit=0.4)
    level = oph.fermi_level_for(electrons, 2.3, 1000.0, rtol=1e-3)
    energies = np.arange(level - 8.0, level, 0.02) + 0.01
    found = oph.spectral_density(electrons, energies, 0.04, rtol=3e-2, max_points=10**4)
    assert 0.02 * np.sum(found.total) == pytest.approx(2.3, rel=5e-3)


def test_the_mesh_is_folded_only_by_what_keeps_the_orbitals():
    """px, py and pz of the square lattice turn into each other: their weights do not have its fourfold axis."""
    electrons = models.square_p(t_sigma=-1.9, t_pi=-0.4)
    found = oph.spectral_density(electrons, [-3.0, -1.0, 0.5], 0.3, rtol=1e-4)
    kappa = np.stack(np.meshgrid(*[(np.arange(120) + 0.3) / 120] * 2, indexing="ij"), -1).reshape(-1, 2)
    k = electrons.crystal.lattice.k_from_reduced(jnp.asarray(kappa))
    energy, vectors = (np.asarray(x) for x in eigensystem(electrons, k))
    peaks = np.exp(-((found.energies[:, None, None] - energy) ** 2) / (2 * 0.3**2)) / (np.sqrt(2 * np.pi) * 0.3)
    expected = np.einsum("ekn,kon->eo", peaks, np.abs(vectors) ** 2) / len(k)
    assert np.allclose(found.value, expected, atol=1e-5) and np.allclose(found.value[:, 0], found.value[:, 1])


def test_weights_add_up_and_do_not_depend_on_the_states_of_a_level():
    electrons = models.cubic_p(1.0, -0.3, spin_orbit=0.4)
    k = jnp.asarray(np.concatenate([np.zeros((1, 3)), np.random.default_rng(0).normal(size=(5, 3))]))
    groups = orbital_groups(electrons.crystal, electrons.basis)
    assert groups.names == ("0:px", "0:py", "0:pz") and np.array_equal(groups.member.sum(axis=1), np.ones(6))
    energy, weight = (np.asarray(x) for x in characters(electrons, k, groups))
    assert np.allclose(weight.sum(axis=2), 1.0) and np.all(weight > -1e-12)
    vectors, random = np.asarray(eigensystem(electrons, k)[1]), np.random.default_rng(1)
    for here in range(len(k)):
        for band in range(6):
            level = np.flatnonzero(np.abs(energy[here] - energy[here, band]) < 1e-6)
            mix, _ = np.linalg.qr(random.normal(size=(level.size,) * 2) + 1j * random.normal(size=(level.size,) * 2))
            turned = vectors[here][:, level] @ mix  # other states of the same level
            expected = np.sum(np.abs(turned) ** 2, axis=1) @ groups.member / level.size
            assert level.size >= 2 and np.allclose(weight[here, band], expected, atol=1e-9)
    assert np.allclose(weight[0], 1 / 3)  # at Gamma p_1/2 and p_3/2 have all three alike


def test_many_orbitals_are_told_apart_by_shells():
    crystal, basis = models.lattices.hypercubic(3.0, 3), oph.Basis(((0, "s"), (0, "p"), (0, "d")), spin=True)
    groups = orbital_groups(crystal, basis)
    assert groups.names == (f"{crystal.species[0]} s", f"{crystal.species[0]} p", f"{crystal.species[0]} d")
    assert groups.member.sum(axis=0).tolist() == [2, 6, 10]
    hcp = twins.model("hcp")
    assert orbital_groups(hcp.crystal, hcp.basis).names == ("0:s", "0:p", "1:s", "1:p")
    own = OrbitalGroups(("all",), np.ones((8, 1)))
    assert oph.spectral_density(hcp, [0.0], 0.9, own, rtol=0.1).value.shape == (1, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"resolution": 0.0}, "`resolution`"), ({"energies": [np.nan]}, "`energies`"), ({"rtol": -1.0}, "`rtol`")],
)
def test_bad_input_is_refused(change, message):
    with pytest.raises(InputError, match=message):
        oph.spectral_density(s_band(1), **({"energies": [0.0], "resolution": 0.1} | change))
