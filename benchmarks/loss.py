r"""How much of a video can be read when packets are lost, beside what libavcodec calls undamaged.

    python benchmarks/loss.py [--streams STREAM ...] [--seeds N] [--json]

Slices travel in packets of 1400 bytes; of a NAL unit of which a packet is lost, the part before it
arrives. `parsed` is the share of all macroblocks that were read, each of them as it was sent
(tests/loss asserts it); `vectors` the share of which the motion is known as well; `references` the
share of entries in reference lists of which it is known which picture they mean; `libavcodec` the
share of frames that it hands out without an error flag, its concealment of missing references not
counted as an error.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import warnings
from pathlib import Path

import av
import numpy as np

import cope
from network import Delivery, join, lose_packets, split

DATA = Path(os.environ.get("COPE_TEST_DATA") or Path(__file__).resolve().parents[2] / "shared")
STREAMS = [
    "made/x264_slices8.264",
    "made/x264_direct_spatial_pyr.264",
    "made/x264_mbaff_tff.264",
    "jvt/BA1_FT_C.264",
    "jvt/FM1_FT_E.264",
    "jvt/CAPA1_TOSHIBA_B.264",
    "jvt/CABREF3_Sand_D.264",
    "jvt/CAMANL3_Sand_E.264",
]
RATES = (0.0, 0.01, 0.05, 0.2)
MOTION_LOST = 16  # bit of cope.Blocks.flags


def read(data: bytes) -> np.ndarray:
    """Macroblocks parsed, of these with their vectors; references named, of how many."""
    counts = np.zeros(4, np.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cope.ConcealedDamageWarning)
        with cope.VideoReader(data) as video:
            for picture in video.pictures(coefficients=False):
                is_lost = picture.blocks.type == cope.BlockType.LOST
                has_motion = (picture.blocks.flags & MOTION_LOST) == 0
                entries = [e for s in picture.references for refs in s for e in refs]
                known = sum(index >= 0 for index, _, _ in entries)
                counts += (~is_lost).sum(), (~is_lost & has_motion).sum(), known, len(entries)
    return counts


def decode(data: bytes) -> int:
    """Frames that libavcodec hands out without an error flag."""
    num_frames = 0
    try:
        with av.open(io.BytesIO(data), format="h264") as container:
            stream = container.streams.video[0]
            stream.thread_type = "NONE"
            for packet in container.demux(stream):
                try:
                    num_frames += sum(not frame.is_corrupt for frame in packet.decode())
                except av.FFmpegError:
                    continue
    except av.FFmpegError:
        pass
    return num_frames


def measure(sent: list[Delivery], rate: float, seeds: int) -> tuple[np.ndarray, float]:
    """The counts of `read` and `decode`, means over the seeds."""
    runs = range(seeds if rate else 1)
    counts, frames = [], []
    for seed in runs:
        data = join(lose_packets(sent, rate, random.Random(seed)))
        counts.append(read(data))
        frames.append(decode(data))
    return np.mean(counts, axis=0), float(np.mean(frames))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--streams", nargs="+", default=STREAMS, help="H.264 byte streams")
    parser.add_argument("--seeds", type=int, default=5, help="random losses per rate")
    parser.add_argument("--json", action="store_true", help="print one JSON object per line")
    arguments = parser.parse_args()
    av.logging.set_level(None)
    if not arguments.json:
        print("stream                          loss   parsed  vectors  references  libavcodec")
    for name in arguments.streams:
        path = Path(name) if Path(name).exists() else DATA / "streams" / "h264_conformance" / name
        sent = split(path.read_bytes())
        whole, all_frames = measure(sent, 0.0, 1)
        for rate in RATES:
            counts, frames = measure(sent, rate, arguments.seeds)
            row = {
                "stream": path.name,
                "loss": rate,
                "parsed": counts[0] / whole[0],
                "vectors": counts[1] / whole[0],
                "references": counts[2] / max(counts[3], 1),
                "libavcodec": frames / max(all_frames, 1),
            }
            if arguments.json:
                print(json.dumps(row))
                continue
            shares = [f"{row[key]:8.1%}" for key in ("parsed", "vectors", "references")]
            print(
                f"{path.name:<30} {rate:6.0%} {shares[0]} {shares[1]} {shares[2]:>11} "
                f"{row['libavcodec']:10.1%}",
                flush=True,
            )


if __name__ == "__main__":
    main()
