"""H.265 with slice segments missing: what is handed out unmarked is what was sent."""

from __future__ import annotations

import random
import warnings

import numpy as np
import numpy.typing as npt
import pytest
from data import require_stream

import cope
from cope.picture import BlockType, Picture

MOTION_LOST = 16  # of Blocks.flags
STREAMS = [
    "made/x265_slices4.bit",  # slices
    "made/x265_b_open_gop.bit",  # temporal prediction, B pyramid
    "made/kvz_wpp_slices.bit",  # dependent slice segments, wavefronts
    "made/kvz_tiles_3x2_slices.bit",  # slices of tiles
    "made/x265_temporal_layers.bit",
    "jmhm/hm_slices_bytes_wpp_dep.265",
]


def read(nals: list[bytes]) -> tuple[list[Picture], cope.ReadStats]:
    stream = b"".join(b"\0\0\1" + nal for nal in nals)
    with warnings.catch_warnings(), cope.VideoReader(stream) as video:
        warnings.simplefilter("ignore", cope.ConcealedDamageWarning)
        return list(video.pictures()), video.stats


def unmarked_differences(received: Picture, sent: Picture) -> int:
    """Blocks that are not as sent and do not say so."""
    blocks, theirs = received.blocks, sent.blocks
    is_read = blocks.type != BlockType.LOST
    wrong = is_read & ((blocks.type != theirs.type) | (blocks.qp != theirs.qp))
    has_motion = is_read & (blocks.flags & MOTION_LOST == 0)
    cells = blocks.size // 4
    covered: npt.NDArray[np.bool_] = np.kron(has_motion, np.ones((cells, cells), bool))
    a, b = received.motion, sent.motion
    differs = (a.ref_idx != b.ref_idx) | (a.ref_poc != b.ref_poc) | (a.mv != b.mv).any(axis=-1)
    return int(wrong.sum() + (differs.any(axis=0) & covered).sum())


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", STREAMS)
def test_what_is_unmarked_is_what_was_sent(name: str, seed: int) -> None:
    data = require_stream(f"hevc_conformance/{name}").read_bytes()
    nals = [nal.rstrip(b"\0") for nal in data.split(b"\0\0\1")[1:]]
    sent = {picture.info.poc: picture for picture in read(nals)[0]}
    assert len(sent) == len(read(nals)[0])  # one sequence: no picture order count comes twice
    chance = random.Random(seed)
    first = next(i for i, nal in enumerate(nals) if nal[0] >> 1 < 32)
    kept = [
        nal
        for i, nal in enumerate(nals)
        if i <= first or nal[0] >> 1 >= 32 or chance.random() >= 0.1
    ]
    pictures, stats = read(kept)
    assert len(pictures) > len(sent) // 2
    for picture in pictures:
        assert unmarked_differences(picture, sent[picture.info.poc]) == 0, picture.info
    assert stats.num_blocks_lost == sum(p.info.num_blocks_lost for p in pictures)


def test_repeated_and_late_segments() -> None:
    data = require_stream("hevc_conformance/made/x265_slices4.bit").read_bytes()
    nals = [nal.rstrip(b"\0") for nal in data.split(b"\0\0\1")[1:]]
    sent, _ = read(nals)
    is_segment = [nal[0] >> 1 < 16 for nal in nals]  # but of IDR pictures
    twice = [
        nal for nal, is_twice in zip(nals, is_segment, strict=True) for _ in range(1 + is_twice)
    ]
    pictures, stats = read(twice)
    assert stats.num_nal_units_repeated == sum(is_segment)
    assert [p._native.digest(0) for p in pictures] == [p._native.digest(0) for p in sent]
    late = nals.copy()
    moved = [i for i, is_moved in enumerate(is_segment) if is_moved][5]
    late.insert(moved + 20, late.pop(moved))
    pictures, stats = read(late)
    assert stats.num_nal_units_damaged == 1
    assert len(pictures) == len(sent)
    assert sum(p.info.num_blocks_lost > 0 for p in pictures) == 1
