"""Bounds on the time and memory of what a test does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_STATUS = Path("/proc/self/status")


def _memory_megabytes(name: str) -> float:
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) / 1024


@contextmanager
def bounded(*, seconds: float, megabytes: float) -> Iterator[None]:
    """Fails when the block takes more CPU time, or more memory at its peak on top of what was held
    before.
    """
    Path("/proc/self/clear_refs").write_text("5")  # sets the peak back to what is held now
    before = _memory_megabytes("VmRSS")
    start = time.process_time()
    yield
    elapsed = time.process_time() - start
    grown = _memory_megabytes("VmHWM") - before
    assert elapsed < seconds, f"{elapsed:.2f} s"
    assert grown < megabytes, f"{grown:.0f} MB"
