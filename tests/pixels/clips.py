"""Makes small H.264 clips with the loop filter off, and decodes them with libavcodec."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from data import require_command

# A zoom with camera noise: motion at every sub-sample position, and texture to predict.
SOURCE = (
    "mandelbrot=size={width}x{height}:rate=25:start_scale=0.3:end_scale=0.05:end_pts=40,"
    "noise=alls=3:allf=t"
)
# Brightness that swings: makes an encoder weight its references.
FADE = SOURCE + ",eq=brightness='0.35*sin(n/3)':eval=frame"
# Fields of different times: an encoder of interlaced video then codes macroblocks as fields.
MOVING = (
    "mandelbrot=size={width}x{height}:rate=50:start_scale=0.3:end_scale=0.02:end_pts=40,"
    "noise=alls=3:allf=t,scroll=horizontal=0.02:vertical=0.01,interlace=lowpass=off"
)


@dataclass(frozen=True)
class ClipConfig:
    """How one clip is coded."""

    name: str
    x264: str  # x264-params, besides those that every clip shares
    pix_fmt: str = "yuv420p"
    source: str = SOURCE
    width: int = 176
    height: int = 144
    frames: int = 12

    def encode(self, folder: Path) -> Path:
        """Writes `<name>.264` and returns its path."""
        path = folder / f"{self.name}.264"
        source = self.source.format(width=self.width, height=self.height)
        command = [
            require_command("ffmpeg"),
            "-nostdin",
            "-v",
            "error",
            "-y",
            "-f",
            "lavfi",
            "-i",
            source,
        ]
        command += ["-frames:v", str(self.frames), "-pix_fmt", self.pix_fmt, "-c:v", "libx264"]
        # Deblocking is off: what libavcodec shows is then the very sum of prediction and residual.
        shared = "no-deblock=1:threads=1:scenecut=0:keyint=250:min-keyint=250:aq-mode=0"
        command += ["-preset", "medium", "-x264-params", f"{shared}:{self.x264}", str(path)]
        subprocess.run(command, check=True)
        return path


Planes = list[np.ndarray]  # Y, Cb, Cr (Y alone for monochrome), int32 [height, width]


def decode(path: Path, **options: str) -> list[Planes]:
    """Every frame in output order, as libavcodec gives it with these options of its own."""
    frames = []
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "NONE"
        container.streams.video[0].codec_context.options = options
        for frame in container.decode(video=0):
            frames.append([_plane(frame, plane) for plane in frame.planes])
    return frames


def _plane(frame: av.VideoFrame, plane: av.video.plane.VideoPlane) -> np.ndarray:
    dtype = np.dtype(np.uint16 if frame.format.components[0].bits > 8 else np.uint8)
    rows = np.frombuffer(plane, dtype).reshape(-1, plane.line_size // dtype.itemsize)
    return rows[: plane.height, : plane.width].astype(np.int32)


def display_order(keys: list[tuple[int, int]]) -> list[int]:
    """Output position of each picture in decoding order, from (IDR period, POC) keys."""
    order = sorted(range(len(keys)), key=keys.__getitem__)
    positions = [0] * len(keys)
    for position, picture in enumerate(order):
        positions[picture] = position
    return positions
