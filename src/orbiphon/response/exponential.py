"""Exponential Runge-Kutta steps for dy/dt = lambda y + N(t, y), lambda a diagonal of fast rotations and decays.

    y(t + h) = e^{h lambda} y + h sum_s b_s(h lambda) N_s,        phi_k(z) = int_0^1 e^{(1-x) z} x^(k-1)/(k-1)! dx.

The linear part is exact, so a step is as long as the drive allows and not as short as the band width asks. Order 4 in
five stages, also where h lambda is large: M. Hochbruck, A. Ostermann, SIAM J. Numer. Anal. 43, 1069 (2005), (5.19). The
error estimate is what the curvature of N adds to a straight line between the ends, times `_CAUTION`: the stages carry
errors of their own from rho_{1,0} to C_p to rho_{0,0}, measured to be up to ten times as large where h lambda is large.
"""

import math
from typing import Any, ClassVar

import diffrax
import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float

_NEAR = 1.0  # |z| below which phi_k is summed from its series
_TERMS = 14
_CAUTION = 10.0


class Exponential(diffrax.AbstractAdaptiveSolver):
    """A solver of diffrax. The state is `stacked` complex numbers; the term's vector field is N alone."""

    rates: Complex[Array, "*shape"]

    term_structure: ClassVar = diffrax.ODETerm
    interpolation_cls: ClassVar = diffrax.LocalLinearInterpolation

    def order(self, terms: Any) -> int:
        return 4

    def error_order(self, terms: Any) -> int:
        return 3

    def init(self, terms: Any, t0: Any, t1: Any, y0: Any, args: Any) -> None:
        return None

    def func(self, terms: Any, t0: Any, y0: Any, args: Any) -> Array:
        return stacked(self.rates * unstacked(y0) + unstacked(terms.vf(t0, y0, args)))

    def step(self, terms: Any, t0: Any, t1: Any, y0: Any, args: Any, solver_state: Any, made_jump: Any) -> Any:
        h, y = t1 - t0, unstacked(y0)
        hc = h.astype(complex)
        half, whole = phi(hc * self.rates)

        def slope(t: Array, u: Array) -> Array:
            return hc * unstacked(terms.vf(t, stacked(u), args))

        middle, end = t0 + 0.5 * h, t1
        y_half, y_whole = half[0] * y, whole[0] * y
        n1 = slope(t0, y)
        n2 = slope(middle, y_half + 0.5 * half[1] * n1)
        n3 = slope(middle, y_half + (0.5 * half[1] - half[2]) * n1 + half[2] * n2)
        n4 = slope(end, y_whole + (whole[1] - 2.0 * whole[2]) * n1 + whole[2] * (n2 + n3))
        a52 = 0.5 * half[2] - whole[3] + 0.25 * whole[2] - 0.5 * half[3]
        a54 = 0.25 * half[2] - a52
        n5 = slope(middle, y_half + (0.5 * half[1] - 2.0 * a52 - a54) * n1 + a52 * (n2 + n3) + a54 * n4)
        b5 = 4.0 * whole[2] - 8.0 * whole[3]
        y = y_whole + (whole[1] - 3.0 * whole[2] + 4.0 * whole[3]) * n1 + (4.0 * whole[3] - whole[2]) * n4 + b5 * n5
        y1 = stacked(y)
        return (
            y1,
            stacked(_CAUTION * (4.0 * whole[3] - 2.0 * whole[2]) * (n1 + n4 - 2.0 * n5)),
            {"y0": y0, "y1": y1},
            None,
            diffrax.RESULTS.successful,
        )


def stacked(z: Complex[Array, "*shape"]) -> Float[Array, "2 *shape"]:
    """Real and imaginary part as one real array: diffrax is not safe on complex states."""
    return jnp.stack([jnp.real(z), jnp.imag(z)])


def unstacked(y: Float[Array, "2 *shape"]) -> Complex[Array, "*shape"]:
    """The complex numbers again."""
    return jax.lax.complex(y[0], y[1])


def phi(z: Complex[Array, "*shape"]) -> tuple[Complex[Array, "4 *shape"], Complex[Array, "4 *shape"]]:
    """phi_0 .. phi_3 at z/2 and at z: sum_j w^j/(j+3)! or phi_{k+1} = (phi_k - 1/k!)/w at w = z/4, then doubled twice.

    The doubling is a loop because XLA would compute all that is fused into a step again wherever it is used.
    """
    w = 0.25 * z
    near = jnp.abs(w) < _NEAR
    small, large = jnp.where(near, w, 0.0), jnp.where(near, 1.0, w)
    near3 = jnp.zeros_like(w)
    for j in range(_TERMS, -1, -1):
        near3 = near3 * small + 1.0 / math.factorial(j + 3)
    near2 = near3 * small + 0.5
    zero, inverse = jnp.exp(w), 1.0 / large
    one = jnp.where(near, near2 * small + 1.0, (zero - 1.0) * inverse)
    two = jnp.where(near, near2, (one - 1.0) * inverse)
    three = jnp.where(near, near3, (two - 0.5) * inverse)

    def doubled(phis: Array, _: None) -> tuple[Array, Array]:
        zero, one, two, three = phis
        ones = one + 1.0
        twice = jnp.stack(
            [zero**2, 0.5 * (zero + 1.0) * one, 0.25 * (one**2 + 2.0 * two), 0.125 * (two * ones + 2.0 * three)]
        )
        return twice, twice

    return tuple(jax.lax.scan(doubled, jnp.stack([zero, one, two, three]), None, length=2)[1])
