"""Force constants in real space, and the dynamical matrix.

With u_s(R) the displacement of atom s in cell R, the energy is ½ Σ u_s(R) Φ_ss'(R − R') u_s'(R') and

    M_s ü_s(R) = − Σ_{R's'} Φ_ss'(R − R') u_s'(R'),        u_s(R, t) = M_s^{−1/2} e_s e^{iq·(R + τ_s) − iωt}:

    Σ_s' D_ss'(q) e_s' = ω² e_s,    D_ss'(q) = Σ_R Φ_ss'(R) e^{−iq·d} / √(M_s M_s'),    d = R + τ_s − τ_s'.

The phase is that of the atom's position, as in the electrons' H(k) (`electrons.tight_binding`) and in phonopy. In a
polar crystal Φ reaches arbitrarily far; its long-ranged part is added at each q (`phonons.dipoles`).
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from orbiphon._checks import check_finite, check_positive, check_shape
from orbiphon._types import Vector
from orbiphon.crystal import Crystal, is_concrete, opposite_cells
from orbiphon.crystal.concrete import ArrayLike, as_real
from orbiphon.errors import InputError
from orbiphon.phonons.circular import direction_vector
from orbiphon.phonons.dipoles import DipoleForces
from orbiphon.phonons.modes import AbstractPhonons, PhononModes
from orbiphon.zone.together import PROCESSORS, together

_ROUNDING = 1e-8  # of the largest force constant
_AT_ONCE = 1024  # wave vectors
_MANY = 512  # wave vectors, for which it pays to use all processors
_UNSTABLE = 1e-9  # of the largest ω²: a negative ω² below is rounding
_ZERO = 1e-14  # of the largest force constant over the smallest mass: an ω² below is that of a translation


class ForceConstants(AbstractPhonons):
    """The harmonic lattice. Made by `spring_model`, or from matrices.

    **Arguments:** `crystal`; `masses` (site,), in internal units (`12 * units.amu`); `cells` (cell xyz), Å, with R
    every −R; `matrices` (cell site site xyz xyz), eV/Å²: Φ_ss'(R) between atom s in cell R and atom s' in cell 0;
    `dipoles`: the long-ranged forces of a polar crystal, if `matrices` are the rest.

    **Raises:** `InputError` for wrong shapes, masses that are not positive, Φ_ss'(R) ≠ Φ_s's(−R)ᵀ, or if a uniform
    translation costs energy, Σ_{R s'} Φ_ss'(R) ≠ 0: see `obeying_sum_rule`.
    """

    crystal: Crystal
    masses: Float[Array, "site"] = eqx.field(converter=as_real)
    cells: Float[Array, "cell xyz"] = eqx.field(converter=as_real)
    matrices: Float[Array, "cell site site xyz xyz"] = eqx.field(converter=as_real)
    dipoles: DipoleForces | None = None

    def __check_init__(self) -> None:
        sites = self.crystal.sites
        check_shape("masses", self.masses, "site", (sites,))
        check_shape("cells", self.cells, "cell xyz", (None, 3))
        check_shape("matrices", self.matrices, "cell site site xyz xyz", (self.cells.shape[0], sites, sites, 3, 3))
        if not is_concrete(self.masses, self.cells, self.matrices):
            return
        check_positive("masses", self.masses)
        check_finite("matrices", self.matrices)
        matrices = np.asarray(self.matrices)
        largest = float(np.max(np.abs(matrices), initial=0.0))
        turned = matrices[opposite_cells(np.asarray(self.cells))].transpose(0, 2, 1, 4, 3)
        off = float(np.max(np.abs(matrices - turned), initial=0.0))
        if off > _ROUNDING * largest:
            raise InputError(
                f"Argument `matrices` must be symmetric, Φ_ss'(R) = Φ_s's(−R)ᵀ, but is off by {off:.3g} eV/Å². "
                "Symmetrise it: orbiphon.phonons.obeying_sum_rule."
            )
        off = float(np.max(np.abs(np.sum(matrices, axis=(0, 2))), initial=0.0))
        if off > _ROUNDING * largest:
            raise InputError(
                f"Argument `matrices` must obey the acoustic sum rule, Σ_R,s' Φ_ss'(R) = 0, but the sum is {off:.3g} "
                f"eV/Å² (largest element {largest:.3g}): moving the whole crystal would cost energy. If the difference "
                "is noise, build it with orbiphon.phonons.obeying_sum_rule."
            )

    def dynamical_matrix(self, q: Vector, direction: Vector | None = None) -> Complex[Array, "mode mode"]:
        """D(q), hermitian, in (eV/ħ)², rows and columns (site, xyz) in this order; q (xyz) in 1/Å; `jax.vmap` it.

        `direction` (xyz), a unit vector: that from which q = 0 is approached, which matters in polar crystals only.
        """
        angle = self.cells @ q
        cells = jax.lax.complex(*(jnp.tensordot(part, self.matrices, 1) for part in (jnp.cos(angle), -jnp.sin(angle))))
        atoms = _phase(-(self.crystal.positions @ q))
        turned = atoms[:, None, None, None] * cells * jnp.conj(atoms)[None, :, None, None]
        size = 3 * self.crystal.sites
        matrix = jnp.transpose(turned, (0, 2, 1, 3)).reshape(size, size)
        if self.dipoles is not None:
            matrix += self.dipoles.matrix(self.crystal, q, direction)
        roots = jnp.repeat(jnp.sqrt(self.masses), 3)
        matrix = matrix / (roots[:, None] * roots[None, :]).astype(jnp.complex128)
        return (matrix + jnp.conj(matrix).T) / 2

    def modes(self, q: ArrayLike, direction: str | ArrayLike | None = None) -> PhononModes:
        """All modes at wave vectors `q` (q xyz) or (xyz), 1/Å.

        `direction` ("x", "y", "z", or a vector (xyz)) is that from which q = 0 is approached in a polar crystal:
        without it the modes at q = 0 are those without a macroscopic field, all optical ones transverse. Elsewhere, and
        in other crystals, it does nothing. **Raises:** `InputError` if a mode is unstable (ω² < 0; the message says
        which, and where).
        """
        q = jnp.atleast_2d(as_real(q))
        check_shape("q", q, "q xyz", (None, 3))
        towards = None if direction is None else direction_vector(direction)
        square, frequency, polarisation = _modes_on_all_processors(self, q, towards)
        if is_concrete(square):
            _check_stable(np.asarray(square), np.asarray(q))
        return PhononModes(q, frequency, polarisation, self.masses)


def _modes_on_all_processors(
    force_constants: ForceConstants, q: Float[Array, "q xyz"], direction: Vector | None
) -> tuple[Float[Array, "q mode"], Float[Array, "q mode"], Complex[Array, "q mode site xyz"]]:
    """`_modes` of equal parts of many wave vectors at the same time."""
    if len(q) < _MANY or not is_concrete(force_constants, q, direction):
        return _modes(force_constants, q, direction)
    points, part = np.asarray(q), -(-len(q) // PROCESSORS)
    filled = np.concatenate([points, np.repeat(points[:1], part * PROCESSORS - len(points), axis=0)])
    parts = np.split(filled, PROCESSORS)
    found = together(lambda few: jax.block_until_ready(_modes(force_constants, jnp.asarray(few), direction)), parts)
    square, frequency, polarisation = (jnp.concatenate(one)[: len(q)] for one in zip(*found, strict=True))
    return square, frequency, polarisation


@eqx.filter_jit
def _modes(
    force_constants: ForceConstants, q: Float[Array, "q xyz"], direction: Vector | None
) -> tuple[Float[Array, "q mode"], Float[Array, "q mode"], Complex[Array, "q mode site xyz"]]:
    """omega^2, omega and polarisations."""
    square, vectors = over_wave_vectors(
        lambda one: tuple(jnp.linalg.eigh(force_constants.dynamical_matrix(one, direction))), q
    )
    stiffest = jnp.max(jnp.abs(force_constants.matrices)) / jnp.min(force_constants.masses)
    square = jnp.where(jnp.abs(square) < _ZERO * stiffest, 0.0, square)
    polarisation = jnp.swapaxes(vectors, 1, 2).reshape(*square.shape, -1, 3)
    return square, jnp.sqrt(jnp.maximum(square, 0.0)), polarisation


def over_wave_vectors(function: Callable[[Vector], Any], q: Float[Array, "q xyz"]) -> Any:
    """`function` of every q, so many at a time that the sums of polar crystals take little memory."""
    if q.shape[0] <= _AT_ONCE:
        return jax.vmap(function)(q)
    return jax.lax.map(function, q, batch_size=_AT_ONCE)


def obeying_sum_rule(
    crystal: Crystal,
    masses: ArrayLike,
    cells: ArrayLike,
    matrices: ArrayLike,
    dipoles: DipoleForces | None = None,
) -> ForceConstants:
    """Force constants made symmetric, and their on-site part set to what the acoustic sum rule asks for.

    Arguments as those of `ForceConstants`. For matrices that break the rules by noise: look at what it changes.
    **Raises:** `InputError` for wrong shapes, or cells without their negative.
    """
    cells, matrices = np.asarray(cells, dtype=float), np.asarray(matrices, dtype=float)
    check_shape("matrices", matrices, "cell site site xyz xyz", (len(cells), crystal.sites, crystal.sites, 3, 3))
    matrices = (matrices + matrices[opposite_cells(cells)].transpose(0, 2, 1, 4, 3)) / 2
    home, sites = int(np.argmin(np.linalg.norm(cells, axis=1))), np.arange(crystal.sites)
    excess = np.sum(matrices, axis=(0, 2))
    matrices[home, sites, sites] -= (excess + excess.transpose(0, 2, 1)) / 2
    return ForceConstants(crystal, masses, cells, matrices, dipoles)


def _phase(angle: Float[Array, "..."]) -> Complex[Array, "..."]:
    """e^{i angle}."""
    return jax.lax.complex(jnp.cos(angle), jnp.sin(angle))


def _check_stable(square: np.ndarray, q: np.ndarray) -> None:
    """Raise `InputError` if ω² is negative beyond rounding."""
    if square.size == 0 or np.min(square) >= -_UNSTABLE * np.max(np.abs(square)):
        return
    where, mode = np.unravel_index(np.argmin(square), square.shape)
    raise InputError(
        f"Argument `force_constants` must belong to a stable crystal, but mode {mode} at q = "
        f"{np.round(q[where], 6).tolist()} 1/Å has ω² = {square[where, mode]:.3g} eV² < 0. Add springs (transverse "
        "ones, or to further neighbours), or relax the structure that the force constants come from."
    )
