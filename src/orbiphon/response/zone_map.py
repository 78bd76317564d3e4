"""Where in the zone a moment comes from."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Inexact

from orbiphon._checks import check_shape
from orbiphon.errors import InputError
from orbiphon.response.method import AbstractMethod, check_order
from orbiphon.response.problem import Problem
from orbiphon.zone import at_phases


def zone_map(
    problem: Problem, method: AbstractMethod, kappa: Float[np.ndarray, "k dim"]
) -> Inexact[np.ndarray, "k observable"]:
    """Contribution of each wave vector (in reciprocal vectors) to the moments: their mean over the zone is the answer.

    For the first Fermi level and temperature of the problem; complex at first order. Raises `InputError` if the method
    does not have that order, or no such map.
    """
    check_order(problem, method)
    check_shape("kappa", kappa, "k dim", (None, problem.electrons.crystal.lattice.dim))
    prepared = method.prepare(problem)
    if prepared.integrand is None:
        raise InputError(
            f"Method `{method.name}` must make its moments by one zone mean to have a map, but here it does not. "
            "Give it a broadening > 0, and one wave."
        )
    level = float(problem.state.fermi_levels(problem.electrons)[0, 0])
    return np.asarray(at_phases(prepared.integrand(level, 0), jnp.asarray(np.exp(-2j * np.pi * np.asarray(kappa)))))
