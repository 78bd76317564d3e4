"""Lattices in one, two or three periodic directions of ordinary space, and the atoms in their cells."""

import itertools

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from orbiphon._checks import check_finite, check_shape
from orbiphon._types import RealScalar
from orbiphon.crystal.concrete import as_real, is_concrete
from orbiphon.errors import InputError

# Atoms closer than this (Å) are taken for one atom entered twice: no two nuclei come near it.
_SAME_PLACE = 1e-3


class Lattice(eqx.Module):
    """A Bravais lattice with `dim` = 1, 2 or 3 periodic directions in three-dimensional space.

    **Arguments:** `vectors` (dim xyz): the primitive vectors as rows, in Å.

    **Raises:** `InputError` for a wrong shape, or for vectors that are linearly dependent.
    """

    vectors: Float[Array, "dim xyz"] = eqx.field(converter=as_real)

    def __check_init__(self) -> None:
        shape = self.vectors.shape
        if len(shape) != 2 or shape[0] not in (1, 2, 3) or shape[1] != 3:
            raise InputError(
                f"Argument `vectors` must have the shape (dim xyz) with dim = 1, 2 or 3, but is of shape {shape}. "
                f"Give one row of three Cartesian components per periodic direction."
            )
        if is_concrete(self.vectors):
            check_finite("vectors", self.vectors)
            rows = np.asarray(self.vectors)
            lengths = np.linalg.norm(rows, axis=1, keepdims=True)
            if np.any(lengths == 0) or np.linalg.svd(rows / np.where(lengths == 0, 1, lengths))[1][-1] < 1e-9:
                raise InputError(
                    f"Argument `vectors` must be linearly independent, but is {rows.tolist()}. "
                    f"Give primitive vectors that span {shape[0]} dimension(s)."
                )

    @property
    def dim(self) -> int:
        """The number of periodic directions."""
        return self.vectors.shape[0]

    @property
    @eqx.filter_jit
    def reciprocal(self) -> Float[Array, "dim xyz"]:
        """Reciprocal vectors b_j as rows (1/Å), in the span of the lattice, with a_i·b_j = 2π δ_ij."""
        # b = 2π (A Aᵀ)⁻¹ A: rows in the span of the a_i, and A bᵀ = 2π.
        gram = self.vectors @ self.vectors.T
        return 2 * np.pi * jnp.linalg.solve(gram, self.vectors)

    @property
    def cell_volume(self) -> RealScalar:
        """Length (Å), area (Å²) or volume (Å³) of the primitive cell, by the number of periodic directions."""
        return jnp.sqrt(jnp.linalg.det(self.vectors @ self.vectors.T))

    def k_from_reduced(self, kappa: Float[Array, "... dim"]) -> Float[Array, "... xyz"]:
        """Cartesian wave vectors (1/Å) from reduced ones: `kappa @ reciprocal`."""
        return as_real(kappa) @ self.reciprocal


class Crystal(eqx.Module):
    """A lattice with atoms.

    **Arguments:** `lattice`; `positions` (site xyz): Cartesian positions of the atoms of one cell, in Å; `species`: one
    name per atom.

    **Raises:** `InputError` for wrong shapes, or for two atoms on top of each other (also across cells).
    """

    lattice: Lattice
    positions: Float[Array, "site xyz"] = eqx.field(converter=as_real)
    species: tuple[str, ...] = eqx.field(static=True, converter=tuple)

    def __check_init__(self) -> None:
        check_shape("positions", self.positions, "site xyz", (None, 3))
        if len(self.species) != self.sites or self.sites == 0:
            raise InputError(
                f"Argument `species` must have one name per atom, but has {len(self.species)} for {self.sites} "
                f"position(s). Give as many names as positions, at least one."
            )
        if is_concrete(self.lattice, self.positions):
            check_finite("positions", self.positions)
            self._check_distances()

    @property
    def sites(self) -> int:
        """The number of atoms in one cell."""
        return self.positions.shape[0]

    def _check_distances(self) -> None:
        # Hoppings depend on bond vectors; a bond of length zero has no direction.
        vectors, positions = np.asarray(self.lattice.vectors), np.asarray(self.positions)
        around = np.array(list(itertools.product((-1, 0, 1), repeat=self.lattice.dim)))
        for i in range(self.sites):
            for j in range(i):
                apart = positions[i] - positions[j]
                nearest = np.rint(apart @ np.linalg.pinv(vectors))
                distance = np.min(np.linalg.norm(apart - (nearest + around) @ vectors, axis=1))
                if distance < _SAME_PLACE:
                    raise InputError(
                        f"Argument `positions` must hold separate atoms, but atoms {j} and {i} are {distance:.1e} Å "
                        f"apart (modulo lattice vectors). Remove one of them."
                    )
