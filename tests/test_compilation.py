"""The cache of compiled programs, each case in a process of its own."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import jax, jax.numpy as jnp, orbiphon
from jax._src import monitoring
compiled = []
monitoring.register_event_listener(lambda event, **_: compiled.append(event) if "cache_misses" in event else None)
print(float(jax.jit(lambda x: jnp.sin(x) + x**2)(1.0)), len(compiled), jax.config.jax_compilation_cache_dir)
"""
VALUE = "1.8414709848078965"


def run(**environment: str) -> tuple[str, int, str]:
    """Value, programs compiled and not found in the cache, and the folder of the cache."""
    inherited = {
        name: v for name, v in os.environ.items() if name not in ("ORBIPHON_CACHE", "JAX_COMPILATION_CACHE_DIR")
    }
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM]
    done = subprocess.run(command, env=inherited | environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    value, compiled, folder = done.stdout.split()
    return value, int(compiled), folder


def test_the_second_run_does_not_compile(tmp_path):
    value, compiled, folder = run(ORBIPHON_CACHE=str(tmp_path))
    assert value == VALUE and compiled > 0 and folder.startswith(str(tmp_path / "compiled"))
    assert run(ORBIPHON_CACHE=str(tmp_path)) == (VALUE, 0, folder)


@pytest.mark.skipif(sys.platform != "linux", reason="the cache folder of other systems is elsewhere")
def test_on_is_the_cache_folder_of_the_user(tmp_path):
    home = {"XDG_CACHE_HOME": str(tmp_path)}
    assert run(ORBIPHON_CACHE="on", **home)[2].startswith(str(tmp_path / "orbiphon" / "compiled"))


def test_a_spoilt_cache_is_only_slow(tmp_path):
    run(ORBIPHON_CACHE=str(tmp_path))
    entries = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert entries
    for path in entries:
        path.write_bytes(path.read_bytes()[:20])
    assert run(ORBIPHON_CACHE=str(tmp_path))[0] == VALUE


def test_it_is_off_unless_asked_for_and_leaves_a_cache_of_jax_alone(tmp_path):
    for word in ("", "off"):
        assert run(ORBIPHON_CACHE=word)[::2] == (VALUE, "None")
    own = str(tmp_path / "own")
    assert run(JAX_COMPILATION_CACHE_DIR=own, ORBIPHON_CACHE=str(tmp_path))[2] == own
    assert not (tmp_path / "compiled").exists()


def test_a_folder_that_cannot_be_made_is_done_without(tmp_path):
    (tmp_path / "file").write_text("")
    assert run(ORBIPHON_CACHE=str(tmp_path / "file"))[::2] == (VALUE, "None")
