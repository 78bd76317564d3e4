"""Any function of the wave vector as an integrand."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array

from orbiphon.zone import AbstractIntegrand


class Function(AbstractIntegrand):
    """Any function of k.a_1, ... with parameters."""

    parameters: Array
    of: object = eqx.field(static=True)

    def prepare(self, phases):
        return -jnp.angle(phases)

    def respond(self, prepared):
        return jnp.atleast_1d(self.of(prepared, self.parameters))


def function(of, *parameters):
    return Function(jnp.asarray(parameters, dtype=jnp.float64), of)
