"""Lattice waves: force constants, modes and what they carry; acoustic branches; polarisations."""

from orbiphon.phonons.acoustic import AcousticBranch as AcousticBranch
from orbiphon.phonons.angular import (
    check_circular as check_circular,
    circular_modes as circular_modes,
    circular_polarisation_by_site as circular_polarisation_by_site,
    phonon_angular_momentum as phonon_angular_momentum,
)
from orbiphon.phonons.circular import (
    circular_polarisation as circular_polarisation,
    direction_vector as direction_vector,
    elliptical_polarisation as elliptical_polarisation,
    transverse_basis as transverse_basis,
)
from orbiphon.phonons.dipoles import DipoleForces as DipoleForces, check_neutral as check_neutral
from orbiphon.phonons.elastic import (
    ElasticWaves as ElasticWaves,
    cubic_stiffness as cubic_stiffness,
    elastic_waves as elastic_waves,
)
from orbiphon.phonons.force_constants import (
    ForceConstants as ForceConstants,
    obeying_sum_rule as obeying_sum_rule,
)
from orbiphon.phonons.lifetimes import Lifetimes as Lifetimes
from orbiphon.phonons.modes import (
    AbstractPhonons as AbstractPhonons,
    PhononModes as PhononModes,
    check_mode as check_mode,
    diagonal_in as diagonal_in,
)
from orbiphon.phonons.pseudo import (
    PseudoAngularMomentum as PseudoAngularMomentum,
    pseudo_angular_momentum as pseudo_angular_momentum,
)
from orbiphon.phonons.rayleigh import RayleighWave as RayleighWave
from orbiphon.phonons.springs import Spring as Spring, spring_model as spring_model
from orbiphon.phonons.velocity import group_velocities as group_velocities, sound_velocities as sound_velocities
