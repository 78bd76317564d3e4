"""Matrix products of pair tables against the sum over triples of the kernel."""

import jax.numpy as jnp
import numpy as np
import pytest

from orbiphon.response.kernels import conserving
from orbiphon.response.many_bands import pumped_long
from orbiphon.units import k_B


@pytest.mark.parametrize("broadening", [0.001, 0.05, 0.3])
@pytest.mark.parametrize("gaps", [(), ((0, 1, 0.0), (2, 3, 1e-7)), ((0, 1, 1e-5), (0, 2, 3e-4), (3, 4, 0.0))])
def test_pairs_make_up_the_triples(broadening, gaps):
    random, temperature = np.random.default_rng(0), 300.0
    levels = random.normal(size=6)
    for a, b, gap in gaps:
        levels[b] = levels[a] + gap
    strain = random.normal(size=(2, 6, 6)) + 1j * random.normal(size=(2, 6, 6))
    unit = 2 * np.pi * k_B * temperature
    found = pumped_long(jnp.asarray(levels) / unit, jnp.asarray(strain), jnp.asarray(broadening / unit))
    a, b, c = (jnp.asarray(x) for x in np.meshgrid(levels, levels, levels, indexing="ij"))
    kernel = np.asarray(conserving(a, b, c, *map(jnp.asarray, (broadening, 0.0, temperature))))
    for g, m in zip(strain, np.asarray(found) / unit**3, strict=True):
        pumped = np.einsum("bc,ac->abc", g, g.conj()) - np.einsum("cb,ca->abc", g.conj(), g)
        expected = np.einsum("abc,abc->ba", pumped, kernel)
        assert np.max(np.abs(m - expected)) < 1e-9 * np.max(np.abs(expected))


def test_full_bands_give_nothing():
    random, temperature, broadening = np.random.default_rng(1), 300.0, 0.01
    strain = jnp.asarray(random.normal(size=(1, 5, 5)) + 1j * random.normal(size=(1, 5, 5)))
    unit = 2 * np.pi * k_B * temperature
    levels = random.normal(size=5)
    full, half = (
        np.asarray(pumped_long(jnp.asarray(levels - level) / unit, strain, jnp.asarray(broadening / unit))) / unit**3
        for level in (20.0, 0.0)
    )
    assert np.max(np.abs(full)) < 1e-9 and np.max(np.abs(half)) > 1.0
