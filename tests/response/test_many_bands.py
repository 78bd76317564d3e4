"""Weights and tables of pairs against the sum over triples of the kernel."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

from orbiphon.response.kernels import conserving
from orbiphon.response.many_bands import pair_tables, pair_weights
from orbiphon.response.scan import many_bands
from orbiphon.units import k_B
from orbiphon.zone import at_phases
from systems import random_crystal


def random_matrices(random, *shape):
    return random.normal(size=shape) + 1j * random.normal(size=shape)


def moments(levels, strain, moment, broadening, fermi_level, temperature, coldest=None):
    state = [jnp.asarray(x, dtype=float) for x in (broadening, fermi_level, temperature)]
    matrices = jnp.asarray(levels), jnp.asarray(strain), jnp.asarray(moment)
    weights = pair_weights(*matrices, state[0], jnp.asarray(coldest or temperature, dtype=float))
    return np.asarray(jnp.einsum("poxbc,xbc->po", weights, pair_tables(matrices[0], *state)))


@pytest.mark.parametrize("broadening", [0.001, 0.05, 0.3])
@pytest.mark.parametrize("gaps", [(), ((0, 1, 0.0), (2, 3, 1e-7)), ((0, 1, 1e-5), (0, 2, 3e-4), (3, 4, 0.0))])
def test_pairs_make_up_the_triples(broadening, gaps):
    random, fermi_level, temperature = np.random.default_rng(0), 0.1, 300.0
    levels = random.normal(size=6)
    for a, b, gap in gaps:
        levels[b] = levels[a] + gap
    strain, moment = random_matrices(random, 2, 6, 6), random_matrices(random, 2, 6, 6)
    moment = moment + moment.conj().swapaxes(1, 2)
    a, b, c = (jnp.asarray(x) for x in np.meshgrid(levels, levels, levels, indexing="ij"))
    kernel = np.asarray(conserving(a, b, c, *map(jnp.asarray, (broadening, fermi_level, temperature))))
    for coldest in (temperature, 100.0):
        found = moments(levels, strain, moment, broadening, fermi_level, temperature, coldest)
        for g, row in zip(strain, found, strict=True):
            pumped = np.einsum("bc,ac->abc", g, g.conj()) - np.einsum("cb,ca->abc", g.conj(), g)
            matrix = np.einsum("abc,abc->ba", pumped, kernel)
            expected = np.real(np.einsum("oab,ba->o", moment, matrix))
            assert np.max(np.abs(row - expected)) < 1e-9 * np.max(np.abs(matrix))


def test_full_bands_give_nothing():
    random, broadening = np.random.default_rng(1), 0.01
    levels, strain, moment = random.normal(size=5), random_matrices(random, 1, 5, 5), random_matrices(random, 1, 5, 5)
    moment = moment + moment.conj().swapaxes(1, 2)
    full, half = (moments(levels, strain, moment, broadening, level, 300.0) for level in (20.0, 0.0))
    assert np.max(np.abs(full)) * (2 * np.pi * k_B * 300.0) ** 3 < 1e-9 and np.max(np.abs(half)) > 1.0


def test_the_gauge_of_the_orbitals_is_nobodys_business():
    """A unitary change of orbitals, the same at each k, with observables and strains turned along."""
    electrons, random = random_crystal(2, dim=3, spin=True), np.random.default_rng(5)
    n, cells = electrons.size, electrons.hopping.shape[0]
    turn = jnp.asarray(np.linalg.qr(random_matrices(random, n, n))[0])
    strain, moment = random_matrices(random, 2, cells, n, n), random_matrices(random, 1, n, n)
    states = np.array([[0.1, 500.0], [-0.4, 1000.0]])
    phases = jnp.exp(-2j * np.pi * jnp.asarray(random.uniform(size=(5, 3))).astype(complex))

    def values(u):
        rotated = lambda x: u @ jnp.asarray(x) @ jnp.conj(u).T  # noqa: E731
        turned = eqx.tree_at(lambda e: e.hopping, electrons, rotated(electrons.hopping))
        observables = rotated(moment + moment.conj().swapaxes(1, 2))
        return np.asarray(at_phases(many_bands(turned, rotated(strain), observables, 0.1, states), phases))

    plain = values(jnp.eye(n, dtype=complex))
    assert np.allclose(values(turn), plain, atol=1e-8 * np.max(np.abs(plain)))
    only_h = eqx.tree_at(lambda e: e.hopping, electrons, turn @ electrons.hopping @ jnp.conj(turn).T)
    form = many_bands(only_h, jnp.asarray(strain), jnp.asarray(moment + moment.conj().swapaxes(1, 2)), 0.1, states)
    assert not np.allclose(np.asarray(at_phases(form, phases)), plain, rtol=1e-2)
