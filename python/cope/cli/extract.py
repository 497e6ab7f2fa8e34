"""`cope extract`: motion, residual, saliency and keyframes of a video, as arrays in a file."""

from __future__ import annotations

import time
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

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
from cope.cli.output import amount, counted, print_facts, share
from cope.cli.progress import watched

Output = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        callback=output_of(".npz", ".safetensors"),
        help="Where the arrays go: .npz or .safetensors.",
    ),
]
Cell = Annotated[int, typer.Option(help="Luma samples per cell of motion; a multiple of 4.")]
ResidualScale = Annotated[
    int, typer.Option(help="Luma samples per value of the residual; a multiple of 4.")
]


def extract(
    file: File,
    output: Output,
    keyframes_per_second: KeyframesPerSecond = "0.125",
    deltas_per_second: DeltasPerSecond = 1.0,
    window: Window = None,
    cell: Cell = 16,
    residual_scale: ResidualScale = 4,
    threads: Threads = None,
    on_error: OnError = "conceal",
) -> None:
    """Write motion, residual, saliency and keyframes to a file of arrays."""
    density = make_density(keyframes_per_second, deltas_per_second, window)
    start = time.perf_counter()
    with watched(file, "extracting") as source:
        primitives = cope.extract(
            source,
            density=density,
            cell=cell,
            residual_scale=residual_scale,
            threads=threads,
            on_error=on_error,
        )
    seconds = time.perf_counter() - start
    arrays = {
        item.name: getattr(primitives, item.name).numpy()
        for item in fields(primitives)
        if item.name not in ("info", "stats")
    }
    _save(output, arrays)

    stats = primitives.stats
    num_deltas, num_keyframes = len(primitives.motion), len(primitives.keyframes)
    lost = counted(stats.num_concealed_pictures, "damaged picture")
    print_facts(
        [
            ("read", f"{counted(num_deltas, 'window')}, {counted(num_keyframes, 'keyframe')}"),
            ("parsed", share(stats.num_parsed, stats.num_pictures)),
            ("decoded", f"{share(stats.num_decoded, stats.num_pictures)}, to pixels"),
            ("concealed", lost if stats.num_concealed_pictures else ""),
            (
                "time",
                f"{seconds:.3f} s, {stats.num_pictures / seconds:.0f} pictures of video per second",
            ),
            ("motion", _shape(arrays["motion"])),
            ("residual", _shape(arrays["residual"])),
            ("saliency", _shape(arrays["saliency"])),
            ("keyframes", _shape(arrays["keyframes"])),
            ("written", f"{output} ({amount(output.stat().st_size, 'B')})"),
        ]
    )


def _shape(array: NDArray[Any]) -> str:
    return f"{array.dtype} {list(array.shape)}"


def _save(output: Path, arrays: dict[str, NDArray[Any]]) -> None:
    if output.suffix == ".npz":
        np.savez(output, allow_pickle=False, **arrays)
    else:
        from safetensors.numpy import save_file

        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, output)
