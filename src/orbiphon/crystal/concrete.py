"""Whether arrays hold numbers that can be looked at, or stand for numbers inside a traced function."""

import jax
import jax.numpy as jnp
from jaxtyping import Array


def is_concrete(*values: object) -> bool:
    """True if no value (array, number, or tree of them) is being traced by JAX: checks of values are possible."""
    return not any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(values))


def as_real(value: object) -> Array:
    """The value as a 64-bit real array; the converter of real fields."""
    return jnp.asarray(value, dtype=jnp.float64)


def as_complex(value: object) -> Array:
    """The value as a 128-bit complex array; the converter of complex fields."""
    return jnp.asarray(value, dtype=jnp.complex128)
