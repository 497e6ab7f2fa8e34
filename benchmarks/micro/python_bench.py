"""The Python side by pytest-benchmark: passes over a clip beside the same passes in C++, and what a
picture's parts cost.

    pip install pytest-benchmark
    pytest benchmarks/micro/python_bench.py

Needs a build with `COPE_BUILD_TESTS=ON`, for the native loops are part of the test module, and the
clips of streams/bench under COPE_TEST_DATA. Times are CPU times of one thread.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import cope
from cope import _native_testing as native

DATA = Path(os.environ.get("COPE_TEST_DATA") or Path(__file__).resolve().parents[3] / "shared")
CLIPS = sorted((DATA / "streams" / "bench").glob("*.mp4"))
Benchmark = Callable[..., Any]

pytestmark = [
    pytest.mark.benchmark(timer=time.process_time, min_rounds=3),
    pytest.mark.skipif(not CLIPS, reason=f"no clips under {DATA}: set COPE_TEST_DATA"),
]


@pytest.fixture(params=CLIPS, ids=lambda clip: clip.stem)
def clip(request: pytest.FixtureRequest, benchmark: Any) -> str:
    """One clip; the ways to read it make a group."""
    way = request.function.__name__.removeprefix("test_").split("_")[-1]
    benchmark.group = f"{request.param.stem}: {way}"
    return str(request.param)


@pytest.fixture
def picture() -> Iterator[cope.Picture]:
    """The second picture of a clip, which is an inter picture."""
    with cope.VideoReader(CLIPS[0], threads=1) as video:
        pictures = video.pictures()
        next(pictures)
        yield next(pictures)


def read_pictures(path: str, touch: Callable[[cope.Picture], object]) -> None:
    with cope.VideoReader(path, threads=1) as video:
        for picture in video.pictures():
            touch(picture)


def touch_arrays(picture: cope.Picture) -> tuple[object, ...]:
    blocks, coefficients = picture.blocks, picture.coefficients
    return (
        *(picture.motion.mv, picture.motion.ref_idx, picture.bits),
        *(blocks.type, blocks.qp, blocks.partition, blocks.slice_idx),
        *(coefficients.records, coefficients.levels, coefficients.positions),
    )


def test_native_pictures(benchmark: Benchmark, clip: str) -> None:
    benchmark(native.count_pictures, clip, 1)


def test_pictures(benchmark: Benchmark, clip: str) -> None:
    benchmark(read_pictures, clip, lambda picture: None)


def test_every_array_of_pictures(benchmark: Benchmark, clip: str) -> None:
    benchmark(read_pictures, clip, touch_arrays)


def test_native_windows(benchmark: Benchmark, clip: str) -> None:
    benchmark(native.count_windows, clip, 1, 0.125, 1.0)


def test_extract_windows(benchmark: Benchmark, clip: str) -> None:
    benchmark(cope.extract, clip, threads=1)


@pytest.mark.benchmark(group="one picture", timer=time.perf_counter)
def test_arrays_of_a_picture(benchmark: Benchmark, picture: cope.Picture) -> None:
    benchmark(lambda: touch_arrays(cope.Picture(picture._native)))


@pytest.mark.benchmark(group="one picture", timer=time.perf_counter)
def test_info_of_a_picture(benchmark: Benchmark, picture: cope.Picture) -> None:
    benchmark(lambda: cope.Picture(picture._native).info)
