"""Arguments and options that several commands share."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

File = Annotated[str, typer.Argument(metavar="FILE", help="Path or URL of a video.")]
Threads = Annotated[
    int | None,
    typer.Option("--threads", "-j", min=1, help="Threads that parse. [default: all CPUs]"),
]
OnError = Annotated[
    Literal["conceal", "skip", "raise"],
    typer.Option("--on-error", help="What to do about damaged pictures."),
]


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 <= rate < float("inf"):
        raise typer.BadParameter(f"{text!r} is not a rate per second")
    return rate


def _keyframe_rate(text: str) -> float | Literal["all"]:
    return "all" if text == "all" else _rate(text)


KeyframesPerSecond = Annotated[
    float,
    typer.Option(
        "--keyframes-per-second",
        "-k",
        metavar="RATE|all",
        parser=_keyframe_rate,
        help="Keyframes decoded per second of video; 'all': every random access point.",
    ),
]
DeltasPerSecond = Annotated[
    float,
    typer.Option(
        "--deltas-per-second",
        "-d",
        metavar="RATE",
        parser=_rate,
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
