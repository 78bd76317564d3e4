"""Which phonons there are, and how many: the sources that weigh the moment per phonon."""

from orbiphon.drives.coherent import CoherentWave as CoherentWave
from orbiphon.drives.modes import AbstractDrive as AbstractDrive, Modes as Modes
from orbiphon.drives.one_phonon import OnePhonon as OnePhonon
from orbiphon.drives.pulse import (
    AbstractEnvelope as AbstractEnvelope,
    ContinuousEnvelope as ContinuousEnvelope,
    GaussianEnvelope as GaussianEnvelope,
    Pulse as Pulse,
    RampEnvelope as RampEnvelope,
)
from orbiphon.drives.thermal import ThermalInjection as ThermalInjection
