"""What the package promises as a whole: public names, 64-bit numbers, lock files that agree and give nothing away."""

import re
import subprocess
import sys
from pathlib import Path

import jax.numpy as jnp
import pytest

import orbiphon

ROOT = Path(__file__).resolve().parent.parent


def test_importing_switches_to_64_bit():
    assert jnp.zeros(1).dtype == jnp.float64


def test_public_names_exist_and_are_documented():
    source = (ROOT / "src/orbiphon/__init__.py").read_text()
    exported = re.findall(r"(\w+) as \1\b", source)
    assert exported
    for name in exported:
        member = getattr(orbiphon, name)
        assert name == "__version__" or member.__doc__, name


def test_rooms_with_files_and_pictures_are_loaded_when_used():
    code = "import sys, orbiphon; assert 'orbiphon.study' not in sys.modules; print(orbiphon.study.to_xarray.__name__)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout == "to_xarray\n", result.stderr
    with pytest.raises(AttributeError, match="no attribute `stduy`"):
        orbiphon.stduy  # noqa: B018


def test_every_import_in_the_package_front_is_a_reexport():
    source = (ROOT / "src/orbiphon/__init__.py").read_text()
    for match in re.finditer(r"^from orbiphon\S* import (\([^)]*\)|.*)$", source, re.MULTILINE):
        for name in match.group(1).strip("()").split(","):
            assert not name.strip() or re.fullmatch(r"(\w+) as \1", name.strip()), name


def _pins(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))


def test_the_two_lock_files_agree():
    core, everything = _pins("requirements.lock"), _pins("requirements-all.lock")
    assert {"jax", "equinox", "pydantic", "setuptools"} <= set(core)
    assert {"pytest", "phonopy", "sisl", "distributed"} <= set(everything)
    assert core.items() <= everything.items()


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-all.lock"])
def test_lock_files_hold_hashes_and_no_addresses(name):
    text = (ROOT / name).read_text()
    blocks = re.split(r"^(?=[a-z0-9._-]+==)", text, flags=re.MULTILINE)[1:]
    assert blocks and all("--hash=sha256:" in block for block in blocks)
    assert not re.search(r"://|@ |/work|/root|/home|--(extra-)?index|--find-links|--trusted", text)


def test_references_are_complete():
    entries = re.findall(r"^@\w+\{(\w+),(.*?)^\}", (ROOT / "src/orbiphon/references.bib").read_text(), re.M | re.S)
    assert len({key for key, _ in entries}) == len(entries) >= 8
    for key, body in entries:
        assert all(f"{field} " in body for field in ("author", "title", "year")), key
