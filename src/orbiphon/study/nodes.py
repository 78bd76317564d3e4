"""What becomes of the moment where the energy comes near a Dirac or a Weyl point.

Dirac: p_x, p_y on a honeycomb (`honeycomb_pxy`, node at 0) and its circular optical phonon at Γ, which moves the cone
like a vector potential. With a hopping ∝ r^−p, M the mass of an atom and d the bond (docs/neighbouring-papers.md)

    m[L_z] = −l C ω²/(ω² + 4Γ²) / |E_F| + smooth,      C = (3√3/4π) ħ² (p − 2)²/(M d²),

for k_BT, Γ, ħω << |E_F|, and l = ±1 the angular momentum of the phonon. Weyl: p orbitals on a chiral cubic lattice
(`weyl_p`), a long circular wave of sound.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from orbiphon import units
from orbiphon.drives import OneMode
from orbiphon.models import honeycomb, honeycomb_pxy, honeycomb_springs, weyl_p
from orbiphon.phonons import circular_modes, phonon_angular_momentum
from orbiphon.response import AbstractMethod, Adiabatic, Berry, ElectronState, Keldysh, Numerics, Problem, solve
from orbiphon.study.statements import Curve, Statement

SOURCE = "arXiv:2511.11272, outlook"
BOND, DECAY, MASS = 2.0, 4.0, 192.0  # Å, 1, amu: slow, so that all energies can be apart
LEVELS = (0.1, 0.12, 0.15, 0.2, 0.3)  # eV
TEMPERATURE, RTOL, MOST_POINTS = 80.0, 3e-4, 4 * 10**6
BROADENING = 0.1  # eV, of `Adiabatic`
WEYL = (0.5, -0.15, 0.2)  # eV
APART, WEYL_RTOL = 0.15, 1e-2  # eV, 1


class Node(NamedTuple):
    """m = strength |E|^power + background + slope |E|, errors, and the moments (level,) it was made of."""

    strength: float
    power: float
    background: float
    slope: float
    strength_error: float
    power_error: float
    moments: np.ndarray

    def smooth(self, level: float) -> float:
        """What does not come from the node."""
        return self.background + self.slope * level


def dirac_strength() -> float:
    """−C in ħ eV: a phonon that carries +ħ makes a negative moment."""
    return -3.0 * float(np.sqrt(3.0)) / (4.0 * np.pi) * (DECAY - 2.0) ** 2 / (MASS * units.amu * BOND**2)


def optical_phonon() -> tuple[OneMode, float]:
    """The circular optical phonon at Γ that carries +ħ, and its frequency (eV)."""
    phonons = honeycomb_springs(honeycomb(BOND), (MASS * units.amu, MASS * units.amu), (20.0, 3.0), (5.0, 0.5))
    modes = circular_modes(phonons.modes(np.zeros(3)))
    momentum = np.asarray(phonon_angular_momentum(modes))[0, :, 2]
    mode = int(np.argmax(np.asarray(modes.frequency[0]) * momentum))
    return OneMode(phonons, q=np.zeros(3), mode=mode), float(modes.frequency[0, mode])


def optical(levels: Sequence[float], method: AbstractMethod, temperature: float = TEMPERATURE) -> tuple[Any, Any]:
    """m[L_z] (level,) of that phonon, and its errors."""
    state = ElectronState(fermi_level=list(levels), temperature=temperature)
    electrons = honeycomb_pxy(1.5, -0.5, bond=BOND, decay=DECAY)
    problem = Problem(electrons, optical_phonon()[0], state, observables=("Lz",))
    answer = solve(problem, method, Numerics(rtol=RTOL, max_points=MOST_POINTS))
    return answer.value[:, 0, 0], answer.error[:, 0, 0]


def dirac() -> Node:
    """From `Berry`, broadening << ħω << E_F."""
    value, error = optical(LEVELS, Berry())
    found, off = _fit(np.array(LEVELS), value, error)
    power, strength, background, slope = (float(x) for x in found)
    return Node(strength, power, background, slope, 2.0 * float(off[1]), 2.0 * float(off[0]), value)


def _fit(levels: np.ndarray, value: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(power, strength, background, slope) and their errors from those of the moments.

    At a temperature |E|^x is its mean over −f': Sommerfeld's series, with t = πk_BT/E, is
    1 + x(x−1) t²/6 + 7 x(x−1)(x−2)(x−3) t⁴/360 times itself.
    """
    from scipy.optimize import curve_fit

    def law(e: np.ndarray, power: float, strength: float, background: float, slope: float) -> np.ndarray:
        t, second = np.pi * units.k_B * TEMPERATURE / e, power * (power - 1.0)
        warm = 1.0 + second * t**2 / 6.0 + 7.0 * second * (power - 2.0) * (power - 3.0) * t**4 / 360.0
        return strength * e**power * warm + background + slope * e

    scale = float(np.max(np.abs(value)))
    start = (-1.0, float(levels[0] * np.sign(value[0])), 0.0, 0.0)
    found, covariance = curve_fit(law, levels, value / scale, start, error / scale + 1e-6, absolute_sigma=True)
    return found * np.array([1.0, scale, scale, scale]), np.sqrt(np.diag(covariance)) * np.array([1.0, *[scale] * 3])


def statements(moment: Callable[..., tuple[Any, Any]]) -> Iterator[Statement | Curve]:
    """`moment` as `outlook.moment`."""
    node, expected = dirac(), dirac_strength()
    yield Statement(
        "near a Dirac point the moment grows like a power of the energy from it, broadening << frequency: the power",
        SOURCE, node.power, node.power_error, "1", node.power + node.power_error < 0,
    )  # fmt: skip
    ratio, off = node.strength / expected, node.strength_error / abs(expected)
    yield Statement(
        "the same: its strength over that of theory", SOURCE, ratio, off, "1", abs(ratio - 1) <= max(off, 0.05)
    )
    yield _broadened(node)
    levels = LEVELS[0], LEVELS[3]
    value, error = optical(levels, Adiabatic(BROADENING), 300.0)
    power = float(np.log(value[1] / value[0]) / np.log(levels[1] / levels[0]))
    off = float(np.sum(np.abs(error / value)) / np.log(levels[1] / levels[0]))
    yield Statement(
        f"the same with frequency << conserving broadening: power between {levels[0]} and {levels[1]} eV",
        SOURCE, power, off, "1", power < -0.5,
    )  # fmt: skip
    theory = tuple(expected / e + node.smooth(e) for e in LEVELS)
    for curve, x, y in (
        ("broadening << frequency", LEVELS, node.moments),
        ("C/E + smooth", LEVELS, theory),
        ("frequency << broadening", levels, value),
    ):
        yield Curve("Dirac point, optical phonon", curve, "energy from the node (eV)", x, "m[Lz] (hbar)", tuple(y))
    yield _weyl(moment)


def _broadened(node: Node) -> Statement:
    level, expected = LEVELS[3], dirac_strength()
    value, error = optical([level], Keldysh(optical_phonon()[1] / 2), TEMPERATURE)
    share = (float(value[0]) - node.smooth(level)) * level / expected
    off = (float(error[0]) * level + node.strength_error) / abs(expected)
    return Statement(
        "the same with a conserving broadening of half the frequency: what is left of it (theory: half)",
        SOURCE, share, off, "1", abs(share - 0.5) <= max(off, 0.05),
    )  # fmt: skip


def weyl_energy() -> float:
    """E_0 of the Weyl points of `WEYL`."""
    t_sigma, t_pi, t_chiral = WEYL
    return 2.0 * t_sigma * float(np.cos(2.0 * np.arctan(t_chiral / (t_sigma - t_pi)))) + 4.0 * t_pi


def _weyl(moment: Callable[..., tuple[Any, Any]]) -> Statement:
    electrons, node = weyl_p(*WEYL), weyl_energy()
    (at, off), *sides = (moment(electrons, (1, 0, 0), ("Lx",), node + x, rtol=WEYL_RTOL) for x in (0.0, APART, -APART))
    far, far_off = (sum(float(side[i][0]) for side in sides) / 2.0 for i in (0, 1))
    ratio = float(at[0]) / far
    return Statement(
        f"near a Weyl point it grows too: m_q[L_x] at its energy over the mean at {APART} eV on both sides",
        SOURCE, ratio, float(off[0]) / abs(far) + abs(ratio * far_off / far), "1", ratio > 2.0,
    )  # fmt: skip
