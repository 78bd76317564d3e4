"""What may be given as an array, how it is converted, and whether it can be looked at or is being traced by JAX."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.core import Tracer
from jaxtyping import Array

from orbiphon._types import Number

ArrayLike = Number | Sequence[Any]
"""A number, an array, or (nested) lists and tuples of numbers."""


def is_concrete(*values: object) -> bool:
    """True if no value (array, number, or tree of them) is being traced by JAX: checks of values are possible."""
    return not any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(values))


def as_real(value: Any) -> Array:
    """The value as a 64-bit real array; the converter of real fields."""
    return jnp.asarray(value, dtype=jnp.float64)


def as_complex(value: Any) -> Array:
    """The value as a 128-bit complex array; the converter of complex fields."""
    return jnp.asarray(value, dtype=jnp.complex128)
