"""How the electrons follow the lattice: matrix elements of dH/du for a lattice wave."""

from orbiphon.coupling.abstract import Coupling as Coupling, check_vertex as check_vertex
from orbiphon.coupling.deformed import Deformation as Deformation
from orbiphon.coupling.displaced import Displacement as Displacement
from orbiphon.coupling.named import COUPLINGS as COUPLINGS, make_coupling as make_coupling
from orbiphon.coupling.quadrupole import Quadrupole as Quadrupole
from orbiphon.coupling.symmetrized import FromPairs as FromPairs, symmetrized_coupling as symmetrized_coupling
from orbiphon.coupling.two_centre import TwoCentre as TwoCentre
