"""What goes into a study, as data for pictures: bands, Fermi surface, phonons, and where the moment comes from."""

from typing import Any

import numpy as np

from orbiphon import response
from orbiphon.crystal import Lattice, k_path
from orbiphon.drives import Pulse
from orbiphon.electrons import TightBinding, bands, orbital_weights
from orbiphon.electrons.bloch import BlochSum, lattice_steps
from orbiphon.phonons import ForceConstants
from orbiphon.study import build
from orbiphon.study.config import Study
from orbiphon.study.sweep import plan
from orbiphon.units import pm, ps

_NODES = {
    1: (("Γ", (0.0,)), ("X", (0.5,))),
    2: (("Γ", (0.0, 0.0)), ("X", (0.5, 0.0)), ("M", (0.5, 0.5)), ("Γ", (0.0, 0.0))),
    3: (("Γ", (0.0,) * 3), ("X", (0.5, 0.0, 0.0)), ("M", (0.5, 0.5, 0.0)), ("Γ", (0.0,) * 3), ("R", (0.5,) * 3)),
}
_INSTANTS = 1000
_MAP = 301  # points per axis of a map


def first_values(study: Study) -> build.Values:
    """The first value of every quantity of the study: what is shown."""
    _, values = next(plan(study).groups())
    return {key: numbers[:1] for key, numbers in values.items()}


def band_data(electrons: TightBinding) -> Any:
    """Energies (k, band) and orbital weights (k, band, orbital) along a path through reduced points 0 and 1/2."""
    import xarray

    path = k_path(electrons.crystal.lattice, _nodes(electrons.crystal.lattice), 80)
    data = {
        "energy": (("k", "band"), np.asarray(bands(electrons, path.k))),
        "weight": (("k", "band", "orbital"), np.asarray(orbital_weights(electrons, path.k))),
    }
    coordinates = {"distance": ("k", np.asarray(path.distance)), "orbital": list(electrons.basis.labels)}
    return xarray.Dataset(data, coordinates, {"labels": list(path.labels), "nodes": list(path.nodes)})


def _nodes(lattice: Lattice) -> list[tuple[str, tuple[float, ...]]]:
    """Points of the path; their usual names are those of lattices with right angles, others get their coordinates."""
    vectors = np.asarray(lattice.vectors)
    metric = vectors @ vectors.T
    right = np.all(np.abs(metric - np.diag(np.diag(metric))) < 1e-6 * np.max(metric))
    nodes = _NODES[lattice.dim]
    return [
        (name if right or name == "Γ" else "".join("½" if x else "0" for x in point), point) for name, point in nodes
    ]


def zone_data(study: Study) -> Any:
    """Moment per wave vector (ky, kx, observable) by the study's first second-order method, and levels (ky, kx, band).

    For two-dimensional crystals. Levels come sector by sector, so that they cross where symmetry lets them.
    """
    import jax
    import jax.numpy as jnp
    import xarray

    values = first_values(study)
    problem = build.problem(study, values, 2)
    names = [name for name in study.config.response.method if 2 in response.METHODS[name].orders]
    method = build.method(study, values, names[0])
    kappa = np.linspace(-0.5, 0.5, _MAP)
    grid = np.stack(np.meshgrid(kappa, kappa, indexing="xy"), axis=-1).reshape(-1, 2)
    electrons, steps = problem.electrons, lattice_steps(problem.electrons)
    levels = jax.jit(jax.vmap(lambda z: jnp.concatenate(BlochSum(electrons, steps, z).levels())))
    shape = (_MAP, _MAP, -1)
    data = {
        "moment": (("ky", "kx", "observable"), response.zone_map(problem, method, grid).reshape(shape)),
        "level": (("ky", "kx", "band"), np.asarray(levels(jnp.asarray(np.exp(-2j * np.pi * grid)))).reshape(shape)),
    }
    sectors = [number for number, sector in enumerate(electrons.sectors) for _ in sector]
    coordinates = {
        "kx": kappa,
        "ky": kappa,
        "observable": [o.name for o in problem.observables],
        "sector": ("band", sectors),
    }
    attributes = {
        "fermi_level": float(problem.state.fermi_levels(electrons)[0, 0]),
        "temperature": float(problem.state.temperature[0]),
        "method": method.name,
        "coupling": problem.coupling_kind,
    }
    return xarray.Dataset(data, coordinates, attributes)


def phonon_data(study: Study) -> Any:
    """Frequencies in meV: (q,) of the acoustic branch, up to the zone boundary, q in 1/angstrom; or (k, mode) along the
    path of the bands."""
    import xarray

    values = first_values(study)
    phonons, crystal = build.phonons(study, values), build.electrons(study, values).crystal
    if isinstance(phonons, ForceConstants):
        path = k_path(crystal.lattice, _nodes(crystal.lattice), 80)
        frequency = 1e3 * np.asarray(phonons.modes(path.k).frequency)
        attributes = {"labels": list(path.labels), "nodes": list(path.nodes)}
        return xarray.Dataset({"frequency": (("k", "mode"), frequency)}, {"distance": ("k", path.distance)}, attributes)
    q = np.linspace(0.0, np.pi / float(crystal.lattice.cell_volume) ** (1.0 / crystal.lattice.dim), 100)
    return xarray.Dataset({"frequency": ("q", 1e3 * np.asarray(phonons.frequency(q)))}, {"q": q})


def pulse_data(study: Study) -> Any:
    """The displacement (time, xyz) of a pulse at r = 0 in pm, from its onset to the last time asked for, in ps."""
    import jax
    import xarray

    _, values = next(plan(study).groups())
    drive, times = build.drive(study, values), build.times(study, values)
    assert isinstance(drive, Pulse)
    t = np.linspace(min(float(drive.envelope.onset), float(np.min(times))), np.max(times), _INSTANTS)
    u = np.real(np.asarray(jax.vmap(drive)(t)))
    return xarray.Dataset({"displacement": (("time", "xyz"), u / pm)}, {"time": t / ps, "xyz": list("xyz")})
