"""Compiled programs can be kept between runs, so that only the first run of a kind waits for the compiler.

The environment variable `ORBIPHON_CACHE` switches this on: `on` takes a folder `compiled` of the user's cache
(~/.cache/orbiphon on Linux), any other value names the folder. It is off by default, because reading a kept program
back can crash in the compiler's library (docs/libraries.md). Each kind of processor has its own folder: programs
compiled for one may not run on another that shares the home directory. A cache that was set up for JAX itself
(`JAX_COMPILATION_CACHE_DIR`) is left alone. The folder may be deleted at any time.
"""

import hashlib
import os
import platform
import re
from pathlib import Path

import jax
from platformdirs import user_cache_path

VARIABLE = "ORBIPHON_CACHE"
_OFF, _ON = ("", "off", "0", "no", "false"), ("on", "1", "yes", "true")


def keep_compiled_programs() -> None:
    """Set up JAX's compilation cache, if it is wanted and its folder can be written; never fails."""
    wanted = os.environ.get(VARIABLE, "")
    own = jax.config.jax_compilation_cache_dir  # pyright: ignore[reportAttributeAccessIssue]
    if wanted.lower() in _OFF or own is not None:
        return
    try:
        base = user_cache_path("orbiphon") if wanted.lower() in _ON else Path(wanted)
        folder = base / "compiled" / _processor()
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError, ValueError):  # no permission, no home, no such name
        return
    if os.access(folder, os.W_OK):
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)  # a hundred small ones cost a second
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def _processor() -> str:
    """A name for the kind of processor: its instructions, where the system tells them."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        lines = ""
    told = re.search(r"^(flags|Features)\s*:.*$", lines, re.MULTILINE)
    kind = f"{platform.machine()} {platform.processor()} {told.group(0) if told else ''}"
    return hashlib.sha256(kind.encode()).hexdigest()[:12]
