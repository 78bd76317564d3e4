"""One phonon: the drive whose answer is the moment per phonon, from which every other drive's follows."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from orbiphon._checks import check_positive
from orbiphon._types import Number
from orbiphon.crystal import Crystal
from orbiphon.crystal.concrete import as_real
from orbiphon.drives.modes import AbstractDrive, Modes
from orbiphon.phonons import AcousticBranch, circular_polarisation


class OnePhonon(AbstractDrive):
    """One circular quantum per cell with wave vector `q` (1/angstrom) along the branch's direction.

    The answer is m_q[O], the moment per phonon (docs/theory.md 5.4), in the unit of the observable. `chirality` is +1
    or -1. Raises `InputError` for a value out of range.
    """

    branch: AcousticBranch
    q: Float[Array, ""]
    chirality: int = eqx.field(static=True)

    def __init__(self, branch: AcousticBranch, *, q: Number, chirality: int = 1):
        check_positive("q", q)
        circular_polarisation(branch.direction, chirality)  # refuses other numbers
        self.branch, self.q, self.chirality = branch, as_real(q), int(chirality)

    def modes(self, crystal: Crystal, temperature: Float[Array, "temperature"]) -> Modes:
        """That mode, with one quantum at every temperature."""
        return Modes(
            along=self.q[None],
            frequency=self.branch.frequency(self.q)[None],
            polarisation=circular_polarisation(self.branch.direction, self.chirality)[None],
            excess=jnp.ones((temperature.shape[0], 1, 1)),
            excess_error=jnp.zeros((temperature.shape[0], 1)),
        )
