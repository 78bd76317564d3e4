"""Array types, and the legend of axis names that shapes are written in everywhere (annotations, docstrings, messages).

| axis          | runs over                                                                            |
|---------------|--------------------------------------------------------------------------------------|
| `xyz`         | the three Cartesian directions                                                       |
| `dim`         | the periodic directions of the lattice (1, 2 or 3)                                   |
| `site`        | the atoms of one cell                                                                |
| `orbital`     | the basis functions of one cell; spin, if there is one, is the fastest index         |
| `cell`        | the lattice vectors R that hoppings reach                                            |
| `band`        | eigenstates at one wave vector, by rising energy                                     |
| `k`, `q`      | wave vectors of electrons and of phonons                                             |
| `mode`        | phonons at one wave vector, by rising frequency: three per atom of the cell          |
| `wave`        | lattice waves that a drive holds                                                     |
| `fermi`       | Fermi levels, or fillings                                                            |
| `temperature` | temperatures                                                                         |
| `observable`  | measured operators                                                                   |
| `component`   | numbers that one zone sum delivers together                                          |

Energies are in eV, lengths in Å, wave vectors in 1/Å, temperatures in K (see `orbiphon.units`). Real arrays are
float64, complex ones complex128.
"""

from typing import Annotated

import numpy as np
from jaxtyping import Array, Bool, Complex, Float, Int

Number = float | int | Array | np.ndarray | np.generic
"""One real number in whatever form a caller has it; converted on entry."""
Energy = Annotated[Number, "energy"]
"""A number in eV. The second half of the annotation lets study files give the quantity with a unit."""
Length = Annotated[Number, "length"]
"""A number in Å."""
Ratio = Annotated[Number, "number"]
"""A number without unit."""
RealScalar = Float[Array, ""]
"""One real number, as a 0-dimensional array so that it may be traced."""
ComplexScalar = Complex[Array, ""]
"""One complex number."""
Vector = Float[Array, "xyz"]
"""A Cartesian vector; also one wave vector."""
WaveVectors = Float[Array, "k xyz"]
"""A list of wave vectors (1/Å)."""
OrbitalMatrix = Complex[Array, "orbital orbital"]
"""An operator in the basis of one cell."""
Polarisation = Complex[Array, "site xyz"]
"""The complex displacement of each atom of a cell in one lattice wave."""

__all__ = [
    "Array",
    "Bool",
    "Complex",
    "ComplexScalar",
    "Energy",
    "Float",
    "Int",
    "Length",
    "Number",
    "OrbitalMatrix",
    "Polarisation",
    "Ratio",
    "RealScalar",
    "Vector",
    "WaveVectors",
]
