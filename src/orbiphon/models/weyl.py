"""p orbitals on a chiral cubic lattice: Weyl points on the axes, and threefold ones where all three levels meet.

Besides the two-centre integrals, a bond along n whose surroundings have no mirror may have the hopping τ ε_abc n_c from
p_b to p_a. It is real, so time reversal holds; it is odd under inversion. With c_μ = cos k_μ d and no spin,

    H(k) = diag(ε_x, ε_y, ε_z) + 2τ Σ_μ sin(k_μ d) L_μ,      ε_x = 2t_σ c_x + 2t_π (c_y + c_z), cyclic.

- At Γ all levels are 2t_σ + 4t_π, and H = that + 2τd k·L: a spin-1 fermion, of Chern numbers ±2, whose spin is L.
- Along k = (k, 0, 0) p_x does not mix with p_y ± ip_z, whose levels are ε_y ± 2τ sin kd. They meet at the Weyl points

      tan(k_0 d/2) = ±τ/(t_σ − t_π),        E_0 = 2t_σ cos k_0d + 4t_π,

  with slopes −2t_σ d sin k_0d of p_x, and −2t_π d sin k_0d ± 2τd cos k_0d of the other along k, and √2 |τ| d across it.

The sign of τ is the hand of the crystal. Source of spin-1 fermions: B. Bradlyn et al., Science 353, aaf5037 (2016).
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from orbiphon._types import Energy, Length, Ratio, Vector
from orbiphon.crystal.concrete import as_real
from orbiphon.electrons import Basis, SlaterKoster, TightBinding, tight_binding
from orbiphon.models.lattices import hypercubic, hypercubic_bonds

_LEVI_CIVITA = np.array([[[(i - j) * (j - k) * (k - i) / 2 for k in range(3)] for j in range(3)] for i in range(3)])


def weyl_p(
    t_sigma: Energy,
    t_pi: Energy,
    t_chiral: Energy,
    lattice_constant: Length = 5.0,
    decay: Ratio = 2.0,
    spin_orbit: Energy | None = None,
) -> TightBinding:
    """p_x, p_y, p_z with nearest-neighbour hoppings (ppσ), (ppπ) and τ = `t_chiral` (eV), whose sign is the hand.

    With `spin_orbit` = λ (eV) the electrons have a spin and λ L·S on every atom.
    """
    two_centre = SlaterKoster({"pp_sigma": t_sigma, "pp_pi": t_pi}, length=lattice_constant, decay=decay)
    return tight_binding(
        hypercubic(lattice_constant, 3),
        Basis(((0, "p"),), spin=spin_orbit is not None),
        ChiralBond(two_centre, as_real(t_chiral), as_real(decay)),
        hypercubic_bonds(3),
        spin_orbit={(0, "p"): spin_orbit},
    )


class ChiralBond(eqx.Module):
    """Two-centre hopping of p shells, and τ (length/r)^decay ε_abc n_c (eV): it turns with the bond, but has a hand."""

    two_centre: SlaterKoster
    strength: Float[Array, ""]
    decay: Float[Array, ""]

    def block(self, bond: Vector, l_end: int, l_start: int) -> Float[Array, "end start"]:
        """Hopping (eV) along `bond` (Å). **Raises:** `InputError` as `SlaterKoster.block`."""
        distance = jnp.sqrt(bond @ bond)
        closer = self.strength * (self.two_centre.length / distance) ** self.decay
        across = jnp.tensordot(jnp.asarray(_LEVI_CIVITA), bond / distance, axes=1)
        return self.two_centre.block(bond, l_end, l_start) + closer * across

    def pattern(self, direction: tuple[float, float, float], l_end: int, l_start: int) -> tuple[np.ndarray, np.ndarray]:
        """Those of the two-centre hopping, and p_a–p_b for bonds that have, or when turned get, a component along c."""
        hopping, gradient = self.two_centre.pattern(direction, l_end, l_start)
        along = np.abs(np.array(direction)) > 1e-9
        chiral = np.any((_LEVI_CIVITA != 0) & along, axis=-1)
        turned = np.outer(along, along) | (
            np.abs(np.eye(3) - np.outer(direction, direction)) > 1e-9
        )  # ∂n_c/∂r_d, n_c n_d
        return hopping | chiral, gradient | np.any((_LEVI_CIVITA != 0)[..., None] & turned, axis=2)
