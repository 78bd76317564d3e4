"""Readers of other codes' files: Wannier90, phonopy, phono3py."""

from orbiphon.io.displaced import Displaced as Displaced
from orbiphon.io.pairs import Pairs as Pairs, read_pairs as read_pairs
from orbiphon.io.phono3py import read_lifetimes as read_lifetimes
from orbiphon.io.phonopy import (
    phonopy_files as phonopy_files,
    read_born_charges as read_born_charges,
    read_phonopy as read_phonopy,
)
from orbiphon.io.text import hamiltonian_files as hamiltonian_files
from orbiphon.io.wannier import Wannier as Wannier, read_wannier as read_wannier
from orbiphon.io.writing import write_wannier as write_wannier
