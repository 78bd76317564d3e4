"""The papers whose figures and numbers the package computes again, by name."""

from importlib import import_module
from pathlib import Path
from typing import Any

from orbiphon._checks import nearest
from orbiphon.errors import InputError

PAPERS = {
    "sato2025": "orbiphon.study.sato2025",
    "metals": "orbiphon.study.metals",
    "outlook": "orbiphon.study.outlook",
    "tateishi2026": "orbiphon.study.tateishi2026",
    "yao2025": "orbiphon.study.yao2025",
}
"""Each module has `run(out, quiet, overwrite)`, which returns whether every tolerance was met."""
WITH_DATA = ("metals",)
"""Those whose `run` needs a folder of Hamiltonians, `data`, too."""
WITH_MORE = ("sato2025",)
"""Those whose `run` takes `full`, for what takes long."""


def run(
    name: str,
    out: str | Path,
    quiet: bool = False,
    overwrite: bool = False,
    data: str | Path | None = None,
    full: bool = False,
) -> Any:
    """Compute a paper's figures and numbers into the folder `out`. Raises `InputError` for an unknown name, or data
    that are missing or not asked for."""
    if name not in PAPERS:
        guess = nearest(name, PAPERS)
        fix = f'Did you mean "{guess}"?' if guess else "Choose one of them."
        raise InputError(f'The paper must be one of {", ".join(PAPERS)}, but is "{name}". {fix}')
    if (data is not None) != (name in WITH_DATA):
        fix = f"Add --data DIR, the folder of {name}." if data is None else "Leave out --data."
        raise InputError(
            f'Option `data` must be given for {", ".join(WITH_DATA)} only, but "{name}" was asked for. {fix}'
        )
    if full and name not in WITH_MORE:
        raise InputError(
            f'Option `full` must be given for {", ".join(WITH_MORE)} only, but "{name}" was asked for. Leave it out.'
        )
    module = import_module(PAPERS[name])
    if data is not None:
        return module.run(Path(out), data=Path(data), quiet=quiet, overwrite=overwrite)
    more = {"full": full} if name in WITH_MORE else {}
    return module.run(Path(out), quiet=quiet, overwrite=overwrite, **more)
