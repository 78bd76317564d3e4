"""orbiphon: orbital and spin moments that chiral phonons pump into the electrons of a crystal.

Importing this package switches JAX to 64-bit numbers for the whole process: the differences of large, nearly cancelling
terms that make up an orbital moment are lost in 32 bits.
"""

import jax

jax.config.update("jax_enable_x64", True)

from orbiphon import errors as errors, units as units
from orbiphon._version import __version__ as __version__
from orbiphon.errors import (
    InputError as InputError,
    OrbiphonError as OrbiphonError,
    ToleranceWarning as ToleranceWarning,
)
