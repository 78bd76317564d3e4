"""Statements of arXiv:2604.25328 (Tateishi, Kato, Ovchinnikov, Kishine) on threefold helices.

p orbitals on a helix with springs (`models.helix_p`, `helix_springs`), Keldysh at the phonons' own wave vectors,
300 K, broadening 0.05 eV. A temperature gradient along z shifts n_qν by −τ v ∂n/∂T per K/Å; what each q contributes,

    F(q) = Σ_ν v_qν ∂n_qν/∂T m_qν[L_z],

is the accumulation per relaxation time and gradient, before the sum over q.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from orbiphon import units
from orbiphon.drives import TemperatureGradient
from orbiphon.drives.occupations import bose
from orbiphon.models import helix, helix_p, helix_springs
from orbiphon.phonons import ForceConstants, group_velocities
from orbiphon.response import ElectronState, Keldysh, Numerics, Problem, solve
from orbiphon.response.spectrum import MomentSpectrum, moment_spectrum
from orbiphon.study.statements import Curve, Statement, write_statements

PAPER = "arXiv:2604.25328"
PITCH, TEMPERATURE, FERMI_LEVEL, BROADENING, RTOL = 5.0, 300.0, 0.3, 0.05, 1e-3
MESH, GRADIENT = 48, 1e-8  # of q; K/Å


class Helix(NamedTuple):
    """The accumulation under a gradient, with its error, the spectrum of moments, F of each mode (q mode)."""

    accumulation: float
    error: float
    spectrum: MomentSpectrum
    contribution: np.ndarray


def run(out: Path, quiet: bool = False, overwrite: bool = False) -> bool:
    """Compute the table of statements into the folder `out`. Raises `InputError` for a folder that is not its own."""
    return write_statements(out, "tateishi2026", _statements, overwrite)


def wave_vectors() -> np.ndarray:
    """q along z from near Γ to near the zone boundary, (q xyz)."""
    return np.linspace(0.02, 0.98, 25)[:, None] * np.array([[0.0, 0.0, np.pi / PITCH]])


def compute(hand: str) -> Helix:
    """Everything about one hand."""
    crystal = helix(hand, pitch=PITCH)
    electrons = helix_p(1.7, -0.6, hand, pitch=PITCH)
    phonons = helix_springs(crystal, 79 * units.amu, (4.0, 1.0), (0.5, 0.2))
    state = ElectronState(fermi_level=FERMI_LEVEL, temperature=TEMPERATURE)
    method, numerics = Keldysh(BROADENING), Numerics(rtol=RTOL)
    drive = TemperatureGradient(phonons, gradient=(0.0, 0.0, GRADIENT), relaxation_time=1 * units.ps, mesh=(MESH,))
    answer = solve(Problem(electrons, drive, state, observables=("Lz",)), method, numerics)
    spectrum = moment_spectrum(electrons, phonons, state, method, wave_vectors(), numerics=numerics)
    return Helix(float(answer.value[0, 0, 0]), float(answer.error[0, 0, 0]), spectrum, _contribution(phonons, spectrum))


def _contribution(phonons: ForceConstants, spectrum: MomentSpectrum) -> np.ndarray:
    """F(q) of each mode. None is degenerate on the path, so that those with slopes are those of the spectrum."""
    modes, slope = group_velocities(phonons, phonons.modes(jnp.asarray(spectrum.q)), "z")
    n = np.asarray(bose(modes.frequency, jnp.asarray(TEMPERATURE)))
    per_kelvin = n * (n + 1.0) * np.asarray(modes.frequency) / (units.k_B * TEMPERATURE**2)
    return np.asarray(slope) * per_kelvin * spectrum.value[:, :, 0]


def _statements() -> Iterator[Statement | Curve]:
    right, left = compute("right"), compute("left")
    ratio = left.accumulation / right.accumulation
    off = (left.error + abs(ratio) * right.error) / abs(right.accumulation)
    yield Statement(
        "a heat current makes an orbital moment <L_z> in the helix, without spin-orbit coupling (right-handed)",
        PAPER, right.accumulation / GRADIENT, right.error / GRADIENT, "hbar per cell, ps and K/angstrom",
        abs(right.accumulation) > 5 * right.error,
    )  # fmt: skip
    yield Statement(
        "<L_z> has the sign of the hand: left-handed over right-handed",
        PAPER, ratio, off, "1", abs(ratio + 1) <= off,
    )  # fmt: skip
    places = np.linalg.norm(right.spectrum.q, axis=1) * PITCH / np.pi
    for which, modes in (("all modes", slice(None)), ("the acoustic modes alone", slice(3))):
        yield from _along_the_zone(which, np.abs(np.sum(right.contribution[:, modes], axis=1)), places)
        for hand, found in (("right", right), ("left", left)):
            whole = np.sum(found.contribution[:, modes], axis=1)
            yield Curve(
                which, f"{hand}-handed", "q (zone boundary)", tuple(places), "F(q) (hbar eV angstrom/K)", tuple(whole)
            )


def _along_the_zone(which: str, size: np.ndarray, places: np.ndarray) -> Iterator[Statement]:
    for place, index in (("near Gamma", 0), ("near the zone boundary", -1)):
        share = float(size[index] / size.max())
        yield Statement(
            f"suppressed {place}: |F(q)| of {which} at {places[index]:.2f} of the zone boundary over its largest value",
            PAPER, share, 2 * RTOL, "1", share < 0.2,
        )  # fmt: skip
    largest = float(places[np.argmax(size)])
    yield Statement(
        f"largest between: where |F(q)| of {which} is largest, in units of the zone boundary",
        PAPER, largest, float(places[1] - places[0]), "1", 0.1 < largest < 0.9,
    )  # fmt: skip
