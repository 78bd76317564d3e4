"""Springs between neighbours (Born's model): force constants for models and for teaching.

A spring between two atoms along the unit vector n has the energy

    ½ k_L [n·(u_i − u_j)]² + ½ k_T |(u_i − u_j)_⊥|²:        Φ_ij = −K,   K = k_L n nᵀ + k_T (1 − n nᵀ).

On every atom Φ_ii = Σ K over its springs: the acoustic sum rule. Central springs alone keep the energy when the crystal
turns as a whole; transverse ones do not, and give a free layer linear in place of quadratic bending waves.
"""

from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from orbiphon._checks import check_finite, check_positive
from orbiphon._types import RealScalar
from orbiphon.crystal import Bonds, Crystal, bonds_within, is_concrete
from orbiphon.crystal.concrete import ArrayLike, as_real
from orbiphon.errors import InputError
from orbiphon.phonons.force_constants import ForceConstants

_SAME_LENGTH = 1e-3  # of a length
_SHOWN = 6


class Spring(eqx.Module):
    """Springs between all atoms that are `length` (Å, to 0.1 %) apart.

    `central`, `transverse`: constants k_L, k_T in eV/Å²; `between`: two species, if not all. **Raises:** `InputError`
    unless the length is positive and the constants are finite.
    """

    length: float
    central: RealScalar = eqx.field(converter=as_real)
    transverse: RealScalar = eqx.field(converter=as_real, default=0.0)
    between: tuple[str, str] | None = eqx.field(static=True, default=None)

    def __init__(
        self,
        length: float | int,
        central: ArrayLike,
        transverse: ArrayLike = 0.0,
        between: tuple[str, str] | None = None,
    ):
        check_positive("length", length)
        for name, constant in (("central", central), ("transverse", transverse)):
            if is_concrete(constant):
                check_finite(name, constant)
        self.length, self.between = float(length), between
        self.central, self.transverse = as_real(central), as_real(transverse)


def spring_model(crystal: Crystal, masses: ArrayLike, springs: Sequence[Spring]) -> ForceConstants:
    """Force constants of a crystal whose atoms are tied by springs.

    **Arguments:** `crystal` with positions that hold numbers; `masses` (site,), in internal units (`12 * units.amu`).

    **Raises:** `InputError` if a spring's length is no distance between atoms (the message lists the distances).
    """
    if not springs:
        raise InputError("Argument `springs` must hold at least one Spring, but is empty. Add one.")
    bonds = _bonds(crystal, max(spring.length for spring in springs) * (1 + _SAME_LENGTH))
    vectors = _bond_vectors(crystal, bonds)
    cells = as_real(np.array(bonds.cells)) @ crystal.lattice.vectors
    cell_of, home = (
        np.array([bonds.cells.index(cell) for cell in bonds.cell]),
        bonds.cells.index((0,) * crystal.lattice.dim),
    )
    start, end = np.array(bonds.start), np.array(bonds.end)
    lengths = np.linalg.norm(vectors, axis=-1)
    tied = [_tied(crystal, bonds, lengths, spring) for spring in springs]
    which, kind = np.concatenate(tied), np.repeat(np.arange(len(springs)), [len(bonds_of) for bonds_of in tied])
    places = np.stack([cell_of, end, start, np.full_like(end, home)])[:, which]
    along, shape = vectors[which] / lengths[which, None], (len(bonds.cells), crystal.sites, crystal.sites, 3, 3)
    matrices = _matrices(tuple(springs), jnp.asarray(kind), jnp.asarray(along), jnp.asarray(places), shape)
    return ForceConstants(crystal, masses, cells, matrices)


@eqx.filter_jit
def _matrices(
    springs: tuple[Spring, ...],
    kind: Int[Array, "bond"],
    along: Float[Array, "bond xyz"],
    places: Int[Array, "4 bond"],
    shape: tuple[int, ...],
) -> Float[Array, "cell site site xyz xyz"]:
    """Of bonds with the number of their spring, their direction, and cell, end, start and home cell."""
    central, transverse = (
        jnp.stack([getattr(spring, name) for spring in springs])[kind][:, None, None]
        for name in ("central", "transverse")
    )
    projector, (cell, end, start, home) = along[:, :, None] * along[:, None, :], places
    k = central * projector + transverse * (jnp.eye(3)[None] - projector)
    return jnp.zeros(shape).at[cell, end, start].add(-k).at[home, end, end].add(k)


def _bonds(crystal: Crystal, longest: float) -> Bonds:
    try:
        return bonds_within(crystal, longest)
    except InputError:
        raise InputError(
            f"Argument `springs` must tie neighbours, but no two atoms of the crystal are within {longest:.4g} Å, the "
            "longest of its lengths. Give distances between atoms."
        ) from None


def _bond_vectors(crystal: Crystal, bonds: Bonds) -> np.ndarray:
    vectors, tau = np.asarray(crystal.lattice.vectors), np.asarray(crystal.positions)
    return np.array(bonds.cell) @ vectors + tau[np.array(bonds.end)] - tau[np.array(bonds.start)]


def _tied(crystal: Crystal, bonds: Bonds, lengths: np.ndarray, spring: Spring) -> np.ndarray:
    """The bonds that carry a spring."""
    species = np.array(crystal.species)
    kinds = np.stack([species[np.array(bonds.start)], species[np.array(bonds.end)]], axis=1)
    wanted = np.ones(len(lengths), bool)
    if spring.between is not None:
        wanted = np.all(np.sort(kinds, axis=1) == np.sort(np.array(spring.between)), axis=1)
    which = np.flatnonzero(wanted & (np.abs(lengths - spring.length) <= _SAME_LENGTH * spring.length))
    if which.size == 0:
        there = np.unique(np.round(lengths[wanted], 4))[-_SHOWN:]
        between = "" if spring.between is None else f" between {spring.between[0]} and {spring.between[1]}"
        raise InputError(
            f"Argument `springs` must have lengths that are distances between atoms, but no atoms{between} are "
            f"{spring.length:g} Å apart; up to there the distances are {there.tolist()}. Give one of these."
        )
    return which
