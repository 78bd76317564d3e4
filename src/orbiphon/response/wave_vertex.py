"""The vertex of a wave between Bloch sums. Their phases are counted from the cell (`electrons.bloch`), so that on the
side of k + q an orbital at tau brings exp(i q tau)."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from orbiphon._types import Polarisation, Vector
from orbiphon.electrons import TightBinding
from orbiphon.response.problem import Problem


def plane_wave(angle: Float[Array, "..."]) -> Complex[Array, "..."]:
    """exp(i angle)."""
    return jax.lax.complex(jnp.cos(angle), jnp.sin(angle))


def orbital_phases(electrons: TightBinding, q: Vector) -> Complex[Array, "orbital"]:
    """exp(i q tau)."""
    return plane_wave(electrons.orbital_positions @ q)


def lattice_phases(electrons: TightBinding, q: Vector) -> Complex[Array, "dim"]:
    """exp(-i q a_j): what takes the phases of k to those of k + q."""
    return plane_wave(-(electrons.crystal.lattice.vectors @ q))


def wave_vertex(
    problem: Problem, q: Vector, displacement: Complex[Array, "xyz"]
) -> Complex[Array, "cell orbital orbital"]:
    """g(k, q) in real space, every atom moving alike, between Bloch sums at k + q (left) and k (right)."""
    everywhere = jnp.tile(displacement[None, :], (problem.electrons.crystal.sites, 1))
    return site_vertex(problem, q, everywhere)


def site_vertex(problem: Problem, q: Vector, displacement: Polarisation) -> Complex[Array, "cell orbital orbital"]:
    """The same with a displacement (site xyz) of each atom."""
    return orbital_phases(problem.electrons, q)[None, :, None] * problem.coupling.bonds(q, displacement)


@eqx.filter_jit
def in_sector_order(
    problem: Problem, q: Vector, displacement: Complex[Array, "wave site xyz"]
) -> tuple[
    Complex[Array, "wave cell orbital orbital"], Complex[Array, "observable orbital orbital"], Complex[Array, "dim"]
]:
    """Vertices of waves and all observables between orbitals sector after sector; the phases exp(-i q a_j/2)."""
    order = sector_order(problem.electrons)
    rows, columns = order[:, None], order[None, :]
    vertices = jnp.stack([site_vertex(problem, q, one) for one in displacement])
    observables = jnp.stack([o.matrix for o in problem.observables])
    return vertices[:, :, rows, columns], observables[:, rows, columns], lattice_phases(problem.electrons, q / 2)


def sector_order(electrons: TightBinding) -> np.ndarray:
    """The orbitals, sector after sector."""
    return np.array([orbital for sector in electrons.sectors for orbital in sector])
