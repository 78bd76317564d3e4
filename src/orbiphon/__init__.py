"""orbiphon: orbital and spin moments that chiral phonons pump into the electrons of a crystal.

Importing this package switches JAX to 64-bit numbers for the whole process: the differences of large, nearly cancelling
terms that make up an orbital moment are lost in 32 bits.

It also asks JAX for more threads than cores (`NPROC`, read when JAX starts its processor backend; a value of yours is
kept): with as few threads as running matrix products and eigensystems, they wait for each other for ever. And it asks
OpenBLAS, which SciPy brings, for one thread (`OPENBLAS_NUM_THREADS`, likewise): JAX solves many small eigensystems at a
time, and the threads of each would take a hundred times longer to meet than the work takes.

Compiled programs are kept for the next run where `ORBIPHON_CACHE` says so (`on`, or a folder; docs/libraries.md).

`orbiphon.study` and `orbiphon.plot` are loaded when first used, because they bring file formats and pictures with them.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

os.environ.setdefault("NPROC", str(4 * max(os.cpu_count() or 1, 2)))
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import jax

import orbiphon._compilation as _compilation

jax.config.update("jax_enable_x64", True)
_compilation.keep_compiled_programs()

from orbiphon import errors as errors, models as models, units as units
from orbiphon._version import __version__ as __version__
from orbiphon.coupling import Quadrupole as Quadrupole, TwoCentre as TwoCentre
from orbiphon.crystal import (
    Crystal as Crystal,
    KPath as KPath,
    Lattice as Lattice,
    k_path as k_path,
    zone_points as zone_points,
)
from orbiphon.drives import (
    CoherentMode as CoherentMode,
    CoherentWave as CoherentWave,
    ContinuousEnvelope as ContinuousEnvelope,
    DrivenMode as DrivenMode,
    EveryMode as EveryMode,
    GaussianEnvelope as GaussianEnvelope,
    InterfaceInjection as InterfaceInjection,
    OneMode as OneMode,
    OnePhonon as OnePhonon,
    PhononTable as PhononTable,
    Pulse as Pulse,
    RampEnvelope as RampEnvelope,
    TemperatureGradient as TemperatureGradient,
    ThermalInjection as ThermalInjection,
)
from orbiphon.electrons import (
    Basis as Basis,
    FermiLines as FermiLines,
    Observable as Observable,
    SlaterKoster as SlaterKoster,
    SpectralDensity as SpectralDensity,
    Symmetrized as Symmetrized,
    TightBinding as TightBinding,
    bands as bands,
    density_of_states as density_of_states,
    electron_number as electron_number,
    fermi_level_for as fermi_level_for,
    fermi_lines as fermi_lines,
    observable as observable,
    spectral_density as spectral_density,
    symmetrized as symmetrized,
    tight_binding as tight_binding,
)
from orbiphon.errors import (
    InputError as InputError,
    OrbiphonError as OrbiphonError,
    ToleranceWarning as ToleranceWarning,
)
from orbiphon.phonons import (
    AcousticBranch as AcousticBranch,
    DipoleForces as DipoleForces,
    ForceConstants as ForceConstants,
    Lifetimes as Lifetimes,
    PhononModes as PhononModes,
    Spring as Spring,
    circular_modes as circular_modes,
    group_velocities as group_velocities,
    phonon_angular_momentum as phonon_angular_momentum,
    pseudo_angular_momentum as pseudo_angular_momentum,
    spring_model as spring_model,
)
from orbiphon.response import (
    Adiabatic as Adiabatic,
    Answer as Answer,
    Berry as Berry,
    ElectronState as ElectronState,
    Floquet as Floquet,
    Keldysh as Keldysh,
    Kubo as Kubo,
    MomentSpectrum as MomentSpectrum,
    Motion as Motion,
    Numerics as Numerics,
    Perturbation as Perturbation,
    Problem as Problem,
    Published as Published,
    SelectionRules as SelectionRules,
    TimeTraces as TimeTraces,
    moment_per_phonon as moment_per_phonon,
    moment_spectrum as moment_spectrum,
    phonon_magnetic_moment as phonon_magnetic_moment,
    selection_rules as selection_rules,
    solve as solve,
    time_traces as time_traces,
    zone_map as zone_map,
)

if TYPE_CHECKING:
    from orbiphon import io as io, study as study

_WHEN_USED = ("io", "plot", "study")


def __getattr__(name: str) -> Any:
    if name in _WHEN_USED:
        return import_module(f"orbiphon.{name}")
    raise AttributeError(f"module `orbiphon` has no attribute `{name}`")
