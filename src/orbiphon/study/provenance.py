"""Where a number comes from: versions, machine and date; and what to cite for it."""

import platform
import re
from datetime import UTC, datetime
from importlib import metadata, resources
from typing import Any

PACKAGES = ("orbiphon", "jax", "jaxlib", "equinox", "numpy", "scipy", "xarray", "zarr")


def versions() -> dict[str, str]:
    """The versions of Python and of every package that has a part in the numbers."""
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in PACKAGES}


def provenance() -> dict[str, Any]:
    """Versions, devices, platform and date, as plain data."""
    import jax

    return {
        "versions": versions(),
        "platform": platform.platform(),
        "devices": sorted({device.device_kind for device in jax.devices()}),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


_FOR_ALL = ("sato2025",)
_FOR_METHOD = {"kubo": ("kubo1957",), "keldysh": ("keldysh1965",), "berry": ("yao2025dynamical", "yao2025spin")}
_FOR_COUPLING = {"two_centre": ("slater1954",)}


def citations(result: Any) -> str:
    """BibTeX entries of what a result rests on: its method's and its coupling's sources.

    `result` is an `Answer` or a dataset written by a study (anything with a method and a coupling).
    """
    attributes = getattr(result, "attrs", None) or {"method": result.method, "coupling": result.coupling}
    methods = attributes["method"]
    names = [methods] if isinstance(methods, str) else list(methods)
    keys = [*_FOR_ALL, *(key for name in names for key in _FOR_METHOD.get(name, ()))]
    keys += _FOR_COUPLING.get(attributes["coupling"], ())
    entries = bibliography()
    return "\n\n".join(entries[key] for key in dict.fromkeys(keys))


def bibliography() -> dict[str, str]:
    """The package's list of sources, by BibTeX key."""
    text = resources.files("orbiphon").joinpath("references.bib").read_text(encoding="utf-8")
    return {match.group(1): match.group() for match in re.finditer(r"^@\w+\{(\w+),.*?^\}", text, re.M | re.S)}
