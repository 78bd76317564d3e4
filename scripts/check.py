"""Run every check of the project, in the order of rising cost: what `make test` and continuous integration call.

    python scripts/check.py            all of them
    python scripts/check.py --quick    without tests and examples

All steps run even after one fails, so that one run shows everything that is wrong. Exit code 1 if any step failed.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent

QUICK = {
    "format": [BIN / "ruff", "format", "--check", "."],
    "lint": [BIN / "ruff", "check", "."],
    "types": [BIN / "pyright", "--pythonpath", sys.executable],
    "imports": [BIN / "lint-imports"],
}
SLOW = {"tests and doctests": [sys.executable, "-m", "pytest", "-n", "2", "-q", "-rs", "--durations", "25"]}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="leave out tests and examples")
    quick = parser.parse_args().quick
    steps = dict(QUICK)
    if not quick:
        steps |= SLOW
        steps |= {f"example {path.name}": [sys.executable, path] for path in sorted(ROOT.glob("examples/*.py"))}
    failed = []
    for name, command in steps.items():
        print(f"== {name}", flush=True)
        start = time.monotonic()
        if subprocess.run([str(part) for part in command], cwd=ROOT).returncode != 0:
            failed.append(name)
        print(f"-- {name}: {'FAILED' if name in failed else 'ok'}, {time.monotonic() - start:.0f} s", flush=True)
    print("failed: " + ", ".join(failed) if failed else "all checks passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
