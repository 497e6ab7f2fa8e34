"""`cope view`: motion, bits and residual drawn over the frames that they belong to."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import numpy as np
import typer

import cope
from cope.cli.options import File, OnError, Threads, output_of
from cope.cli.output import amount, counted
from cope.cli.progress import make_bar
from cope.picture import BlockType, Picture
from cope.stream import StreamInfo

if TYPE_CHECKING:
    import av
    from PIL import Image

    from cope.cli.canvas import Facts

CLOCK = 90000  # time base of the videos written, per second

Output = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        callback=output_of(".png", ".mp4", ".mkv"),
        help="A .png of one frame, or a .mp4 or .mkv of all of them.",
    ),
]
At = Annotated[
    float | None,
    typer.Option(
        min=0,
        metavar="SECONDS",
        help="Time of the .png's frame, or of the video's first. "
        "[default: a third of the way, at most 10, for a .png; else 0]",
    ),
]
Seconds = Annotated[
    float | None, typer.Option(min=0, metavar="SECONDS", help="Length of the video. [default: all]")
]


def view(
    file: File,
    output: Output,
    at: At = None,
    seconds: Seconds = None,
    threads: Threads = None,
    on_error: OnError = "conceal",
) -> None:
    """Draw motion arrows, bits and residual of a video over its frames."""
    with cope.VideoReader(file, threads=threads, on_error=on_error) as video:
        info = video.info
        if output.suffix == ".png":
            start = at if at is not None else _default_time(file, info)
            sheets = _sheets(video, file, start)
            with closing(sheets), make_bar() as progress:
                progress.add_task(f"reading to {start:.2f} s", total=None)
                time, sheet = next(sheets, (None, None))
            if sheet is None:
                raise typer.BadParameter(f"no frame at {start:g} s", param_hint="--at")
            sheet.save(output)
            typer.echo(f"{output}: the frame at {time:.2f} s, {sheet.width}x{sheet.height}")
        else:
            start = at or 0.0
            end = start + seconds if seconds is not None else None
            frames = _write_video(output, _sheets(video, file, start, end), info, start, end)
            if not frames:
                raise typer.BadParameter(f"no frame from {start:g} s on", param_hint="--at")
            typer.echo(f"{output}: {counted(frames, 'frame')}")


def _default_time(file: str, info: StreamInfo) -> float:
    duration = info.duration_seconds
    if duration is None:  # an elementary stream: count its pictures
        duration = cope.probe(file).duration_seconds or 0.0
    return min(duration / 3, 10.0)


def _sheets(
    video: cope.VideoReader, file: str, start: float, end: float | None = None
) -> Generator[tuple[float, Image.Image], None, None]:
    """Times and drawings of the frames from `start` up to `end` seconds, in presentation order."""
    from cope.cli.canvas import Canvas
    from cope.cli.frames import shown
    from cope.cli.layers import make_layers

    info = video.info
    frame_seconds = float(1 / info.average_rate) if info.average_rate else 1 / 25
    canvas: Canvas | None = None
    sizes: deque[tuple[str, float]] = deque(maxlen=256)
    for number, (picture, frame) in enumerate(shown(video, file)):
        time = picture.info.timestamp
        if end is not None and time >= end:
            return
        sizes.append((_picture_type(picture), picture.info.size_bytes * 8))
        if time < start - frame_seconds / 2:
            continue
        image = frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
        if canvas is None or canvas.frame_size != image.shape[1::-1]:
            if canvas is not None:
                raise cope.UnsupportedStreamError(
                    "the picture size changes in the video", element="picture size"
                )
            canvas = Canvas(
                image.shape[1],
                image.shape[0],
                rotation=info.rotation,
                is_mirrored=info.is_mirrored,
            )
        layers = make_layers(picture, image, frame_seconds)
        yield time, canvas.draw(layers, _facts(number, picture, info, list(sizes)))


def _picture_type(picture: Picture) -> str:
    types = picture.info.slice_types
    return "B" if "B" in types else "P" if "P" in types else "I"


def _facts(
    number: int, picture: Picture, info: StreamInfo, sizes: list[tuple[str, float]]
) -> Facts:
    from cope.cli.canvas import Facts

    coded, types = picture.info, picture.blocks.type
    with_qp = (types != BlockType.I_PCM) & (types != BlockType.LOST)
    of_all = f" of {info.num_frames}" if info.num_frames else ""
    details = [f"{amount(coded.size_bytes * 8, 'bit')}"]
    if with_qp.any():
        details.append(f"QP {coded.qp_sum / with_qp.sum():.1f} ({coded.qp_min} to {coded.qp_max})")
    details.append(f"{(types == BlockType.SKIP).mean():.0%} skipped")
    if coded.structure != "frame":
        details.append(f"{coded.structure} field")
    return Facts(
        picture_type=_picture_type(picture),
        headline=f"frame {number + 1}{of_all}   {coded.timestamp:.2f} s",
        details="   ".join(details),
        sizes=sizes,
    )


def _write_video(
    output: Path,
    sheets: Iterator[tuple[float, Image.Image]],
    info: StreamInfo,
    start: float,
    end: float | None,
) -> int:
    """Codes the drawings and returns how many there were."""
    import av

    last = end if end is not None else info.duration_seconds
    codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    rate = info.average_rate or Fraction(25)
    num_frames = 0
    with make_bar() as progress, av.open(str(output), "w") as container:
        task = progress.add_task("drawing", total=last - start if last else None)
        stream: av.VideoStream | None = None
        for time, sheet in sheets:
            if stream is None:
                stream = cast("av.VideoStream", container.add_stream(codec, rate=rate))
                stream.width, stream.height = sheet.size
                stream.pix_fmt = "yuv420p"
                stream.time_base = Fraction(1, CLOCK)
                stream.options = {"crf": "20", "preset": "veryfast"} if codec == "libx264" else {}
            frame = av.VideoFrame.from_ndarray(np.asarray(sheet), format="rgb24")
            frame.pts = round((time - start) * CLOCK)
            frame.time_base = Fraction(1, CLOCK)
            container.mux(stream.encode(frame))
            num_frames += 1
            progress.update(task, completed=time - start)
        if stream is not None:
            container.mux(stream.encode())
    return num_frames
