"""A moment-per-phonon spectrum as labelled arrays, and in a file."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from orbiphon.response import MomentSpectrum
from orbiphon.study.provenance import versions

if TYPE_CHECKING:
    import xarray


def spectrum_dataset(spectrum: MomentSpectrum) -> "xarray.Dataset":
    """Frequencies in meV, moments per phonon and their errors, magnetic moments in μ_B and nuclear magnetons, angular
    momenta of the phonons, over (q, mode[, observable | xyz]); q in 1/Å, with `distance` along a path."""
    import xarray

    modes, moments = ("q", "mode"), ("q", "mode", "observable")
    data = {
        "frequency": (modes, 1e3 * spectrum.frequency, {"units": "meV"}),
        "value": (moments, spectrum.value),
        "error": (moments, spectrum.error),
        "bohr_magnetons": (moments, spectrum.bohr_magnetons, {"units": "bohr_magneton"}),
        "nuclear_magnetons": (moments, spectrum.nuclear_magnetons, {"units": "nuclear_magneton"}),
        "angular_momentum": ((*modes, "xyz"), spectrum.angular_momentum, {"units": "hbar"}),
        "converged": ("q", spectrum.converged),
        "wave_vector": (("q", "xyz"), spectrum.q, {"units": "1/angstrom"}),
    }
    coordinates = {
        "observable": list(spectrum.observables),
        "unit": ("observable", list(spectrum.unit)),
        "mode": np.arange(spectrum.frequency.shape[1]),
        "xyz": list("xyz"),
    }
    attributes = {
        "fermi_level_eV": spectrum.fermi_level,
        "temperature_K": spectrum.temperature,
        "method": spectrum.method,
        "coupling": spectrum.coupling,
        "broadening_eV": spectrum.broadening,
        "versions": versions(),
    }
    if spectrum.path is not None:
        coordinates["distance"] = ("q", np.asarray(spectrum.path.distance))
        attributes |= {"labels": list(spectrum.path.labels), "nodes": list(spectrum.path.nodes)}
    if spectrum.mesh is not None:
        attributes["mesh"] = list(spectrum.mesh)
    return xarray.Dataset(data, coordinates, attributes)


def save_spectrum(spectrum: MomentSpectrum, path: str | Path) -> Path:
    """Write it to a folder `NAME.zarr`, which `orbiphon show` draws; the path."""
    spectrum_dataset(spectrum).to_zarr(str(path), mode="w")
    return Path(path)
