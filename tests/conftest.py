"""A strict session: 64 bit, no silent promotion of dtype or rank. The hook in pyproject.toml checks the shapes."""

import gc
import itertools
from pathlib import Path

import jax
import pytest

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")

_TESTS, _EVERY, _MOST_MAPS = itertools.count(), 8, 30_000
_MAPS = Path("/proc/self/maps")


@pytest.fixture(autouse=True)
def few_compiled_programs():
    """Every compiled program takes memory maps, of which Linux allows a process 65530; beyond them XLA crashes."""
    if next(_TESTS) % _EVERY == 0 and _MAPS.exists() and _MAPS.read_bytes().count(b"\n") > _MOST_MAPS:
        jax.clear_caches()
        gc.collect()
