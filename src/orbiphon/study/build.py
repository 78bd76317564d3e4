"""From a checked study to the objects of the core. Only this file knows both worlds."""

import inspect
from typing import Any

import numpy as np
from jaxtyping import Float

from orbiphon.coupling import Coupling
from orbiphon.drives import AbstractDrive, AbstractModeDrive
from orbiphon.electrons import TightBinding
from orbiphon.phonons import AcousticBranch, ForceConstants
from orbiphon.response import AbstractMethod, ElectronState, Numerics, Problem
from orbiphon.study import first_principles
from orbiphon.study.build_drive import DRIVERS, Parts
from orbiphon.study.build_phonons import PHONONS
from orbiphon.study.config import Study
from orbiphon.study.quantity import KINDS
from orbiphon.study.sections import METHODS, MODELS
from orbiphon.study.sweep import TIME

TIME_STEPS = 1e-3
"""Of `numerics.rtol`: the tolerance of an integration in time. Its errors add up over many steps."""
Values = dict[str, tuple[float, ...]]
"""The values of all quantities of a group, in canonical units, by key path; several only for the electrons' state."""


def electrons(study: Study, values: Values) -> TightBinding:
    """The model of `[electrons]`, or what its file holds."""
    if first_principles.is_from_files(study):
        return first_principles.read(study).electrons
    return MODELS[study.config.electrons.model](**_internal(study, values, "electrons"))


def phonons(study: Study, values: Values, name: str = "phonons") -> AcousticBranch | ForceConstants:
    """The phonons of `[phonons]`, or of `[source]`: a branch, or the modes of the electrons' crystal."""
    table = getattr(study.config, name)
    return PHONONS[type(table)](table, electrons(study, values).crystal, study.folder, _internal(study, values, name))


def drive(study: Study, values: Values) -> AbstractDrive | AbstractModeDrive:
    """The drive of `[drive]`, acting through the phonons of `[phonons]`."""
    config = study.config
    source = None if config.source is None else phonons(study, values, "source")
    given = _internal(study, values, "drive")
    return DRIVERS[config.drive.kind](
        Parts(config.drive, config.phonons, phonons(study, values), source, study.folder, given)
    )


def times(study: Study, values: Values) -> Float[np.ndarray, "time"]:
    """The times of a pulse in hbar/eV, as they stand in the file."""
    return np.array(values[TIME]) * KINDS["time"].internal


def state(study: Study, values: Values) -> ElectronState:
    """The electrons' state of `[state]`."""
    given = {key.rpartition(".")[2]: list(numbers) for key, numbers in values.items() if key.startswith("state.")}
    if "fermi_shift" in given:
        given["fermi_level"] = first_principles.shifted(study, given.pop("fermi_shift"))
    return ElectronState(**given)


def problem(study: Study, values: Values, order: int) -> Problem:
    """The physics of one group at one order."""
    return Problem(
        electrons(study, values),
        drive(study, values),
        state(study, values),
        coupling=coupling(study),
        observables=study.config.response.observables,
        order=order,
    )


def coupling(study: Study) -> str | Coupling:
    """The coupling of `[coupling]`, by name or from files."""
    return (
        first_principles.read(study).coupling if first_principles.is_from_files(study) else study.config.coupling.kind
    )


def method(study: Study, values: Values, name: str) -> AbstractMethod:
    """A method with those settings of `[response]` that it has."""
    table, broadening = study.config.response, _internal(study, values, "response")["broadening"]
    settings: dict[str, Any] = {"broadening": broadening, "published_broadening": table.published_broadening}
    if table.harmonics is not None:
        settings["harmonics"] = table.harmonics
    if name == "motion" and table.motion_broadening == "relaxation_time" and broadening > 0.0:
        settings |= {"broadening": None, "relaxation_time": 0.5 / broadening}
    if study.config.drive.in_time:
        settings["tolerance"] = TIME_STEPS * study.config.numerics.rtol.values[0]
    known = inspect.signature(METHODS[name]).parameters
    return METHODS[name](**{key: setting for key, setting in settings.items() if key in known})


def numerics(study: Study) -> Numerics:
    """The accuracy of `[numerics]`."""
    table = study.config.numerics
    return Numerics(
        rtol=table.rtol.values[0], atol=table.atol.values[0], max_points=table.max_points, block=table.block
    )


def _internal(study: Study, values: Values, section: str) -> dict[str, float]:
    """The quantities of one table in internal units, by key."""
    kinds = {path: found.kind for path, found in study.quantities().items()}
    return {
        path.partition(".")[2]: numbers[0] * kinds[path].internal
        for path, numbers in values.items()
        if path.startswith(section + ".")
    }
