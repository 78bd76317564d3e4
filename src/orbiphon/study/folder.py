"""The output folder of a study: whose it is, and whether it can be used."""

import json
import os
from pathlib import Path

from orbiphon._version import __version__
from orbiphon.errors import InputError
from orbiphon.study.config import Study
from orbiphon.study.files import files_of
from orbiphon.study.store import remove

MARK = "study.json"
"""The file that says which study a folder belongs to."""
PARTIAL = ".partial"
"""The folder of finished entries."""
_OURS = (MARK, "study.toml", "result.csv", "result.zarr", PARTIAL)


def claim(study: Study, folder: Path, overwrite: bool) -> None:
    """Make the folder this study's, or raise `InputError` and leave it as it was."""
    try:
        if folder.exists() and not folder.is_dir():
            raise InputError(f"The output folder `{folder}` must be a folder, but is a file. Choose another name.")
        mark = folder / MARK
        same = mark.is_file() and _owner(mark) == _identity(study)
        if not same and folder.is_dir() and any(folder.iterdir()) and not overwrite:
            holds = "holds another study" if mark.is_file() else "is not empty and holds no study"
            hint = _difference(mark, study)
            raise InputError(
                f"The output folder `{folder}` must be new, empty or this study's, but {holds}{hint}. "
                "Choose another one, or add --overwrite."
            )
        folder.mkdir(parents=True, exist_ok=True)
        _write_test(folder)
        if same and not overwrite:
            return
        for name in _OURS:
            remove(folder / name)
        (folder / "study.toml").write_text(study.text, encoding="utf-8")
        _write_mark(mark, study)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            f"The output folder `{folder}` must be writable, but is not: {reason}. Choose another one."
        ) from None
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"The output folder `{folder!s}` must be a path, but is none: {error}. Mend it.") from None


def _write_test(folder: Path) -> None:
    probe = folder / f".write-test-{os.getpid()}"
    probe.touch()
    probe.unlink()


def _identity(study: Study) -> dict[str, str]:
    read = files_of(study)
    files = {"files": read} if read else {}
    return {"fingerprint": study.fingerprint(), "version": __version__} | files


def _owner(mark: Path) -> dict[str, str] | None:
    try:
        found = json.loads(mark.read_text(encoding="utf-8"))
        return {key: found[key] for key in ("fingerprint", "version", "files") if key != "files" or key in found}
    except (ValueError, KeyError, TypeError):
        return None


def _difference(mark: Path, study: Study) -> str:
    """The first few keys in which the study of a folder differs from this one, in words."""
    try:
        found = json.loads(mark.read_text(encoding="utf-8"))
        if found["version"] != __version__:
            return f" computed by orbiphon {found['version']}"
        if found.get("files") != _identity(study).get("files"):
            return " of other input files"
        old, new = found["config"], study.canonical()
        keys = [f"{s}.{key}" for s in new for key in new[s] if _text(old.get(s, {}).get(key)) != _text(new[s][key])]
        return f" (different: {', '.join(keys[:4])})" if keys else ""
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ""


def _text(value: object) -> str:
    return json.dumps(value)


def _write_mark(mark: Path, study: Study) -> None:
    fresh = mark.with_suffix(".new")
    fresh.write_text(json.dumps(_identity(study) | {"config": study.canonical()}, indent=1), encoding="utf-8")
    os.replace(fresh, mark)
