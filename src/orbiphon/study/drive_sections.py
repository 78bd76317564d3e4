"""The tables `[drive]` of a study file: `drive.kind` chooses among the classes in `DRIVES`.

Keys are the arguments of the classes in `orbiphon.drives`.
"""

import inspect
from typing import Annotated, ClassVar, Literal

from pydantic import model_validator

from orbiphon import drives
from orbiphon.drives.thermal import Q_DOMAINS
from orbiphon.study import quantity as qty
from orbiphon.study.quantity import QuantityError
from orbiphon.study.sections import Q, Section, exactly_one, number, one_of, reads


class Drive(Section):
    """Any drive. `coherent`: its waves have a phase, so that there is a first order; `in_time`: it gives moments in
    time."""

    coherent: ClassVar[bool] = False
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


DRIVES: dict[str, type[Drive]] = {
    "thermal_injection": ThermalInjection,
    "coherent_wave": CoherentWave,
    "pulse": Pulse,
    "one_phonon": OnePhonon,
}
