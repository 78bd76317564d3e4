"""Sums over the Brillouin zone, with an error estimate."""

from orbiphon.zone.converge import ZoneMean as ZoneMean
from orbiphon.zone.folded import (
    FoldedMesh as FoldedMesh,
    Integers as Integers,
    common_mesh as common_mesh,
    folded_mesh as folded_mesh,
    leaves_alone as leaves_alone,
    star_mean as star_mean,
)
from orbiphon.zone.integrand import AbstractIntegrand as AbstractIntegrand
from orbiphon.zone.mean import (
    BLOCK as BLOCK,
    at_phases as at_phases,
    find_mirrors as find_mirrors,
    refined_mean as refined_mean,
    zone_mean as zone_mean,
)
from orbiphon.zone.mesh import Mesh as Mesh
from orbiphon.zone.progress import Listener as Listener, listening as listening
