"""The coupling at the zone centre from Hamiltonians of displaced atoms: frozen phonons.

If atom s of every cell moves by u_s, H(R) at fixed integers R changes by sum_s u_s · D_s(R),

    g(k, q = 0; e) = sum_s e_s · D_s(k),        D_s(R) = ∂H(R)/∂u_s,

with orbitals that ride on their atoms. D_s comes from central differences, (H(u) − H(−u))/2|u|, of Hamiltonians in one
gauge, and from their images under the operations of the crystal. For hoppings along bonds, D_s = ∇t_ij (δ_is − δ_js).
All copies of an atom move at once, so that their parts in D_s cannot be told from each other, and a bond between two
copies does not change at all: nothing is known of q ≠ 0.

If all atoms move alike nothing changes, **the acoustic sum rule** sum_s D_s = 0. The D of a calculation obey it up to
noise; D'[u] = D[u − its mean over the atoms] are the nearest ones that do.
"""

from typing import ClassVar, NoReturn

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float, Num

from orbiphon._checks import check_shape
from orbiphon._types import Polarisation, Vector
from orbiphon.coupling.abstract import Coupling
from orbiphon.coupling.differences import SPANNED, Kind, displacements_of, spanned
from orbiphon.crystal import is_concrete
from orbiphon.crystal.concrete import as_complex, as_real
from orbiphon.electrons import TightBinding
from orbiphon.errors import InputError

_ABSENT = 1e-3  # of a displacement: less need not be known; files give positions with six digits or so
_AT_CENTRE = 1e-9  # 1/angstrom


class Displacement(Coupling):
    """How H follows atoms that move alike in all cells: waves of q = 0, optical modes at the zone centre.

    **Fields:** `electrons`; `displacements` (pattern site xyz), orthonormal; `derivative` (pattern cell orbital
    orbital), eV/Å: D of each. Made by `orbiphon.io.read_pairs`.

    **Raises:** `InputError` for a wrong shape; `Problem` for waves of q ≠ 0, and for displacements that are not known.
    """

    zone_centre: ClassVar[bool] = True
    electrons: TightBinding
    displacements: Float[Array, "pattern site xyz"] = eqx.field(converter=as_real)
    derivative: Complex[Array, "pattern cell orbital orbital"] = eqx.field(converter=as_complex)

    def __check_init__(self) -> None:
        sites = self.electrons.crystal.sites
        check_shape("displacements", self.displacements, "pattern site xyz", (None, sites, 3))
        shape = (self.displacements.shape[0], *self.electrons.hopping.shape)
        check_shape("derivative", self.derivative, "pattern cell orbital orbital", shape)

    @property
    def kind(self) -> Kind:
        """What `changes` are of."""
        return displacements_of(self.electrons.crystal.sites)

    @property
    def changes(self) -> Float[np.ndarray, "pattern component"]:
        """The displacements, each in a row."""
        return np.asarray(self.displacements).reshape(len(self.displacements), -1)

    def of_changes(
        self,
        electrons: TightBinding,
        changes: Float[np.ndarray, "pattern component"],
        derivative: Complex[np.ndarray, "pattern cell orbital orbital"],
    ) -> "Displacement":
        """Another coupling of the same kind."""
        return Displacement(electrons, changes.reshape(len(changes), -1, 3), derivative)

    def bonds(self, q: Vector, polarisation: Polarisation) -> Complex[Array, "cell orbital orbital"]:
        """sum_s e_s · D_s(R), eV/Å. **Raises:** `InputError` for q ≠ 0, or unknown displacements, unless traced."""
        if is_concrete(q, polarisation):
            self.check_waves(np.asarray(q)[None], np.asarray(polarisation)[None])
        weight = jnp.einsum("nsa,sa->n", self.displacements.astype(complex), polarisation)
        return jnp.tensordot(weight, self.derivative, axes=1)

    def strain(self, direction: Vector, polarisation: Polarisation) -> NoReturn:
        """Not known. **Raises:** `InputError`."""
        raise InputError(
            "Argument `coupling` must know strains for long acoustic waves, but comes from displaced atoms and knows "
            "q = 0 only. Make it from Hamiltonians of strained cells, or drive an optical mode at q = 0."
        )

    def random_wave(self, random: np.random.Generator) -> tuple[Float[np.ndarray, "xyz"], Polarisation]:
        """q = 0 and displacements that are known."""
        size = len(self.displacements)
        weight = random.normal(size=size) + 1j * random.normal(size=size)
        return np.zeros(3), jnp.asarray(np.tensordot(weight, np.asarray(self.displacements), axes=1))

    def check_waves(self, q: Num[np.ndarray, "wave xyz"], displacement: Num[np.ndarray, "wave site xyz"]) -> None:
        """Raise `InputError` unless all waves have q = 0 and displacements that are known."""
        if np.max(np.abs(q), initial=0.0) > _AT_CENTRE:
            away = q[np.argmax(np.max(np.abs(q), axis=1))]
            raise InputError(
                f"Argument `drive` must hold waves of q = 0 for a coupling from displaced atoms, but has one of q = "
                f"{np.round(away, 6).tolist()} 1/Å: all copies of an atom were displaced at once. Set q = 0, or use a "
                "hopping law."
            )
        u = np.asarray(displacement).reshape(len(displacement), -1)
        missing = u - u @ self.changes.T @ self.changes
        if np.max(np.abs(missing), initial=0.0) > _ABSENT * np.max(np.abs(u), initial=0.0):
            worst = missing[np.argmax(np.max(np.abs(missing), axis=1))]
            raise InputError(
                f"Argument `coupling` must know the displacements {self._named(worst)}, but knows {self.known()}. Add "
                "pairs of Hamiltonians with these atoms displaced, or complete them by the acoustic sum rule, "
                "sum_rule = true."
            )

    def known(self) -> str:
        """The displacements that are known, in words."""
        axes = np.eye(self.changes.shape[1])
        found = np.max(np.abs(axes - axes @ self.changes.T @ self.changes), axis=1) < _ABSENT
        every = np.where(found, 1.0, 0.0)
        more = f" ({len(self.changes)} independent displacements)" if np.sum(found) < len(self.changes) else ""
        return (self._named(every) if np.any(found) else "no single atom's") + more

    @property
    def violation(self) -> float | None:
        """max_α |D[all atoms along α]| over the largest |D|, for one length |u|: zero by the acoustic sum rule.
        None where translations are not known."""
        translations = self._translations()
        weight = translations @ self.changes.T
        if np.max(np.abs(translations - weight @ self.changes)) > _ABSENT:
            return None
        size = np.linalg.norm(self._flat(), axis=1)
        return float(np.max(np.linalg.norm(weight @ self._flat(), axis=1)) / (np.max(size) or 1.0))

    def obeying_sum_rule(self) -> "Displacement":
        """The nearest coupling for which a translation of the crystal changes nothing. It knows translations, and all
        that differs by one from what was known: the last atom from all others."""
        translations = self._translations()
        relative = self.changes - self.changes @ translations.T @ translations
        if np.max(np.abs(relative)) < _ABSENT:
            raise InputError(
                "Argument `deformed` must displace atoms against each other, but moves all of them alike, which "
                "changes nothing. Displace one atom."
            )
        changes = spanned(relative, self.kind.order)
        derivative = np.linalg.pinv(relative.T, rcond=SPANNED) @ changes.T
        derivative = (derivative.T @ self._flat()).reshape(len(changes), *self.derivative.shape[1:])
        nothing = np.zeros((3, *derivative.shape[1:]), complex)
        return self.of_changes(
            self.electrons, np.concatenate([changes, translations]), np.concatenate([derivative, nothing])
        )

    def _translations(self) -> Float[np.ndarray, "xyz component"]:
        sites = self.electrons.crystal.sites
        return np.tile(np.eye(3), sites) / np.sqrt(sites)

    def _flat(self) -> Complex[np.ndarray, "pattern element"]:
        return np.asarray(self.derivative).reshape(len(self.derivative), -1)

    def _named(self, change: Num[np.ndarray, "component"]) -> str:
        return named_displacement(self.electrons.crystal.species, change.reshape(-1, 3))


def named_displacement(species: tuple[str, ...], displacement: Num[np.ndarray, "site xyz"]) -> str:
    """Which atoms move along which axes: "0:A along xy, 1:B along z"."""
    size = np.abs(displacement)
    moved = size > 0.01 * np.max(size)
    parts = [
        f"{site}:{species[site]} along {''.join(axis for axis, flag in zip('xyz', row, strict=True) if flag)}"
        for site, row in enumerate(moved)
        if np.any(row)
    ]
    return ", ".join(parts)
