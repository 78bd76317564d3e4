"""Seconds from the command to the first result of a small study, without and with compiled programs of a former run.

    python benchmarks/start.py [--repeat 3]

`orbiphon run` of one state of the paper's model, `adiabatic` (thermal phonons) and `keldysh` (one wave), each with an
empty cache of compiled programs, then with the one that this run filled. Goals: 7 s and 4 s. On a busy machine the
processor time says more than the clock; both cores compile, so it is the larger one. Unix only.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STUDY = """
[electrons]
model = "square_p"
t_sigma = "-1.9 eV"
t_pi = "-2.0 eV"

[state]
temperature = "300 K"
fermi_level = "-1.5 eV"

[phonons]
speed = "5000 m/s"
mass = "4e-26 kg"

[drive]
{drive}

[response]
observables = ["Lx"]
method = "{method}"
broadening = "0.05 eV"

[numerics]
rtol = 1e-3
"""
DRIVES = {
    "adiabatic": 'kind = "thermal_injection"\ntransmission = 0.1\nsplitting = 0.1\nq_domain = "line"',
    "keldysh": 'kind = "coherent_wave"\namplitude = "1 pm"\nfrequency = "100 GHz"',
}
PROGRAM = "from orbiphon.cli.app import app; app()"


def run(study: Path, out: Path, cache: Path) -> tuple[float, float]:
    """Seconds by the clock and of the processors."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-c", PROGRAM, "run", str(study), "--out", str(out), "--quiet", "--overwrite"]
    subprocess.run(command, env=os.environ | {"ORBIPHON_CACHE": str(cache)}, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - start, used


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    for method, drive in DRIVES.items():
        with tempfile.TemporaryDirectory() as folder:
            study = Path(folder) / "study.toml"
            study.write_text(STUDY.format(method=method, drive=drive))
            cold, warm = [], []
            for turn in range(given.repeat):
                cache = Path(folder) / f"cache{turn}"
                for times in (cold, warm):
                    times.append(run(study, Path(folder) / "out", cache))
        for name, times, goal in (("cold", cold, 7), ("warm", warm, 4)):
            wall, used = min(times)
            print(f"{method:10s} {name}: {wall:5.2f} s by the clock (goal {goal}), {used:5.2f} s of the processors")


if __name__ == "__main__":
    main()
