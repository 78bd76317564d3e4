"""Where the long-wave formula may be used: `python docs/pictures/validity.py` draws validity.png, writes validity.csv.

The paper's model (exact coupling, 300 K, Fermi level -1.5 eV): the moment per phonon of `Keldysh`, at the phonon's own
wave vector and frequency, over that of `Adiabatic`, the limit of long, slow waves. One where the limit holds. Left:
against q and the broadening, for sound of 5000 m/s, with the line where the two differ by 10 %. Right: a long wave,
against its frequency. Takes some minutes.
"""

import csv
import itertools
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

import orbiphon as oph
from orbiphon import units

HERE = Path(__file__).resolve().parent
SPACING, MASS, SPEED = 5.0, 4e-26 * units.kg, 5000 * units.m / units.s
BROADENINGS = (0.02, 0.05, 0.1, 0.2, 0.4)  # eV
WAVES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # q d
LONG, FREQUENCIES = 0.02, (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)  # q d; hbar omega in eV
NUMERICS = oph.Numerics(rtol=3e-3, max_points=3 * 10**7)


def moment(method, q: float, omega: float) -> tuple[float, float]:
    """m_q[Lx] and its error."""
    branch = oph.AcousticBranch(speed=omega / q, mass=MASS, direction="x")
    state = oph.ElectronState(fermi_level=-1.5, temperature=300.0)
    electrons = oph.models.square_p(t_sigma=-1.9, t_pi=-2.0, lattice_constant=SPACING)
    answer = oph.solve(oph.Problem(electrons, oph.OnePhonon(branch, q=q), state), method, NUMERICS)
    return answer.value.item(), answer.error.item()


def ratio(broadening: float, q: float, omega: float) -> tuple[float, float]:
    """Full over long-wave moment, and its error."""
    (full, error), (limit, _) = (moment(make(broadening), q, omega) for make in (oph.Keldysh, oph.Adiabatic))
    return full / limit, abs(error / limit)


def crossing(q: np.ndarray, ratios: np.ndarray) -> float:
    """The wave vector at which the ratio first leaves 1 by 10 %, between logarithms of q."""
    away = np.abs(ratios - 1.0)
    beyond = int(np.argmax(away > 0.1))
    if not away[beyond] > 0.1 or beyond == 0:
        return np.nan
    x, y = np.log(q[beyond - 1 : beyond + 1]), np.log(away[beyond - 1 : beyond + 1])
    return float(np.exp(x[0] + (np.log(0.1) - y[0]) / (y[1] - y[0]) * (x[1] - x[0])))


def main() -> None:
    rows = []
    for gamma, qd in itertools.product(BROADENINGS, WAVES):
        q = qd / SPACING
        rows.append(("q", gamma, qd, SPEED * q, *ratio(gamma, q, SPEED * q)))
        print(rows[-1], flush=True)
    for gamma, omega in itertools.product(BROADENINGS, FREQUENCIES):
        rows.append(("frequency", gamma, LONG, omega, *ratio(gamma, LONG / SPACING, omega)))
        print(rows[-1], flush=True)
    with (HERE / "validity.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["panel", "broadening_eV", "q_d", "frequency_eV", "full_over_long_wave", "error"])
        writer.writerows([[x if isinstance(x, str) else f"{x:.6g}" for x in row] for row in rows])
    draw(rows)


def draw(rows: list[tuple]) -> None:
    drawing, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    table = np.array([row[4] for row in rows if row[0] == "q"]).reshape(len(BROADENINGS), len(WAVES))
    mesh = left.pcolormesh(WAVES, BROADENINGS, table, cmap="RdBu_r", vmin=0, vmax=2, shading="nearest")
    left.plot([crossing(np.array(WAVES), line) for line in table], BROADENINGS, "k.-", label="10 % apart")
    left.set(xscale="log", yscale="log", xlabel="q d", ylabel="broadening (eV)", title="sound of 5000 m/s")
    left.legend(loc="lower right")
    drawing.colorbar(mesh, ax=left, label="full / long-wave moment", extend="both")
    for i, gamma in enumerate(BROADENINGS):
        chosen = [row for row in rows if row[0] == "frequency" and row[1] == gamma]
        colour = plt.get_cmap("viridis")(i / len(BROADENINGS))
        right.plot([r[3] for r in chosen], [r[4] for r in chosen], "o-", ms=3.5, color=colour, label=f"{gamma:g} eV")
    right.axhspan(0.9, 1.1, color="0.9", zorder=0)
    right.set(xscale="log", xlabel="ħω (eV)", ylabel="full / long-wave moment", title=f"q d = {LONG:g}")
    right.legend(title="broadening", frameon=False)
    drawing.savefig(HERE / "validity.png", dpi=130)


if __name__ == "__main__":
    main()
