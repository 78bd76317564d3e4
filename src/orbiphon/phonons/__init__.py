"""Lattice waves: their polarisation and their dispersion."""

from orbiphon.phonons.acoustic import AcousticBranch as AcousticBranch
from orbiphon.phonons.circular import (
    circular_polarisation as circular_polarisation,
    direction_vector as direction_vector,
    elliptical_polarisation as elliptical_polarisation,
    transverse_basis as transverse_basis,
)
