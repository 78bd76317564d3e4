"""What goes into a study, as data for pictures: bands, Fermi surface, phonons, and where the moment comes from."""

from typing import Any

import numpy as np

from orbiphon import response
from orbiphon.crystal import KPath, Lattice, joined, k_path
from orbiphon.drives import Pulse
from orbiphon.electrons import (
    FermiLines,
    SpectralDensity,
    TightBinding,
    bands,
    characters,
    fermi_lines,
    orbital_groups,
    spectral_density,
)
from orbiphon.electrons.bloch import BlochSum, lattice_steps
from orbiphon.electrons.symmetry import electron_symmetries
from orbiphon.errors import InputError
from orbiphon.phonons import ForceConstants
from orbiphon.study import build, first_principles
from orbiphon.study.config import Study
from orbiphon.study.sweep import plan
from orbiphon.units import pm, ps

_NODES = {
    1: (("Γ", (0.0,)), ("X", (0.5,))),
    2: (("Γ", (0.0, 0.0)), ("X", (0.5, 0.0)), ("M", (0.5, 0.5)), ("Γ", (0.0, 0.0))),
    3: (("Γ", (0.0,) * 3), ("X", (0.5, 0.0, 0.0)), ("M", (0.5, 0.5, 0.0)), ("Γ", (0.0,) * 3), ("R", (0.5,) * 3)),
}
_HEXAGON = (("Γ", (0.0, 0.0)), ("K", (2 / 3, 1 / 3)), ("M", (0.5, 0.5)), ("Γ", (0.0, 0.0)))  # 60° between the vectors
_TURNED_HEXAGON = (("Γ", (0.0, 0.0)), ("K", (1 / 3, 1 / 3)), ("M", (0.5, 0.0)), ("Γ", (0.0, 0.0)))  # 120°
_POINTS = 80  # along a segment of a path
_NEAR = 1e-6  # of the step from q = 0 to the next point of a path
_SPECTRUM_POINTS = 20
_INSTANTS = 1000
_MAP = 301  # points per axis of a map
_RESOLVED = 200  # parts of the range of energies that a density of states tells apart, at most
_WIDTHS = 5.0  # of the Gaussian, beyond the bands
_STATES_POINTS = 60_000  # wave vectors for a density of states
_NORMALS = ((0, 0, 1), (1, 1, 0), (1, 0, 0), (0, 1, 0))
_PLANES = 2


def first_values(study: Study) -> build.Values:
    """The first value of every quantity of the study: what is shown."""
    _, values = next(plan(study).groups())
    return {key: numbers[:1] for key, numbers in values.items()}


def first_fermi_level(study: Study, electrons: TightBinding) -> float:
    """The Fermi level (eV) of the first point of the study."""
    return float(build.state(study, first_values(study)).fermi_levels(electrons)[0, 0])


def path_of_bands(study: Study, electrons: TightBinding) -> KPath | None:
    """The kpoint_path of the Wannier90 input, if the study's electrons come from one that has it."""
    segments = first_principles.read(study).home.path_of_bands if first_principles.is_from_files(study) else ()
    lattice = electrons.crystal.lattice
    return joined([k_path(lattice, ends, _POINTS) for ends in segments]) if segments else None


def band_data(electrons: TightBinding, fermi_level: float | None = None, path: KPath | None = None) -> Any:
    """Energies (k, band) and weights (k, band, orbital) of groups of orbitals along a path, by default one through
    reduced points 0 and 1/2."""
    import xarray

    path = path or k_path(electrons.crystal.lattice, _nodes(electrons.crystal.lattice), _POINTS)
    groups = orbital_groups(electrons.crystal, electrons.basis)
    energy, weight = characters(electrons, path.k, groups)
    data = {
        "energy": (("k", "band"), np.asarray(energy)),
        "weight": (("k", "band", "orbital"), np.asarray(weight)),
    }
    coordinates = {"distance": ("k", np.asarray(path.distance)), "orbital": list(groups.names)}
    attributes = {"labels": list(path.labels), "nodes": list(path.nodes)}
    if fermi_level is not None:
        attributes["fermi_level"] = fermi_level
    return xarray.Dataset(data, coordinates, attributes)


def states_data(study: Study, electrons: TightBinding) -> SpectralDensity:
    """The density of states of all bands, with the study's first broadening as resolution, or a coarser one."""
    path = k_path(electrons.crystal.lattice, _nodes(electrons.crystal.lattice), 40)
    energy = np.asarray(bands(electrons, path.k))
    low, high = float(np.min(energy)), float(np.max(energy))
    resolution = max(first_values(study)["response.broadening"][0], (high - low) / _RESOLVED)
    low, high = low - _WIDTHS * resolution, high + _WIDTHS * resolution
    energies = np.linspace(low, high, int(2.0 * (high - low) / resolution) + 2)
    return spectral_density(electrons, energies, resolution, max_points=_STATES_POINTS)


def fermi_data(electrons: TightBinding, fermi_level: float) -> list[FermiLines]:
    """The Fermi surface of a layer, or of a crystal in planes through Gamma that symmetry does not make the same."""
    lattice = electrons.crystal.lattice
    if lattice.dim == 2:
        return [fermi_lines(electrons, fermi_level, np.cross(*np.asarray(lattice.vectors)))]
    turns = [g.operation.matrix for g in electron_symmetries(electrons).kept]
    chosen: list[np.ndarray] = []
    for given in _NORMALS:
        normal = np.array(given) / np.linalg.norm(given)
        if not any(abs(abs(normal @ turn @ other) - 1.0) < 1e-6 for turn in turns for other in chosen):
            chosen.append(normal)
    return [fermi_lines(electrons, fermi_level, normal) for normal in chosen[:_PLANES]]


def _nodes(lattice: Lattice) -> list[tuple[str, tuple[float, ...]]]:
    """Points of the path; their usual names are those of lattices with right angles and of hexagonal layers, others get
    their coordinates."""
    vectors = np.asarray(lattice.vectors)
    metric = vectors @ vectors.T / np.max(np.sum(vectors**2, axis=1))
    if lattice.dim == 2 and np.allclose(np.abs(metric), [[1.0, 0.5], [0.5, 1.0]], atol=1e-6):
        return list(_HEXAGON if metric[0, 1] > 0 else _TURNED_HEXAGON)
    right = np.all(np.abs(metric - np.diag(np.diag(metric))) < 1e-6)
    nodes = _NODES[lattice.dim]
    return [
        (name if right or name == "Γ" else "".join("½" if x else "0" for x in point), point) for name, point in nodes
    ]


def zone_data(study: Study) -> Any:
    """Moment per wave vector (ky, kx, observable) by the study's first second-order method, and levels (ky, kx, band).

    For two-dimensional crystals; None where the moments are no single zone mean, as for many phonons. Levels come
    sector by sector, so that they cross where symmetry lets them.
    """
    import jax
    import jax.numpy as jnp
    import xarray

    values = first_values(study)
    problem = build.problem(study, values, 2)
    names = [name for name in study.config.response.method if 2 in response.METHODS[name].orders]
    method = build.method(study, values, names[0])
    if method.prepare(problem).integrand is None:
        return None
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


def mode_spectrum(study: Study) -> response.MomentSpectrum:
    """Moments per phonon of all modes along a path, by the study's first second-order method, to its tolerance.

    **Raises:** `InputError` for phonons that are no modes of a crystal, or a method that does not know them.
    """
    values = first_values(study)
    phonons, electrons = build.phonons(study, values), build.electrons(study, values)
    names = [name for name in study.config.response.method if 2 in response.METHODS[name].orders]
    if not isinstance(phonons, ForceConstants):
        raise InputError(
            "[phonons] must be the modes of a crystal for moments per phonon along a path, but is an acoustic branch. "
            'Write kind = "springs", or file = "phonopy.yaml".'
        )
    if not names:
        known = ", ".join(study.config.response.method)
        raise InputError(
            f"response.method must have a second order for moments per phonon, but {known} has none. Write keldysh."
        )
    return response.moment_spectrum(
        electrons,
        phonons,
        build.state(study, values),
        build.method(study, values, names[0]),
        k_path(electrons.crystal.lattice, _nodes(electrons.crystal.lattice), _SPECTRUM_POINTS),
        observables=study.config.response.observables,
        coupling=build.coupling(study),
        numerics=build.numerics(study),
    )


def phonon_data(study: Study) -> Any:
    """Frequencies in meV: (q,) of the acoustic branch, up to the zone boundary, q in 1/angstrom; or (k, mode) along a
    path through reduced points 0 and 1/2."""
    import xarray

    values = first_values(study)
    phonons, crystal = build.phonons(study, values), build.electrons(study, values).crystal
    if isinstance(phonons, ForceConstants):
        path = k_path(crystal.lattice, _nodes(crystal.lattice), _POINTS)
        frequency = 1e3 * np.asarray(phonons.modes(_towards_neighbours(np.asarray(path.k))).frequency)
        attributes = {"labels": list(path.labels), "nodes": list(path.nodes)}
        return xarray.Dataset({"frequency": (("k", "mode"), frequency)}, {"distance": ("k", path.distance)}, attributes)
    q = np.linspace(0.0, np.pi / float(crystal.lattice.cell_volume) ** (1.0 / crystal.lattice.dim), 100)
    return xarray.Dataset({"frequency": ("q", 1e3 * np.asarray(phonons.frequency(q)))}, {"q": q})


def _towards_neighbours(k: np.ndarray) -> np.ndarray:
    """Points of a path, with q = 0 moved a little along it: there polar crystals have a limit for each direction."""
    neighbour = np.roll(k, -1, axis=0)
    neighbour[-1] = k[-2]
    return np.where(np.any(k != 0.0, axis=1, keepdims=True), k, _NEAR * neighbour)


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
