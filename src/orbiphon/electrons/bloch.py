"""Bloch sums and eigenstates, sector by sector, from the phases of the lattice vectors.

Orbitals that the Hamiltonian never couples form sectors; eigenstates live in one sector each, and matrices are kept
as blocks between sectors. A block between single orbitals is one number, and everything done with such numbers fuses
into one loop over wave vectors. Here the origin of the phases is the cell, sum_R X_ij(R) exp(-i k R): it differs from
that of `TightBinding.hamiltonian` by a unitary that is diagonal in the sites, and drops out of every response to a
uniform wave.
"""

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Complex

from orbiphon.electrons.structure import Steps
from orbiphon.electrons.tight_binding import TightBinding


def lattice_steps(electrons: TightBinding) -> Steps:
    """The integers n of R = n . a for every hopping vector R."""
    reciprocal = np.asarray(electrons.crystal.lattice.reciprocal)
    steps = np.rint(np.asarray(electrons.cells) @ reciprocal.T / (2.0 * np.pi)).astype(int)
    return tuple(tuple(step) for step in steps.tolist())


_FEW = 64  # lattice vectors: so many terms may be written out one by one and fused


class BlochSum:
    """sum_R X_ij(R) exp(-i k R) at one k, block by block; `phases` (dim,) are the exp(-i k a_j).

    The phases of a few lattice vectors are kept apart, those of many, as from first principles, in one array.
    """

    def __init__(self, electrons: TightBinding, steps: Steps, phases: Complex[Array, "dim"]):
        self.electrons = electrons
        if len(steps) > _FEW:
            table = _table(np.asarray(steps), phases)
            self.phases = lax.optimization_barrier(jnp.stack([table.real, table.imag]))
            return
        powers = [_powers(phases[axis], max(abs(step[axis]) for step in steps)) for axis in range(phases.shape[0])]
        self.phases = [_product([powers[axis][n] for axis, n in enumerate(step)]) for step in steps]

    def block(
        self, real_space: Complex[Array, "cell orbital orbital"], rows: tuple[int, ...], columns: tuple[int, ...]
    ) -> Complex[Array, "row column"]:
        """The block of one operator between two sectors."""
        if len(rows) == len(columns) == 1 and isinstance(self.phases, list):
            (i,), (j,) = rows, columns
            terms = (phase * real_space[cell, i, j] for cell, phase in enumerate(self.phases))
            return sum(terms, start=jnp.zeros((), complex))[None, None]
        part = real_space[:, np.asarray(rows)[:, None], np.asarray(columns)[None, :]]
        if isinstance(self.phases, list):
            return jnp.tensordot(jnp.stack(self.phases), part, axes=1)
        # Over many wave vectors, four products of real matrices take half the time of a complex one.
        (rr, ri), (ir, ii) = ([jnp.tensordot(x, y, axes=1) for y in (part.real, part.imag)] for x in self.phases)
        return lax.complex(rr - ii, ri + ir)

    def levels(self) -> list[Array]:
        """Levels (band,) of each sector."""
        blocks = (self.block(self.electrons.hopping, sector, sector) for sector in self.electrons.sectors)
        return [jnp.real(block[0]) if block.shape[0] == 1 else jnp.linalg.eigvalsh(block) for block in blocks]

    def states(self) -> tuple[list[Array], list[Array]]:
        """Levels (band,) and eigenvectors (orbital of the sector, band) of each sector."""
        levels, vectors = [], []
        for sector in self.electrons.sectors:
            block = self.block(self.electrons.hopping, sector, sector)
            if len(sector) == 1:
                levels.append(jnp.real(block[0]))
                vectors.append(jnp.ones((1, 1), complex))
            else:
                e, v = jnp.linalg.eigh(block)
                levels.append(e)
                vectors.append(v)
        return levels, vectors


def rotated(block: Complex[Array, "row column"], left: Array, right: Array) -> Complex[Array, "left right"]:
    """left^dagger block right; nothing to do between single orbitals."""
    if left.shape[0] > 1:
        block = jnp.conj(left).T @ block
    return block if right.shape[0] == 1 else block @ right


def _table(steps: np.ndarray, phases: Complex[Array, "dim"]) -> Complex[Array, "cell"]:
    """exp(-i k R) for all lattice vectors R = n . a, (cell, dim) integers, from tables of powers."""
    table = jnp.ones(len(steps), complex)
    for axis in range(steps.shape[1]):
        most = int(np.max(np.abs(steps[:, axis])))
        powers = _powers(phases[axis], most)
        ordered = jnp.stack([_product([powers[n]]) for n in range(-most, most + 1)])
        table = table * ordered[steps[:, axis] + most]
    return table


def _powers(z: Complex[Array, ""], most: int) -> dict[int, Array | None]:
    """z^n for |n| <= most; None stands for one."""
    powers: dict[int, Array | None] = {0: None}
    current = z
    for n in range(1, most + 1):
        powers[n], powers[-n] = current, jnp.conj(current)
        current = current * z
    return powers


def _product(factors: list[Array | None]) -> Array:
    present = [factor for factor in factors if factor is not None]
    result = present[0] if present else jnp.ones((), complex)
    for factor in present[1:]:
        result = result * factor
    return result
