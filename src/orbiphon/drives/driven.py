"""Optical modes driven by a terahertz field.

The field Re{E exp(-i omega t)} pulls the atoms with their effective charges, (F_s)_b = sum_a E_a Z_s,ab, and each mode
at q = 0 answers as an oscillator,

    Q'' + gamma Q' + omega_nu^2 Q = sum_s e_nus* F_s/sqrt(M_s):

    U_s = sum_nu e_nus/sqrt(M_s) * (sum_s' e_nus'* F_s'/sqrt(M_s'))/(omega_nu^2 - omega^2 - i gamma omega),

all modes together, so that no basis of degenerate modes matters. The atoms move with the frequency of the field.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from orbiphon._checks import check_finite, check_positive, check_shape
from orbiphon._types import Number
from orbiphon.crystal import Crystal
from orbiphon.crystal.concrete import ArrayLike, as_complex, as_real
from orbiphon.drives.waves import AbstractModeDrive, Waves
from orbiphon.errors import InputError
from orbiphon.phonons import AbstractPhonons, check_mode, check_neutral


class DrivenMode(AbstractModeDrive):
    """The optical modes of `phonons` in a field `field` (xyz), complex, in V/angstrom (1 MV/cm = 0.01 V/angstrom).

    A circular field has E (1, i, 0)/sqrt 2, say: counterclockwise seen against z. `charges` are effective charges in
    units of e, (site,) or tensors (site xyz xyz) with Z_s,ab = dP_a/du_sb; they add up to zero. `damping` is gamma in
    eV, the full width of a mode. Exactly one of `frequency` (ordinary, `units.THz`) and `mode` (the field is at the
    resonance of that mode) is given.

    **Raises:** `InputError` for charges that do not add up to zero, a damping that is not positive, a mode out of
    range or of frequency 0, or modes that the field does not move.
    """

    phonons: AbstractPhonons
    field: Complex[Array, "xyz"]
    charges: Float[Array, "site xyz xyz"]
    damping: Float[Array, ""]
    frequency: Float[Array, ""]

    def __init__(
        self,
        phonons: AbstractPhonons,
        *,
        field: ArrayLike,
        charges: ArrayLike,
        damping: Number,
        frequency: Number | None = None,
        mode: int | None = None,
    ):
        if (frequency is None) == (mode is None):
            found = "neither" if mode is None else "both"
            raise InputError(f"Exactly one of `frequency` and `mode` must be given, but got {found}. Give one.")
        self.phonons, self.field = phonons, as_complex(field)
        check_shape("field", self.field, "xyz", (3,))
        check_finite("field", self.field)
        check_positive("damping", damping)
        self.damping, self.charges = as_real(damping), _tensors(charges, phonons.crystal.sites)
        if frequency is not None:
            check_positive("frequency", frequency)
            self.frequency = 2.0 * np.pi * as_real(frequency)
        else:
            check_mode(mode or 0, 3 * phonons.crystal.sites)
            modes = phonons.modes(jnp.zeros(3))
            self.frequency = modes.frequency[0, mode or 0]
            if bool(np.asarray(modes.still)[0, mode or 0]):
                raise InputError(
                    f"Argument `mode` must name an optical mode, but {mode} is a translation. Choose another."
                )
        if np.any(np.asarray(self.field)) and not np.any(np.asarray(self.displacement)):
            raise InputError(
                "Argument `charges` must let the field move an optical mode, but none is active. Check them."
            )

    @property
    def displacement(self) -> Complex[Array, "site xyz"]:
        """U_s in angstrom."""
        modes = self.phonons.modes(jnp.zeros(3))
        roots = jnp.sqrt(self.phonons.masses).astype(complex)[:, None]
        e = modes.polarisation[0] / roots[None]
        force = jnp.einsum("a,sab->sb", self.field, self.charges.astype(complex))
        detuning = modes.frequency[0] ** 2 - self.frequency**2
        lag = jnp.full_like(detuning, self.damping * self.frequency)
        answer = 1.0 / jax.lax.complex(detuning, -lag)
        answer = jnp.where(modes.still[0], 0.0, answer)  # the centre of mass is held
        return jnp.einsum("n,nsa,ntb,tb->sa", answer, e, jnp.conj(e), force)

    @property
    def quanta(self) -> Float[Array, ""]:
        """omega sum_s M_s |U_s|^2/2: quanta of the field's frequency per cell."""
        return 0.5 * self.frequency * jnp.sum(self.phonons.masses[:, None] * jnp.abs(self.displacement) ** 2)

    def waves(self, crystal: Crystal, temperature: Float[Array, "temperature"]) -> Waves:
        """One wave at q = 0."""
        quanta = self.quanta
        scale = jnp.where(quanta > 0.0, 0.5 / jnp.sqrt(jnp.where(quanta > 0.0, quanta, 1.0)), 0.0)
        return Waves(
            q=jnp.zeros((1, 3)),
            frequency=self.frequency[None],
            displacement=(scale.astype(complex) * self.displacement)[None],
            excess=jnp.full((temperature.shape[0], 1), quanta),
        )


def _tensors(charges: ArrayLike, sites: int) -> Float[Array, "site xyz xyz"]:
    charges = as_real(charges)
    check_finite("charges", charges)
    if charges.ndim == 1:
        check_shape("charges", charges, "site", (sites,))
        charges = charges[:, None, None] * jnp.eye(3)[None]
    check_shape("charges", charges, "site xyz xyz", (sites, 3, 3))
    check_neutral(charges)
    return charges
