"""What every command does with trouble: a message in words and an exit code, never a traceback."""

import functools
import os
import traceback
from collections.abc import Callable
from typing import ParamSpec

import typer

P = ParamSpec("P")

DEBUG = "ORBIPHON_DEBUG"
"""Set this environment variable to see tracebacks."""


def say(message: str) -> None:
    """A line for the person at the terminal, apart from the data on standard output."""
    typer.echo(message, err=True)


def guarded(command: Callable[P, int]) -> Callable[P, None]:
    """Turn a command's return value and its errors into exit codes."""

    @functools.wraps(command)
    def guard(*args: P.args, **kwargs: P.kwargs) -> None:
        raise typer.Exit(_code(lambda: command(*args, **kwargs)))

    return guard


def _code(call: Callable[[], int]) -> int:
    from orbiphon.errors import InputError

    try:
        return call()
    except InputError as error:
        say(f"error: {error}")
        return 2
    except KeyboardInterrupt:
        say("Stopped.")
        return 130
    except BrokenPipeError:
        return 1
    except MemoryError:
        say("error: out of memory. Lower numerics.block, or give the sweep fewer points.")
    except OSError as error:
        name = f" `{error.filename}`" if error.filename else ""
        say(f"error: the system refused{name}: {error.strerror or error}. Finished points are kept.")
    except Exception as error:
        if "RESOURCE_EXHAUSTED" in str(error):
            say("error: out of memory. Lower numerics.block.")
        else:
            words = f"{type(error).__name__}: {error}".splitlines()[0][:300]
            say(f"error: internal failure, {words}. This is a bug; set {DEBUG}=1 to see where.")
        if os.environ.get(DEBUG):
            traceback.print_exc()
    return 1
