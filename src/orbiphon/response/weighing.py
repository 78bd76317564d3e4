"""Which parts of a sum over bands have any weight at all."""

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

_POINTS = 24
_NOUGHT = 1e-13  # of the largest part


def weighing(sizes: Callable[[Complex[Array, "k dim"]], Float[Array, "k part"]], dim: int) -> list[bool]:
    """Whether each part differs from zero anywhere: being analytic in k, it then does so at random k.

    `sizes` gives the moduli of the parts at the phases exp(-i k a_j) of many wave vectors.
    """
    kappa = np.random.default_rng(1).uniform(size=(_POINTS, dim))
    found = np.max(np.asarray(sizes(jnp.asarray(np.exp(-2j * np.pi * kappa)))), axis=0)
    return (found > _NOUGHT * max(float(np.max(found)), np.finfo(float).tiny)).tolist()
