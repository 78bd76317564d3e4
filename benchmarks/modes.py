"""Phonon modes of the same force constants, by phonopy and by this package.

    python benchmarks/modes.py PHONOPY_FILE... [--q 4096]

Frequencies and eigenvectors at random wave vectors (not long ones: real files may be unstable there), each program's
own way of asking for many at once; the fastest of several runs in turn. Goal: at least as fast per wave vector.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
import phonopy

from orbiphon import units
from orbiphon.io import read_phonopy

_RUNS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--q", type=int, default=4096)
    options = parser.parse_args()
    for file in options.files:
        compare(file, 0.2 + 0.3 * np.random.default_rng(0).uniform(size=(options.q, 3)))


def compare(file: Path, reduced: np.ndarray) -> None:
    ours, theirs = read_phonopy(file), phonopy.load(file, produce_fc=False, log_level=0)
    if theirs.force_constants is None:
        theirs.produce_force_constants()
    theirs.symmetrize_force_constants(show_drift=False)
    q = reduced @ np.asarray(ours.crystal.lattice.reciprocal)

    def modes() -> np.ndarray:
        return np.asarray(jax.block_until_ready(ours.modes(q)).frequency)

    def qpoints() -> np.ndarray:
        theirs.run_qpoints(reduced, with_eigenvectors=True)
        return theirs.qpoints.frequencies

    (fast, found), (slow, expected) = fastest([modes, qpoints])
    frequency = found / (2 * np.pi * units.THz)
    print(
        f"{file.parent.name}, {ours.crystal.sites} atoms, {len(reduced)} q: {1e6 * fast / len(reduced):.1f} us per q, "
        f"phonopy {1e6 * slow / len(reduced):.1f}, ratio {slow / fast:.1f}; "
        f"frequencies differ by {np.max(np.abs(frequency - expected)):.0e} THz"
    )


def fastest(calls: list[Callable[[], np.ndarray]]) -> list[tuple[float, np.ndarray]]:
    results, seconds = [call() for call in calls], np.full(len(calls), np.inf)  # the first run compiles
    for _ in range(_RUNS):
        for number, call in enumerate(calls):
            begin = time.perf_counter()
            call()
            seconds[number] = min(seconds[number], time.perf_counter() - begin)
    return list(zip(seconds.tolist(), results, strict=True))


if __name__ == "__main__":
    main()
