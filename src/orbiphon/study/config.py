"""A study file, read and checked: TOML text in, a `Study` out.

Whatever is wrong with the text ends in one `InputError` that lists every problem with its key path, the rule, the value
found and the nearest right spelling or another fix.
"""

import hashlib
import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError, create_model

from orbiphon._checks import nearest
from orbiphon.errors import InputError
from orbiphon.study import sections
from orbiphon.study.drive_sections import DRIVES, Drive
from orbiphon.study.phonon_sections import PHONONS, Acoustic, phonons_section
from orbiphon.study.quantity import Quantity, show

LARGEST_FILE = 1_000_000
"""Bytes; a study is a page of text, so anything bigger is another kind of file."""


@dataclass(frozen=True)
class Study:
    """A checked study: its tables as attributes of `config`, and its text."""

    config: Any
    text: str
    swept: tuple[str, ...]
    """Key paths of the swept quantities in file order."""
    folder: Path = Path()
    """Where paths in the study start from."""

    def quantities(self) -> dict[str, Quantity]:
        """Every quantity that has a value, by key path ("state.temperature")."""
        tables = _tables(self.config)
        return {f"{name}.{key}": found for name, table in tables.items() for key, found in table.quantities().items()}

    def canonical(self) -> dict[str, dict[str, Any]]:
        """All tables with defaults filled in and quantities in canonical units, ready for JSON."""
        return {name: _plain(table) for name, table in _tables(self.config).items()}

    def fingerprint(self) -> str:
        """Equal for two files that ask for the same numbers, however they are written."""
        content = self.canonical()
        del content["numerics"]["block"], content["sweep"]["max_points"]
        content = json.dumps([content, self.swept], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()


def _tables(config: Any) -> dict[str, sections.Section]:
    """The tables that there are, by name."""
    every = {name: getattr(config, name) for name in type(config).model_fields}
    return {name: table for name, table in every.items() if table is not None}


def _paths(given: Any, prefix: str = "") -> Iterator[str]:
    """Every key path of the file, in its order."""
    parts = given.items() if isinstance(given, dict) else enumerate(given) if isinstance(given, list) else ()
    for key, value in parts:
        yield f"{prefix}{key}"
        yield from _paths(value, f"{prefix}{key}.")


def load_study(path: str | Path) -> Study:
    """Read a study file. Raises `InputError` if it cannot be read or says something that cannot be computed."""
    path = Path(path)
    try:
        if not path.is_file():
            what = "is a folder" if path.is_dir() else "is not there"
            raise InputError(f"The study file `{path}` must be a readable text file, but {what}. Check the path.")
        if path.stat().st_size > LARGEST_FILE:
            raise InputError(
                f"The study file `{path}` must be a page of text, but is {path.stat().st_size} bytes long."
            )
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"The study file `{path}` must be text in UTF-8, but byte {error.start} is none. Save it as UTF-8."
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a path with a null byte
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"The study file `{path}` must be readable, but is not: {reason}. Check its path.") from None
    return read_study(text, name=str(path), folder=path.parent)


def read_study(text: str, name: str = "study", folder: Path = Path()) -> Study:
    """Check the text of a study file; `name` is how messages call it, and `folder` where its paths start from. Raises
    `InputError`."""
    try:
        table = tomllib.loads(text)
    except RecursionError:
        raise InputError(f"`{name}` must be TOML, but is nested too deeply. Check its brackets.") from None
    except ValueError as error:
        raise InputError(f"`{name}` must be TOML, but is not: {_first_line(error)}. Mend that line.") from None
    try:
        config: Any = _model(table).model_validate(table)
    except ValidationError as error:
        raise InputError(_report(name, _problems(error, table))) from None
    except _Problems as problems:
        raise InputError(_report(name, list(problems.args))) from None
    if problem := _unfit_for_files(config, table) or _unfit_for_drive(config, table):
        raise InputError(_report(name, [problem]))
    quantities = {f"{s}.{key}": q for s in table for key, q in getattr(config, s).quantities().items()}
    swept = tuple(path for path in _paths(table) if path in quantities and quantities[path].swept)
    return Study(config, text, swept, folder)


def _unfit_for_files(config: Any, table: dict[str, Any]) -> str | None:
    """What only electrons from files have, or what they lack."""
    from_file = isinstance(config.electrons, sections.ElectronsFromFile)
    if config.state.fermi_shift is not None and not from_file:
        return "state.fermi_shift must be left out for a model, but is given. Write fermi_level."
    long_waves = from_file and not config.drive.on_modes
    others = [name for name in config.response.method if name != "adiabatic"] if long_waves else []
    if others:
        given = show(table["response"]["method"])
        return (
            f'response.method must be "adiabatic" for electrons from files and long waves, but is {given}: '
            "pairs of homogeneously deformed cells tell of long waves only."
        )
    if long_waves and config.response.order != (2,):
        return "response.order must be 2 for electrons from files and long waves, but is not. Write order = 2."
    return None


def _unfit_for_drive(config: Any, table: dict[str, Any]) -> str | None:
    """Orders and methods that the drive does not have."""
    drive: Drive = config.drive
    if 1 in config.response.order and not drive.coherent:
        return (
            f'response.order must be 2 for the drive "{config.drive.kind}", but is {show(table["response"]["order"])}: '
            "phonons without a phase have no first order. Write order = 2."
        )
    if drive.on_modes == isinstance(config.phonons, Acoustic):
        needed, found = ("the modes of a crystal", "an acoustic branch")[:: 1 if drive.on_modes else -1]
        fix = 'kind = "springs" or file = ...' if drive.on_modes else "speed and mass"
        return (
            f'[phonons] must be {needed} for the drive "{config.drive.kind}", but is {found}. Write [phonons] with '
            f"{fix}, or another drive.kind."
        )
    if (config.source is not None) != (config.drive.kind == "interface_injection"):
        found, fix = ("missing", "Add") if config.source is None else ("given", "Remove")
        return f'[source] must be there for the drive "interface_injection" only, but is {found}. {fix} it.'
    if config.drive.kind == "driven_mode" and config.drive.charges is None and not hasattr(config.phonons, "file"):
        return "drive.charges must be given where [phonons] has no file with Born charges, but is missing. Add it."
    if drive.in_time and config.response.method != ("motion",):
        return (
            f'response.method must be "motion" for the drive "{config.drive.kind}", but is '
            f"{show(table['response']['method'])}: the others know steady states only. "
            'Write method = "motion", or drive.kind = "coherent_wave".'
        )
    return None


class _Problems(Exception):
    """Problems found before the tables' classes are known."""


def _model(table: dict[str, Any]) -> type[sections.Section]:
    """The class of the whole file, with the tables that its `model` and `drive.kind` choose."""
    from_file = isinstance(table.get("electrons"), dict) and "file" in table["electrons"]
    electrons = "" if from_file else _chosen(table, "electrons", "model", tuple(sections.MODELS))
    drive = _chosen(table, "drive", "kind", tuple(DRIVES))
    phonons, source = (phonons_section(table.get(name)) for name in ("phonons", "source"))
    unknown = [
        f"{name}.kind must be one of {', '.join(PHONONS)}, but is {show(table[name]['kind'])}. Choose one of them."
        for name, found in (("phonons", phonons), ("source", source))
        if found is None
    ]
    if problems := [*(name for name in (electrons, drive) if " " in name), *unknown]:
        raise _Problems(*problems)
    assert phonons is not None and source is not None
    maybe: Any = source | None
    coupling = sections.CouplingFromPairs if from_file else sections.Coupling
    in_time = sections.NumericsInTime if DRIVES[drive].in_time else sections.Numerics
    numerics = sections.NumericsFromFile if from_file else in_time
    return create_model(
        "StudyFile",
        __base__=sections.Section,
        electrons=(sections.ElectronsFromFile if from_file else sections.electrons_section(electrons), ...),
        state=(sections.State, ...),
        coupling=(coupling, coupling()),
        phonons=(phonons, ...),
        source=(maybe, None),
        drive=(DRIVES[drive], ...),
        response=(sections.Response, ...),
        numerics=(numerics, numerics()),
        sweep=(sections.Sweep, sections.Sweep()),
    )


def _chosen(table: dict[str, Any], section: str, key: str, known: tuple[str, ...]) -> str:
    """The name that `section.key` gives, or a sentence that says what is wrong with it."""
    if section not in table:
        guess = next((name for name in table if nearest(name, (section,))), None)
        fix = f"Did you mean [{section}] by [{guess}]?" if guess else f"Add [{section}]."
        return f"[{section}] must be a table of the file, but is missing. {fix}"
    if not isinstance(table[section], dict):
        return f"{section} must be a table, but is {show(table[section])}. Write [{section}] on a line of its own."
    given = table[section].get(key)
    if given is None:
        guess = next((name for name in table[section] if nearest(name, (key,))), None)
        fix = f"Did you mean `{key}` by `{guess}`?" if guess else f"Add {key}, one of {', '.join(known)}."
        return f"{section}.{key} must be given, but is missing. {fix}"
    if not isinstance(given, str) or given not in known:
        guess = nearest(given, known) if isinstance(given, str) else None
        fix = f'Did you mean "{guess}"?' if guess else "Choose one of them."
        return f"{section}.{key} must be one of {', '.join(known)}, but is {show(given)}. {fix}"
    return given


def _problems(error: ValidationError, table: dict[str, Any]) -> list[str]:
    """A sentence or two for each of pydantic's errors; a key that is missing because it is misspelt is named once."""
    errors = error.errors(include_url=False)
    unknown = [e["loc"] for e in errors if e["type"] == "extra_forbidden"]
    misspelt = {(*loc[:-1], nearest(str(loc[-1]), _known_keys(list(map(str, loc[:-1])), table))) for loc in unknown}
    return [_problem(e, table) for e in errors if e["type"] != "missing" or e["loc"] not in misspelt]


def _problem(error: Any, table: dict[str, Any]) -> str:
    """One sentence or two about one of pydantic's errors."""
    keys = [str(part) for part in error["loc"]]
    path = ".".join(keys) or "The file"
    if error["type"] == "extra_forbidden":
        known = _known_keys(keys[:-1], table)
        guess = nearest(keys[-1], known)
        fix = f"Did you mean `{guess}`?" if guess else f"Known here: {', '.join(known)}."
        return f"{path} must be a known key, but is none. {fix}"
    if error["type"] == "missing":
        return f"{path} must be given, but is missing. Add it."
    if "ctx" in error and isinstance(error["ctx"].get("error"), ValueError):
        return f"{path} {error['ctx']['error']}"
    found = show(error.get("input"))
    if error["type"] in ("model_type", "model_attributes_type"):
        return f"{path} must be a table, but is {found}. Write [{path}] on a line of its own."
    return f"{path} must be right, but is {found}: {error['msg']}. Change it."


def _known_keys(parents: list[str], table: dict[str, Any]) -> tuple[str, ...]:
    model: Any = _model(table)
    for name in (name for name in parents if not name.isdigit()):
        inside = model.model_fields[name].annotation
        model = next(part for part in (inside, *get_args(inside)) if hasattr(part, "model_fields"))
    return tuple(model.model_fields)


def _report(name: str, problems: list[str]) -> str:
    shown = [f"  {problem}" for problem in problems[:20]]
    more = [f"  and {len(problems) - 20} more"] if len(problems) > 20 else []
    count = "a problem" if len(problems) == 1 else f"{len(problems)} problems"
    return "\n".join([f"`{name}` has {count}:", *shown, *more])


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")[:200]


def _plain(value: Any) -> Any:
    if isinstance(value, sections.Section):
        return {key: _plain(getattr(value, key)) for key in type(value).model_fields}
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if isinstance(value, Quantity):
        numbers: Any = list(value.values) if value.swept else value.values[0]
        return {"value": numbers, "unit": value.kind.unit}
    return value
