"""Moments of cells of energies: against digammas of SciPy, against tables of pairs, and against values k by k."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import digamma

from orbiphon.response.energy_cells import CLOSE, ORDER, EnergyCells
from orbiphon.response.energy_moments import energy_moments
from orbiphon.response.many_bands import pair_tables, pair_weights
from orbiphon.response.scan import many_bands
from orbiphon.units import k_B
from orbiphon.zone import at_phases
from systems import random_crystal

STATES = np.array([[0.1, 50.0], [1.3, 500.0], [-0.5, 300.0]])
BROADENING = 0.05


def random_matrices(random, *shape):
    return random.normal(size=shape) + 1j * random.normal(size=shape)


def test_series_of_the_cells_are_digammas():
    cells, random = EnergyCells(STATES, BROADENING, 30.0), np.random.default_rng(0)
    energies = jnp.asarray(np.concatenate([random.uniform(-30, 30, 300), random.uniform(-1, 2, 300)]))
    cell = cells.find(energies)
    middle = cells.middle(cell)
    distance = cells.distance(middle)
    own = np.asarray((energies - middle) / distance)
    assert np.max(np.abs(own)) < 0.8 * CLOSE and 0 <= np.min(cell) and np.max(cell) < cells.count - 1
    series = cells.series(STATES, BROADENING, np.asarray(cell))  # (n state energy)
    for t in (own, np.full(len(own), CLOSE)):
        found = np.einsum("nse,ne->se", series, t ** np.arange(ORDER + 1)[:, None])
        x = np.asarray(middle + distance * t) - STATES[:, :1]
        expected = digamma(0.5 + (BROADENING + 1j * x) / (2 * np.pi * k_B * STATES[:, 1:]))
        assert np.max(np.abs(found - expected)) < 3e-10


@pytest.mark.parametrize("size", [1, 2, 5, 6])
def test_moments_make_up_the_tables_of_pairs(size):
    random, count = np.random.default_rng(size), 12
    levels = np.sort(2.0 * random.normal(size=(count, size)), axis=1)
    levels[1:4] *= np.array([[0.01], [0.05], [0.2]])  # many in a cell
    if size > 2:
        levels[4, 1], levels[5, 2], levels[6, 1] = levels[4, 0], levels[5, 1] + 1e-4, levels[6, 0] + 1e-6
        levels[7] = levels[7, 0]
    strain, moment = random_matrices(random, count, 2, size, size), random_matrices(random, count, 3, size, size)
    moment = moment + moment.conj().swapaxes(-1, -2)
    broadening, coldest = jnp.asarray(BROADENING), jnp.asarray(np.min(STATES[:, 1]))
    e = jnp.asarray(levels)
    weights = jax.vmap(lambda e, g, o: pair_weights(e, g, o, broadening, coldest))(
        e, jnp.asarray(strain), jnp.asarray(moment)
    )
    cells = EnergyCells(STATES, BROADENING, 12.0)
    series = cells.series(STATES, BROADENING, np.arange(cells.count))
    series = np.stack([series.real, series.imag])
    tables = [jax.vmap(lambda e, s=s: pair_tables(e, broadening, *jnp.asarray(s)))(e) for s in STATES]
    expected = np.stack([np.einsum("kpoxbc,kxbc->kpo", weights, table) for table in tables])
    collect = jax.jit(energy_moments)
    for k in range(count):
        rows = jnp.moveaxis(weights[k : k + 1].reshape(1, -1, 4, size, size), 0, -1)
        moments = collect(cells, e[k][:, None], rows, broadening)
        found = np.einsum("jnpc,pnsj->sc", moments, series)
        allowed = 1e-9 * np.max(np.abs(expected[:, k])) + 1e-12 * np.max(np.abs(expected))
        assert np.max(np.abs(found - expected[:, k].reshape(len(STATES), -1))) <= allowed, k


def test_block_sums_are_the_sums_of_the_values_of_all_states():
    electrons, random = random_crystal(2, dim=3, spin=True), np.random.default_rng(5)
    n, cells = electrons.size, electrons.hopping.shape[0]
    strain, moment = random_matrices(random, 2, cells, n, n), random_matrices(random, 2, n, n)
    form = many_bands(
        electrons, jnp.asarray(strain), jnp.asarray(moment + moment.conj().swapaxes(1, 2)), BROADENING, STATES
    )
    phases, weight = np.exp(2j * np.pi * random.uniform(size=(3, 40))), random.uniform(size=40)
    values = np.asarray(at_phases(form, jnp.asarray(phases.T)))
    found, scale = form.finished(np.asarray(form.block_sums(jnp.asarray(phases), jnp.asarray(weight))))
    assert np.max(np.abs(found - weight @ values)) < 1e-9 * np.max(np.abs(weight @ values))
    assert np.all(scale >= np.abs(found))
