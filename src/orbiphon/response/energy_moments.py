"""What pairs of levels add to the moments of cells of energies, in place of tables of pairs for every state.

`many_bands` writes the moment at one k as a sum over pairs of levels,

    sum_bc { r_bc Y'_bc + i_bc Y''_bc + p_bc P''_bc + q_bc Q''_bc },
    Y_bc = h'[b, c] - (h'(b) - h'(c)*)/(b - c - 2 i Gamma),    P_bc = h[b, c, c],    Q_bc = h[b, b, c, c].

Levels far from each other, D = b - c, are told apart: each takes its part of

    h'[b, c] = (h'(b) - h'(c))/D,    h[b, c, c] = (h(b) - h(c))/D^2 - h'(c)/D,
    h[b, b, c, c] = (h'(b) + h'(c))/D^2 - 2 (h(b) - h(c))/D^3,

into its own cell (`energy_cells`). Where c is close to the middle of the cell of b, both are kept together in that
cell. With the complete symmetric polynomials p_n of their t,

    h'[b, c] = d^-2 sum_n a_n n p_(n-2)(b, c),           h[b, c, c] = d^-2 sum_n a_n p_(n-2)(b, c, c),
    h[b, b, c, c] = d^-3 sum_n a_n p_(n-3)(b, b, c, c),  p_n(b, b, c) = p_n(b, c, c) - (t_c - t_b) p_(n-1)(b, b, c, c).
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float

from orbiphon.response.energy_cells import CLOSE, ORDER, EnergyCells
from orbiphon.response.pairs import over


def energy_moments(
    cells: EnergyCells,
    levels: Float[Array, "band k"],
    weights: Float[Array, "component 4 b c k"],
    broadening: Float[Array, ""],
) -> Float[Array, "cell n 2 component"]:
    """The moments of all cells, for the real and the imaginary part of h, from the weights r, i, p and q."""
    size, points = levels.shape
    cell = cells.find(levels)
    middle = cells.middle(cell)
    distance = cells.distance(middle)
    first, second, once = _each_pair_once(size)
    t, other = (levels - middle) / distance, (levels[second] - middle[None]) / distance[None]
    kept = (jnp.abs(other) < CLOSE) & once[:, :, None]
    apart = ~jnp.zeros((size, size, points), bool).at[first, second].max(kept)
    apart = apart & jnp.swapaxes(apart, 0, 1)

    def rows(weights: Float[Array, "4 b c k"]) -> Float[Array, "n 2 band k"]:
        """Of one component."""
        forth = jnp.where(kept[None], weights[:, first, second], 0.0)
        back = jnp.where((kept & (first != second)[:, :, None])[None], weights[:, second, first], 0.0)
        own = _own(distance, t, *_told_apart(levels, weights, apart, broadening))
        return own + _kept_together(distance, t, other, forth, back)

    found = jax.vmap(rows, out_axes=2)(weights)  # (n 2 component band k)
    by_level = jnp.moveaxis(found, (3, 4), (0, 1)).reshape(size * points, -1)
    found = jax.ops.segment_sum(by_level, cell.ravel(), num_segments=cells.count)
    return found.reshape(cells.count, ORDER + 1, 2, -1)


def _each_pair_once(size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs (b, b + offset), cyclic, (offset b): both levels, and whether the pair has not come before."""
    offset, b = np.meshgrid(np.arange(size // 2 + 1), np.arange(size), indexing="ij")
    return b, (b + offset) % size, (2 * offset < size) | (b < offset)


def _told_apart(
    levels: Float[Array, "band k"],
    weights: Float[Array, "4 b c k"],
    apart: Bool[Array, "b c k"],
    broadening: Float[Array, ""],
) -> tuple[Float[Array, "2 band k"], Float[Array, "band k"]]:
    """What multiplies h'(b), real and imaginary part, and the imaginary part of h(b)."""
    r, i, p, q = weights
    difference = levels[:, None] - levels[None, :]
    inverse = jnp.where(apart, 1.0 / jnp.where(apart, difference, 1.0), 0.0)
    lorentzian = over(difference, broadening)
    alpha = r * lorentzian.real + i * lorentzian.imag
    beta = i * lorentzian.real - r * lorentzian.imag

    def plus(x: Float[Array, "b c k"]) -> Float[Array, "band k"]:
        return jnp.sum(x, axis=1) + jnp.sum(x, axis=0)

    def minus(x: Float[Array, "b c k"]) -> Float[Array, "band k"]:
        return jnp.sum(x, axis=1) - jnp.sum(x, axis=0)

    real = minus(r * inverse - alpha)
    imag = minus(i * inverse) + plus(q * inverse**2 - beta) - jnp.sum(p * inverse, axis=0)
    return jnp.stack([real, imag]), minus(p * inverse**2 - 2.0 * q * inverse**3)


def _own(
    distance: Float[Array, "band k"],
    t: Float[Array, "band k"],
    slope: Float[Array, "2 band k"],
    value: Float[Array, "band k"],
) -> Float[Array, "n 2 band k"]:
    """Of single levels: h = sum_n a_n t^n and h' = sum_n a_n n t^(n-1)/d."""
    real, imag = slope / distance[None]

    def step(powers: tuple[Array, Array], n: Array) -> tuple[tuple[Array, Array], Array]:
        before, power = powers  # t^(n-1), t^n
        return (power, power * t), jnp.stack([n * real * before, n * imag * before + value * power])

    _, rows = lax.scan(step, (jnp.zeros_like(t), jnp.ones_like(t)), jnp.arange(ORDER + 1, dtype=float))
    return rows


def _kept_together(
    distance: Float[Array, "band k"],
    t: Float[Array, "band k"],
    other: Float[Array, "offset band k"],
    forth: Float[Array, "4 offset band k"],
    back: Float[Array, "4 offset band k"],
) -> Float[Array, "n 2 band k"]:
    """Of pairs in the cell of the first level, from the weights (b, c) and (c, b)."""
    t, distance = (jnp.broadcast_to(x, other.shape) for x in (t[None], distance[None]))
    r, i, p, q = (forth + back) / distance[None] ** 2
    fourfold = q / distance - back[2] * (other - t) / distance**2

    def step(carry: tuple[Array, ...], n: Array) -> tuple[tuple[Array, ...], Array]:
        power, two, three, four = carry  # t_b^(n-2), p_(n-2)(b, c), p_(n-2)(b, c, c), p_(n-3)(b, b, c, c)
        real, imag = n * r * two, n * i * two + p * three + fourfold * four
        power, four = power * t, three + t * four
        two = power + other * two
        return (power, two, two + other * three, four), jnp.stack([jnp.sum(real, axis=0), jnp.sum(imag, axis=0)])

    one = jnp.ones_like(other)
    _, rows = lax.scan(step, (one, one, one, jnp.zeros_like(other)), jnp.arange(2, ORDER + 1, dtype=float))
    return jnp.concatenate([jnp.zeros((2, *rows.shape[1:])), rows])
