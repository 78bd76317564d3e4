"""Sums over the Brillouin zone, with an error estimate."""

from orbiphon.zone.mean import (
    BLOCK as BLOCK,
    AbstractIntegrand as AbstractIntegrand,
    ZoneMean as ZoneMean,
    at_phases as at_phases,
    find_mirrors as find_mirrors,
    zone_mean as zone_mean,
)
from orbiphon.zone.mesh import Mesh as Mesh
from orbiphon.zone.progress import Listener as Listener, listening as listening
