"""Compiled programs are kept between runs, so that only the first run of a kind waits for the compiler.

They go into a folder `compiled` of the user's cache (~/.cache/orbiphon on Linux), or of the folder that the environment
variable `ORBIPHON_CACHE` names; `ORBIPHON_CACHE=off` switches this off. Each kind of processor has its own folder:
programs compiled for one may not run on another that shares the home directory. A cache that was set up for JAX
itself (`JAX_COMPILATION_CACHE_DIR`) is left alone. The folder may be deleted at any time.
"""

import hashlib
import os
import platform
import re
from pathlib import Path

import jax
from platformdirs import user_cache_path

VARIABLE = "ORBIPHON_CACHE"
_OFF = ("off", "0", "no", "false")


def keep_compiled_programs() -> None:
    """Set up JAX's compilation cache, if it is wanted and its folder can be written; never fails."""
    wanted = os.environ.get(VARIABLE, "")
    own = jax.config.jax_compilation_cache_dir  # pyright: ignore[reportAttributeAccessIssue]
    if wanted.lower() in _OFF or own is not None:
        return
    try:
        folder = (Path(wanted) if wanted else user_cache_path("orbiphon")) / "compiled" / _processor()
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
