"""The long-wave coupling of chiral phonons to the orbital quadrupole, independent of k: equation (10) and (S42).

The exact vertex of a long wave is q·d cos k·d times a constant. The paper keeps its value at k = 0 for the whole zone:

    g(q; e) = |q| ∂g/∂|q| at k = 0, q = 0      (for the square lattice, q along x: |t_σ − t_π| q (u⁺ Q⁻ + u⁻ Q⁺)).

This is an approximation of its own, not the small-q limit of `TwoCentre`; the two differ by factors such as cos k_x d.
"""

import jax.numpy as jnp
from jaxtyping import Array, Complex

from orbiphon._types import Polarisation, Vector
from orbiphon.coupling.abstract import Coupling
from orbiphon.coupling.two_centre import TwoCentre
from orbiphon.electrons import TightBinding
from orbiphon.errors import InputError


class Quadrupole(Coupling):
    """The k-independent vertex of (10), for one atom per cell: linear in q, and taken at the zone centre.

    **Raises:** `InputError` for more atoms: what is constant in k then depends on the phases of the Bloch sums.
    """

    electrons: TightBinding

    def __check_init__(self) -> None:
        atoms = len(set(self.electrons.basis.site_of))
        if atoms > 1:
            raise InputError(
                f"Argument `coupling` must be 'two_centre' for several atoms per cell, but is 'quadrupole' "
                f"for {atoms}. A vertex without k depends on the phase convention there: use 'two_centre'."
            )

    def bonds(self, q: Vector, polarisation: Polarisation) -> Complex[Array, "cell orbital orbital"]:
        # The strain is linear in its direction, so this is |q| times that of q/|q|. Its sum over bonds is k = 0.
        strain = TwoCentre(self.electrons).strain(q, polarisation)
        home = jnp.linalg.norm(self.electrons.cells, axis=-1) == 0.0
        return jnp.where(home[:, None, None], jnp.sum(strain, axis=0)[None], 0.0)
