"""The papers whose figures and numbers the package computes again, by name."""

from importlib import import_module
from pathlib import Path
from typing import Any

from orbiphon._checks import nearest
from orbiphon.errors import InputError

PAPERS = {"sato2025": "orbiphon.study.sato2025"}
"""Each module has `run(out, quiet, overwrite)`, which returns whether every tolerance was met."""


def run(name: str, out: str | Path, quiet: bool = False, overwrite: bool = False) -> Any:
    """Compute a paper's figures and numbers into the folder `out`. Raises `InputError` for an unknown name."""
    if name not in PAPERS:
        guess = nearest(name, PAPERS)
        fix = f'Did you mean "{guess}"?' if guess else "Choose one of them."
        raise InputError(f'The paper must be one of {", ".join(PAPERS)}, but is "{name}". {fix}')
    return import_module(PAPERS[name]).run(Path(out), quiet=quiet, overwrite=overwrite)
