"""`orbiphon`: parse, call, print. Exit codes: 0 done, 1 tolerance missed or failure, 2 bad input, 130 stopped."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from orbiphon.cli.guard import guarded, say

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Orbital and spin moments that chiral phonons pump into the electrons of a crystal.",
)

StudyFile = Annotated[Path, typer.Argument(help="A study file; `orbiphon new` writes one.")]
StudyOrSpectrum = Annotated[
    Path, typer.Argument(help="A study file, or a spectrum that `study.save_spectrum` wrote (NAME.zarr).")
]
Out = Annotated[Path, typer.Option(help="The folder of the results; it is made if it is not there.")]
Spectrum = Annotated[
    bool, typer.Option("--spectrum", help="Of a study: compute what one phonon of each mode pumps, along a path.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar, no summary.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the results of another study.")]


@app.command()
@guarded
def reproduce(
    paper: Annotated[
        str,
        typer.Argument(
            help="sato2025: arXiv:2511.11272; outlook: its outlook; tateishi2026: arXiv:2604.25328; "
            "metals: of first-principles Hamiltonians."
        ),
    ],
    out: Out,
    data: Annotated[
        Path | None, typer.Option(help="For metals: folders with `unstrained/` and deformed cells.")
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="For sato2025: finite wave vectors too, which takes hours.")
    ] = False,
    quiet: Quiet = False,
    overwrite: Overwrite = False,
) -> int:
    """Compute the figures and numbers of a paper again, with pictures."""
    from orbiphon.study import reproduce

    accurate = reproduce.run(paper, out, quiet, overwrite, data, full)
    from orbiphon.plot import plot_folder

    plot_folder(out)
    if not quiet:
        say(f"Wrote {out}/.")
    if not accurate and not quiet:
        say("Some values missed their tolerance: their `error` says by how much.")
    return 0 if accurate else 1


@app.command()
@guarded
def run(study: StudyFile, out: Out, quiet: Quiet = False, overwrite: Overwrite = False) -> int:
    """Compute a study into result.zarr and result.csv; the same command takes up a stopped run."""
    from orbiphon.study import Interrupted, load_study, run as run_study

    try:
        report = run_study(load_study(study), out, quiet=quiet, overwrite=overwrite)
    except Interrupted as stopped:
        kept = f"{stopped.report.finished} of {stopped.report.entries} points are kept in {out}/"
        say(f"Stopped: {kept}; the same command computes the rest.")
        return 130
    if not quiet:
        done = f"{report.fresh} points computed" if report.fresh else "Nothing left to compute"
        earlier = f", {report.finished - report.fresh} were there" if report.finished > report.fresh else ""
        say(f"{done}{earlier}: {out}/result.zarr, {out}/result.csv.")
        if report.zero_by_symmetry:
            say(f"Zero by symmetry: {', '.join(report.zero_by_symmetry)}.")
    if report.missed:
        say(
            f"{report.missed} of {report.entries} points missed the tolerance: their `error` says by how much. "
            "Raise numerics.max_points, numerics.rtol or response.broadening."
        )
    return 1 if report.missed else 0


@app.command()
@guarded
def plot(folder: Annotated[Path, typer.Argument(help="A folder that `run` or `reproduce` wrote.")]) -> int:
    """Draw the pictures of a folder of results."""
    from orbiphon.plot import plot_folder

    for path in plot_folder(folder) or ():
        say(f"Wrote {path}.")
    return 0


@app.command()
@guarded
def check(study: StudyFile) -> int:
    """Validate a study, say what symmetry allows, and estimate cost and memory, without running it."""
    from orbiphon.study import load_study
    from orbiphon.study.estimate import describe

    typer.echo(describe(load_study(study)))
    return 0


@app.command()
@guarded
def new(path: Annotated[Path | None, typer.Argument(help="The file to write; without it, print.")] = None) -> int:
    """Write a study file with comments, to be edited."""
    from importlib import resources

    from orbiphon.errors import InputError

    text = resources.files("orbiphon.study").joinpath("template.toml").read_text(encoding="utf-8")
    if path is None:
        typer.echo(text, nl=False)
        return 0
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise InputError(f"The file `{path}` must be new, but is there already. Choose another name.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"The file `{path}` must be writable, but is not: {reason}. Choose another name.") from None
    say(f"Wrote {path}. Next: orbiphon check {path}")
    return 0


@app.command()
@guarded
def show(study: StudyOrSpectrum, out: Out = Path("pictures"), spectrum: Spectrum = False, quiet: Quiet = False) -> int:
    """Draw bands, Fermi surface, phonons, and where in the zone the moment comes from; or moments per phonon."""
    from orbiphon.plot import compute_spectrum, show as draw, show_spectrum
    from orbiphon.study import load_study

    if study.suffix == ".zarr":
        drawn = show_spectrum(study, out)
    else:
        drawn = compute_spectrum(load_study(study), out, quiet) if spectrum else draw(load_study(study), out)
    for path in drawn or ():
        say(f"Wrote {path}.")
    return 0


def _version(wanted: bool) -> bool:
    if wanted:
        from orbiphon import __version__

        typer.echo(f"orbiphon {__version__}")
        raise typer.Exit
    return wanted


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """The entry point of the program."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
