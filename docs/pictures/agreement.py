"""Do the roads agree? `python docs/pictures/agreement.py` draws agreement.png and writes the table of ../agreement.md.

Each row compares two methods that share no formula while a small parameter is halved: in a crystal without any symmetry
(a chain of two atoms, an s and a p shell), as a metal or as an insulator, and in a symmetric one (a chain of p orbitals
with a gap). The relative difference must vanish with the power that the theory gives. Takes a few minutes.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

import orbiphon as oph
from orbiphon.electrons import Basis, SlaterKoster, tight_binding

HERE = Path(__file__).resolve().parent
NUMERICS = oph.Numerics(rtol=1e-9, block=256, max_points=10**6)
MARKS = "<!-- table -->", "<!-- end of table -->"


class Row(NamedTuple):
    """Two roads and the small parameter that brings them together; `gap(parameter)` is their relative difference."""

    roads: str
    where: str
    parameter: str
    power: float
    values: tuple[float, ...]
    gap: Callable[[float], float]


def crystal(shift: float):
    """s and p orbitals of two atoms on a chain; the s level lies `shift` lower."""
    lattice = oph.Lattice(np.array([[3.1, 0.0, 0.0]]))
    chain = oph.Crystal(lattice, np.array([[0.0, 0.0, 0.0], [1.4, 0.5, 0.3]]), ("A", "B"))
    integrals = {"ss_sigma": -0.4, "sp_sigma": 0.5, "pp_sigma": 0.6, "pp_pi": -0.3}
    law = SlaterKoster(integrals, length=2.5, decay=2.0)
    onsite = np.array([-shift, 0.1, 0.3, -0.2])
    return tight_binding(chain, Basis(((0, "s"), (1, "p"))), law, 3.2, onsite=onsite)


def symmetric():
    """p orbitals on a chain, p_x below the gap."""
    chain = oph.Crystal(oph.Lattice(np.array([[3.0, 0.0, 0.0]])), np.zeros((1, 3)), ("A",))
    law = SlaterKoster({"pp_sigma": 0.3, "pp_pi": -0.2}, length=3.0, decay=2.0)
    return tight_binding(chain, Basis(((0, "p"),)), law, 3.1, onsite=np.array([-3.0, 1.0, 1.4]))


class Case(NamedTuple):
    """A crystal, its Fermi level (eV) and temperature (K), the wave's direction, observables of orders 1 and 2."""

    electrons: oph.TightBinding
    fermi_level: float
    temperature: float
    direction: object
    observables: tuple[str, str]


TILTED = (0.6, 0.5, -0.3)
CASES = {
    "metal": Case(crystal(0.5), 0.2, 900.0, TILTED, ("Ly", "Lz")),
    "insulator": Case(crystal(3.5), -1.6, 300.0, TILTED, ("Ly", "Lz")),
    "symmetric insulator": Case(symmetric(), -1.0, 300.0, "x", ("Ly", "Lx")),
}


def moment(where: str, method, q: float, omega: float, order: int = 2, amplitude: float | None = None) -> complex:
    """The moment of one phonon, or of a wave over its amplitude to the power of the order."""
    case = CASES[where]
    branch = oph.AcousticBranch(speed=omega / q, mass=1.0, direction=case.direction)
    drive = oph.OnePhonon(branch, q=q) if amplitude is None else oph.CoherentWave(branch, amplitude=amplitude, q=q)
    state = oph.ElectronState(fermi_level=case.fermi_level, temperature=case.temperature)
    problem = oph.Problem(case.electrons, drive, state, observables=(case.observables[order - 1],), order=order)
    value = oph.solve(problem, method, NUMERICS).value.item()
    return value if amplitude is None else value / amplitude**order


def difference(one: complex, other: complex) -> float:
    return abs(one - other) / abs(other)


def rows() -> list[Row]:
    """The comparisons."""
    q, omega, gamma = 0.4, 0.25, 0.3
    halves = tuple(2.0**-i for i in range(5))
    wide, kubo = oph.Adiabatic(gamma), moment("metal", oph.Kubo(gamma), q, omega, 1, 1.0)
    keldysh = moment("metal", oph.Keldysh(gamma), q, omega, 2, 1.0)
    berry, dressed = (
        moment("insulator", oph.Berry(), 0.1, 0.1),
        moment("symmetric insulator", oph.Perturbation(), q, omega),
    )

    def long_wave(s: float) -> float:
        wave = 0.1 * s, 0.05 * s
        return difference(moment("metal", oph.Keldysh(gamma), *wave), moment("metal", wide, *wave))

    def long_slow(s: float) -> float:
        wave = 0.2 * s, 0.2 * s
        return difference(moment("insulator", oph.Perturbation(), *wave) / wave[0] ** 2, berry / 0.01)

    def slow_of_clean(s: float) -> float:
        return difference(moment("insulator", oph.Adiabatic(0.1 * s), 0.1, 0.1), berry)

    def clean(s: float) -> float:
        return difference(moment("symmetric insulator", oph.Keldysh(0.1 * s), q, omega), dressed)

    def strong(order: int, weak: complex) -> Callable[[float], float]:
        return lambda u: difference(moment("metal", oph.Floquet(gamma), q, omega, order, u), weak)

    amplitudes = tuple(0.05 * s for s in halves)
    return [
        Row("`Keldysh` and `Adiabatic`", "metal", "q and omega, in units of 0.1/Å and 0.05 eV", 1, halves, long_wave),
        Row("`Keldysh` and `Floquet`", "metal", "amplitude in Å", 2, amplitudes, strong(2, keldysh)),
        Row("`Kubo` and `Floquet`, first order", "metal", "amplitude in Å", 2, amplitudes, strong(1, kubo)),
        Row("`Keldysh` and `Perturbation`", "symmetric insulator", "broadening in 0.1 eV", 1, halves, clean),
        Row(
            "`Perturbation` and `Berry`", "insulator", "q and omega, in units of 0.2/Å and 0.2 eV", 1, halves, long_slow
        ),
        Row("`Adiabatic` and `Berry`", "insulator", "broadening in 0.1 eV", 3, halves, slow_of_clean),
    ]


def main() -> None:
    lines = ["| roads | crystal | small parameter | power expected | power found | smallest difference |"]
    lines += ["|---|---|---|---|---|---|"]
    drawing, axes = plt.subplots(2, 3, figsize=(10, 6), layout="constrained")
    for ax, row in zip(axes.ravel(), rows(), strict=True):
        gaps = np.array([row.gap(value) for value in row.values])
        found = np.log2(gaps[-2] / gaps[-1])
        print(row.roads, row.where, gaps, found, flush=True)
        title, parameter = row.roads.replace("`", ""), row.parameter
        lines.append(f"| {row.roads} | {row.where} | {parameter} | {row.power:g} | {found:.2f} | {gaps[-1]:.1e} |")
        ax.loglog(row.values, gaps, "o-", color="#0072b2", label="difference")
        slope = gaps[-1] * (np.array(row.values) / row.values[-1]) ** row.power
        ax.loglog(row.values, slope, "--", color="0.5", label=f"power {row.power:g}")
        ax.set_xticks(row.values[::2], [f"{value:.3g}" for value in row.values[::2]])
        ax.minorticks_off()
        ax.set(title=f"{title}\n{row.where}", xlabel=parameter, ylabel="relative difference")
        ax.legend(frameon=False)
    drawing.savefig(HERE / "agreement.png", dpi=130)
    page = HERE.parent / "agreement.md"
    head, _, rest = page.read_text(encoding="utf-8").partition(MARKS[0])
    tail = rest.partition(MARKS[1])[2]
    page.write_text(head + "\n".join([MARKS[0], *lines, MARKS[1]]) + tail, encoding="utf-8")


if __name__ == "__main__":
    main()
