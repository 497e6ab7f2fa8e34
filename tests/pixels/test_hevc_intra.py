"""Residuals of intra blocks: what is left of the decoded samples is some intra prediction.

Which prediction a block has is not among what cope reads. But of all that there are, one from the
decoded samples around the block, plus our residual, must be the decoded block.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from clips import Planes, decode, display_order
from data import require_stream
from headers import trace_headers
from hevc_clips import decode_unfiltered
from hevc_intra import border, predictions

import cope

INTRA, DST, RDPCM = 1, 8, 16 | 32  # bits of a record's flags
MAX_BLOCKS = 60  # of one size, plane and set of flags in one picture


def ctb_size(path: Path) -> int:
    """In luma samples, as FFmpeg reads it."""
    sps = next(unit for unit in trace_headers(path) if unit.kind == "sps")
    minimum = sps.get("log2_min_luma_coding_block_size_minus3") + 3
    return 1 << (minimum + sps.get("log2_diff_max_min_luma_coding_block_size"))


def check_picture(
    picture: cope.Picture, frame: Planes, ctb: int, checked: Counter[tuple[int, int, int]]
) -> None:
    """Checks intra blocks that have levels, and counts them by plane, size and flags."""
    residual = cope.ops.residual(picture, scale=1)
    seen: Counter[tuple[int, int, int]] = Counter()
    for record in picture.coefficients.records:
        plane, flags = int(record["plane"]), int(record["flags"])
        size = 1 << (int(record["kind"]) - 2)
        key = plane, size, flags
        if not flags & INTRA or seen[key] >= MAX_BLOCKS:
            continue
        seen[key] += 1
        x, y = int(record["x"]), int(record["y"])
        samples = frame[plane]
        scale = frame[0].shape[1] // samples.shape[1], frame[0].shape[0] // samples.shape[0]
        depth = picture.info.bit_depth_chroma if plane else picture.info.bit_depth_luma
        block = np.s_[y : y + size, x : x + size]
        around = border(samples, x, y, size, scale, ctb, depth)
        ours = residual[plane][block].astype(np.int64)
        limit = (1 << depth) - 1
        if not any(
            np.array_equal(np.clip(prediction + ours, 0, limit), samples[block])
            for prediction in predictions(around, depth)
        ):
            pytest.fail(
                f"picture {picture.info.decode_index} (POC {picture.info.poc}) plane {plane}: no "
                f"prediction of the {size}x{size} block at ({x}, {y}), flags {flags:#x}, fits"
            )
    checked.update(seen)


def check_stream(path: Path, frames: Planes, num_pictures: int) -> Counter[tuple[int, int, int]]:
    with cope.VideoReader(path, on_error="raise") as video:
        pictures = list(video.pictures(coefficients=True))
    period, keys = 0, []
    for picture in pictures:
        period += picture.info.is_idr
        keys.append((period, picture.info.poc))
    ctb = ctb_size(path)
    checked: Counter[tuple[int, int, int]] = Counter()
    for picture, position in list(zip(pictures, display_order(keys), strict=True))[:num_pictures]:
        check_picture(picture, frames[position], ctb, checked)
    return checked


STREAMS = [
    "gen/hm_intra_amp_nosao.265",
    "gen/hm_ra_10_sl_dqp.265",
    "gen/hm_rext_400.265",
    "gen/hm_rext_422_cqp.265",
    "gen/hm_rext_444_ccp.265",
    "gen/x265_444_12.265",
    "gen/x265_lossless.265",
    "gen/x265_scalinglist_aq.265",
    "gen/x265_tskip_qp10.265",
    "hevc_conformance/hevcjs/i_64x64_10bit.265",
    "hevc_conformance/jmhm/hm_rext_420_12.265",
    "hevc_conformance/jmhm/hm_rext_444_12_all.265",
    "hevc_conformance/jmhm/hm_rext_444_intra_4x4chroma.265",
]


@pytest.mark.parametrize("name", STREAMS)
def test_intra_blocks_fit_a_prediction(name: str) -> None:
    path = require_stream(name)
    checked = check_stream(path, decode_unfiltered(path), num_pictures=2)
    assert checked.total() > 30, checked
    if "64x64" not in name:  # that encoder has no 4x4 blocks
        assert sum(n for (_, _, flags), n in checked.items() if flags & DST) > 20, checked


def test_a_wrong_residual_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """One sample that is 1 off must not pass."""
    path = require_stream(STREAMS[0])
    exact = cope.ops.residual

    def inexact(picture: cope.Picture, scale: int) -> tuple[np.ndarray, ...]:
        planes = exact(picture, scale=scale)
        record = picture.coefficients.records[0]
        planes[record["plane"]][record["y"] + 1, record["x"] + 2] += 1
        return planes

    monkeypatch.setattr(cope.ops, "residual", inexact)
    with pytest.raises(pytest.fail.Exception, match="no prediction of the"):
        check_stream(path, decode_unfiltered(path), num_pictures=1)


def test_implicit_rdpcm_without_loss() -> None:
    """The samples come from another stream: see `test_hevc_pixels.test_implicit_rdpcm`."""
    path = require_stream("hevc_conformance/made/kvz_lossless_rdpcm.bit")
    frames = decode(require_stream("hevc_conformance/made/kvz_lossless.bit"))
    checked = check_stream(path, frames, num_pictures=1)
    assert sum(n for (_, _, flags), n in checked.items() if flags & RDPCM) > 50, checked
