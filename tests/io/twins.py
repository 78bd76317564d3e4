"""Models whose answer is known, as files of a cell and of deformed cells, written by the package's own writer."""

from functools import lru_cache

import numpy as np

from orbiphon import io
from orbiphon.crystal import Crystal, Lattice, bonds_within
from orbiphon.electrons import Basis, SlaterKoster, tight_binding
from orbiphon.models import honeycomb

MESH = {"square": (5, 5, 1), "cubic": (3, 3, 3), "spinless": (3, 3, 3), "hcp": (4, 4, 3)}
STRAINS = {"xx": (0, 0), "yy": (1, 1), "zz": (2, 2), "yz": (1, 2), "xz": (0, 2), "xy": (0, 1)}


def deformation(name: str, step: float) -> np.ndarray:
    """1 + step (e_a e_b + e_b e_a), halved on the diagonal."""
    a, b = STRAINS[name]
    f = np.eye(3)
    f[a, b] += step / 2
    f[b, a] += step / 2
    return f


def model(kind: str, f: np.ndarray | None = None):
    """`square`: the paper's p orbitals, as layers without hopping between them; `cubic`: p orbitals with spin;
    `spinless`: the same without; `hcp`: s and p orbitals on two atoms in a hexagonal cell."""
    f = np.eye(3) if f is None else f
    if kind == "hcp":
        return _hcp(f)
    vectors = np.diag([5.0, 5.0, 12.0] if kind == "square" else [4.0, 4.0, 4.0]) @ f.T
    crystal = Crystal(Lattice(vectors), np.zeros((1, 3)), ("X",))
    length = vectors[0, 0] if np.allclose(f, np.eye(3)) else (5.0 if kind == "square" else 4.0)
    law = SlaterKoster({"pp_sigma": -1.9, "pp_pi": -2.0 if kind == "square" else 0.4}, length=float(length))
    spin_orbit = {(0, "p"): 0.3} if kind == "cubic" else None
    basis = Basis(((0, "p"),), spin=kind == "cubic")
    return tight_binding(crystal, basis, law, bonds_within(crystal, 1.1 * float(length)), spin_orbit=spin_orbit)


def _hcp(f: np.ndarray):
    vectors = 2.95 * np.array([[1.0, 0, 0], [-0.5, np.sqrt(0.75), 0], [0, 0, 1.587]])
    reduced = np.array([[1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75]])
    crystal = Crystal(Lattice(vectors @ f.T), reduced @ vectors @ f.T, ("Ti", "Ti"))
    law = SlaterKoster({"ss_sigma": -0.6, "sp_sigma": 0.8, "pp_sigma": 1.2, "pp_pi": -0.3}, length=2.95)
    basis = Basis(((0, "s"), (0, "p"), (1, "s"), (1, "p")))
    return tight_binding(crystal, basis, law, bonds_within(crystal, 3.1), onsite=2 * [-2.0, 0.5, 0.5, 0.5])


def files(folder, kind: str, names=("xy", "xz"), steps=(0.01, 0.005)):
    """Folders with the cell and with its pairs; returns the path of the first and the list of the others."""
    home = io.write_wannier(folder / "unstrained", "X", model(kind), MESH[kind])
    deformed = [
        io.write_wannier(folder / f"{name}_{sign * step}", "X", model(kind, deformation(name, sign * step)), MESH[kind])
        for name in names
        for step in steps
        for sign in (1, -1)
    ]
    return home, deformed


def metal(folder, kind: str, fermi_level: float, steps=(0.01, 0.005)):
    """A folder as `orbiphon reproduce metals` wants it: unstrained/, pairs, and an info.json in each."""
    home, deformed = files(folder, kind, names=("xz",), steps=steps)
    for path in (home, *deformed):
        (path.parent / "info.json").write_text(f'{{"fermi_eV": {fermi_level}}}', encoding="utf-8")
    return folder


def layer(displacement: np.ndarray | None = None):
    """p orbitals on a polar honeycomb layer, its atoms displaced (site xyz) in every cell."""
    home = honeycomb(2.0)
    crystal = home if displacement is None else Crystal(home.lattice, home.positions + displacement, home.species)
    law = SlaterKoster({"pp_sigma": 1.5, "pp_pi": -0.5}, length=2.0)
    onsite = 3 * [0.4] + 3 * [-0.4]
    return tight_binding(crystal, Basis(((0, "p"), (1, "p"))), law, _bonds(), onsite=onsite)


@lru_cache
def _bonds():
    """The bonds of the layer, in no special direction, so that no element is left out of any displaced one."""
    crystal = honeycomb(2.0)
    moved = crystal.positions + np.array([[0.01, 0.013, 0.017], [0.0, 0.0, 0.0]])
    return bonds_within(Crystal(crystal.lattice, moved, crystal.species), 2.4)


def displaced(atom: int, axis: str, step: float) -> np.ndarray:
    """The displacement of one atom."""
    u = np.zeros((2, 3))
    u[atom, "xyz".index(axis)] = step
    return u


def frozen(folder, atoms=(0, 1), axes="xyz", steps=(0.02, 0.01)):
    """Folders with the layer and with its displaced atoms; returns the path of the first and the list of the others."""
    home = io.write_wannier(folder / "home", "X", layer(), (3, 3, 1))
    moved = [
        io.write_wannier(
            folder / f"{atom}{axis}{sign * step}", "X", layer(displaced(atom, axis, sign * step)), (3, 3, 1)
        )
        for atom in atoms
        for axis in axes
        for step in steps
        for sign in (1, -1)
    ]
    return home, moved
