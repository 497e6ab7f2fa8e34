"""Runs the command line as a user does: in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from data import REPOSITORY, require_command

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def demo_clip() -> Path:
    """The clip that the project ships: 640x360, 25 frames/s, two scenes, B pictures."""
    return REPOSITORY / "examples" / "demo.mp4"


@pytest.fixture(scope="session")
def run() -> Run:
    """Runs `cope` with arguments and returns the finished process."""

    def run_cope(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "cope.cli", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, **environment},
        )

    return run_cope


@pytest.fixture(scope="session")
def pan_motion() -> tuple[int, int]:
    """How the content of `pan_clip` moves: luma samples per frame, (x, y)."""
    return 4, -2


def write_pan(path: Path, motion: tuple[int, int], width: int, height: int, *codec: str) -> Path:
    """Codes 12 frames of a texture that moves by `motion` from frame to frame, with B pictures."""
    rng = np.random.default_rng(1)
    coarse = rng.integers(40, 216, (height // 4 + 16, width // 4 + 16))
    texture = coarse.repeat(4, 0).repeat(4, 1).astype(np.uint8)
    raw = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{width}x{height}", "-r", "25", "-i", "-"]
    command = [require_command("ffmpeg"), "-v", "error", "-y", *raw]
    command += ["-c:v", *codec, "-pix_fmt", "yuv420p", "-bf", "2", "-crf", "20", str(path)]
    pictures = []
    for n in range(12):
        x, y = 48 - motion[0] * n, 8 - motion[1] * n  # the part shown moves the other way
        pictures.append(texture[y : y + height, x : x + width].tobytes())
    subprocess.run(command, input=b"".join(pictures), check=True)
    return path


@pytest.fixture(scope="session")
def pan_clip(pan_motion: tuple[int, int], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A texture that moves by `pan_motion` from frame to frame, 12 frames, with B pictures."""
    return write_pan(tmp_path_factory.mktemp("pan") / "pan.mp4", pan_motion, 192, 144, "libx264")


@pytest.fixture(scope="session")
def hevc_pan_clip(pan_motion: tuple[int, int], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same by H.265, at a size that is a multiple of 8 only."""
    path = tmp_path_factory.mktemp("pan") / "hevc.mp4"
    codec = ("libx265", "-x265-params", "log-level=error:pools=1:frame-threads=1")
    return write_pan(path, pan_motion, 200, 152, *codec)
