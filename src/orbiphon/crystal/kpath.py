"""Paths through the Brillouin zone, for pictures of bands."""

import itertools
from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from orbiphon.crystal.concrete import ArrayLike, as_real
from orbiphon.crystal.lattice import Lattice
from orbiphon.errors import InputError


class KPath(eqx.Module):
    """Wave vectors along straight segments; made by `k_path`.

    `k` (k xyz) in 1/Å, `distance` (k,) along the path in 1/Å, `labels` of the nodes, `nodes`: their indices in `k`.
    """

    k: Float[Array, "k xyz"] = eqx.field(converter=as_real)
    distance: Float[Array, "k"] = eqx.field(converter=as_real)
    labels: tuple[str, ...] = eqx.field(static=True)
    nodes: tuple[int, ...] = eqx.field(static=True)


def joined(paths: Sequence[KPath]) -> KPath:
    """Paths one after the other, without a gap in `distance`: where one ends and the next begins elsewhere, both labels
    share a node, as "X|K". **Raises:** `InputError` for no path."""
    if not paths:
        raise InputError("Argument `paths` must hold one path or more, but is empty. Give at least one.")
    whole = paths[0]
    for path in paths[1:]:
        begin = len(whole.distance)
        same = whole.labels[-1] == path.labels[0]
        shared = whole.labels[-1] if same else f"{whole.labels[-1]}|{path.labels[0]}"
        whole = KPath(
            k=jnp.concatenate([whole.k, path.k]),
            distance=jnp.concatenate([whole.distance, whole.distance[-1] + path.distance]),
            labels=(*whole.labels[:-1], shared, *path.labels[1:]),
            nodes=(*whole.nodes, *(begin + node for node in path.nodes[1:])),
        )
    return whole


def k_path(lattice: Lattice, nodes: Sequence[tuple[str, ArrayLike]], points: int = 50) -> KPath:
    """The path through labelled nodes, such as `[("Γ", (0, 0)), ("X", (0.5, 0))]`, in reduced coordinates (dim,).

    `points` steps are made in each segment. **Raises:** `InputError` for fewer than two nodes or a wrong dimension.
    """
    labels = tuple(label for label, _ in nodes)
    corners = [np.asarray(kappa, dtype=float) for _, kappa in nodes]
    if len(nodes) < 2 or points < 1:
        raise InputError(
            f"Argument `nodes` must hold two nodes or more and `points` at least 1, but there are {len(nodes)} nodes "
            f"and {points} points. Give the ends of at least one segment."
        )
    for label, kappa in zip(labels, corners, strict=True):
        if kappa.shape != (lattice.dim,):
            raise InputError(
                f"Argument `nodes` must give {lattice.dim} reduced coordinate(s) per node, but {label!r} has shape "
                f"{kappa.shape}. Give one number per periodic direction."
            )
    steps = np.arange(points)[:, None] / points
    reduced = [a + steps * (b - a) for a, b in itertools.pairwise(corners)] + [corners[-1][None]]
    k = lattice.k_from_reduced(jnp.asarray(np.concatenate(reduced)))
    lengths = jnp.linalg.norm(jnp.diff(k, axis=0), axis=1)
    distance = jnp.concatenate([jnp.zeros(1), jnp.cumsum(lengths)])
    return KPath(k=k, distance=distance, labels=labels, nodes=tuple(points * i for i in range(len(nodes))))
