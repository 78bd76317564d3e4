"""A tight-binding model from a crystal, shells on its atoms, and a law for the hopping along a bond."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol, runtime_checkable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from orbiphon._checks import check_shape
from orbiphon._types import Vector
from orbiphon.crystal import Bonds, Crystal, bonds_within
from orbiphon.crystal.concrete import ArrayLike, as_real
from orbiphon.electrons.operators import spin_orbit_matrix
from orbiphon.electrons.orbitals import SHELLS, Basis, kept_orbitals
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
    spin_orbit: Mapping[tuple[int, str], ArrayLike | None] | None = None,
) -> TightBinding:
    """Electrons that hop along bonds by a law of the bond vector; the law is differentiated once, automatically.

    **Arguments:**

    - `neighbours`: the longest bond (Å), or `Bonds` found before (needed where positions are traced by JAX).
    - `onsite` (orbital,): energies in eV, zero by default.
    - `spin_orbit`: λ (eV) of λ L·S by (site, shell); None for a shell without.

    **Raises:** `InputError` if a site is missing, a shape is wrong, no bond is found, the law lacks an integral, or
    spin–orbit coupling is asked for without spin.
    """
    # === convert and check
    check_sites(crystal, basis)
    bonds = neighbours if isinstance(neighbours, Bonds) else bonds_within(crystal, neighbours)
    onsite = jnp.zeros(basis.size) if onsite is None else as_real(onsite)
    check_shape("onsite", onsite, "orbital", (basis.size,))

    coupled = {shell: as_real(strength) for shell, strength in (spin_orbit or {}).items() if strength is not None}
    local = [spin_orbit_matrix(basis, shell) for shell in coupled]

    # === compute
    can_hop, can_change = _pattern(basis, law, bonds)
    sectors = sectors_of(np.any([can_hop, *(matrix != 0 for matrix in local)], axis=0))
    cells, hopping, gradient = _real_space(crystal, law, onsite, coupled, basis, bonds)
    return TightBinding(
        crystal=crystal,
        basis=basis,
        cells=cells,
        hopping=hopping,
        hopping_gradient=gradient,
        orbital_positions=crystal.positions[np.array(basis.site_of)],
        sectors=sectors,
        gradient_pairs=pairs_of(sectors, can_change),
    )


class _ShellPair(NamedTuple):
    """Two shells (end, start): the `bonds` between their sites, both `l`, the orbitals that are `kept` of the whole
    shells, and the ranges (`block`) of spatial orbitals."""

    bonds: np.ndarray
    l: tuple[int, int]
    kept: tuple[np.ndarray, ...]
    block: tuple[slice, slice]


def _shell_pairs(basis: Basis, bonds: Bonds) -> Iterator[_ShellPair]:
    """All pairs of shells with bonds between them."""
    start, end = np.array(bonds.start), np.array(bonds.end)
    shells = list(zip(basis.shells, basis.spatial_slices(), strict=True))
    for (end_site, end_shell), rows in shells:
        for (start_site, start_shell), columns in shells:
            which = np.flatnonzero((end == end_site) & (start == start_site))
            if which.size:
                l = SHELLS[end_shell], SHELLS[start_shell]
                yield _ShellPair(
                    which, l, np.ix_(kept_orbitals(end_shell), kept_orbitals(start_shell)), (rows, columns)
                )


def _bond_masks(
    law: HoppingLaw, bonds: Bonds, pair: _ShellPair
) -> tuple[Bool[np.ndarray, "bond end start"], Bool[np.ndarray, "bond end start xyz"]]:
    hopping, gradient = zip(*(law.pattern(bonds.direction[b], *pair.l) for b in pair.bonds), strict=True)
    return np.stack([mask[pair.kept] for mask in hopping]), np.stack([mask[pair.kept] for mask in gradient])


def _pattern(basis: Basis, law: HoppingLaw, bonds: Bonds) -> tuple[np.ndarray, np.ndarray]:
    """Where hopping and its gradient can be non-zero along any bond, (orbital orbital) each."""
    can_hop, can_change = np.zeros((2, basis.spatial_size, basis.spatial_size), bool)
    for pair in _shell_pairs(basis, bonds):
        hopping, gradient = _bond_masks(law, bonds, pair)
        can_hop[pair.block] |= hopping.any(axis=0)
        can_change[pair.block] |= gradient.any(axis=(0, 3))
    spin = np.eye(basis.spins, dtype=bool)
    return np.kron(can_hop, spin), np.kron(can_change, spin)


@eqx.filter_jit
def _real_space(
    crystal: Crystal,
    law: HoppingLaw,
    onsite: Float[Array, "orbital"],
    spin_orbit: dict[tuple[int, str], Array],
    basis: Basis,
    bonds: Bonds,
) -> tuple[Array, Array, Array]:
    """The fields `cells`, `hopping` and `hopping_gradient`."""
    cells = as_real(np.array(bonds.cells)) @ crystal.lattice.vectors
    cell_of = np.array([bonds.cells.index(cell) for cell in bonds.cell])
    # d = R + τ_end − τ_start
    tau = crystal.positions
    vectors = cells[cell_of] + tau[np.array(bonds.end)] - tau[np.array(bonds.start)]

    n = basis.spatial_size
    hopping, gradient = jnp.zeros((len(cells), n, n)), jnp.zeros((len(cells), n, n, 3))
    for pair in _shell_pairs(basis, bonds):
        along = lambda bond, pair=pair: law.block(bond, *pair.l)[pair.kept]  # noqa: E731
        values, slopes = jax.vmap(along)(vectors[pair.bonds]), jax.vmap(jax.jacfwd(along))(vectors[pair.bonds])
        # Rounding in the direction of a bond must not fill elements that symmetry forbids.
        allowed, changing = _bond_masks(law, bonds, pair)
        where = cell_of[pair.bonds], *pair.block
        hopping = hopping.at[where].add(jnp.where(allowed, values, 0.0))
        gradient = gradient.at[where].add(jnp.where(changing, slopes, 0.0))

    spin = np.eye(basis.spins)
    hopping = jnp.kron(hopping, spin[None]).astype(jnp.complex128)
    gradient = jnp.kron(gradient, spin[None, :, :, None]).astype(jnp.complex128)
    local = jnp.diag(onsite).astype(jnp.complex128)
    for shell, strength in spin_orbit.items():
        local = local + strength.astype(jnp.complex128) * spin_orbit_matrix(basis, shell)
    home = bonds.cells.index((0,) * crystal.lattice.dim)
    return cells, hopping.at[home].add(local), gradient
