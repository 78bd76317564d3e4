"""Bands of the ready-made models, coloured by orbital: `python docs/pictures/models.py` draws docs/models/*.png.

The parameters are those of the pages in docs/models.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import xarray

from orbiphon.crystal import k_path
from orbiphon.electrons import OrbitalGroups, TightBinding, characters
from orbiphon.models import (
    cubic_d,
    cubic_p,
    cubic_t2g,
    dichalcogenide_d,
    helix_p,
    honeycomb_p,
    honeycomb_pxy,
    honeycomb_sp,
    linear_chain,
    square_p,
    weyl_p,
)
from orbiphon.plot.electrons import draw_bands

HEXAGON = [("Γ", (0, 0)), ("K", (2 / 3, 1 / 3)), ("M", (1 / 2, 1 / 2)), ("K'", (1 / 3, 2 / 3)), ("Γ", (0, 0))]
CUBE = [("Γ", (0, 0, 0)), ("X", (1 / 2, 0, 0)), ("M", (1 / 2, 1 / 2, 0)), ("Γ", (0, 0, 0)), ("R", (1 / 2,) * 3)]
SQUARE = [("Γ", (0, 0)), ("X", (1 / 2, 0)), ("M", (1 / 2, 1 / 2)), ("Γ", (0, 0))]
LINE = [("-X", (-1 / 2,)), ("Γ", (0,)), ("X", (1 / 2,))]
NEAR = 400  # points per segment


class Picture(NamedTuple):
    """A model, and the path along which its bands are drawn."""

    electrons: TightBinding
    path: list[tuple[str, tuple[float, ...]]]


PICTURES = {
    "dichalcogenide_d": Picture(dichalcogenide_d(), HEXAGON),
    "honeycomb_p": Picture(honeycomb_p(1.5, -0.5), HEXAGON),
    "honeycomb_pxy": Picture(honeycomb_pxy(1.5, -0.5), HEXAGON),
    "honeycomb_sp": Picture(honeycomb_sp(-1.0, 0.8, 1.5, -0.5, p_level=2.0), HEXAGON),
    "square_p": Picture(square_p(-1.9, -2.0), SQUARE),
    "linear_chain": Picture(linear_chain({"pp_sigma": 1.0, "pp_pi": -0.3}, "p"), LINE),
    "helix_p": Picture(helix_p(1.7, -0.6), LINE),
    "cubic_p": Picture(cubic_p(1.0, -0.3), CUBE),
    "cubic_d": Picture(cubic_d(-0.5, 0.3, -0.05, crystal_field=1.5), CUBE),
    "cubic_t2g": Picture(cubic_t2g(0.3, -0.05), CUBE),
    "weyl_p": Picture(weyl_p(1.0, -0.3, 0.4), CUBE),
}


def data(picture: Picture) -> xarray.Dataset:
    """Energies (k, band), and the weight of each kind of orbital (k, band, orbital), atoms added up."""
    path = k_path(picture.electrons.crystal.lattice, picture.path, NEAR)
    kinds = [label.partition(":")[2] for label in picture.electrons.basis.labels]
    names = tuple(dict.fromkeys(kinds))
    groups = OrbitalGroups(names, np.equal.outer(np.array(kinds), np.array(names)).astype(float))
    energy, weight = (np.asarray(x) for x in characters(picture.electrons, path.k, groups))
    return xarray.Dataset(
        {"energy": (("k", "band"), energy), "weight": (("k", "band", "orbital"), weight)},
        {"distance": ("k", np.asarray(path.distance)), "orbital": list(names)},
        {"labels": list(path.labels), "nodes": list(path.nodes)},
    )


def main() -> None:
    folder = Path(__file__).resolve().parent.parent / "models"
    for name, picture in PICTURES.items():
        draw_bands(data(picture), folder / f"{name}.png")


if __name__ == "__main__":
    main()
