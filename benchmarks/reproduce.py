"""Wall time and peak memory of `orbiphon reproduce sato2025` from a cold start, and the accuracy that it reports.

    python benchmarks/reproduce.py [--out DIR]

The goals: under 60 s on two cores, under 2 GiB, and every error below 1e-3 of the larger of its value and 1 % of the
largest value of its curve. Exit code 1 if one is missed. Unix only.
"""

import argparse
import csv
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

GOAL_SECONDS, GOAL_GIB, GOAL_ERROR = 60.0, 2.0, 1e-3
FIGURES = ("fig3a", "fig3b", "fig4")
SWEPT = {"fig3a": "temperature_K", "fig3b": "temperature_K", "fig4": "pz_shift_eV"}


def worst_error(folder: Path) -> float:
    """The largest error of all figures, over the larger of its value and 1 % of the largest value of its curve."""
    worst = 0.0
    for figure in FIGURES:
        with (folder / f"{figure}.csv").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        # What stays fixed along a curve: all but the swept column, the numbers, and the level that follows the filling.
        floating = {SWEPT[figure], "Lx_per_site", "error"} | ({"fermi_level_eV"} if figure == "fig3b" else set())
        curves = defaultdict(list)
        for row in rows:
            curve = tuple(value for key, value in row.items() if key not in floating)
            curves[curve].append((abs(float(row["Lx_per_site"])), float(row["error"])))
        for points in curves.values():
            floor = 0.01 * max(value for value, _ in points)
            worst = max([worst, *(error / max(value, floor, 1e-300) for value, error in points if error > 0.0)])
    return worst


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="where to write; a folder that is not there (default: thrown away)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        out = given.out or Path(scratch) / "sato2025"
        program = Path(sys.executable).parent / "orbiphon"
        start = time.perf_counter()
        code = subprocess.run([program, "reproduce", "sato2025", "--quiet", "--out", out], check=False).returncode
        seconds = time.perf_counter() - start
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        gib = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 2**30
        print(f"exit code {code}")
        print(
            f"wall time {seconds:.1f} s (goal {GOAL_SECONDS:g}), processor time {usage.ru_utime + usage.ru_stime:.1f} s"
        )
        print(f"peak memory {gib:.2f} GiB (goal {GOAL_GIB:g})")
        if code not in (0, 1):
            return 1
        error = worst_error(out)
        print(f"worst error {error:.1e} (goal {GOAL_ERROR:g})")
    return int(code != 0 or seconds > GOAL_SECONDS or gib > GOAL_GIB or error > GOAL_ERROR)


if __name__ == "__main__":
    sys.exit(main())
