"""phono3py's files: lifetimes of phonons.

`kappa-m888.hdf5` holds, for the irreducible wave vectors of a mesh, frequencies (q, band) and `gamma` (temperature, q,
band), the imaginary part of the self-energy, both in terahertz of ordinary frequency. A mode lives for

    τ = 1/(2 · 2π (gamma + gamma_isotope + gamma_elph)),

the latter two where the file has them: scattering at isotopes (q, band) and electrons (temperature, q, band). A gamma
of zero was not calculated. Scattering at boundaries (`boundary_mfp`) is not counted.

Source: phono3py's documentation, "How to read the results stored in hdf5 files".
"""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from orbiphon import units
from orbiphon.errors import InputError
from orbiphon.phonons import Lifetimes

_NEEDED = ("mesh", "temperature", "qpoint", "weight", "frequency", "gamma")
_FURTHER = ("gamma_isotope", "gamma_elph")
_ANGULAR_THZ = 2.0 * np.pi * units.THz


def read_lifetimes(path: str | Path) -> Lifetimes:
    """The lifetimes of all modes in phono3py's `kappa-m888.hdf5`, for `TemperatureGradient`.

    **Raises:** `InputError` for a file that is missing, damaged, or not phono3py's; of one grid point, or of a
    generalised grid; with data that do not fit together; or without h5py.
    """
    data = _read(Path(path))
    mesh, weight = data["mesh"], data["weight"]
    if mesh.shape != (3,) or "grid_matrix" in data:
        raise InputError(
            f"`{path}` must hold a regular mesh of three numbers, but has a generalised one. Calculate it with "
            "--mesh and three numbers."
        )
    count, (temperatures, bands) = len(data["qpoint"]), (len(data["temperature"]), data["frequency"].shape[-1])
    shape = (temperatures, count, bands)
    if data["gamma"].shape != shape or data["frequency"].shape != (count, bands) or weight.shape != (count,):
        raise InputError(
            f"`{path}` must hold gamma (temperature, irreducible q, band) and frequency and weight of the same q, but "
            f"gamma is of shape {data['gamma'].shape}, not {shape}: the file is damaged, or of one grid "
            "point. Calculate all."
        )
    if round(float(np.sum(weight))) != int(np.prod(mesh)):
        raise InputError(
            f"`{path}` must hold all irreducible wave vectors of the mesh {tuple(int(n) for n in mesh)}, but its "
            f"weights add up to {np.sum(weight):g} instead of {int(np.prod(mesh))}. Calculate all."
        )
    gamma = sum((_like_gamma(data[name], shape, path) for name in _FURTHER if name in data), start=data["gamma"])
    known = np.isfinite(data["gamma"]) & (data["gamma"] > 0.0)
    return Lifetimes(
        tuple(int(n) for n in mesh),  # pyright: ignore[reportArgumentType]
        data["qpoint"],
        data["frequency"] * _ANGULAR_THZ,
        data["temperature"],
        np.where(known, 2.0 * gamma * _ANGULAR_THZ, 0.0),
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        import h5py
    except ImportError:
        raise InputError(
            "Reading phono3py's files must have h5py, but it is not installed. Install orbiphon[phonons]."
        ) from None
    if not path.is_file():
        raise InputError(f"The file `{path}` must be there to be read, but is not. Check the path.")
    try:
        with h5py.File(path, "r") as file:
            found = {name: np.asarray(file[name], dtype=float) for name in (*_NEEDED, *_FURTHER) if name in file}
            grid = "grid_matrix" in file
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"`{path}` must be a file of phono3py (kappa-m888.hdf5), but is not: {error}.") from None
    missing = [name for name in _NEEDED if name not in found]
    if missing:
        raise InputError(
            f"`{path}` must hold {', '.join(_NEEDED)}, as phono3py's kappa-m888.hdf5 does, but has no "
            f"{', '.join(missing)}. Write it again, with a version of phono3py from 1.10.11 on."
        )
    return found | ({"grid_matrix": True} if grid else {})


def _like_gamma(
    values: np.ndarray, shape: tuple[int, int, int], path: str | Path
) -> Float[np.ndarray, "temperature q band"]:
    """With an axis of temperature."""
    if values.shape not in (shape, shape[1:]):
        raise InputError(
            f"`{path}` must hold rates of the same modes, but has some of shape {values.shape} beside gamma {shape}. "
            "The file is damaged: write it again."
        )
    return np.broadcast_to(values, shape)
