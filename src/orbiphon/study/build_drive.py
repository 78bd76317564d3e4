"""From `[drive]` to the classes of `orbiphon.drives`: one function for each kind."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from orbiphon import drives, io
from orbiphon.crystal import zone_points
from orbiphon.drives import AbstractDrive, AbstractModeDrive
from orbiphon.errors import InputError
from orbiphon.phonons import circular_modes, direction_vector, elliptical_polarisation
from orbiphon.study.drive_sections import ENVELOPES, envelope_keys

Drive = AbstractDrive | AbstractModeDrive


class Parts(NamedTuple):
    """What a drive is made of: the tables `[drive]` and `[phonons]`, the phonons, those of `[source]`, the folder of
    the study, and the quantities of `[drive]` in internal units, by key."""

    table: Any
    phonon_table: Any
    phonons: Any
    source: Any
    folder: Path
    given: dict[str, float]


def _thermal_injection(parts: Parts) -> Drive:
    return drives.ThermalInjection(parts.phonons, q_domain=parts.table.q_domain, **parts.given)


def _one_phonon(parts: Parts) -> Drive:
    return drives.OnePhonon(parts.phonons, **_signed(parts.given))


def _coherent_wave(parts: Parts) -> Drive:
    return drives.CoherentWave(parts.phonons, **_signed(parts.given))


def _pulse(parts: Parts) -> Drive:
    shape = {key: parts.given[key] for key in envelope_keys(parts.table.envelope) if key in parts.given}
    wave = {key: number for key, number in parts.given.items() if key not in shape and key != "time"}
    envelope = ENVELOPES[parts.table.envelope](**shape)
    return drives.Pulse(drives.CoherentWave(parts.phonons, **_signed(wave)), envelope)  # pyright: ignore[reportCallIssue]


def _one_mode(parts: Parts) -> Drive:
    mode, axis = int(parts.given["mode"]), parts.table.axis
    return drives.OneMode(parts.phonons, q=_wave_vector(parts), mode=mode, axis=axis)


def _coherent_mode(parts: Parts) -> Drive:
    mixture = parts.table.mixture
    return drives.CoherentMode(
        parts.phonons,
        q=_wave_vector(parts),
        mode=int(parts.given["mode"]),
        amplitude=parts.given.get("amplitude"),
        quanta=parts.given.get("quanta"),
        mixture=None if mixture is None else np.array([complex(*part) for part in mixture]),
        axis=parts.table.axis,
    )


def _driven_mode(parts: Parts) -> Drive:
    given, table = parts.given, parts.table
    turning = elliptical_polarisation(table.axis, int(given["chirality"]), given["ellipticity"])
    charges = table.charges
    if charges is None:
        charges = io.read_born_charges(parts.folder / parts.phonon_table.file)
    return drives.DrivenMode(
        parts.phonons,
        field=given["field"] * np.asarray(turning),
        charges=np.asarray(charges, dtype=float),
        damping=given["damping"],
        frequency=given.get("frequency"),
        mode=int(given["mode"]) if "mode" in given else None,
    )


def _temperature_gradient(parts: Parts) -> Drive:
    file = parts.table.lifetimes
    return drives.TemperatureGradient(
        parts.phonons,
        gradient=parts.given["gradient"] * np.asarray(direction_vector(_direction(parts.table))),
        relaxation_time=parts.given.get("relaxation_time"),
        lifetimes=None if file is None else io.read_lifetimes(parts.folder / file),
        mesh=parts.table.mesh,
    )


def _interface_injection(parts: Parts) -> Drive:
    direction, mesh = _direction(parts.table), parts.table.mesh
    return drives.InterfaceInjection(parts.phonons, source=parts.source, direction=direction, mesh=mesh, **parts.given)


def _phonon_table(parts: Parts) -> Drive:
    table = parts.table
    key = "excess" if table.occupation is None else "occupation"
    modes = circular_modes(parts.phonons.modes(zone_points(parts.phonons.crystal.lattice, table.mesh)))
    return drives.PhononTable(modes, mesh=table.mesh, **{key: _numbers(parts.folder / getattr(table, key), key)})


def _signed(given: dict[str, float]) -> dict[str, Any]:
    """The chirality as a whole number."""
    return given | {"chirality": int(given["chirality"])}


def _direction(table: Any) -> Any:
    return table.direction if isinstance(table.direction, str) else np.array(table.direction)


def _wave_vector(parts: Parts) -> Float[np.ndarray, "xyz"]:
    """`q` along `direction`, or `q_reduced` of the reciprocal vectors."""
    reduced, lattice = parts.table.q_reduced, parts.phonons.crystal.lattice
    if reduced is None:
        return parts.given["q"] * np.asarray(direction_vector(_direction(parts.table)))
    if len(reduced) != lattice.dim:
        raise InputError(
            f"drive.q_reduced must hold {lattice.dim} numbers, one for each reciprocal vector, but holds "
            f"{len(reduced)}. Change it."
        )
    return np.array(reduced) @ np.asarray(lattice.reciprocal)


def _numbers(path: Path, key: str) -> Float[np.ndarray, "q mode"]:
    try:
        return np.loadtxt(path, delimiter=",", ndmin=2)
    except (OSError, ValueError) as error:
        raise InputError(
            f"drive.{key} must be a file of numbers between commas, a line for each wave vector of the mesh and a "
            f"column for each mode, but `{path}` is not: {error}. Mend it, or its path."
        ) from None


DRIVERS: dict[str, Callable[[Parts], Drive]] = {
    "thermal_injection": _thermal_injection,
    "one_phonon": _one_phonon,
    "coherent_wave": _coherent_wave,
    "pulse": _pulse,
    "one_mode": _one_mode,
    "coherent_mode": _coherent_mode,
    "driven_mode": _driven_mode,
    "temperature_gradient": _temperature_gradient,
    "interface_injection": _interface_injection,
    "phonon_table": _phonon_table,
}
