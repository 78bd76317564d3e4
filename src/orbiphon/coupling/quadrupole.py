"""The long-wave coupling of chiral phonons to the orbital quadrupole, independent of k: equation (10) and (S42).

The exact vertex of a long wave is q·d cos k·d times a constant. The paper keeps its value at k = 0 for the whole zone:

    g(q; e) = |q| ∂g/∂|q| at k = 0, q = 0      (for the square lattice, q along x: |t_σ − t_π| q (u⁺ Q⁻ + u⁻ Q⁺)).

This is an approximation of its own, not the small-q limit of `TwoCentre`; the two differ by factors such as cos k_x d.
"""

import jax.numpy as jnp

from orbiphon._types import OrbitalMatrix, Polarisation, Vector
from orbiphon.coupling.abstract import Coupling
from orbiphon.coupling.two_centre import TwoCentre
from orbiphon.electrons import TightBinding


class Quadrupole(Coupling):
    """The k-independent vertex of (10), for any model: linear in q, and taken from the zone centre."""

    electrons: TightBinding

    def vertex(self, k: Vector, q: Vector, polarisation: Polarisation) -> OrbitalMatrix:
        return self.long_wave(k, q, polarisation)  # linear in its direction, hence |q| times that of q/|q|

    def long_wave(self, k: Vector, direction: Vector, polarisation: Polarisation) -> OrbitalMatrix:
        return TwoCentre(self.electrons).long_wave(jnp.zeros_like(k), direction, polarisation)
