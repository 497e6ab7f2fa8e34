r"""What Python adds to the native loops: CPU time of `VideoReader.pictures()`, `extract` and
`encode_video` against the same passes written in C++.

    python benchmarks/python_share.py [--clips CLIP ...] [--repeat N] [--encode] [--json]

Needs a build with `COPE_BUILD_TESTS=ON`, for the native loops are part of the test module. One
thread, pinned to one core; the ways alternate, and the smallest CPU time of each counts. The share
of `encode_video` leaves the model and its inputs out, which it times itself.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cope
from cope import _native_testing as native

REPOSITORY = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("COPE_TEST_DATA") or REPOSITORY.parent / "shared")


def count(path: str) -> None:
    with cope.VideoReader(path, threads=1) as video:
        for _ in video.pictures():
            pass


def touch_everything(path: str) -> None:
    with cope.VideoReader(path, threads=1) as video:
        for picture in video.pictures():
            _ = picture.info, picture.motion.mv, picture.motion.ref_idx, picture.bits
            blocks, coefficients = picture.blocks, picture.coefficients
            _ = blocks.type, blocks.qp, blocks.partition, blocks.slice_idx
            _ = coefficients.records, coefficients.levels, coefficients.positions


def encode(path: str) -> float:
    """CPU seconds of reading, which `encode_video` tells apart from those of the model."""
    encoding: Any = importlib.import_module("cope.encode")
    encoding.time = types.SimpleNamespace(perf_counter=time.process_time)
    tokens = cope.encode_video(path, threads=1)
    return tokens.seconds - tokens.seconds_encode


def measure(path: str, repeat: int, with_encode: bool) -> dict[str, float]:
    ways: dict[str, Callable[[], Any]] = {
        "native pictures": lambda: native.count_pictures(path, 1),
        "pictures()": lambda: count(path),
        "pictures(), every array": lambda: touch_everything(path),
        "native windows": lambda: native.count_windows(path, 1, 0.125, 1.0),
        "extract": lambda: cope.extract(path, threads=1),
    }
    if with_encode:
        ways["encode_video, reading"] = lambda: encode(path)
    best: dict[str, float] = {}
    for _ in range(repeat):
        for name, run in ways.items():
            start = time.process_time()
            result = run()
            seconds = result if name.startswith("encode") else time.process_time() - start
            best[name] = min(best.get(name, seconds), seconds)
    return best


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--clips",
        nargs="*",
        type=Path,
        default=sorted((DATA / "streams" / "bench").glob("h264_*")),
        help="default: the H.264 clips of streams/bench under COPE_TEST_DATA",
    )
    parser.add_argument("--repeat", type=int, default=7, help="repetitions, the best one counts")
    parser.add_argument("--encode", action="store_true", help="encode_video as well (slow)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    args = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    results = {}
    for clip in args.clips:
        best = results[clip.name] = measure(str(clip), args.repeat, args.encode)
        if args.json:
            continue
        print(f"\n{clip.name}")
        for name, seconds in best.items():
            is_windows = name in ("extract", "encode_video, reading", "native windows")
            base = best["native windows" if is_windows else "native pictures"]
            print(f"  {name:26}{seconds * 1e3:9.1f} ms{100 * (seconds / base - 1):+8.1f} %")
    if args.json:
        print(json.dumps(results, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
