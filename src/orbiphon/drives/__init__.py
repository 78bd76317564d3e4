"""Which phonons there are, and how many: the sources that weigh the moment per phonon."""

from orbiphon.drives.coherent import CoherentWave as CoherentWave
from orbiphon.drives.coherent_mode import CoherentMode as CoherentMode
from orbiphon.drives.driven import DrivenMode as DrivenMode
from orbiphon.drives.modes import AbstractDrive as AbstractDrive, Modes as Modes
from orbiphon.drives.occupations import (
    InterfaceInjection as InterfaceInjection,
    PhononTable as PhononTable,
    TemperatureGradient as TemperatureGradient,
)
from orbiphon.drives.one_mode import EveryMode as EveryMode, OneMode as OneMode
from orbiphon.drives.one_phonon import OnePhonon as OnePhonon
from orbiphon.drives.pulse import (
    AbstractEnvelope as AbstractEnvelope,
    ContinuousEnvelope as ContinuousEnvelope,
    GaussianEnvelope as GaussianEnvelope,
    Pulse as Pulse,
    RampEnvelope as RampEnvelope,
)
from orbiphon.drives.thermal import ThermalInjection as ThermalInjection
from orbiphon.drives.waves import AbstractModeDrive as AbstractModeDrive, Waves as Waves
