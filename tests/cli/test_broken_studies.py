"""Random broken study files: no traceback, exit code 2, nothing written, earlier results as they were."""

import random

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from studies import THERMAL, WAVE, install
from typer.testing import CliRunner

from orbiphon.cli.app import app
from orbiphon.study import run
from orbiphon.study.config import load_study

BAD_VALUES = st.sampled_from(
    [
        *('"1 siemens"', '"-1 K"', '"nan K"', '"inf eV"', '""', '"K"', '"1e999 m"', '"1 m**99999"', "[]"),
        *("nan", "inf", "-inf", "true", "1979-05-27", "[[]]", "{}", "{ start = 1 }", "9" * 400, '"\\u0000"'),
        *(
            '["1 K", "1 K"]',
            '{ start = "1 K", stop = "2 K", num = 1000000000 }',
            '{ start = "1 K", stop = "1 K", num = 9 }',
        ),
    ]
)


@st.composite
def broken(draw) -> bytes:
    """A right study file with one thing broken so that it cannot be right any more."""
    text = draw(st.sampled_from([THERMAL, WAVE]))
    lines = text.splitlines()
    keys = [i for i, line in enumerate(lines) if " = " in line]
    at = draw(st.sampled_from(keys))
    key, _, value = lines[at].partition(" = ")
    how = draw(st.sampled_from(["misspell", "value", "type", "table", "cut", "bytes", "unknown", "twice", "huge"]))
    if how == "misspell":
        place = draw(st.integers(0, len(key) - 1))
        lines[at] = f"{key[:place]}{draw(st.sampled_from('xz7'))}{key[place:]} = {value}"
    elif how == "value":
        lines[at] = f"{key} = {draw(BAD_VALUES)}"
    elif how == "type":
        lines[at] = f"{key} = " + ("17.5" if value.startswith(('"', "[", "{")) else '"text"')
    elif how == "table":
        table = draw(st.sampled_from([i for i, line in enumerate(lines) if line.startswith("[")]))
        lines[table] = lines[table].replace("[", "[x", 1)
    elif how == "cut":
        return text.encode()[: draw(st.integers(0, text.index("[response]") + 10))]
    elif how == "bytes":
        place = draw(st.integers(0, len(text)))
        return text.encode()[:place] + draw(st.sampled_from([b"\xff\xfe", b"\x00", b"\xc3("])) + text.encode()[place:]
    elif how == "unknown":
        lines.insert(at, f"zz{draw(st.text('abcdef_', min_size=1, max_size=8))} = {value}")
    elif how == "twice":
        lines.insert(at, lines[at])
    else:
        sweep = 'pz_shift = { start = "0 eV", stop = "1 eV", num = 60000 }'
        lines = [sweep if line.startswith("pz_shift") else line for line in lines]
    return "\n".join(lines).encode()


@pytest.fixture
def earlier(tmp_path, monkeypatch):
    """A folder with results of an earlier study."""
    install(monkeypatch)
    (tmp_path / "good.toml").write_text(THERMAL)
    run(load_study(tmp_path / "good.toml"), tmp_path / "out", quiet=True)
    return tmp_path


def content(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(folder, study: bytes) -> None:
    (folder / "bad.toml").write_bytes(study)
    before = content(folder)
    for command in (
        ["check", "bad.toml"],
        ["run", "bad.toml", "--out", "new"],
        ["run", "bad.toml", "--out", "out", "--overwrite"],
    ):
        paths = [str(folder / part) if part in ("bad.toml", "new", "out") else part for part in command]
        result = CliRunner().invoke(app, paths)
        assert result.exit_code == 2, (result.exit_code, result.output, study.decode(errors="replace"))
        assert result.stderr.startswith("error: ") and "Traceback" not in result.output
    assert content(folder) == before


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(study=broken())
def test_broken_studies_are_refused_in_words(earlier, study):
    refused(earlier, study)


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(noise=st.binary(max_size=300), seed=st.integers(0, 2**32))
def test_noise_is_refused_in_words(earlier, noise, seed):
    letters = list(THERMAL[:200])
    random.Random(seed).shuffle(letters)
    refused(earlier, noise)
    refused(earlier, "".join(letters).encode())
