"""Slow waves of any wave vector: the moment per phonon at leading order in the frequency.

A displacement that stands still moves no observable that is odd under time reversal, so in

    M^s_ba = sum_c W_bc W*_ac K(e_a, e_b, e_c; s omega),        K(s omega) = K(0) + s omega K'(e_a, e_b, e_c) + ...,

the sum of all K(0) over s and k is zero, and s omega K' is what remains: of a kernel K' (`kernels`), a pump for the
integrand of `finite_wave`. At q = 0 (optical modes) it is the displacement-space Berry curvature, or its conserving
counterpart; long acoustic waves go over into `second_order`.
"""

import functools

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from orbiphon.response.finite_wave import Pump, adjoint, turned
from orbiphon.response.second_order import Kernel
from orbiphon.units import k_B


@functools.cache
def slow(kernel: Kernel) -> Pump:
    """The pump of a kernel K'; the same function for the same kernel, so that it compiles once."""

    def pumped(
        vertex: Complex[Array, "wave polarisation above below"],
        levels: Float[Array, "2 band"],
        frequency: Float[Array, "wave"],
        broadening: Float[Array, ""],
    ) -> Complex[Array, "2 wave polarisation band band"]:
        """M^+ and M^-, energies from the Fermi level on and in units of 2 pi k_B T, as `finite_wave.pumped`."""
        w = jnp.stack([vertex, adjoint(vertex)])
        own, other = levels, turned(levels)
        shape = (2, *levels.shape[1:] * 3)  # (side b a c)
        b, a, c = (
            jnp.broadcast_to(x, shape).ravel()
            for x in (own[:, :, None, None], own[:, None, :, None], other[:, None, None, :])
        )
        unit = jnp.asarray(1.0 / (2.0 * np.pi * k_B))  # the temperature at which 2 pi k_B T is 1
        slope = kernel(a, b, c, broadening, jnp.zeros(()), unit).reshape(shape)
        sides = jnp.stack([frequency, -frequency]).astype(complex)
        return sides[:, :, None, None, None] * jnp.einsum("swpbc,swpac,sbac->swpba", w, jnp.conj(w), slope)

    return pumped
