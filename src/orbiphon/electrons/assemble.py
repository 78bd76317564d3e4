"""A tight-binding model from a crystal, shells on its atoms, and a law for the hopping along a bond."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from orbiphon._checks import check_shape
from orbiphon._types import Vector
from orbiphon.crystal import Bonds, Crystal, bonds_within
from orbiphon.crystal.concrete import ArrayLike, as_real
from orbiphon.electrons.operators import spin_orbit_matrix
from orbiphon.electrons.orbitals import SHELLS, Basis
from orbiphon.electrons.structure import pairs_of, sectors_of
from orbiphon.electrons.tight_binding import TightBinding, check_sites


@runtime_checkable
class HoppingLaw(Protocol):
    """What `tight_binding` asks of a law of hopping; `SlaterKoster` is one."""

    def block(self, bond: Vector, l_end: int, l_start: int) -> Float[Array, "end start"]:
        """The hopping (eV) from a shell l_start to a shell l_end at the other end of `bond` (Å); differentiable."""
        ...

    def pattern(self, direction: tuple[float, float, float], l_end: int, l_start: int) -> tuple[np.ndarray, np.ndarray]:
        """Which elements of the block (end start) and of its gradient (end start xyz) can be non-zero."""
        ...


def tight_binding(
    crystal: Crystal,
    basis: Basis,
    law: HoppingLaw,
    neighbours: float | int | Bonds,
    onsite: ArrayLike | None = None,
    spin_orbit: Mapping[tuple[int, str], ArrayLike] | None = None,
) -> TightBinding:
    """Electrons that hop along bonds by a law of the bond vector; the law is differentiated once, automatically.

    **Arguments:**

    - `neighbours`: the longest bond (Å), or `Bonds` found before (needed where positions are traced by JAX).
    - `onsite` (orbital,): energies in eV, zero by default.
    - `spin_orbit`: λ (eV) of λ L·S by (site, shell).

    **Raises:** `InputError` if a site is missing, a shape is wrong, no bond is found, the law lacks an integral, or
    spin–orbit coupling is asked for without spin.
    """
    # === convert and check
    check_sites(crystal, basis)
    bonds = neighbours if isinstance(neighbours, Bonds) else bonds_within(crystal, neighbours)
    onsite = jnp.zeros(basis.size) if onsite is None else as_real(onsite)
    check_shape("onsite", onsite, "orbital", (basis.size,))

    # === compute
    hopping, gradient, can_hop, can_change = _along_bonds(crystal, basis, law, bonds)
    home = bonds.cells.index((0,) * crystal.lattice.dim)
    local = jnp.diag(onsite).astype(jnp.complex128)
    can_couple = can_hop.copy()
    for shell, strength in (spin_orbit or {}).items():
        matrix = spin_orbit_matrix(basis, shell)
        local = local + as_real(strength).astype(jnp.complex128) * matrix
        can_couple |= np.asarray(matrix) != 0
    sectors = sectors_of(can_couple)
    return TightBinding(
        crystal=crystal,
        basis=basis,
        cells=as_real(np.array(bonds.cells)) @ crystal.lattice.vectors,
        hopping=hopping.at[home].add(local),
        hopping_gradient=gradient,
        orbital_positions=crystal.positions[np.array(basis.site_of)],
        sectors=sectors,
        gradient_pairs=pairs_of(sectors, can_change),
    )


def _along_bonds(
    crystal: Crystal, basis: Basis, law: HoppingLaw, bonds: Bonds
) -> tuple[Array, Array, np.ndarray, np.ndarray]:
    """H(R) and its gradient without onsite terms; where they can be non-zero at all, (orbital orbital) each."""
    cell_of = np.array([bonds.cells.index(cell) for cell in bonds.cell])
    start, end = np.array(bonds.start), np.array(bonds.end)
    # d = R + τ_end − τ_start
    vectors = (
        as_real(np.array(bonds.cell)) @ crystal.lattice.vectors + crystal.positions[end] - crystal.positions[start]
    )

    n = basis.spatial_size
    hopping, gradient = jnp.zeros((len(bonds.cells), n, n)), jnp.zeros((len(bonds.cells), n, n, 3))
    can_hop, can_change = np.zeros((n, n), bool), np.zeros((n, n), bool)
    shells = list(zip(basis.shells, basis.spatial_slices(), strict=True))
    for (end_site, end_shell), rows in shells:
        for (start_site, start_shell), columns in shells:
            which = np.flatnonzero((end == end_site) & (start == start_site))
            if which.size == 0:
                continue
            l = SHELLS[end_shell], SHELLS[start_shell]
            values, slopes = _blocks(law, vectors[which], *l)

            # Rounding in the direction of a bond must not fill elements that symmetry forbids.
            patterns = [law.pattern(bonds.direction[b], *l) for b in which]
            allowed, changing = (np.stack(kind) for kind in zip(*patterns, strict=True))
            hopping = hopping.at[cell_of[which], rows, columns].add(jnp.where(allowed, values, 0.0))
            gradient = gradient.at[cell_of[which], rows, columns].add(jnp.where(changing, slopes, 0.0))
            can_hop[rows, columns] |= allowed.any(axis=0)
            can_change[rows, columns] |= changing.any(axis=(0, 3))

    spin = np.eye(basis.spins)
    return (
        jnp.kron(hopping, spin[None]).astype(jnp.complex128),
        jnp.kron(gradient, spin[None, :, :, None]).astype(jnp.complex128),
        np.kron(can_hop, spin).astype(bool),
        np.kron(can_change, spin).astype(bool),
    )


@eqx.filter_jit
def _blocks(law: HoppingLaw, bonds: Float[Array, "bond xyz"], l_end: int, l_start: int) -> tuple[Array, Array]:
    """t (bond end start) and ∂t/∂r (bond end start xyz) of many bonds: the one automatic derivative of the law."""
    block = lambda bond: law.block(bond, l_end, l_start)  # noqa: E731
    return jax.vmap(block)(bonds), jax.vmap(jax.jacfwd(block))(bonds)
