"""The exact first-order coupling of two-centre hoppings.

A hopping t_ij(d) from orbital j to orbital i along the bond d = R + τ_i − τ_j changes by ∇t_ij · [u_i(r+d) − u_j(r)]
(S14–S16). With u_site(R) = e_site e^{iq·(R + τ_site)} and the Bloch sums of `electrons.tight_binding`,

    g_ij(k, q; e) = Σ_R ∇t_ij(R) · [e_i e^{−ik·d} − e_j e^{−i(k+q)·d}]                                    (S34, S36)
                  = Σ_R e^{−ik·d} ∇t_ij(R) · [(e_i − e_j) + e_j (1 − e^{−iq·d})],
    1 − e^{−iq·d} = 2i sin(q·d/2) e^{−iq·d/2}.

The last form is used: a uniform translation (q = 0, equal e) gives exactly zero, and a long wave loses no digits.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex

from orbiphon._types import Polarisation, Vector
from orbiphon.coupling.abstract import Coupling
from orbiphon.electrons import TightBinding
from orbiphon.electrons.tight_binding import unit_phase
from orbiphon.errors import InputError


class TwoCentre(Coupling):
    """Exact at every k and q, for any orbitals and any number of atoms in the cell.

    **Raises:** `InputError` for electrons without `hopping_gradient`.
    """

    electrons: TightBinding

    def __check_init__(self) -> None:
        if self.electrons.hopping_gradient is None:
            raise InputError(
                "Argument `coupling` must be a coupling object for electrons without a hopping law, but is "
                "'two_centre'. Make one from Hamiltonians of deformed cells: orbiphon.io.read_pairs."
            )

    def bonds(self, q: Vector, polarisation: Polarisation) -> Complex[Array, "cell orbital orbital"]:
        half = self.electrons.bond_vectors() @ q / 2
        retarded = 2j * jnp.sin(half).astype(jnp.complex128) * unit_phase(half)  # 1 − e^{−iq·d}
        e = polarisation[np.array(self.electrons.basis.site_of)]  # (orbital, xyz)
        stretch = (e[:, None, :] - e[None, :, :])[None] + e[None, None, :, :] * retarded[..., None]
        gradient = self.electrons.hopping_gradient
        assert gradient is not None  # __check_init__
        return jnp.sum(gradient * stretch, axis=-1)
