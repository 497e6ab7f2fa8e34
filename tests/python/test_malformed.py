"""Every damaged, truncated, fuzzed or encrypted file gives pictures with a count or a typed error."""

from __future__ import annotations

import resource
import time
import warnings

import pytest
from data import STREAMS, require_stream

import cope

FILES = sorted(p for p in (STREAMS / "malformed").rglob("*") if p.is_file())
MAX_SECONDS = 10.0
MAX_EXTRA_MEGABYTES = 1024


def test_there_are_files() -> None:
    require_stream("malformed")
    assert len(FILES) >= 70


@pytest.mark.parametrize("on_error", ["conceal", "skip", "raise"])
@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(STREAMS / "malformed")))
def test_file(path: object, on_error: str) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            with cope.VideoReader(path, on_error=on_error) as video:
                lost = 0
                for picture in video.pictures(coefficients=True):
                    lost += int((picture.blocks.type == 6).sum())
                    assert picture.motion.mv.shape[1:3] == picture.motion.ref_idx.shape[1:]
                if on_error == "conceal":
                    assert video.stats.num_blocks_lost == lost
                else:
                    assert lost == 0
        except cope.CopeError as error:
            assert str(error)
    assert time.process_time() - start < MAX_SECONDS
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) / 1024
    assert grown < MAX_EXTRA_MEGABYTES, f"{grown:.0f} MB"
