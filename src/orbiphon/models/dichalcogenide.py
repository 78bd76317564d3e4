"""Three d orbitals on the metal of a monolayer transition-metal dichalcogenide MX2, nearest neighbours.

The metal keeps d_z², d_xy and d_x²−y², which are even under z → −z. Along the bond a x, from start to end and in this
order of orbitals,

    T = ⎡t0  −t1   t2 ⎤        and the other five bonds follow by the threefold axis and the mirror of the layer (D_3h).
        ⎢t1   t11 −t12⎥
        ⎣t2   t12  t22⎦

t1 and t12, odd in the bond, are the work of the chalcogens: two centres alone would not allow them. With
(α, β) = (k_x, √3 k_y) a/2:

    h0  = 2t0 (cos 2α + 2 cos α cos β) + ε1             h11 = 2t11 cos 2α + (t11 + 3t22) cos α cos β + ε2
    h1  = −2√3 t2 sin α sin β + 2i t1 (sin 2α + sin α cos β)
    h2  = 2t2 (cos 2α − cos α cos β) + 2√3 i t1 cos α sin β
    h12 = √3 (t22 − t11) sin α sin β + 4i t12 sin α (cos α − cos β)
    h22 = 2t22 cos 2α + (3t11 + t22) cos α cos β + ε2.

At K = (4π/3a, 0) the levels are ε1 − 3t0 (d_z²) and ε2 − (3/2)(t11 + t22) ∓ 3√3 t12 (L_z = ±2); at −K L_z changes sign.
Spin–orbit coupling λ L·S, cut to the three orbitals, is λ L_z S_z and splits the valence band there by 2λ.

Source: G.-B. Liu, W.-Y. Shan, Y. Yao, W. Yao and D. Xiao, Phys. Rev. B 88, 085433 (2013).

How the hopping follows the lattice is not in the source. Here a bond r = r (cos φ, sin φ, 0) takes its matrix along,

    T(r) = (a/r)^decay D(φ) [S + A cos 3φ] D(φ)^T,    S, A = (T ± T^T)/2,    D(φ) = exp(−iφ L_z),

which is the same function for all six bonds, obeys D_3h, and is exact for a rotation of the whole layer. What the
chalcogens do when they move by themselves is left out, and so is any motion across the layer, which would need d_zx and
d_yz.
"""

from functools import lru_cache
from operator import itemgetter

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from orbiphon._checks import check_positive
from orbiphon._types import Energy, Length, Ratio, Vector
from orbiphon.crystal import Bonds, Crystal, Lattice, bonds_within, is_concrete
from orbiphon.crystal.concrete import ArrayLike, as_real
from orbiphon.electrons import Basis, TightBinding, tight_binding
from orbiphon.errors import InputError

_EVEN = np.array([0, 4, 3])  # d_z², d_xy, d_x²−y² in the order of the whole shell


def dichalcogenide(lattice_constant: ArrayLike = 3.19) -> Crystal:
    """M at the origin, and both X together, seen from above, at −y: half of a honeycomb each; lattice constant in Å.

    X lies at 30°, 150° and 270° around M: on this side the valence band at K, L_z = 2, and the conduction band can mix
    with p_x, p_y of X, as they do. `honeycomb_springs` makes springs for it.
    """
    if is_concrete(lattice_constant):
        check_positive("lattice_constant", lattice_constant)
    vectors = np.array([[1.0, 0.0, 0.0], [0.5, np.sqrt(3.0) / 2.0, 0.0]])
    positions = np.array([[0.0, 0.0, 0.0], [0.0, -1.0 / np.sqrt(3.0), 0.0]])
    a = as_real(lattice_constant)
    return Crystal(Lattice(as_real(vectors) * a), as_real(positions) * a, ("M", "X2"))


def dichalcogenide_d(
    e1: Energy = 1.046,
    e2: Energy = 2.104,
    t0: Energy = -0.184,
    t1: Energy = 0.401,
    t2: Energy = 0.507,
    t11: Energy = 0.218,
    t12: Energy = 0.338,
    t22: Energy = 0.057,
    lattice_constant: Length = 3.19,
    decay: Ratio = 5.0,
    spin_orbit: Energy | None = None,
) -> TightBinding:
    """d_z², d_x²−y², d_xy on the metal; by default MoS2 (GGA), in eV. `spin_orbit` is 0.073 eV there.

    Without `spin_orbit` the electrons have no spin. The basis has the part `d_even` of the d shell on M.
    """
    odd_1, odd_2 = as_real(t1), as_real(t12)
    t = jnp.array([[t0, -odd_1, t2], [odd_1, t11, -odd_2], [t2, odd_2, t22]], dtype=jnp.float64)
    spin = spin_orbit is not None
    levels = jnp.array([e1, e2, e2], dtype=jnp.float64)
    return tight_binding(
        dichalcogenide(lattice_constant),
        Basis(((0, "d_even"),), spin=spin),
        CarriedHopping(t, as_real(lattice_constant), as_real(decay)),
        _metal_bonds(),
        onsite=jnp.repeat(levels, 2 if spin else 1),
        spin_orbit={(0, "d_even"): spin_orbit},
    )


class CarriedHopping(eqx.Module):
    """The law T(r) of this file: `matrix` (end start), eV, of d_z², d_xy, d_x²−y² along x; `length` (Å) and `decay`."""

    matrix: Float[Array, "end start"]
    length: Float[Array, ""]
    decay: Float[Array, ""]

    def block(self, bond: Vector, l_end: int, l_start: int) -> Float[Array, "end start"]:
        """Hopping (eV) between two d shells; zero for the orbitals that are odd under z → −z.

        **Raises:** `InputError` for other shells.
        """
        if (l_end, l_start) != (2, 2):
            raise InputError(
                f"Argument `basis` must hold d orbitals for this law, but has l = {l_end} and {l_start}. Use 'd_even'."
            )
        x, y, _ = bond / jnp.sqrt(bond[0] ** 2 + bond[1] ** 2)
        cosine, sine, zero, one = x * x - y * y, 2.0 * x * y, jnp.zeros_like(x), jnp.ones_like(x)  # of 2φ
        turn = jnp.array([[one, zero, zero], [zero, cosine, sine], [zero, -sine, cosine]])
        even, odd = (self.matrix + self.matrix.T) / 2.0, (self.matrix - self.matrix.T) / 2.0
        carried = turn @ (even + odd * (x**3 - 3.0 * x * y * y)) @ turn.T
        closer = (self.length / jnp.sqrt(bond @ bond)) ** self.decay
        return jnp.zeros((5, 5)).at[np.ix_(_EVEN, _EVEN)].set(closer * carried)

    def pattern(self, direction: tuple[float, float, float], l_end: int, l_start: int) -> tuple[np.ndarray, np.ndarray]:
        """All between orbitals that are even under z → −z; only moves in the layer change them."""
        even = np.zeros((5, 5), bool)
        even[np.ix_(_EVEN, _EVEN)] = True
        return even, even[:, :, None] & np.array([True, True, False])


@lru_cache
def _metal_bonds() -> Bonds:
    """The six bonds between metals, whatever their length."""
    with jax.ensure_compile_time_eval():
        whole = bonds_within(dichalcogenide(1.0), 1.1)
        metal = [b for b in range(len(whole)) if whole.start[b] == whole.end[b] == 0]
        start, end, cell, direction = (
            itemgetter(*metal)(column) for column in (whole.start, whole.end, whole.cell, whole.direction)
        )
        return Bonds(start, end, cell, direction)
