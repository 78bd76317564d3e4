"""Lifetimes of phonons, mode by mode.

A calculation of how phonons scatter gives rates 1/τ at the irreducible wave vectors of a mesh. A rotation of the
crystal and time reversal take q to ±Rq with the same rates, band by band in the order of frequencies. Within a
degenerate level the modes are a choice: all take the mean of its rates. Between temperatures rates are interpolated
linearly.
"""

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float, Int

from orbiphon._checks import check_finite, check_not_negative, check_shape
from orbiphon.crystal import Crystal, point_operations
from orbiphon.crystal.concrete import ArrayLike, as_real
from orbiphon.errors import InputError
from orbiphon.phonons.modes import PhononModes

_ON_MESH = 1e-4  # of a step of the mesh
_SAME = 0.01  # of the highest frequency


class Lifetimes(eqx.Module):
    """Scattering rates at irreducible wave vectors; from phono3py: `io.read_lifetimes`.

    **Fields:** `mesh`, points along each of three reciprocal vectors; `reduced` (q 3), the irreducible wave vectors in
    reciprocal vectors; `frequency` (q mode), ħω in eV, rising; `temperature` (temperature,), K, rising; `rate`
    (temperature q mode), 1/τ in eV/ħ, 0 where it is not known.

    **Raises:** `InputError` for wrong shapes, numbers that are not finite, negative rates, or temperatures that do not
    rise.
    """

    mesh: tuple[int, int, int] = eqx.field(static=True)
    reduced: Float[Array, "q 3"] = eqx.field(converter=as_real)
    frequency: Float[Array, "q mode"] = eqx.field(converter=as_real)
    temperature: Float[Array, "temperature"] = eqx.field(converter=as_real)
    rate: Float[Array, "temperature q mode"] = eqx.field(converter=as_real)

    def __check_init__(self) -> None:
        check_shape("reduced", self.reduced, "q three", (None, 3))
        check_shape("frequency", self.frequency, "q mode", (len(self.reduced), None))
        check_shape("temperature", self.temperature, "temperature", (None,))
        check_shape("rate", self.rate, "temperature q mode", (len(self.temperature), *self.frequency.shape))
        for name in ("reduced", "frequency", "temperature"):
            check_finite(name, getattr(self, name))
        check_not_negative("rate", self.rate)
        if len(self.temperature) == 0 or np.any(np.diff(np.asarray(self.temperature)) <= 0.0):
            raise InputError(
                f"Argument `temperature` must hold rising temperatures, but is "
                f"{np.asarray(self.temperature).tolist()}. Sort them."
            )

    def mesh_of(self, crystal: Crystal) -> tuple[int, ...]:
        """The mesh in the directions in which the crystal repeats. **Raises:** `InputError` if there are others."""
        dim = crystal.lattice.dim
        if any(count != 1 for count in self.mesh[dim:]):
            raise InputError(
                f"Argument `lifetimes` must have one point along the directions in which the crystal does not repeat, "
                f"but has the mesh {self.mesh}, and the crystal repeats in {dim}. Take a mesh such as (8, 8, 1)."
            )
        return self.mesh[:dim]

    def times(self, crystal: Crystal, modes: PhononModes, temperature: ArrayLike) -> Float[np.ndarray, "t q mode"]:
        """τ (ħ/eV) of modes at points of the mesh; 0 for uniform translations, which do not travel.

        **Raises:** `InputError` for temperatures (K) outside of the calculation's, wave vectors that are not on the
        mesh, modes of other number or frequency, or modes whose rate is not known.
        """
        index = self._irreducible(crystal, np.asarray(modes.q))
        self._check_same(modes, index)
        still, kelvin = np.asarray(modes.still), np.atleast_1d(np.asarray(temperature, dtype=float))
        rate = np.where(still, 0.0, self._at(kelvin)[:, index])
        if np.any(np.isnan(rate)):
            t, q, mode = np.argwhere(np.isnan(rate))[0]
            where = np.round(np.asarray(self.reduced)[index[q]], 4).tolist()
            raise InputError(
                f"Argument `lifetimes` must hold the rates of all modes that move, but that of mode {mode} at q = "
                f"{where} (in reciprocal vectors) at {kelvin[t]:g} K is zero, which means that it "
                "was not calculated. Calculate all modes, at temperatures above zero."
            )
        level = np.asarray(modes.levels())
        alike = (level[:, :, None] == level[:, None, :]).astype(float)
        mean = np.einsum("qmn,tqn->tqm", alike, rate) / np.sum(alike, axis=2)
        return np.where(still, 0.0, 1.0 / np.where(still, 1.0, mean))

    def _at(self, kelvin: Float[np.ndarray, "t"]) -> Float[np.ndarray, "t q mode"]:
        """Rates between the temperatures of the calculation; NaN where they are not known."""
        known, rate = np.asarray(self.temperature), np.asarray(self.rate)
        outside = kelvin[(kelvin < known[0]) | (kelvin > known[-1])]
        if len(outside):
            raise InputError(
                f"Argument `lifetimes` must cover all temperatures, but reaches from {known[0]:g} to {known[-1]:g} K, "
                f"and {outside[0]:g} K is asked for. Calculate lifetimes there."
            )
        rate = np.where(rate > 0.0, rate, np.nan)
        below = np.searchsorted(known, kelvin, side="right") - 1
        above = np.minimum(below + 1, len(known) - 1)
        step = np.where(above > below, known[above] - known[below], 1.0)
        part = ((kelvin - known[below]) / step)[:, None, None]
        return (1.0 - part) * rate[below] + np.where(part > 0.0, part * rate[above], 0.0)

    def _irreducible(self, crystal: Crystal, q: Float[np.ndarray, "q xyz"]) -> Int[np.ndarray, "q"]:
        """Which irreducible wave vector each q is an image of."""
        mesh = np.array(self.mesh_of(crystal))
        representative = np.full(tuple(mesh), -1)
        start = np.asarray(self.reduced)[:, : len(mesh)]
        for operation in point_operations(crystal):  # the identity first: a full mesh stays as it is
            if np.any((mesh[:, None] * operation.cells) % mesh[None, :]):
                continue  # leaves the mesh
            for sign in (1, -1):
                found = sign * start @ operation.cells.T  # κ_i = q·a_i/2π goes as a_i does
                place = _places(found, mesh, "the wave vectors of `lifetimes`")
                new = representative[tuple(place.T)] < 0
                representative[tuple(place[new].T)] = np.flatnonzero(new)
        if np.any(representative < 0):
            missing = np.round(np.argwhere(representative < 0)[0] / mesh, 4).tolist()
            raise InputError(
                f"Argument `lifetimes` must be of the same crystal, whose operations take its {len(start)} wave "
                f"vectors to all points of the mesh {tuple(mesh.tolist())}, but none goes to {missing}. Check "
                "the crystal, its species, and the mesh."
            )
        turns = q @ np.asarray(crystal.lattice.vectors).T / (2.0 * np.pi)
        return representative[tuple(_places(turns, mesh, "the wave vectors of the modes").T)]

    def _check_same(self, modes: PhononModes, index: Int[np.ndarray, "q"]) -> None:
        theirs, ours = np.asarray(self.frequency), np.asarray(modes.frequency)
        if theirs.shape[1] != ours.shape[1]:
            raise InputError(
                f"Argument `lifetimes` must be of the same crystal, with {ours.shape[1]} modes, but has "
                f"{theirs.shape[1]}. Calculate them for the same primitive cell."
            )
        off = np.abs(theirs[index] - ours)
        if np.max(off) > _SAME * np.max(ours):
            q, mode = np.unravel_index(np.argmax(off), off.shape)
            there, here = 1e3 * theirs[index[q], mode], 1e3 * ours[q, mode]
            raise InputError(
                f"Argument `lifetimes` must be of the same phonons, but the frequency of mode {mode} at q = "
                f"{np.round(np.asarray(modes.q)[q], 4).tolist()} 1/Å is {there:.4g} meV there and {here:.4g} meV here. "
                "Take the same force constants, and Born charges in both or in none."
            )


def _places(reduced: Float[np.ndarray, "q dim"], mesh: Int[np.ndarray, "dim"], what: str) -> Int[np.ndarray, "q dim"]:
    """The integers m of κ = m/N."""
    turns = reduced * mesh
    place = np.rint(turns).astype(int)
    if np.max(np.abs(turns - place), initial=0.0) > _ON_MESH:
        raise InputError(
            f"Argument `lifetimes` must have {what} on the mesh {tuple(mesh.tolist())}, but has not. Check the "
            "mesh and the crystal."
        )
    return place % mesh
