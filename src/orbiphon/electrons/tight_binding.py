"""The one Hamiltonian class: real-space hoppings, their derivatives with respect to the bond vector, and H(k).

One phase convention throughout. From H = Σ_{r,d} t(d) c†_{r+d} c_r, with r the position of the *atom*, and
c_r = N^{-1/2} Σ_k e^{ik·r} c_k (S7):

    H_ij(k) = Σ_R H_ij(R) e^{−ik·d},    d = R + τ_i − τ_j   from orbital j to orbital i.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from orbiphon._checks import check_finite, check_shape
from orbiphon._types import OrbitalMatrix, Vector
from orbiphon.crystal import Crystal, is_concrete, opposite_cells
from orbiphon.crystal.concrete import ArrayLike, as_complex, as_real
from orbiphon.electrons.orbitals import Basis
from orbiphon.electrons.structure import Pairs, Sectors, check_partition, pairs_of, sectors_of
from orbiphon.errors import InputError


def unit_phase(angle: Float[Array, "..."]) -> Complex[Array, "..."]:
    """e^{−i angle}."""
    return jax.lax.complex(jnp.cos(angle), -jnp.sin(angle))


def _optional_complex(value: ArrayLike | None) -> Array | None:
    return None if value is None else as_complex(value)


class TightBinding(eqx.Module):
    """Electrons that hop between orbitals. Made by `tight_binding` (from a law) or `from_hoppings` (from matrices).

    **Fields:** `crystal`, `basis`; `cells` (cell xyz), Å, with R every −R; `hopping` (cell orbital orbital), eV:
    H_ij(R) from orbital j in cell 0 to orbital i in cell R; `hopping_gradient` (cell orbital orbital xyz), eV/Å: its
    derivative with respect to the bond vector d, or None where there is no such law; `orbital_positions` (orbital xyz),
    Å.

    Static: `sectors`, sets of orbitals that H never mixes, at any k; `gradient_pairs`, the pairs (row sector, column
    sector) between which the derivative can be non-zero. Both describe the form of the model and not its numbers.

    **Raises:** `InputError` for wrong shapes, cells without their negative, or H(−R) ≠ H(R)†.
    """

    crystal: Crystal
    basis: Basis
    cells: Float[Array, "cell xyz"] = eqx.field(converter=as_real)
    hopping: Complex[Array, "cell orbital orbital"] = eqx.field(converter=as_complex)
    hopping_gradient: Complex[Array, "cell orbital orbital xyz"] | None = eqx.field(converter=_optional_complex)
    orbital_positions: Float[Array, "orbital xyz"] = eqx.field(converter=as_real)
    sectors: Sectors = eqx.field(static=True)
    gradient_pairs: Pairs = eqx.field(static=True)

    def __check_init__(self) -> None:
        n = self.basis.size
        if self.basis.sites > self.crystal.sites:
            raise InputError(
                f"Argument `basis` must name sites of the crystal, but names site {self.basis.sites - 1} of "
                f"{self.crystal.sites} (counted from 0). Correct the site, or add the atom."
            )
        check_shape("cells", self.cells, "cell xyz", (None, 3))
        cells = self.cells.shape[0]
        check_shape("hopping", self.hopping, "cell orbital orbital", (cells, n, n))
        if self.hopping_gradient is not None:
            check_shape("hopping_gradient", self.hopping_gradient, "cell orbital orbital xyz", (cells, n, n, 3))
        check_shape("orbital_positions", self.orbital_positions, "orbital xyz", (n, 3))
        if not check_partition(self.sectors, n):
            raise InputError(f"Argument `sectors` must hold each of {n} orbitals once, but is {self.sectors}. Fix it.")
        if is_concrete(self.cells, self.hopping, self.hopping_gradient):
            check_finite("hopping", self.hopping)
            opposite = opposite_cells(np.asarray(self.cells))
            _check_hermitian("hopping", 1.0, np.asarray(self.hopping), opposite)
            if self.hopping_gradient is not None:
                check_finite("hopping_gradient", self.hopping_gradient)
                # The bond vector changes sign with R, hence ∇H(−R) = −∇H(R)†.
                _check_hermitian("hopping_gradient", -1.0, np.asarray(self.hopping_gradient), opposite)

    @property
    def size(self) -> int:
        """The number of orbitals in a cell, spin included."""
        return self.basis.size

    def hamiltonian(self, k: Vector) -> OrbitalMatrix:
        """H(k), (orbital orbital) in eV, at one wave vector k (xyz) in 1/Å; `jax.vmap` it over many."""
        return self.bloch_sum(self.hopping, k)

    def bloch_sum(self, real_space: Complex[Array, "cell orbital orbital"], k: Vector) -> OrbitalMatrix:
        """Σ_R X_ij(R) e^{−ik·(R + τ_i − τ_j)} of any real-space operator on the bonds of this model."""
        cells = jnp.tensordot(unit_phase(self.cells @ k), real_space, axes=1)
        orbitals = unit_phase(self.orbital_positions @ k)
        return orbitals[:, None] * cells * jnp.conj(orbitals)[None, :]

    def bond_vectors(self) -> Float[Array, "cell orbital orbital xyz"]:
        """d = R + τ_i − τ_j (Å) for every element of `hopping`."""
        tau = self.orbital_positions
        return self.cells[:, None, None, :] + (tau[:, None, :] - tau[None, :, :])[None]


def from_hoppings(
    crystal: Crystal,
    basis: Basis,
    cells: ArrayLike,
    hopping: ArrayLike,
    hopping_gradient: ArrayLike | None = None,
    orbital_positions: ArrayLike | None = None,
) -> TightBinding:
    """Electrons from matrices: arguments as the fields of `TightBinding`; orbitals sit on their atoms by default.

    Without `hopping_gradient` the electrons do not follow the lattice by themselves: give the problem a coupling
    object.

    Here sectors are read off the elements that are not exactly zero, so the matrices must hold numbers.

    **Raises:** `InputError` as `TightBinding`, or if the matrices are traced by JAX.
    """
    if not is_concrete(hopping, hopping_gradient):
        raise InputError(
            "Argument `hopping` must hold numbers, but is traced by JAX. Build the model once outside, then replace "
            "its arrays with equinox.tree_at."
        )
    check_shape("hopping", hopping, "cell orbital orbital", (None, basis.size, basis.size))
    if hopping_gradient is not None:
        check_shape("hopping_gradient", hopping_gradient, "cell orbital orbital xyz", (*np.shape(hopping), 3))
    coupled = np.any(np.asarray(hopping) != 0, axis=0)
    sectors = sectors_of(coupled)
    changing = np.ones_like(coupled)  # what a coupling object may connect
    if hopping_gradient is not None:
        changing = np.any(np.asarray(hopping_gradient) != 0, axis=(0, 3))
    if orbital_positions is None:
        check_sites(crystal, basis)
        orbital_positions = crystal.positions[np.array(basis.site_of)]
    return TightBinding(
        crystal=crystal,
        basis=basis,
        cells=cells,
        hopping=hopping,
        hopping_gradient=hopping_gradient,
        orbital_positions=orbital_positions,
        sectors=sectors,
        gradient_pairs=pairs_of(sectors, changing),
    )


def check_sites(crystal: Crystal, basis: Basis) -> None:
    """Raise `InputError` if the basis names a site that the crystal does not have."""
    if basis.sites > crystal.sites:
        raise InputError(
            f"Argument `basis` must name sites of the crystal, but names site {basis.sites - 1} of {crystal.sites} "
            f"(counted from 0). Correct the site, or add the atom."
        )


def _check_hermitian(name: str, parity: float, array: np.ndarray, opposite: np.ndarray) -> None:
    off = np.abs(array - parity * array[opposite].conj().swapaxes(1, 2))
    if np.max(off, initial=0.0) > 1e-8 * np.max(np.abs(array), initial=0.0):
        cell, i, j = (int(index) for index in np.unravel_index(np.argmax(off), off.shape)[:3])
        sign = "" if parity > 0 else "−"
        raise InputError(
            f"Argument `{name}` must be hermitian, X(−R) = {sign}X(R)†, but element [{cell}, {i}, {j}] is off by "
            f"{off.max():.3g}. Symmetrise the matrices."
        )
