"""Composed windows under loss: a cell that is not marked lost reads as if nothing had been lost."""

from __future__ import annotations

import random
import subprocess
import warnings
from pathlib import Path

import av
import numpy as np
import pytest
from data import require_command

import cope

CLIPS = {
    "p": "bframes=0:ref=3:slices=4",
    "b_pyramid_spatial": "bframes=3:b-adapt=0:b-pyramid=normal:direct=spatial:slices=4",
    "b_temporal": "bframes=2:b-adapt=0:direct=temporal:ref=2:slices=3",
    "mbaff": "tff=1:bframes=2:b-adapt=0:slices=2",
    "single_slice": "bframes=1:ref=1:slices=1",
}
SOURCE = (
    "mandelbrot=size=176x144:rate=25:start_scale=0.3:end_scale=0.02:end_pts=100,"
    "noise=alls=6:allf=t,scroll=horizontal=0.01"
)
DENSITY = cope.Density(keyframes_per_second=0.5, deltas_per_second=6.0)


def encode(folder: Path, x264: str) -> Path:
    path = folder / "clip.mp4"
    command = [require_command("ffmpeg"), "-nostdin", "-v", "error", "-f", "lavfi", "-i", SOURCE]
    command += ["-frames:v", "100", "-c:v", "libx264", "-x264-params", f"keyint=50:qp=26:{x264}"]
    subprocess.run([*command, str(path)], check=True)
    return path


def lose_slices(path: Path, rate: float, seed: int) -> Path:
    """A copy of a file in which slices of P and B pictures are missing; times stay as they are."""
    rng = random.Random(seed)
    damaged = path.with_name(f"damaged-{seed}.mp4")
    with av.open(str(path)) as source, av.open(str(damaged), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is None:
                continue
            data = b"".join(
                nal
                for nal in length_prefixed(bytes(packet))
                if nal[4] & 31 != 1 or rng.random() >= rate
            )
            if not data:
                continue
            part = av.Packet(data)
            part.pts, part.dts, part.duration = packet.pts, packet.dts, packet.duration
            part.time_base, part.is_keyframe = packet.time_base, packet.is_keyframe
            part.stream = stream
            target.mux(part)
    return damaged


def length_prefixed(sample: bytes) -> list[bytes]:
    """The NAL units of a sample, each with its length of 4 bytes."""
    nals = []
    while sample:
        size = 4 + int.from_bytes(sample[:4], "big")
        nals.append(sample[:size])
        sample = sample[size:]
    return nals


def windows(path: Path) -> dict[tuple[float, float], cope.DeltaWindow]:
    with warnings.catch_warnings(), cope.VideoReader(path) as video:
        warnings.simplefilter("ignore", cope.ConcealedDamageWarning)
        steps = video.windows(density=DENSITY, cell=4, residual_scale=4, keyframes=False)
        return {
            (round(step.start, 4), round(step.timestamp, 4)): step
            for step in steps
            if isinstance(step, cope.DeltaWindow)
        }


@pytest.mark.parametrize("name", CLIPS)
def test_cells_not_marked_lost_are_true(name: str, tmp_path: Path) -> None:
    path = encode(tmp_path, CLIPS[name])
    truth = windows(path)
    assert len(truth) > 10
    assert not any(window.lost.any() for window in truth.values())
    num_compared = num_lost = 0
    for seed in range(3):
        for key, ours in windows(lose_slices(path, 0.08, seed)).items():
            if key not in truth:
                continue  # the picture that would have been the target is missing
            theirs = truth[key]
            known = ours.lost == 0
            for part in ("valid", "intra", "scaled"):
                np.testing.assert_array_equal(
                    getattr(ours, part)[known],
                    getattr(theirs, part)[known],
                    err_msg=f"{key} {part}",
                )
            for part in ("motion", "residual"):
                np.testing.assert_array_equal(
                    getattr(ours, part)[:, known],
                    getattr(theirs, part)[:, known],
                    err_msg=f"{key} {part}",
                )
            num_compared += int(known.sum())
            num_lost += int((~known).sum())
    assert num_compared > 0
    assert num_lost > 0
