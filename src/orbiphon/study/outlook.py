"""The outlook of arXiv:2511.11272: what becomes of the effect in other crystals, and with spin–orbit coupling.

Its statements, each decided by one number: long circular waves of sound, conserving broadening of 0.1 eV, 300 K.
d shell on a simple cubic lattice (`cubic_d`), p shell with λ L·S (`cubic_p`). Dirac and Weyl points: `nodes`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from orbiphon import units
from orbiphon.drives import OnePhonon
from orbiphon.models import cubic_d, cubic_p
from orbiphon.phonons import AcousticBranch
from orbiphon.response import Adiabatic, ElectronState, Numerics, Problem, solve
from orbiphon.study import nodes
from orbiphon.study.statements import Curve, Statement, write_statements

OUTLOOK, THEORY = "arXiv:2511.11272, outlook", "arXiv:2605.03486"
BROADENING, TEMPERATURE, Q, RTOL = 0.1, 300.0, 0.001, 1e-3
DIRECTIONS = {"[100]": (1, 0, 0), "[110]": (1, 1, 0), "[111]": (1, 1, 1)}
SPIN_ORBIT = (0.01, 0.02)  # eV


def run(out: Path, quiet: bool = False, overwrite: bool = False) -> bool:
    """Compute the table of statements into the folder `out`. Raises `InputError` for a folder that is not its own."""
    return write_statements(out, "outlook", _statements, overwrite)


def moment(
    electrons: Any,
    direction: Any,
    observables: tuple[str, ...],
    level: float,
    chirality: int = 1,
    rtol: float = RTOL,
) -> Any:
    """m_q of one circular quantum with q = 0.001/Å, and its error, (observable,) each."""
    branch = AcousticBranch(speed=5000 * units.m / units.s, mass=50 * units.amu, direction=direction)
    state = ElectronState(fermi_level=level, temperature=TEMPERATURE)
    problem = Problem(electrons, OnePhonon(branch, q=Q, chirality=chirality), state, observables=observables)
    answer = solve(problem, Adiabatic(BROADENING), Numerics(rtol=rtol))
    return answer.value[0, 0], answer.error[0, 0]


def _statements() -> Iterator[Statement | Curve]:
    d_shell = cubic_d(-0.5, 0.3, -0.05, crystal_field=1.5)
    along: dict[str, tuple[float, float]] = {}
    for name, direction in DIRECTIONS.items():
        n = np.array(direction) / np.linalg.norm(direction)
        value, error = moment(d_shell, direction, ("Lx", "Ly", "Lz"), -0.5)
        along[name] = float(n @ value), float(np.abs(n) @ error)
    value, error = along["[100]"]
    yield Statement(
        "in O_h the moment survives along Gamma-X, where d_xy and d_zx stay degenerate: m_q[L_x] per phonon",
        OUTLOOK, value, error, "hbar", abs(value) > 5 * error,
    )  # fmt: skip
    for name in ("[110]", "[111]"):
        ratio, off = _ratio(along[name], along["[100]"])
        yield Statement(
            f"in O_h the effect depends on the direction: moment along q for {name} over that for [100]",
            OUTLOOK, ratio, off, "1", abs(ratio - 1) > 5 * off,
        )  # fmt: skip
    opposite = moment(d_shell, (1, 0, 0), ("Lx",), -0.5, chirality=-1)
    ratio, off = _ratio((opposite[0][0], opposite[1][0]), along["[100]"])
    yield Statement(
        "the moment changes sign with the chirality: m_q[L_x] of the opposite wave over that of the first",
        OUTLOOK, ratio, off, "1", abs(ratio + 1) <= off,
    )  # fmt: skip
    yield from _spin()
    yield from nodes.statements(moment)


def _spin() -> Iterator[Statement]:
    """S needs spin–orbit coupling, and is smaller than L where that is weak."""
    found = {
        lam: moment(cubic_p(1.0, -0.3, spin_orbit=lam), (1, 0, 0), ("Lx", "Sx"), 0.5) for lam in (0.0, *SPIN_ORBIT)
    }
    (orbital, spin), errors = found[0.0]
    yield Statement(
        "the orbital moment needs no spin-orbit coupling: m_q[L_x] of the p shell without it",
        OUTLOOK, float(orbital), float(errors[0]), "hbar", abs(orbital) > 5 * errors[0],
    )  # fmt: skip
    yield Statement(
        "the spin moment needs spin-orbit coupling: m_q[S_x] without it",
        THEORY, float(spin), float(errors[1]), "hbar", abs(spin) <= errors[1] + 1e-12 * abs(orbital),
    )  # fmt: skip
    weak, strong = (found[lam] for lam in SPIN_ORBIT)
    power = float(np.log(strong[0][1] / weak[0][1]) / np.log(SPIN_ORBIT[1] / SPIN_ORBIT[0]))
    relative = sum(float(errors[1] / abs(values[1])) for values, errors in (weak, strong))
    yield Statement(
        f"power of lambda with which S grows, between {SPIN_ORBIT[0]} and {SPIN_ORBIT[1]} eV",
        THEORY, power, relative / float(np.log(2.0)), "1", power > 0,
    )  # fmt: skip
    ratio, off = _ratio((weak[0][1], weak[1][1]), (weak[0][0], weak[1][0]))
    yield Statement(
        f"S is smaller than L for weak coupling: S/L at lambda = {SPIN_ORBIT[0]} eV",
        THEORY, ratio, off, "1", abs(ratio) + off < 1,
    )  # fmt: skip


def _ratio(above: tuple[float, float], below: tuple[float, float]) -> tuple[float, float]:
    """Quotient of two values with errors."""
    quotient = float(above[0] / below[0])
    return quotient, float(above[1] / abs(below[0]) + abs(quotient) * below[1] / abs(below[0]))
