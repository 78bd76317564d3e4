"""The special functions of the theory: Fermi function, H(z), stable divided differences.

Every closed form of the response theory is an integral of the Fermi function f or of f' against products of
Green's functions, and each of those is a divided difference of one special function (docs/theory.md 5.2):

    H(z) = psi(1/2 + i beta (z - mu) / 2 pi) - i pi/2        for Im z < 0,        H(z*) = H(z)*  for Im z > 0,
    int f(e)  prod_i 1/(e - z_i) de = H [z_1, ..., z_n],
    int f'(e) prod_i 1/(e - z_i) de = H'[z_1, ..., z_n].

With w = 1/2 + i beta (z - mu) / 2 pi a divided difference in z is one in w times (i beta / 2 pi)^order, and psi is a
sum of simple fractions, whose divided differences are products. So nothing has to cancel:

    psi [w_0..w_m] = (-1)^(m+1) sum_{n>=0}  prod_i 1/(n + w_i),
    psi'[w_0..w_m] = (-1)^m     sum_{n>=0}  prod_i 1/(n + w_i)  sum_i 1/(n + w_i).

The first `_HEAD` terms are summed as they stand; the rest is the divided difference of psi(w + _HEAD), from

    psi(w) ~ ln w - 1/2w - sum_k B_2k / (2k w^2k),    (w^-p)[w_0..w_m] = (-1)^m (prod_i v_i) h_{p-1}(v),   v = 1/w,

with the complete homogeneous symmetric polynomials h. Degenerate levels need no special case.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Complex, Float

from orbiphon.units import k_B

_HEAD = 12  # Matsubara terms summed explicitly: |w + _HEAD| > 12, where the series below is good to 1e-13
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)  # B_2 ... B_14
_CLUSTER = 0.06  # points closer than this, relative to their distance from the origin, go through the Taylor series
_TAYLOR = 9  # its terms: 0.03^9 is below rounding


def fermi(energy: Float[Array, "..."], fermi_level: Float[Array, "..."], temperature: Float[Array, "..."]) -> Array:
    """Fermi function 1/(exp((energy - fermi_level)/k_B T) + 1).

    Energies in eV, temperature in kelvin (> 0). Shapes broadcast.
    """
    return 0.5 * (1.0 - jnp.tanh((energy - fermi_level) / (2.0 * k_B * temperature)))


def fermi_derivative(energy: Array, fermi_level: Array, temperature: Array) -> Array:
    """df/denergy in 1/eV, for real energies in eV or complex ones off the Matsubara poles; temperature in kelvin."""
    centre, thermal = (jnp.asarray(x).astype(energy.dtype) for x in (fermi_level, k_B * temperature))
    x = (energy - centre) / thermal
    e = jnp.exp(-jnp.where(jnp.real(x) < 0, -x, x))  # f' is even about the Fermi level; this branch never overflows
    return -e / (1.0 + e) ** 2 / thermal


def digamma(w: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """psi(w) for complex w with Re w > 0 (DLMF 5.5.2 and 5.11.2), to about 1e-13 relative away from its zeros."""
    shifted = w + _HEAD
    v = _reciprocal(shifted)
    v2 = v * v
    series = jnp.zeros_like(v)
    for k in range(len(_BERNOULLI), 0, -1):
        series = (series + _BERNOULLI[k - 1] / (2 * k)) * v2
    head = sum((_reciprocal(w + n) for n in range(1, _HEAD)), start=_reciprocal(w))
    return jnp.log(shifted) - 0.5 * v - series - head


def fermi_potential(z: Complex[Array, "..."], fermi_level: Array, temperature: Array) -> Complex[Array, "..."]:
    """H(z) of docs/theory.md 5.2, for Im z != 0 or, on the real axis, the limit from below. Energies in eV, kelvin."""
    below = jnp.where(jnp.imag(z) > 0, jnp.conj(z), z)
    value = digamma(_matsubara(below, fermi_level, temperature)) - 0.5j * np.pi
    return jnp.where(jnp.imag(z) > 0, jnp.conj(value), value)


def sea_integral(
    levels: Sequence[Array], broadening: Array, fermi_level: Array, temperature: Array
) -> Complex[Array, "..."]:
    """int f(e) prod_i R_i(e) de with R_i = 1/(e - e_i + i broadening), for two to four levels, in eV^(1 - levels).

    `levels` are real energies in eV whose shapes broadcast, repeated for a power of R; `broadening` >= 0 in eV. At zero
    broadening the imaginary part is -pi f[e_1, e_2, ...], the divided difference of the Fermi function.
    """
    step = jnp.asarray(1.0 / (2.0 * np.pi * k_B * temperature))  # |dw/dz|
    x = [(level - fermi_level) * step for level in jnp.broadcast_arrays(*levels)]
    return _imaginary(step) ** (len(x) - 1) * _psi_divided(0.5 + broadening * step, _ascending(x))


def surface_integral(
    retarded: Sequence[Array], advanced: Array, broadening: Array, fermi_level: Array, temperature: Array
) -> Complex[Array, "..."]:
    """int f'(e) prod_b R_b(e) A_a(e) de with A = R*, for one or two retarded levels, in eV^-(1 + levels).

    Real energies in eV whose shapes broadcast; `broadening` > 0. The poles lie on both sides of the axis. H from below
    the axis, continued across it, differs from H above it by 2 pi i f, so

        H'[z_b, z_c, z_a*] = H'_continued[z_b, z_c, z_a*] + 2 pi i f'(z_a*) r_b r_c,    r_i = 1/(z_a* - z_i),

    two terms without cancellation, unless z_a* comes near the poles of f at mu + i pi k_B T (2n + 1). There, where all
    scales equal the broadening, the plain partial fractions are stable instead:

        H'[z_b, z_c, z_a*] = (H'(z_a*) - H'(z_b)) r_b r_c - H'[z_b, z_c] r_c.
    """
    *retarded, a = jnp.broadcast_arrays(*retarded, advanced)
    step = jnp.asarray(1.0 / (2.0 * np.pi * k_B * temperature))
    slope, gamma = _imaginary(step), broadening * step  # dw/dz = i step
    w = [lax.complex(jnp.full_like(e, 0.5 + gamma), (e - fermi_level) * step) for e in retarded]
    w_a = lax.complex(jnp.full_like(a, 0.5 - gamma), (a - fermi_level) * step)
    r = [_reciprocal(lax.complex(a - e, jnp.full_like(a, 2.0 * broadening))) for e in retarded]

    def continued():
        jump = fermi_derivative(lax.complex(a, jnp.full_like(a, broadening)), fermi_level, temperature)
        return slope ** (len(w) + 1) * _trigamma_divided(*w, w_a) + 2j * np.pi * jump * _product(r)

    def plain():
        above = jnp.conj(slope * _trigamma_divided(1.0 - jnp.conj(w_a)))  # H'(z_a*) = H'(z_a)*
        value = (above - slope * _trigamma_divided(w[0])) * _product(r)
        return value if len(w) == 1 else value - slope**2 * _trigamma_divided(*w) * r[1]

    def poles_near():
        return jnp.where(jnp.abs(a - fermi_level) > 30.0 * broadening, continued(), plain())

    return lax.cond(gamma < 0.4, continued, poles_near)  # gamma = 1/2 meets the first pole


def _matsubara(z: Array, fermi_level: Array, temperature: Array) -> Array:
    step = 1.0 / (2.0 * np.pi * k_B * temperature)
    return lax.complex(0.5 - step * z.imag, step * (z.real - fermi_level))


def _imaginary(x: Array) -> Array:
    return lax.complex(jnp.zeros_like(x), x)


def _reciprocal(w: Array) -> Array:
    scale = 1.0 / (w.real**2 + w.imag**2)
    return lax.complex(w.real * scale, -w.imag * scale)


def _complete_homogeneous(v: list[Array], order: int) -> list[Array]:
    """h_0 .. h_order of the variables v, by h_k(v_0..v_j) = h_k(v_0..v_{j-1}) + v_j h_{k-1}(v_0..v_j)."""
    h = [jnp.ones_like(v[0])] + [jnp.zeros_like(v[0])] * order
    for variable in v:
        for k in range(1, order + 1):
            h[k] = h[k] + variable * h[k - 1]
    return h


@jax.jit  # traced once, used often
def _trigamma_divided(*w: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """psi'[w_0..w_m]."""
    total = jnp.zeros_like(w[0])
    for n in range(_HEAD):
        r = [_reciprocal(wi + n) for wi in w]
        total = total + _product(r) * _sum(r)
    v = [_reciprocal(wi + _HEAD) for wi in w]
    h = _complete_homogeneous(v, 2 * len(_BERNOULLI))
    tail = 1.0 + 0.5 * h[1] + _sum([bernoulli * h[2 * k + 2] for k, bernoulli in enumerate(_BERNOULLI)])
    return (-1.0) ** (len(w) - 1) * (total + _product(v) * tail)


def _psi_divided(offset: Array, x: list[Array]) -> Complex[Array, "..."]:
    """psi[w_0..w_m] for w_i = offset + i x_i with x ascending."""
    w = [lax.complex(jnp.full_like(xi, offset), xi) for xi in x]
    total = jnp.zeros_like(w[0])
    for n in range(_HEAD):
        total = total + _product([_reciprocal(wi + n) for wi in w])
    w = [wi + _HEAD for wi in w]
    v = [_reciprocal(wi) for wi in w]
    h = _complete_homogeneous(v, 2 * len(_BERNOULLI) - 1)
    powers = 0.5 + _sum([bernoulli / (2 * k + 2) * h[2 * k + 1] for k, bernoulli in enumerate(_BERNOULLI)])
    return (-1.0) ** len(w) * (total + _product(v) * powers) + _log_divided(w)


def _log_divided(w: list[Array]) -> Complex[Array, "..."]:
    """ln[w_0..w_m] for points in ascending order, far from the origin.

    The outermost pair is the widest, so ln[w_0..w_m] = (ln[w_1..w_m] - ln[w_0..w_{m-1}])/(w_m - w_0) loses little;
    where even that pair is close, all points are, and the Taylor series about their centre takes over.
    """
    table = [lax.complex(0.5 * jnp.log(wi.real**2 + wi.imag**2), jnp.arctan(wi.imag / wi.real)) for wi in w]
    for order in range(1, len(w)):
        table = [_log_step(w[i : i + order + 1], table[i + 1] - table[i]) for i in range(len(w) - order)]
    return table[0]


def _log_step(w: list[Array], difference: Array) -> Array:
    # ln[w_0..w_m] = c^-m sum_k (-1)^(m+k-1)/(m+k) h_k(u),   u_i = w_i/c - 1, c the centre
    m = len(w) - 1
    centre = _reciprocal(0.5 * (w[0] + w[-1]))
    width = w[-1] - w[0]
    close = jnp.abs(width.imag) ** 2 < _CLUSTER**2 / (centre.real**2 + centre.imag**2)
    h = _complete_homogeneous([wi * centre - 1.0 for wi in w], _TAYLOR)
    taylor = centre**m * _sum([(-1.0) ** (m + k - 1) / (m + k) * hk for k, hk in enumerate(h)])
    return jnp.where(close, taylor, difference * _reciprocal(jnp.where(close, jnp.ones_like(width), width)))


def _ascending(x: list[Array]) -> list[Array]:
    """Elementwise sorted, by exchanges of neighbours."""
    x = list(x)
    for last in range(len(x) - 1, 0, -1):
        for i in range(last):
            x[i], x[i + 1] = jnp.minimum(x[i], x[i + 1]), jnp.maximum(x[i], x[i + 1])
    return x


def _product(factors: list[Array]) -> Array:
    result = factors[0]
    for factor in factors[1:]:
        result = result * factor
    return result


def _sum(terms: list[Array]) -> Array:
    result = terms[0]
    for term in terms[1:]:
        result = result + term
    return result
