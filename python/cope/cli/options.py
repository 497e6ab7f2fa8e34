"""Arguments and options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer

from cope.density import Density

File = Annotated[str, typer.Argument(metavar="FILE", help="Path or URL of a video.")]
Threads = Annotated[
    int | None,
    typer.Option("--threads", "-j", min=1, help="Threads that parse. [default: all CPUs]"),
]
OnError = Annotated[
    Literal["conceal", "skip", "raise"],
    typer.Option("--on-error", help="What to do about damaged pictures."),
]


KeyframesPerSecond = Annotated[
    str,
    typer.Option(
        "--keyframes-per-second",
        "-k",
        metavar="RATE|all",
        help="Keyframes decoded per second of video; 'all': every random access point.",
    ),
]
DeltasPerSecond = Annotated[
    float,
    typer.Option(
        "--deltas-per-second",
        "-d",
        metavar="RATE",
        help="Windows of motion and residual per second of video.",
    ),
]
Window = Annotated[
    float | None,
    typer.Option(
        "--window",
        "-w",
        metavar="SECONDS",
        help="Time that one window spans. [default: 1 / deltas per second]",
    ),
]


def make_density(keyframes: str, deltas: float, window: float | None) -> Density:
    """The density that the options above ask for."""
    rate: float | Literal["all"] = "all"
    if keyframes != "all":
        try:
            rate = float(keyframes)
        except ValueError:
            text = f"{keyframes!r} is neither a number nor 'all'"
            raise typer.BadParameter(text, param_hint="--keyframes-per-second") from None
    try:
        return Density(rate, deltas, window)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def output_of(*suffixes: str) -> Callable[[Path | None], Path | None]:
    """Checks, before any work is done, that an output file can be written and what it is called."""

    def check(path: Path | None) -> Path | None:
        if path is not None and path.suffix not in suffixes:
            raise typer.BadParameter(f"{str(path)!r} does not end in {' or '.join(suffixes)}")
        if path is not None and not path.parent.is_dir():
            raise typer.BadParameter(f"there is no folder {str(path.parent)!r}")
        return path

    return check
