"""The output folder of a reproduction, made its own before any work."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from orbiphon.errors import InputError
from orbiphon.study.store import remove


def claim(out: Path, mark_name: str, mark: dict[str, Any], names: Sequence[str], overwrite: bool) -> None:
    """Make the folder this reproduction's; with `overwrite`, remove `names` in it. Raises `InputError`."""
    try:
        if out.exists() and not out.is_dir():
            raise InputError(f"The output folder `{out}` must be a folder, but is a file. Choose another name.")
        found = _owner(out / mark_name)
        if out.is_dir() and any(out.iterdir()) and found != mark:
            if not overwrite:
                what = f"holds {found}" if found else "holds something else"
                raise InputError(
                    f"The output folder `{out}` must be new, empty or this reproduction's, but {what}. "
                    "Choose another one, or add --overwrite."
                )
        if overwrite and out.is_dir():
            for name in (mark_name, *names):
                remove(out / name)
        out.mkdir(parents=True, exist_ok=True)
        fresh = (out / mark_name).with_suffix(".new")
        fresh.write_text(json.dumps(mark), encoding="utf-8")
        os.replace(fresh, out / mark_name)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"The output folder `{out}` must be writable, but is not: {reason}. Choose another.") from None
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"The output folder `{out!s}` must be a path, but is none: {error}. Mend it.") from None


def _owner(mark: Path) -> Any:
    """What the mark of a folder says, or None if there is none that can be read."""
    try:
        return json.loads(mark.read_text(encoding="utf-8")) if mark.is_file() else None
    except ValueError:
        return None
