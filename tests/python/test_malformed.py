"""Every damaged, truncated, fuzzed or encrypted file gives counted pictures or a typed error."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from bounds import bounded
from data import STREAMS, require_stream

import cope

FILES = sorted(p for p in (STREAMS / "malformed").rglob("*") if p.is_file())


def test_there_are_files() -> None:
    require_stream("malformed")
    assert len(FILES) >= 70


@pytest.mark.parametrize("on_error", ["conceal", "skip", "raise"])
@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(STREAMS / "malformed")))
def test_file(path: Path, on_error: str) -> None:
    with bounded(seconds=10.0, megabytes=512), warnings.catch_warnings():
        warnings.simplefilter("ignore", cope.ConcealedDamageWarning)
        try:
            with cope.VideoReader(path, on_error=on_error) as video:
                lost = 0
                for picture in video.pictures(coefficients=True):
                    lost += int((picture.blocks.type == cope.BlockType.LOST).sum())
                    assert picture.motion.mv.shape[1:3] == picture.motion.ref_idx.shape[1:]
                assert lost == (video.stats.num_blocks_lost if on_error == "conceal" else 0)
        except cope.CopeError as error:
            assert str(error)
