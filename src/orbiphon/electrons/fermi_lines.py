"""Cuts through the Fermi surface: lines e_n(k) = E_F in a plane through Gamma, inside the first Brillouin zone.

Each band is followed on a mesh of the plane, and the points of its contour (contourpy, marching squares) are moved onto
the surface by Newton's steps k -> k - (e_n - E_F) v/|v|^2 within the plane, v = de_n/dk, until |e_n - E_F| is small.
"""

import itertools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int
from scipy.spatial import HalfspaceIntersection

from orbiphon._checks import check_finite, check_shape
from orbiphon._types import Vector, WaveVectors
from orbiphon.crystal import Lattice
from orbiphon.crystal.concrete import ArrayLike
from orbiphon.electrons.bands import bands, eigensystem
from orbiphon.electrons.characters import OrbitalGroups, characters, orbital_groups
from orbiphon.electrons.tight_binding import TightBinding
from orbiphon.errors import InputError

ON_SURFACE = 1e-6
"""eV: points that do not come as near to the Fermi level, at kinks where bands touch, are left out."""
_STEPS = 12
_BLOCK = 4096
_PARALLEL = 1e-6
_REACH = 3  # reciprocal lattice vectors in each direction whose planes may bound the zone


class ZoneSection(NamedTuple):
    """The plane through Gamma across `normal`: `axes` (2 xyz), orthonormal, and the `corners` (corner 2) of the cut of
    the first Brillouin zone in these axes, 1/angstrom, anticlockwise."""

    normal: Float[np.ndarray, "xyz"]
    axes: Float[np.ndarray, "2 xyz"]
    corners: Float[np.ndarray, "corner 2"]


class FermiLines(NamedTuple):
    """Points on the Fermi surface in a `section` of the zone: `k` (point xyz) in 1/angstrom; `line` (point,), the
    number of the line on which each lies, in order along it; `band` (point,) from 0; `off` (point,) = e_n - E_F in eV;
    `speed` (point,) = |de_n/dk| in eV angstrom; `weight` (point group) of the orbitals in `names`."""

    section: ZoneSection
    k: Float[np.ndarray, "point xyz"]
    line: Int[np.ndarray, "point"]
    band: Int[np.ndarray, "point"]
    off: Float[np.ndarray, "point"]
    speed: Float[np.ndarray, "point"]
    weight: Float[np.ndarray, "point group"]
    names: tuple[str, ...]


def zone_section(lattice: Lattice, normal: ArrayLike = (0.0, 0.0, 1.0)) -> ZoneSection:
    """The cut of the first Brillouin zone by the plane through Gamma across `normal` (xyz).

    **Raises:** `InputError` for a chain, for a normal of another shape or of length zero, and for one that does not
    stand on a layer.
    """
    direction = np.asarray(normal, dtype=float)
    check_shape("normal", direction, "xyz", (3,))
    check_finite("normal", direction)
    size = float(np.linalg.norm(direction))
    if lattice.dim == 1 or size == 0.0:
        what = "a chain, which has no planes" if lattice.dim == 1 else "a normal of length zero"
        raise InputError(f"Argument `normal` must cross a plane of wave vectors, but this is {what}. Give another.")
    direction = direction / size
    vectors = np.asarray(lattice.vectors)
    if lattice.dim == 2 and np.max(np.abs(vectors @ direction)) > _PARALLEL * np.max(np.abs(vectors)):
        raise InputError(
            f"Argument `normal` must stand on the layer, but is {np.round(direction, 6).tolist()}. Leave it out for "
            "one in the plane of x and y, or give the cross product of its lattice vectors."
        )
    up = np.eye(3)[2 if abs(direction[2]) < 0.9 else 1]
    second = up - (up @ direction) * direction
    second = second / np.linalg.norm(second)
    axes = np.stack([np.cross(second, direction), second])
    steps = np.array(list(itertools.product(range(-_REACH, _REACH + 1), repeat=lattice.dim)))
    g = steps[np.any(steps != 0, axis=1)] @ np.asarray(lattice.reciprocal)
    inside = np.column_stack([g @ axes.T, -np.sum(g**2, axis=1) / 2.0])  # k.G <= G^2/2
    inside = inside[np.linalg.norm(inside[:, :2], axis=1) > _PARALLEL * np.linalg.norm(g, axis=1)]
    corners = HalfspaceIntersection(inside, np.zeros(2)).intersections
    corners = corners[np.argsort(np.arctan2(corners[:, 1], corners[:, 0]))]
    apart = np.linalg.norm(corners - np.roll(corners, 1, axis=0), axis=1)
    return ZoneSection(direction, axes, corners[apart > 1e-9 * np.max(np.abs(corners))])


def fermi_lines(
    electrons: TightBinding,
    fermi_level: float | int,
    normal: ArrayLike = (0.0, 0.0, 1.0),
    groups: OrbitalGroups | None = None,
    points: int = 120,
) -> FermiLines:
    """The Fermi surface in the plane through Gamma across `normal` (xyz), within the first Brillouin zone.

    **Arguments:** `fermi_level` in eV; `groups` of orbitals whose weights are told, by default `orbital_groups`;
    `points` of the mesh along each side: smaller pockets may be missed.

    **Raises:** `InputError` as `zone_section`, and for a Fermi level that is no finite number.
    """
    check_finite("fermi_level", fermi_level)
    groups = groups or orbital_groups(electrons.crystal, electrons.basis)
    section = zone_section(electrons.crystal.lattice, normal)
    plane, band, line, step = _contours(electrons, float(fermi_level), section, points)
    k = _onto_surface(electrons, float(fermi_level), plane @ section.axes, band, section.axes, step)
    if not len(k):
        none = np.zeros(0)
        return FermiLines(section, k, line, band, none, none, np.zeros((0, len(groups.names))), groups.names)
    at, chosen = jnp.asarray(k), np.arange(len(k))
    energy, weight = (np.asarray(x) for x in characters(electrons, at, groups))
    off = energy[chosen, band] - float(fermi_level)
    speed = np.linalg.norm(np.asarray(_velocity(electrons, at, jnp.asarray(band))), axis=1)
    kept = np.abs(off) < ON_SURFACE
    return FermiLines(
        section, k[kept], line[kept], band[kept], off[kept], speed[kept], weight[chosen, band][kept], groups.names
    )


def _contours(
    electrons: TightBinding, level: float, section: ZoneSection, points: int
) -> tuple[Float[np.ndarray, "point 2"], Int[np.ndarray, "point"], Int[np.ndarray, "point"], float]:
    """Points (in the plane), band and line of the contours on a mesh, those inside the zone; and its spacing."""
    from contourpy import contour_generator

    low, high = np.min(section.corners, axis=0), np.max(section.corners, axis=0)
    margin = 1.5 * np.max(high - low) / points
    x, y = (np.linspace(a - margin, b + margin, points) for a, b in zip(low, high, strict=True))
    mesh = np.stack(np.meshgrid(x, y, indexing="xy"), axis=-1).reshape(-1, 2)
    energy = np.concatenate([np.asarray(part) for part in _by_blocks(electrons, mesh @ section.axes)])
    found = [
        (inside, band)
        for band, values in enumerate(energy.T.reshape(-1, points, points))
        for whole in contour_generator(x, y, values).lines(level)
        for inside in _inside(section, np.asarray(whole))
    ]
    plane = np.concatenate([part for part, _ in found]) if found else np.zeros((0, 2))
    band, line = (
        np.array([value for part, value in numbered for _ in part], int)
        for numbered in (found, [(part, number) for number, (part, _) in enumerate(found)])
    )
    return plane, band, line, float(max(x[1] - x[0], y[1] - y[0]))


def _by_blocks(electrons: TightBinding, k: Float[np.ndarray, "k xyz"]) -> list[Array]:
    return [_bands(electrons, jnp.asarray(k[begin : begin + _BLOCK])) for begin in range(0, len(k), _BLOCK)]


_bands = jax.jit(bands)


def _inside(section: ZoneSection, line: Float[np.ndarray, "point 2"]) -> list[np.ndarray]:
    """The pieces of a line that lie in the zone, up to its border, each longer than a point."""
    edge, apart = np.roll(section.corners, -1, axis=0) - section.corners, line[:, None] - section.corners[None]
    depth = edge[:, 0] * apart[..., 1] - edge[:, 1] * apart[..., 0]  # (point edge), negative beyond an edge
    inside = np.all(depth >= 0.0, axis=1)
    pieces = []
    for piece in np.split(np.arange(len(line)), np.flatnonzero(np.diff(inside)) + 1):
        if inside[piece[0]]:
            ends = [
                [_border(line[here], line[there], depth[here], depth[there])] if 0 <= there < len(line) else line[:0]
                for here, there in ((piece[0], piece[0] - 1), (piece[-1], piece[-1] + 1))
            ]
            pieces.append(np.concatenate([ends[0], line[piece], ends[1]]))
    return [piece for piece in pieces if len(piece) > 1]


def _border(a: np.ndarray, b: np.ndarray, depth: np.ndarray, beyond: np.ndarray) -> np.ndarray:
    """Where the way from a, in the zone, to b, beyond some edges, leaves it."""
    return a + (b - a) * np.min(depth[beyond < 0.0] / (depth - beyond)[beyond < 0.0])


def _onto_surface(
    electrons: TightBinding,
    level: float,
    k: Float[np.ndarray, "point xyz"],
    band: Int[np.ndarray, "point"],
    axes: Float[np.ndarray, "2 xyz"],
    most: float,
) -> Float[np.ndarray, "point xyz"]:
    """Newton's steps in the plane, none longer than the mesh is wide."""
    for _ in range(_STEPS if len(k) else 0):
        at, chosen = jnp.asarray(k), jnp.asarray(band)
        off = np.asarray(_bands(electrons, at))[np.arange(len(k)), band] - level
        if np.max(np.abs(off)) < 1e-3 * ON_SURFACE:
            break
        v = np.asarray(_velocity(electrons, at, chosen)) @ axes.T
        step = off[:, None] * v / np.maximum(np.sum(v**2, axis=1), 1e-300)[:, None]
        length = np.linalg.norm(step, axis=1, keepdims=True)
        k = k - step * np.minimum(1.0, most / np.maximum(length, 1e-300)) @ axes
    return k


@jax.jit
def _velocity(electrons: TightBinding, k: WaveVectors, band: Int[Array, "k"]) -> Float[Array, "k xyz"]:
    """de_n/dk in eV angstrom, by Hellmann and Feynman."""
    _, vectors = eigensystem(electrons, k)

    def one(k: Vector, state: Array) -> Array:
        slope = jax.jacfwd(electrons.hamiltonian)(k)
        return jnp.real(jnp.einsum("i,ijx,j->x", jnp.conj(state), slope, state))

    return jax.vmap(one)(k, vectors[jnp.arange(k.shape[0]), :, band])
