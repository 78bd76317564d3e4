"""Weights and tables of pairs against the sum over triples of the kernel."""

import jax.numpy as jnp
import numpy as np
import pytest

from orbiphon.response.kernels import conserving
from orbiphon.response.many_bands import pair_tables, pair_weights
from orbiphon.units import k_B


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
