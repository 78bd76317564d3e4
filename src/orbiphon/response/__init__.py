"""The response of the electrons, first and second order in the displacement; one file per method."""

from orbiphon.response.adiabatic import Adiabatic as Adiabatic
from orbiphon.response.answer import Answer as Answer
from orbiphon.response.berry import Berry as Berry
from orbiphon.response.floquet import Floquet as Floquet
from orbiphon.response.keldysh import Keldysh as Keldysh
from orbiphon.response.kubo import Kubo as Kubo
from orbiphon.response.method import AbstractMethod as AbstractMethod
from orbiphon.response.moment_matrix import moment_per_phonon as moment_per_phonon
from orbiphon.response.motion import Motion as Motion
from orbiphon.response.perturbation import Perturbation as Perturbation
from orbiphon.response.problem import ElectronState as ElectronState, Numerics as Numerics, Problem as Problem
from orbiphon.response.published import Published as Published
from orbiphon.response.selection import SelectionRules as SelectionRules, selection_rules as selection_rules
from orbiphon.response.self_energy import (
    PhononMoment as PhononMoment,
    phonon_magnetic_moment as phonon_magnetic_moment,
)
from orbiphon.response.solve import solve as solve
from orbiphon.response.spectrum import MomentSpectrum as MomentSpectrum, moment_spectrum as moment_spectrum
from orbiphon.response.time_traces import TimeTraces as TimeTraces, time_traces as time_traces
from orbiphon.response.zone_map import zone_map as zone_map

_METHODS = (Adiabatic, Berry, Floquet, Keldysh, Kubo, Motion, Perturbation, Published)

METHODS: dict[str, type[AbstractMethod]] = {method.name: method for method in _METHODS}
"""The methods by name."""
