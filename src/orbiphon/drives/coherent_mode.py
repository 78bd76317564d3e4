"""A coherent wave of any mode of a crystal.

    u_s(R, t) = Re{U_s exp(i q (R + tau_s) - i omega t)},        U_s = 2 sqrt(n) sum_i alpha_i e_is/sqrt(2 M_s omega),

n quanta per cell, alpha_i the parts of the degenerate modes (sum |alpha_i|^2 = 1).
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from orbiphon._checks import check_not_negative, check_shape
from orbiphon._types import Number
from orbiphon.crystal import Crystal
from orbiphon.crystal.concrete import ArrayLike, as_complex, as_real
from orbiphon.drives.coherent import check_one
from orbiphon.drives.one_mode import OneMode
from orbiphon.drives.waves import AbstractModeDrive, Waves
from orbiphon.errors import InputError
from orbiphon.phonons import AbstractPhonons


class CoherentMode(AbstractModeDrive):
    """A wave of the mode (`q`, `mode`); arguments up to `axis` as those of `OneMode`.

    Exactly one of `amplitude` (angstrom: how far the atom that moves most gets from its place) and `quanta` (per cell)
    is given. `mixture` (mode,): complex parts of the modes of a degenerate level, in its circular basis, normalised
    here; by default `mode` alone.

    **Raises:** `InputError` as `OneMode`, for a mode that does not move (acoustic at q = 0), and for a mixture of the
    wrong length.
    """

    one: OneMode
    quanta: Float[Array, ""]
    mixture: Complex[Array, "level"]

    def __init__(
        self,
        phonons: AbstractPhonons,
        *,
        q: ArrayLike,
        mode: int,
        amplitude: Number | None = None,
        quanta: Number | None = None,
        mixture: ArrayLike | None = None,
        axis: str | ArrayLike | None = None,
    ):
        check_one("amplitude", amplitude=amplitude, quanta=quanta)
        self.one = OneMode(phonons, q=q, mode=mode, axis=axis)
        modes, level = self.one.level()
        if bool(np.asarray(modes.still)[0, mode]):
            raise InputError(
                f"Argument `mode` must name a mode of finite frequency, but mode {mode} at q = "
                f"{np.asarray(modes.q[0]).tolist()} is a uniform translation. Choose another mode, or q."
            )
        mixture = as_complex(np.eye(len(level))[level.index(mode)] if mixture is None else mixture)
        check_shape("mixture", mixture, "level", (len(level),))
        if not np.any(np.asarray(mixture)):
            raise InputError("Argument `mixture` must not be zero, but is. Give the parts of the degenerate modes.")
        self.mixture = mixture / jnp.linalg.norm(mixture).astype(complex)
        if quanta is not None:
            check_not_negative("quanta", quanta)
            self.quanta = as_real(quanta)
        else:
            check_not_negative("amplitude", amplitude)
            u = 2.0 * self._displacement()
            semi_axis = jnp.sqrt((jnp.sum(jnp.abs(u) ** 2, axis=-1) + jnp.abs(jnp.sum(u**2, axis=-1))) / 2.0)
            self.quanta = (as_real(amplitude) / jnp.max(semi_axis)) ** 2

    def _displacement(self) -> Complex[Array, "site xyz"]:
        modes, level = self.one.level()
        return jnp.tensordot(self.mixture, modes.displacement[0, np.array(level)], axes=1)

    @property
    def displacement(self) -> Complex[Array, "site xyz"]:
        """U_s in angstrom."""
        return 2.0 * jnp.sqrt(self.quanta).astype(complex) * self._displacement()

    def waves(self, crystal: Crystal, temperature: Float[Array, "temperature"]) -> Waves:
        """One wave, with the same number of quanta at every temperature."""
        quanta = jnp.full((temperature.shape[0], 1), self.quanta)
        one = self.one.waves(crystal, temperature)
        where = lambda w: (w.displacement, w.excess)  # noqa: E731
        return eqx.tree_at(where, one, (self._displacement()[None], quanta))
