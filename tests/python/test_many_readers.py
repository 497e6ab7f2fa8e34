"""Readers side by side, readers left half way, exceptions and interrupts in the middle."""

from __future__ import annotations

import gc
import io
import itertools
import os
import signal
import subprocess
import sys
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from data import require_stream

import cope

STREAMS = [
    "h264_conformance/made/x264_direct_temporal.264",
    "h264_conformance/jmhm/paff_mbaff_cabac.264",
    "h264_conformance/jvt/CAMANL3_Sand_E.264",
    "clips/mozilla/short.mp4",
]


def num_threads() -> int:
    return len(os.listdir("/proc/self/task"))


def wait_for_threads(expected: int) -> None:
    """Threads end a moment after they are joined, as the kernel sees it."""
    deadline = time.monotonic() + 5
    while num_threads() > expected and time.monotonic() < deadline:
        time.sleep(0.01)
    assert num_threads() <= expected


def test_many_readers_at_once() -> None:
    """Sixteen readers in sixteen threads read what one reads alone."""
    paths = [require_stream(name) for name in STREAMS]
    alone = [list(cope.digest(path, threads=1)) for path in paths]
    with ThreadPoolExecutor(16) as pool:
        jobs = [pool.submit(lambda p: list(cope.digest(p, threads=3)), p) for p in paths * 4]
        for job, expected in zip(jobs, alone * 4, strict=True):
            assert job.result() == expected


def test_windows_and_pictures_at_once(small_clip: Path) -> None:
    def windows() -> list[np.ndarray]:
        with cope.VideoReader(small_clip) as video:
            steps = list(video.windows())
        return [step.motion for step in steps if isinstance(step, cope.DeltaWindow)]

    expected = windows()
    with ThreadPoolExecutor(4) as pool:
        results = [pool.submit(windows) for _ in range(4)]
        list(pool.map(lambda _: sum(1 for _ in cope.digest(small_clip)), range(4)))
        for result in results:
            for ours, theirs in zip(result.result(), expected, strict=True):
                np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("way", ["pictures", "windows", "headers"])
def test_left_half_way(way: str, natural_clip: Path) -> None:
    """Leaves no thread but the shared ones, no file and no hold on its source behind."""
    list(itertools.islice(cope.digest(natural_clip, threads=4), 8))
    before = num_threads()
    files = len(os.listdir("/proc/self/fd"))
    for count in range(1, 8):
        source = io.BytesIO(natural_clip.read_bytes())
        gone = weakref.ref(source)
        video = cope.VideoReader(source, threads=4)
        passes = {"pictures": video.pictures, "windows": video.windows, "headers": video._headers}
        steps = passes[way]()
        taken = list(itertools.islice(steps, count))
        assert len(taken) == count
        del video, passes, steps, taken, source
        gc.collect()
        assert gone() is None
    wait_for_threads(before)
    assert len(os.listdir("/proc/self/fd")) == files


class Broken(io.RawIOBase):
    """A file that fails for a reason of its own after some bytes."""

    def __init__(self, data: bytes, good: int) -> None:
        self._file = io.BytesIO(data)
        self._good = good

    def readinto(self, buffer: memoryview) -> int:
        if self._file.tell() >= self._good:
            raise ZeroDivisionError("my own reason")
        return self._file.readinto(buffer[: self._good - self._file.tell()])

    def readable(self) -> bool:
        return True


def read_all(source: Broken, *, windows: bool) -> None:
    with cope.VideoReader(source, threads=4) as video:
        for _ in video.windows() if windows else video.pictures():
            pass


def test_what_read_raises_frees_everything_and_spares_others() -> None:
    data = require_stream("h264_conformance/jvt/CAPA1_TOSHIBA_B.264").read_bytes()
    list(itertools.islice(cope.digest(data, threads=4), 8))
    before = num_threads()
    with cope.VideoReader(data, threads=2) as other:
        pictures = other.pictures()
        num_pictures = sum(1 for _ in itertools.islice(pictures, 10))
        for attempt in range(5):
            source = Broken(data, len(data) // 2 + attempt)
            gone = weakref.ref(source)
            with pytest.raises(ZeroDivisionError, match="my own reason"):
                read_all(source, windows=attempt % 2 == 1)
            del source
            gc.collect()
            assert gone() is None
        num_pictures += sum(1 for _ in pictures)
    assert num_pictures == 138
    wait_for_threads(before)


# Reads a video without end until it is interrupted, and says how long that took to come through.
INTERRUPTED = """
import gc, os, signal, sys, threading, time, weakref
import cope

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background ignores it

class Loop:
    def __init__(self, data):
        self.data, self.at = data, 0
    def read(self, size):
        part = self.data[self.at : self.at + size]
        self.at = (self.at + len(part)) % len(self.data)
        if not announced and time.monotonic() > start + 1:
            announced.append(True)
            print("reading", flush=True)
        return part

announced, start = [], time.monotonic()
for _ in range(2):  # their threads stay for the next reader
    sum(1 for _ in cope.digest(sys.argv[1], threads=4))
    cope.extract(sys.argv[1], density=cope.Density('all', 10), threads=4)
before = len(os.listdir("/proc/self/task"))
source = Loop(open(sys.argv[1], "rb").read())
gone = weakref.ref(source)
try:
    {read}
except KeyboardInterrupt:
    print(time.monotonic(), flush=True)
source = None
gc.collect()
deadline = time.monotonic() + 5
while len(os.listdir("/proc/self/task")) > before and time.monotonic() < deadline:
    time.sleep(0.01)
print(gone() is None, len(os.listdir("/proc/self/task")) - before, flush=True)
"""


@pytest.mark.parametrize(
    "read",
    [
        "cope.extract(source, density=cope.Density(0.01, 0.1), threads=4)",
        "cope.extract(source, density=cope.Density('all', 10), threads=4)",
        "cope.probe(source)",
        "sum(1 for _ in cope.digest(source, threads=4))",
        "sum(1 for _ in cope.VideoReader(source, threads=1).pictures())",
    ],
    ids=["extract", "extract-all", "probe", "digest", "pictures"],
)
def test_keyboard_interrupt(read: str) -> None:
    path = require_stream("h264_conformance/made/x264_direct_temporal.264")
    script = INTERRUPTED.replace("{read}", read)
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "reading\n"
        sent = time.monotonic()
        child.send_signal(signal.SIGINT)
        assert float(child.stdout.readline()) - sent < 1.0
        assert child.stdout.readline().split() == ["True", "0"]
    assert child.returncode == 0
