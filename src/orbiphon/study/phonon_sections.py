"""The tables `[phonons]` of a study file, and `[source]`: the phonons of a neighbouring crystal."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from orbiphon.study import quantity as qty
from orbiphon.study.quantity import QuantityError, show
from orbiphon.study.sections import Q, Section, default_of, file_path, one_of, reads, several, yes_or_no


class Acoustic(Section):
    """An acoustic branch."""

    kind: Literal["acoustic"] = "acoustic"
    speed: Annotated[Q, reads("speed", qty.POSITIVE)]
    mass: Annotated[Q, reads("mass", qty.POSITIVE)]
    direction: Annotated[str, one_of("x", "y", "z")] = "x"


def _pair(given: Any) -> tuple[str, ...]:
    if not isinstance(given, list) or len(given) != 2 or not all(isinstance(name, str) for name in given):
        raise QuantityError(f'must be two species, but is {show(given)}. Write ["A", "B"], say.')
    return tuple(given)


class Spring(Section):
    """Springs between all atoms of one distance."""

    length: Annotated[Q, reads("length", qty.POSITIVE)]
    central: Annotated[Q, reads("spring constant")]
    transverse: Annotated[Q, reads("spring constant")] = default_of("spring constant", 0.0)
    between: Annotated[tuple[str, ...], BeforeValidator(_pair)] | None = None


class Springs(Section):
    """The modes of the electrons' crystal, its atoms tied by springs."""

    kind: Literal["springs"]
    masses: Annotated[tuple[float, ...], several("mass", qty.POSITIVE)]
    springs: tuple[Spring, ...]


class PhononsFromFile(Section):
    """The modes that phonopy's force constants give; `file` is a path from the study file on."""

    file: Annotated[str, file_path()]
    leave_out_charges: Annotated[bool, yes_or_no()] = False


PHONONS: dict[str, type[Section]] = {"acoustic": Acoustic, "springs": Springs}


def phonons_section(table: Any) -> type[Section] | None:
    """The class of a table, None for an unknown kind."""
    if isinstance(table, dict) and "file" in table:
        return PhononsFromFile
    kind = table.get("kind", "acoustic") if isinstance(table, dict) else "acoustic"
    return PHONONS.get(kind) if isinstance(kind, str) else None
