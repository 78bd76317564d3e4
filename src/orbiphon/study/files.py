"""The files that a study reads beside its own."""

from pathlib import Path

from orbiphon.io import phonopy_files
from orbiphon.study import first_principles
from orbiphon.study.config import Study


def files_of(study: Study) -> str:
    """Their fingerprint; nothing if there are none. Raises `InputError`."""
    config, found = study.config, ""
    if first_principles.is_from_files(study):
        found += first_principles.files_of(study)
    others: list[Path] = []
    for table in (config.phonons, config.source):
        if hasattr(table, "file"):
            others += phonopy_files(study.folder / table.file)
    others += [
        study.folder / name
        for key in ("occupation", "excess", "lifetimes")
        if (name := getattr(config.drive, key, None))
    ]
    return found + (first_principles.fingerprint_of(others) if others else "")
