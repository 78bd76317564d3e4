"""Two-centre hopping between s, p and d shells, as a smooth function of the bond vector.

Seen along the bond r = |r| n, a two-centre hopping conserves |m| (σ, π, δ = 0, 1, 2), so that

    t(r) = Σ_m V_m(|r|) T_m(n),    T_m(n) = D(n) T_m(z) D(n)ᵀ,    T_m(z) = 1 between the partners of |m|, else 0.

A rotation D(n) that takes z to n is not a smooth function of n everywhere; T_m is. Write a shell as symmetric traceless
tensors S_a (rank l, orthonormal: Σ S_a S_b = δ_ab). Every matrix with T(Rn) = D T(n) Dᵀ, R a rotation or a mirror, is a
combination of the contractions

    T^(k)_ab(n) = S_{a, i…i j…j} S_{b, i…i j…j} n_j…n_j n_j…n_j        (k indices i in common, all others along n),

k = 0 … min(l, l'). There are as many as there are m, and the matrix that connects the two sets is read off at n = z.
For two p shells T^(0) = n nᵀ, T^(1) = 1, hence T_σ = n nᵀ, T_π = 1 − n nᵀ. The result is a polynomial in n: nothing is
singular, and every derivative is finite for every bond vector but zero.

Signs are those of Slater and Koster, Phys. Rev. 94, 1498 (1954), Table I: with r from the first atom to the second,
E_{s,x} = +n_x V_spσ; the reversed pair has the sign (−1)^{l+l'}, so that t(−r) = t(r)ᵀ.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from orbiphon._checks import check_choice, check_finite, check_not_negative, check_positive
from orbiphon._types import Vector
from orbiphon.crystal import is_concrete
from orbiphon.crystal.concrete import ArrayLike
from orbiphon.errors import InputError

_LETTERS = "spd"
_KINDS = ("sigma", "pi", "delta")
INTEGRALS = tuple(
    f"{_LETTERS[a]}{_LETTERS[b]}_{_KINDS[m]}" for a in range(3) for b in range(a, 3) for m in range(a + 1)
)
"""The names of the ten integrals: ss_sigma, sp_sigma, sd_sigma, pp_sigma, pp_pi, …, dd_delta."""

# Where m = 0, 1 (cos), 2 (cos) sit in the order of `orbitals`: s; z, x of x, y, z; 3z²−r², zx, x²−y².
_PARTNERS = ((0,), (2, 0), (0, 1, 3))


def _shell_tensors(l: int) -> np.ndarray:
    """Orthonormal symmetric traceless tensors of rank l, (2l+1, 3, …, 3), in the order of `orbitals`."""
    if l == 0:
        return np.ones(1)
    if l == 1:
        return np.eye(3)
    x, y, z = np.eye(3)
    pair = lambda a, b: (np.outer(a, b) + np.outer(b, a)) / np.sqrt(2)  # noqa: E731
    squares = np.diag([-1.0, -1.0, 2.0]) / np.sqrt(6), np.diag([1.0, -1.0, 0.0]) / np.sqrt(2)
    return np.stack([squares[0], pair(z, x), pair(y, z), squares[1], pair(x, y)])


def _contractions(n: Any, l_end: int, l_start: int) -> list[Any]:
    """T^(k)(n) for k = 0 … min(l, l'), each (2 l_end + 1, 2 l_start + 1); for NumPy and JAX vectors alike."""

    def along(l: int, times: int) -> Any:
        tensor = _shell_tensors(l)
        for _ in range(times):
            tensor = tensor @ n
        return tensor.reshape(2 * l + 1, -1)

    common = range(min(l_end, l_start) + 1)
    return [along(l_end, l_end - k) @ along(l_start, l_start - k).T for k in common]


@lru_cache
def _mixing(l_end: int, l_start: int) -> np.ndarray:
    """W with T_m = Σ_k W_mk T^(k): the inverse of T^(k) between the partners of m, at n = z."""
    at_z = np.array(_contractions(np.array([0.0, 0.0, 1.0]), l_end, l_start))
    m = np.arange(min(l_end, l_start) + 1)
    partners = at_z[:, np.array(_PARTNERS[l_end])[m], np.array(_PARTNERS[l_start])[m]]  # (k, m)
    return np.linalg.inv(partners)


def bond_matrices(n: Any, l_end: int, l_start: int) -> np.ndarray:
    """T_m(n), (m end start), for a unit vector n: the hopping from l_start to l_end with V_m = 1, without the sign."""
    return np.tensordot(_mixing(l_end, l_start), np.array(_contractions(n, l_end, l_start)), axes=1)


@lru_cache(maxsize=4096)
def bond_pattern(
    direction: tuple[float, float, float], l_end: int, l_start: int
) -> tuple[Bool[np.ndarray, "end start"], Bool[np.ndarray, "end start xyz"]]:
    """Which elements of t and of ∂t/∂r can be non-zero for a bond in that direction, whatever the integrals are.

    t = Σ V_m T_m can be non-zero where any T_m is, and ∂t/∂r = Σ V'_m T_m n + V_m ∂T_m/∂r where either term is.
    """
    n = np.asarray(direction)
    hopping = np.any(np.abs(bond_matrices(n, l_end, l_start)) > 1e-9, axis=0)
    stretched = hopping[:, :, None] & (np.abs(n) > 1e-9)
    # |r| ∂n/∂r = 1 − n nᵀ; the derivative of a polynomial is the imaginary part of an imaginary step.
    across = np.eye(3) - np.outer(n, n)
    turned = [np.imag(bond_matrices(n + 1e-30j * step, l_end, l_start)) / 1e-30 for step in across]
    return hopping, stretched | np.any(np.abs(np.stack(turned, axis=-1)) > 1e-9, axis=0)


class SlaterKoster(eqx.Module):
    """The law V(|r|) = V₀ (length/|r|)^decay for each two-centre integral.

    **Arguments:** `integrals`: V₀ (eV) by name (`INTEGRALS`), the shell of lower l first; `length` (Å): where V = V₀;
    `decay`: one exponent, or one per integral by name; by default Harrison's (*Electronic Structure and the
    Properties of Solids*, 1980): 2 between s and p, 7/2 with one d, 5 with two.

    **Raises:** `InputError` for an unknown name, a number that is not finite, `length` ≤ 0 or a negative decay.
    """

    names: tuple[str, ...] = eqx.field(static=True)
    strengths: Float[Array, "integral"]
    decays: Float[Array, "integral"]
    length: Float[Array, ""]

    def __init__(
        self,
        integrals: Mapping[str, ArrayLike],
        length: ArrayLike,
        decay: ArrayLike | Mapping[str, ArrayLike] | None = None,
    ):
        for name in integrals:
            check_choice("integrals", name, INTEGRALS)
        if isinstance(decay, Mapping):
            for name in decay:
                check_choice("decay", name, tuple(integrals))
        names = tuple(name for name in INTEGRALS if name in integrals)
        for name in names:
            if is_concrete(integrals[name]):
                check_finite(f"integrals[{name!r}]", integrals[name])
        harrison = {name: (2.0, 3.5, 5.0)[name[:2].count("d")] for name in names}
        if decay is None:
            decay = harrison
        elif isinstance(decay, Mapping):
            decay = {**harrison, **decay}
        else:
            decay = dict.fromkeys(names, decay)
        self.names = names
        self.strengths = _column([integrals[name] for name in names])
        self.decays = _column([decay[name] for name in names])
        self.length = jnp.asarray(length, dtype=jnp.float64)

    def __check_init__(self) -> None:
        if is_concrete(self.decays, self.length):
            check_positive("length", self.length)
            check_not_negative("decay", self.decays)

    def block(self, bond: Vector, l_end: int, l_start: int) -> Float[Array, "end start"]:
        """Hopping (eV) from a shell l_start to a shell l_end that lies `bond` (Å) away from it; smooth for bond ≠ 0.

        **Raises:** `InputError` if an integral of this pair of shells is missing.
        """
        low, high = sorted((l_end, l_start))
        needed = [f"{_LETTERS[low]}{_LETTERS[high]}_{kind}" for kind in _KINDS[: low + 1]]
        missing = [name for name in needed if name not in self.names]
        if missing:
            raise InputError(
                f"Argument `integrals` must have {' and '.join(needed)} for bonds between {_LETTERS[low]} and "
                f"{_LETTERS[high]} shells, but lacks {' and '.join(missing)}. Set to 0.0 what is meant to vanish."
            )
        which = np.array([self.names.index(name) for name in needed])
        distance = jnp.sqrt(bond @ bond)
        sign = (-1.0) ** (low + high) if l_start > l_end else 1.0
        integrals = sign * self.strengths[which] * (self.length / distance) ** self.decays[which]  # V_m(|r|)
        # Σ_m V_m T_m = Σ_k (Σ_m V_m W_mk) T^(k): for V_ppσ = V_ppπ the first coefficient is exactly zero.
        coefficients = integrals @ jnp.asarray(_mixing(l_end, l_start))
        return jnp.tensordot(coefficients, jnp.stack(_contractions(bond / distance, l_end, l_start)), axes=1)

    def pattern(self, direction: tuple[float, float, float], l_end: int, l_start: int) -> tuple[np.ndarray, np.ndarray]:
        """Which elements of a block, and of its gradient, can be non-zero for some values of the integrals."""
        return bond_pattern(direction, l_end, l_start)


def _column(values: list[ArrayLike]) -> Array:
    return jnp.stack([jnp.asarray(value, dtype=jnp.float64) for value in values]) if values else jnp.zeros(0)
