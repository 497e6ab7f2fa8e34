"""Makes small H.265 clips, and decodes them without the in-loop filters."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from clips import SOURCE, Planes, decode
from data import require_command


@dataclass(frozen=True)
class HevcClipConfig:
    """How one clip is coded."""

    name: str
    x265: str  # x265-params, besides those that every clip shares
    pix_fmt: str = "yuv420p"
    source: str = SOURCE
    width: int = 176
    height: int = 144
    frames: int = 10

    def encode(self, folder: Path) -> Path:
        """Writes `<name>.265` and returns its path."""
        path = folder / f"{self.name}.265"
        source = self.source.format(width=self.width, height=self.height)
        command = [require_command("ffmpeg"), "-nostdin", "-v", "error", "-y"]
        command += ["-f", "lavfi", "-i", source, "-frames:v", str(self.frames)]
        command += ["-pix_fmt", self.pix_fmt, "-c:v", "libx265", "-preset", "medium"]
        # What libavcodec shows is then the very sum of prediction and residual.
        shared = "no-deblock=1:no-sao=1:pools=1:frame-threads=1:scenecut=0:keyint=250"
        command += ["-x265-params", f"{shared}:log-level=error:{self.x265}", str(path)]
        subprocess.run(command, check=True)
        return path


def decode_unfiltered(path: Path) -> list[Planes]:
    """Every picture in output order, uncropped, as libavcodec gives it without in-loop filters.

    References then are not filtered either, so that a picture is the very sum of its prediction
    from them and its residual, whatever the stream says of filters.
    """
    return decode(path, skip_loop_filter="all", apply_cropping="0")
