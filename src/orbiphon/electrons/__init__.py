"""Electrons in a crystal: orbitals and operators, hopping laws, H(k), bands, density of states, filling."""

from orbiphon.electrons.assemble import HoppingLaw as HoppingLaw, tight_binding as tight_binding
from orbiphon.electrons.bands import bands as bands, eigensystem as eigensystem, orbital_weights as orbital_weights
from orbiphon.electrons.characters import (
    OrbitalGroups as OrbitalGroups,
    characters as characters,
    orbital_groups as orbital_groups,
)
from orbiphon.electrons.fermi_lines import (
    FermiLines as FermiLines,
    ZoneSection as ZoneSection,
    fermi_lines as fermi_lines,
    zone_section as zone_section,
)
from orbiphon.electrons.filling import (
    density_of_states as density_of_states,
    electron_number as electron_number,
    fermi_level_for as fermi_level_for,
)
from orbiphon.electrons.operators import (
    OBSERVABLES as OBSERVABLES,
    Observable as Observable,
    observable as observable,
    orbital_momentum as orbital_momentum,
    shell_quadrupoles as shell_quadrupoles,
    spin_momentum as spin_momentum,
)
from orbiphon.electrons.orbitals import Basis as Basis
from orbiphon.electrons.slater_koster import SlaterKoster as SlaterKoster
from orbiphon.electrons.spectral import SpectralDensity as SpectralDensity, spectral_density as spectral_density
from orbiphon.electrons.symmetrized import Symmetrized as Symmetrized, symmetrized as symmetrized
from orbiphon.electrons.tight_binding import TightBinding as TightBinding, from_hoppings as from_hoppings
