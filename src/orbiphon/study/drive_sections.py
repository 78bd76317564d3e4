"""The tables `[drive]` of a study file: `drive.kind` chooses among the classes in `DRIVES`.

Keys are the arguments of the classes in `orbiphon.drives`.
"""

import inspect
from typing import Annotated, Any, ClassVar, Literal

from pydantic import model_validator

from orbiphon import drives
from orbiphon.drives.thermal import Q_DOMAINS
from orbiphon.study import quantity as qty
from orbiphon.study.lists import a_direction, a_mesh, complex_numbers, fractions, numbers_or_tensors
from orbiphon.study.quantity import QuantityError
from orbiphon.study.sections import Q, Section, exactly_one, file_path, number, one_of, reads


class Drive(Section):
    """Any drive. `coherent`: its waves have a phase, so that there is a first order; `on_modes`: it acts on the
    modes of a crystal; `in_time`: it gives moments in time."""

    coherent: ClassVar[bool] = False
    on_modes: ClassVar[bool] = False
    in_time: ClassVar[bool] = False


class ThermalInjection(Drive):
    """Thermal phonons that enter from a chiral material."""

    kind: Literal["thermal_injection"]
    transmission: Annotated[Q, reads("number", qty.FRACTION)]
    splitting: Annotated[Q, reads("number", qty.BELOW_ONE)]
    q_domain: Annotated[str, one_of(*Q_DOMAINS)]
    source_speed: Annotated[Q, reads("speed", qty.POSITIVE)] | None = None
    temperature: Annotated[Q, reads("temperature", qty.POSITIVE)] | None = None
    spacing: Annotated[Q, reads("length", qty.POSITIVE)] | None = None


class _Wave(Drive):
    """What makes an acoustic wave."""

    coherent = True
    amplitude: Annotated[Q, reads("length", qty.NOT_NEGATIVE)] | None = None
    strain: Annotated[Q, reads("number", qty.NOT_NEGATIVE)] | None = None
    power_per_width: Annotated[Q, reads("power per width", qty.NOT_NEGATIVE)] | None = None
    density: Annotated[Q, reads("mass density", qty.POSITIVE)] | None = None
    depth: Annotated[Q, reads("length", qty.POSITIVE)] | None = None
    frequency: Annotated[Q, reads("frequency", qty.POSITIVE)] | None = None
    q: Annotated[Q, reads("wave vector", qty.POSITIVE)] | None = None
    chirality: Annotated[Q, reads("number", qty.SIGN)] = number(1.0)
    ellipticity: Annotated[Q, reads("number", qty.FRACTION)] = number(1.0)

    @model_validator(mode="after")
    def _one(self) -> "_Wave":
        exactly_one(self, "amplitude", "strain", "power_per_width")
        exactly_one(self, "frequency", "q")
        if (self.power_per_width is None) != (self.density is None):
            missing = "density" if self.density is None else "power_per_width"
            raise QuantityError(f"must have power_per_width together with density, but has no `{missing}`. Add it.")
        if self.depth is not None and self.power_per_width is None:
            raise QuantityError("must have depth only together with power_per_width, but has it alone. Remove depth.")
        return self


class CoherentWave(_Wave):
    """One wave, a surface acoustic wave for instance."""

    kind: Literal["coherent_wave"]


ENVELOPES: dict[str, type[drives.AbstractEnvelope]] = {
    "gaussian": drives.GaussianEnvelope,
    "ramp": drives.RampEnvelope,
    "continuous": drives.ContinuousEnvelope,
}
"""Every envelope of a pulse, by its name; its arguments are keys of `[drive]`."""


class Pulse(_Wave):
    """One wave with an envelope, followed in time."""

    kind: Literal["pulse"]
    in_time = True
    time: Annotated[Q, reads("time")]
    envelope: Annotated[str, one_of(*ENVELOPES)] = "gaussian"
    centre: Annotated[Q, reads("time")] | None = None
    duration: Annotated[Q, reads("time", qty.POSITIVE)] | None = None
    chirp: Annotated[Q, reads("chirp")] | None = None
    phase: Annotated[Q, reads("angle")] | None = None
    start: Annotated[Q, reads("time")] | None = None
    rise: Annotated[Q, reads("time", qty.POSITIVE)] | None = None

    @model_validator(mode="after")
    def _envelope(self) -> "Pulse":
        every = {key for name in ENVELOPES for key in envelope_keys(name)}
        own = envelope_keys(self.envelope)
        given = {key for key in every if getattr(self, key) is not None}
        for key in sorted(given - set(own)):
            known = f'an envelope "{self.envelope}" has only {", ".join(own)}'
            raise QuantityError(f"must have the keys of its envelope, but has `{key}`: {known}. Remove it.")
        for key in (key for key, needed in own.items() if needed and key not in given):
            raise QuantityError(f'must have `{key}` for an envelope "{self.envelope}", but has not. Add it.')
        return self


def envelope_keys(name: str) -> dict[str, bool]:
    """The keys of an envelope, and whether each must be given."""
    arguments = inspect.signature(ENVELOPES[name]).parameters
    return {key: parameter.default is parameter.empty for key, parameter in arguments.items()}


class OnePhonon(Drive):
    """One circular phonon; the result is the moment per phonon."""

    kind: Literal["one_phonon"]
    q: Annotated[Q, reads("wave vector", qty.POSITIVE)]
    chirality: Annotated[Q, reads("number", qty.SIGN)] = number(1.0)


class _Modes(Drive):
    """A drive on the modes of a crystal."""

    on_modes = True


class _AtWaveVector(_Modes):
    """One mode; `q` along `direction`, or fractions of the reciprocal vectors."""

    q: Annotated[Q, reads("wave vector", qty.NOT_NEGATIVE)] | None = None
    q_reduced: Annotated[tuple[float, ...], fractions()] | None = None
    direction: Annotated[str | tuple[float, ...], a_direction()] = "x"
    mode: Annotated[Q, reads("number", qty.WHOLE)]
    axis: Annotated[str, one_of("x", "y", "z")] | None = None

    @model_validator(mode="after")
    def _one_q(self) -> "_AtWaveVector":
        exactly_one(self, "q", "q_reduced")
        return self


class OneMode(_AtWaveVector):
    """One quantum of a mode; the result is the moment per phonon."""

    kind: Literal["one_mode"]


class CoherentMode(_AtWaveVector):
    """A coherent wave of a mode."""

    kind: Literal["coherent_mode"]
    coherent = True
    amplitude: Annotated[Q, reads("length", qty.NOT_NEGATIVE)] | None = None
    quanta: Annotated[Q, reads("number", qty.NOT_NEGATIVE)] | None = None
    mixture: Annotated[tuple[tuple[float, float], ...], complex_numbers()] | None = None

    @model_validator(mode="after")
    def _one(self) -> "CoherentMode":
        exactly_one(self, "amplitude", "quanta")
        return self


class DrivenMode(_Modes):
    """Optical modes in a terahertz field that turns about `axis`."""

    kind: Literal["driven_mode"]
    coherent = True
    field: Annotated[Q, reads("electric field", qty.NOT_NEGATIVE)]
    chirality: Annotated[Q, reads("number", qty.SIGN)] = number(1.0)
    ellipticity: Annotated[Q, reads("number", qty.FRACTION)] = number(1.0)
    axis: Annotated[str, one_of("x", "y", "z")] = "z"
    charges: Annotated[tuple[Any, ...], numbers_or_tensors()] | None = None
    damping: Annotated[Q, reads("energy", qty.POSITIVE)]
    frequency: Annotated[Q, reads("frequency", qty.POSITIVE)] | None = None
    mode: Annotated[Q, reads("number", qty.WHOLE)] | None = None

    @model_validator(mode="after")
    def _one(self) -> "DrivenMode":
        exactly_one(self, "frequency", "mode")
        return self


class TemperatureGradient(_Modes):
    """A heat current in the crystal."""

    kind: Literal["temperature_gradient"]
    gradient: Annotated[Q, reads("temperature gradient")]
    direction: Annotated[str | tuple[float, ...], a_direction()] = "x"
    relaxation_time: Annotated[Q, reads("time", qty.POSITIVE)] | None = None
    lifetimes: Annotated[str, file_path()] | None = None
    mesh: Annotated[tuple[int, ...], a_mesh()] | None = None

    @model_validator(mode="after")
    def _one(self) -> "TemperatureGradient":
        exactly_one(self, "relaxation_time", "lifetimes")
        if self.relaxation_time is not None and self.mesh is None:
            raise QuantityError("must have `mesh` for a relaxation time, but has not. Add mesh = [24, 24], say.")
        return self


class InterfaceInjection(_Modes):
    """Thermal phonons that enter from the crystal of `[source]`."""

    kind: Literal["interface_injection"]
    transmission: Annotated[Q, reads("number", qty.FRACTION)]
    direction: Annotated[str | tuple[float, ...], a_direction()] = "x"
    temperature: Annotated[Q, reads("temperature", qty.POSITIVE)] | None = None
    mesh: Annotated[tuple[int, ...], a_mesh()]


class PhononTable(_Modes):
    """Occupations of all modes of a mesh, from a file."""

    kind: Literal["phonon_table"]
    mesh: Annotated[tuple[int, ...], a_mesh()]
    occupation: Annotated[str, file_path()] | None = None
    excess: Annotated[str, file_path()] | None = None

    @model_validator(mode="after")
    def _one(self) -> "PhononTable":
        exactly_one(self, "occupation", "excess")
        return self


DRIVES: dict[str, type[Drive]] = {
    "thermal_injection": ThermalInjection,
    "coherent_wave": CoherentWave,
    "pulse": Pulse,
    "one_phonon": OnePhonon,
    "one_mode": OneMode,
    "coherent_mode": CoherentMode,
    "driven_mode": DrivenMode,
    "temperature_gradient": TemperatureGradient,
    "interface_injection": InterfaceInjection,
    "phonon_table": PhononTable,
}
