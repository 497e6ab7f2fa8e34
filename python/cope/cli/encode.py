"""`cope encode`: the tokens of a video, and what they cost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import cope
from cope.cli.options import (
    DeltasPerSecond,
    File,
    KeyframesPerSecond,
    OnError,
    Threads,
    Window,
    make_density,
    output_of,
)
from cope.cli.output import counted, print_facts, share
from cope.cli.progress import watched

if TYPE_CHECKING:
    from cope.encode import VideoTokens

Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        callback=output_of(".safetensors"),
        help="Where the tokens go, if anywhere: .safetensors.",
    ),
]
Encoder = Annotated[
    str,
    typer.Option(
        help="'small' or 'paper', with seeded random weights; a directory; or a model id."
    ),
]
Device = Annotated[str, typer.Option(help="Where the encoder runs, such as cpu or cuda.")]


def encode(
    file: File,
    output: Output = None,
    encoder: Encoder = "small",
    device: Device = "cpu",
    keyframes_per_second: KeyframesPerSecond = "0.125",
    deltas_per_second: DeltasPerSecond = 1.0,
    window: Window = None,
    threads: Threads = None,
    on_error: OnError = "conceal",
) -> None:
    """Turn a video into tokens for a language model, and tell what that took."""
    density = make_density(keyframes_per_second, deltas_per_second, window)
    try:
        with watched(file, "encoding") as source:
            tokens = cope.encode_video(
                source,
                encoder=encoder,
                density=density,
                device=device,
                threads=threads,
                on_error=on_error,
            )
    except ValueError as error:
        if isinstance(error, cope.CopeError) or "encoder" not in str(error):
            raise
        raise typer.BadParameter(str(error), param_hint="--encoder") from None
    if output is not None:
        _save(output, tokens)

    stats, duration = tokens.stats, tokens.duration_seconds
    reading = tokens.seconds - tokens.seconds_encode
    lost = counted(stats.num_concealed_pictures, "damaged picture")
    print_facts(
        [
            ("tokens", f"{len(tokens)} of width {tokens.embeddings.shape[1]}: {_items(tokens)}"),
            ("rate", _rate(tokens)),
            ("parsed", share(stats.num_parsed, stats.num_pictures)),
            ("decoded", f"{share(stats.num_decoded, stats.num_pictures)}, to pixels"),
            ("concealed", lost if stats.num_concealed_pictures else ""),
            (
                "time",
                f"{tokens.seconds:.2f} s: {reading:.2f} s reading, "
                f"{tokens.seconds_encode:.2f} s encoding"
                + (f"; the video lasts {duration:.2f} s" if duration else ""),
            ),
            ("weights", _weights(tokens)),
            ("written", str(output or "")),
        ]
    )


def _items(tokens: VideoTokens) -> str:
    keyframes = int((tokens.kinds == "keyframe").sum())
    return (
        f"{keyframes} of {counted(tokens.num_keyframes, 'keyframe')}, "
        f"{len(tokens) - keyframes} of {counted(tokens.num_deltas, 'window')}"
    )


def _rate(tokens: VideoTokens) -> str:
    rate = tokens.tokens_per_second
    return f"{rate:.1f} tokens per second of video" if rate is not None else ""


def _weights(tokens: VideoTokens) -> str:
    if tokens.weights.startswith("random"):
        return f"{tokens.weights}: not trained, so the tokens mean nothing yet"
    return tokens.weights


def _save(output: Path, tokens: VideoTokens) -> None:
    import torch
    from safetensors.torch import save_file

    tensors = {
        "embeddings": tokens.embeddings.cpu().contiguous(),
        "is_delta": torch.from_numpy(tokens.kinds == "delta"),
        "timestamps": torch.from_numpy(tokens.timestamps),
        "frame_index": torch.from_numpy(tokens.frame_index),
        "positions": torch.from_numpy(tokens.positions),
    }
    save_file(tensors, output, metadata={"weights": tokens.weights})
