"""Divided differences as functions of pairs of levels, so that sums over three levels are matrix products.

With x = (e - mu)/(2 pi k_B T), gamma = Gamma/(2 pi k_B T) and phi(x) = psi(1/2 + gamma + i x), the H of
docs/theory.md 5.2 is phi up to a constant, and H[z_1, ..., z_m] = (2 pi k_B T)^(1-m) phi[x_1, ..., x_m] for poles on
one side of the axis. A `Jet` holds phi and its derivatives once per level. From it

    phi[x, y]       = (phi(x) - phi(y))/(x - y), or for close levels, d = y - x,
                      sum_k c_k d^(k-1) [phi^(k)(x) + (-1)^(k-1) phi^(k)(y)]           (two-point Taylor, Obreschkoff),
    phi[x, x, y]    = (phi'(x) - phi[x, y])/(x - y), or the integral of (1 - t) times Hermite's quintic
                      for phi''(x + td),
    phi[x, x, x, y] = (phi''(x)/2 - phi[x, x, y])/(x - y), or its Taylor series.

phi varies on the scale |w|, w = 1/2 + gamma + i x, its distance from the nearest pole of psi: `close` means relative
to that. Taylor coefficients phi^(k)/k! = -(-i)^k zeta(k + 1, w) are Hurwitz zeta functions.
"""

import functools
import math
from collections.abc import Callable, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Complex, Float, PyTree

_HEAD = 8  # terms of the zeta functions summed explicitly
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)  # B_2 ... B_14
_ORDER = 4
_TWO_POINT = (1 / 2, 3 / 14, 1 / 14, 1 / 70)  # c_k k!
_CLOSE_PAIR = 0.04  # beyond it the quotient of differences is good to 2e-14, below it the two-point series to 1e-13
_CLOSE_TRIPLE = 0.01  # likewise, for phi[x, x, y]
_CLOSE_FOURFOLD = 3e-3
RESONANT = 2e-5
"""Levels closer than this are expanded in their distance, to first order: to 1e-10 of phi''."""


class Jet(eqx.Module):
    """phi^(k)(x)/k! for k = 0 .. 4 at the levels `x`, and the distances |w| from the nearest pole.

    Divided differences in x are linear with real coefficients. So real and imaginary parts are kept apart, and all
    arithmetic is real, which compilers turn into vector instructions.
    """

    x: Float[Array, "..."]
    distance: Float[Array, "..."]
    real: tuple[Float[Array, "..."], ...]
    imag: tuple[Float[Array, "..."], ...]

    @property
    def column(self) -> "Jet":
        """Levels down the rows of a matrix."""
        return jax.tree.map(lambda leaf: leaf[..., :, None], self)

    @property
    def row(self) -> "Jet":
        """Levels along the columns of a matrix."""
        return jax.tree.map(lambda leaf: leaf[..., None, :], self)

    @property
    def slope(self) -> Complex[Array, "..."]:
        """phi'(x)."""
        return lax.complex(self.real[1], self.imag[1])

    @property
    def derivative(self) -> "Jet":
        """phi' in place of phi, with one derivative less."""
        real, imag = (tuple(k * t for k, t in enumerate(part) if k > 0) for part in (self.real, self.imag))
        return Jet(self.x, self.distance, real, imag)


def jets(
    levels: Sequence[Float[Array, "... level"]] | Float[Array, "set ... level"],
    broadening: Float[Array, ""],
    order: int = _ORDER,
) -> list[Jet]:
    """phi and its derivatives up to `order` at sets of levels, in units of 2 pi k_B T, as is the `broadening`.

    Compilers make vector instructions of the innermost loop, over the last axis, so that mapped
    over many k it goes over all levels of a set, not over the few of one k.
    """
    x = levels if isinstance(levels, Array) else jnp.stack(levels)
    found = _in_rows(functools.partial(_jet, order=order), len(levels))(jnp.full_like(x, 0.5 + broadening), x)
    return [jax.tree.map(lambda leaf, i=i: leaf[i], found) for i in range(len(levels))]


def _jet(start: Float[Array, "level"], x: Float[Array, "level"], order: int) -> Jet:
    """At w = start + i x."""
    w = lax.complex(start, x)
    psi, *zetas = _digamma_and_zetas(w, order)
    taylor = [psi, *(-((-1j) ** k) * zeta for k, zeta in enumerate(zetas, start=1))]
    return Jet(x, jnp.abs(w), tuple(t.real for t in taylor), tuple(t.imag for t in taylor))


def _in_rows(elementwise: Callable[..., PyTree[Array]], rows: int) -> Callable[..., PyTree[Array]]:
    """The same function of arrays of one shape, computed in so many rows of all their elements, mapped axes included.

    A loop over the rows: XLA would fuse what stands outside of loops into its uses, with one digamma for every pair.
    """

    @jax.custom_batching.custom_vmap
    def computed(*arrays: Array) -> PyTree[Array]:
        found = lax.map(lambda row: elementwise(*row), tuple(one.reshape(rows, -1) for one in arrays))
        return jax.tree.map(lambda leaf: leaf.reshape(arrays[0].shape), found)

    @computed.def_vmap
    def mapped(size: int, is_mapped: Sequence[bool], *arrays: Array) -> tuple[PyTree[Array], PyTree[bool]]:
        pairs = zip(arrays, is_mapped, strict=True)
        found = computed(*(one if along else jnp.broadcast_to(one, (size, *one.shape)) for one, along in pairs))
        return found, jax.tree.map(lambda _: True, found)

    return computed


def close(a: Jet, b: Jet, measure: float) -> Bool[Array, "..."]:
    """Whether levels are closer than `measure`, relative to the scale on which phi varies."""
    return jnp.abs(a.x - b.x) < measure * jnp.minimum(a.distance, b.distance)


def pair(a: Jet, b: Jet) -> Complex[Array, "..."]:
    """phi[x_a, x_b], elementwise."""
    d, near = b.x - a.x, close(a, b, _CLOSE_PAIR)

    def part(a: Sequence[Array], b: Sequence[Array]) -> Array:
        series = jnp.zeros(())
        for k in range(_ORDER, 0, -1):
            series = d * series + _TWO_POINT[k - 1] * (a[k] + b[k] if k % 2 else a[k] - b[k])
        return _quotient(b[0] - a[0], d, near, series)

    return lax.complex(part(a.real, b.real), part(a.imag, b.imag))


def doubled(a: Jet, b: Jet, first: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """phi[x_a, x_a, x_b], elementwise, from `first` = phi[x_a, x_b]."""
    d, near = b.x - a.x, close(a, b, _CLOSE_TRIPLE)

    def part(a: Sequence[Array], b: Sequence[Array], first: Array) -> Array:
        hermite = (5 * a[2] + 2 * b[2] + d * (2.6 * a[3] - 1.6 * b[3] + d * (0.8 * a[4] + 0.6 * b[4]))) / 7
        return _quotient(first - a[1], d, near, hermite)

    return lax.complex(part(a.real, b.real, first.real), part(a.imag, b.imag, first.imag))


def tripled(a: Jet, b: Jet, second: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """phi[x_a, x_a, x_a, x_b], elementwise, from `second` = phi[x_a, x_a, x_b]; for close levels to first order."""
    d, near = b.x - a.x, close(a, b, _CLOSE_FOURFOLD)

    def part(a: Sequence[Array], second: Array) -> Array:
        return _quotient(second - a[2], d, near, a[3] + d * a[4])

    return lax.complex(part(a.real, second.real), part(a.imag, second.imag))


def over(difference: Float[Array, "..."], broadening: Float[Array, ""]) -> Complex[Array, "..."]:
    """1/(difference - 2 i broadening)."""
    scale = 1.0 / (difference**2 + 4.0 * broadening**2)
    return lax.complex(difference * scale, 2.0 * broadening * scale)


def opposed(a: Jet, b: Jet, second_a: Complex[Array, "..."], second_b: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """phi[x_a, x_a, x_b, x_b], elementwise, from phi[x_a, x_a, x_b] and phi[x_a, x_b, x_b].

    For close levels, d = x_b - x_a, the integral of t (1 - t) times Hermite's cubic for the third derivative.
    """
    d, near = b.x - a.x, close(a, b, _CLOSE_FOURFOLD)

    def part(a: Sequence[Array], b: Sequence[Array], second_a: Array, second_b: Array) -> Array:
        return _quotient(second_b - second_a, d, near, 0.5 * (a[3] + b[3]) + 0.4 * d * (a[4] - b[4]))

    return lax.complex(
        part(a.real, b.real, second_a.real, second_b.real), part(a.imag, b.imag, second_a.imag, second_b.imag)
    )


def _digamma_and_zetas(w: Complex[Array, "... level"], order: int) -> list[Complex[Array, "... level"]]:
    """psi(w) and zeta(s, w) for s = 2 .. order + 1: heads of their series, and Euler and Maclaurin's formula for the
    rest."""
    heads = [jnp.zeros_like(w) for _ in range(order + 1)]
    for n in range(_HEAD):
        v = power = _reciprocal(w + n)
        for i in range(len(heads)):
            heads[i] = heads[i] + power
            power = power * v
    far = w + _HEAD
    v = _reciprocal(far)
    logarithm = lax.complex(0.5 * jnp.log(far.real**2 + far.imag**2), jnp.arctan(far.imag / far.real))
    values = [logarithm - 0.5 * v - _bernoulli_series(v, 1) - heads[0]]
    power = v
    for s in range(2, order + 2):
        values.append(heads[s - 1] + power * (1.0 / (s - 1) + 0.5 * v + _bernoulli_series(v, s)))
        power = power * v
    return values


def _bernoulli_series(v: Complex[Array, "... level"], s: int) -> Complex[Array, "... level"]:
    """sum_j B_2j/(2j)! s (s + 1) ... (s + 2j - 2) v^2j."""
    v2, series = v * v, jnp.zeros_like(v)
    for j in range(len(_BERNOULLI), 0, -1):
        rising = math.prod(range(s, s + 2 * j - 1)) / math.factorial(2 * j)
        series = (series + _BERNOULLI[j - 1] * rising) * v2
    return series


def _reciprocal(w: Array) -> Array:
    scale = 1.0 / (w.real**2 + w.imag**2)
    return lax.complex(w.real * scale, -w.imag * scale)


def _quotient(numerator: Array, d: Array, near: Array, instead: Array) -> Array:
    return jnp.where(near, instead, numerator / jnp.where(near, 1.0, d))
