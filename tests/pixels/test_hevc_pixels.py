"""Prediction from decoded references plus our residual equals the decoded H.265 picture.

Clips are coded, or streams decoded, without in-loop filters.

Proves vectors, reference indices, transforms, scaling and residual together: nothing of our own is
compared with itself. Every sample of every inter coding unit must be equal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from clips import FADE, Planes, decode, display_order
from data import require_stream
from hevc_clips import HevcClipConfig, decode_unfiltered
from hevc_prediction import Weights, predict_picture, read_weights

import cope

INTER, SKIP = cope.BlockType.INTER, cope.BlockType.SKIP

CLIPS = [
    HevcClipConfig("p_only", "bframes=0:ref=1:qp=24:weightp=0"),
    HevcClipConfig("p_refs_rect_amp", "bframes=0:ref=4:qp=26:weightp=0:rect=1:amp=1"),
    HevcClipConfig("p_low_qp", "bframes=0:qp=2:weightp=0:min-cu-size=8"),
    HevcClipConfig("p_high_qp", "bframes=0:qp=44:weightp=0"),
    HevcClipConfig("p_no_tmvp", "bframes=0:qp=26:weightp=0:no-temporal-mvp=1"),
    HevcClipConfig("p_ratecontrol", "bframes=0:bitrate=200:weightp=0:aq-mode=2"),
    HevcClipConfig("b_pyramid", "bframes=4:b-adapt=0:b-pyramid=1:qp=24:weightp=0"),
    HevcClipConfig(
        "b_rect_amp_ctu16",
        "bframes=3:b-adapt=0:ref=4:rect=1:amp=1:ctu=16:qp=22:weightp=0:max-merge=5",
    ),
    HevcClipConfig(
        "b_deep_trees", "bframes=3:tu-inter-depth=4:tu-intra-depth=4:ctu=32:qp=20:weightp=0"
    ),
    HevcClipConfig("p_weighted", "bframes=0:weightp=1:ref=3:qp=24", source=FADE),
    HevcClipConfig("b_weighted", "bframes=2:b-adapt=0:weightp=1:weightb=1:qp=24", source=FADE),
    HevcClipConfig("scaling_lists", "bframes=2:scaling-list=default:qp=18:weightp=0"),
    HevcClipConfig("transform_skip", "bframes=2:tskip=1:qp=12:weightp=0"),
    HevcClipConfig("chroma_qp", "bframes=0:qp=28:cbqpoffs=-7:crqpoffs=5:weightp=0"),
    HevcClipConfig("slices", "bframes=2:slices=3:ctu=16:qp=26:weightp=0", height=192),
    HevcClipConfig("cu_lossless", "bframes=2:cu-lossless=1:qp=8:weightp=0"),
    HevcClipConfig("lossless", "bframes=2:lossless=1:weightp=0"),
    HevcClipConfig("odd_size", "bframes=2:ctu=64:qp=24:weightp=0", width=184, height=136),
    HevcClipConfig("main10", "bframes=2:qp=30:weightp=0", pix_fmt="yuv420p10le"),
    HevcClipConfig(
        "main10_lists", "bframes=2:qp=20:scaling-list=default:weightp=1", pix_fmt="yuv420p10le"
    ),
    HevcClipConfig("main12", "bframes=2:qp=30:weightp=0", pix_fmt="yuv420p12le"),
    HevcClipConfig("rext422", "bframes=2:qp=24:weightp=0:rect=1", pix_fmt="yuv422p"),
    HevcClipConfig(
        "rext422_10",
        "bframes=2:qp=28:scaling-list=default:weightp=1",
        pix_fmt="yuv422p10le",
        source=FADE,
    ),
    HevcClipConfig("rext444", "bframes=2:qp=24:weightp=0:rect=1", pix_fmt="yuv444p"),
    HevcClipConfig(
        "rext444_lists", "bframes=2:qp=18:scaling-list=default:weightp=0", pix_fmt="yuv444p"
    ),
    HevcClipConfig("rext444_10", "bframes=2:qp=28:tskip=1:weightp=0", pix_fmt="yuv444p10le"),
    HevcClipConfig("monochrome", "bframes=2:qp=24:weightp=0", pix_fmt="gray"),
]


@dataclass
class Coverage:
    """What the compared blocks used; blocks are of the smallest coding block size."""

    num_inter: int = 0
    num_bi: int = 0
    num_weighted: int = 0
    num_coded: int = 0  # inter blocks with a luma residual
    fractions: set[int] = field(default_factory=set)


def read(path: Path) -> list[cope.Picture]:
    with cope.VideoReader(path, on_error="raise") as video:
        return list(video.pictures(coefficients=True))


def check_pictures(
    path: Path, pictures: list[cope.Picture], frames: list[Planes], first: int | None = None
) -> Coverage:
    """Compares every inter coding unit, of all pictures or of the first ones in decoding order.

    Raises on the first that differs.
    """
    assert len(pictures) == len(frames)
    if pictures[0].info.chroma_format_idc == 0:
        frames = [frame[:1] for frame in frames]
    slices = iter(read_weights(path))
    period, keys = 0, []
    for picture in pictures:
        period += picture.info.is_idr
        keys.append((period, picture.info.poc))
    references: dict[int, list[np.ndarray]] = {}
    coverage = Coverage()
    for picture, position in list(zip(pictures, display_order(keys), strict=True))[:first]:
        weights = [next(slices) for _ in range(picture.info.num_slices)]
        frame = frames[position]
        if picture.info.is_idr:
            references = {}
        if np.isin(picture.blocks.type, (INTER, SKIP)).any():
            check_picture(picture, frame, references, weights, coverage)
        references[picture.info.poc] = frame
    return coverage


def check_picture(
    picture: cope.Picture,
    frame: list[np.ndarray],
    references: dict[int, list[np.ndarray]],
    weights: list[Weights],
    coverage: Coverage,
) -> None:
    info, motion = picture.info, picture.motion
    assert frame[0].shape == (info.height, info.width)
    inter = np.isin(picture.blocks.type, (INTER, SKIP))
    cells = motion.ref_idx.shape[1] // inter.shape[0]
    slice_idx = np.repeat(np.repeat(picture.blocks.slice_idx, cells, axis=0), cells, axis=1)
    depths = (info.bit_depth_luma, info.bit_depth_chroma)
    predicted = predict_picture(
        motion.mv, motion.ref_idx, motion.ref_poc, references, weights, slice_idx, depths
    )
    residual = cope.ops.residual(picture, scale=1)
    for index, (plane, decoded) in enumerate(zip(predicted, frame, strict=True)):
        total = plane + residual[index].astype(np.int32)
        ours = np.clip(total, 0, (1 << depths[min(index, 1)]) - 1)
        rows, columns = decoded.shape[0] // inter.shape[0], decoded.shape[1] // inter.shape[1]
        here = np.repeat(np.repeat(inter, rows, axis=0), columns, axis=1)
        wrong = (ours != decoded) & here
        if wrong.any():
            y, x = np.argwhere(wrong)[0]
            by, bx = y // rows, x // columns
            by4, bx4 = y * cells // rows, x * cells // columns
            pytest.fail(
                f"picture {info.decode_index} (POC {info.poc}) plane {index}: {wrong.sum()} of "
                f"{here.sum()} samples differ; first at ({x}, {y}): predicted {plane[y, x]} + "
                f"residual {residual[index][y, x]}, decoded {decoded[y, x]}; "
                f"mv {motion.mv[:, by4, bx4].tolist()}, "
                f"ref_idx {motion.ref_idx[:, by4, bx4].tolist()}, "
                f"qp {picture.blocks.qp[by, bx]}, flags {picture.blocks.flags[by, bx]:#x}"
            )
    bi = (motion.ref_idx >= 0).all(axis=0)
    coverage.num_inter += int(inter.sum())
    coverage.num_bi += int(bi.sum())
    coverage.num_weighted += sum(len(w.table) > 0 for w in weights)
    height, width = inter.shape
    coded = residual[0].reshape(height, 4 * cells, width, 4 * cells) != 0
    coverage.num_coded += int((coded.any(axis=(1, 3)) & inter).sum())
    mv = motion.mv[motion.ref_idx >= 0]
    coverage.fractions |= set(np.unique((mv[:, 0] & 3) + 4 * (mv[:, 1] & 3)).tolist())


@pytest.mark.parametrize("config", CLIPS, ids=lambda config: config.name)
def test_inter_blocks_equal_decoded_samples(config: HevcClipConfig, tmp_path: Path) -> None:
    path = config.encode(tmp_path)
    coverage = check_pictures(path, read(path), decode(path))
    assert coverage.num_inter > 1000, coverage
    assert coverage.num_coded > 30, coverage
    assert len(coverage.fractions) >= 12, coverage
    if "bframes=0" not in config.x265:
        assert coverage.num_bi > 100, coverage
    if "weighted" in config.name:
        assert coverage.num_weighted > 0, coverage


def test_a_wrong_vector_is_found(tmp_path: Path) -> None:
    """One vector of one 4x4 block must not pass when it is two samples off."""
    path = CLIPS[0].encode(tmp_path)
    pictures, frames = read(path), decode(path)
    check_pictures(path, pictures, frames)
    motion = pictures[3].motion
    mv = motion.mv.copy()
    y, x = np.argwhere(motion.ref_idx[0] >= 0)[40]
    mv[0, y, x, 0] += 8
    pictures[3].motion = SimpleNamespace(mv=mv, ref_idx=motion.ref_idx, ref_poc=motion.ref_poc)
    with pytest.raises(pytest.fail.Exception, match=r"picture 3 .* samples differ"):
        check_pictures(path, pictures, frames)


# Streams of other encoders and of other settings.
STREAMS = [
    "gen/hm_ld_depslices_wpp.265",
    "gen/hm_ldb_wpb_tiles2x2.265",
    "gen/hm_ldp_wp_tskip.265",
    "gen/hm_ra_10_sl_dqp.265",
    "gen/hm_ra_lossless_tqb.265",
    "gen/hm_ra_mincu16_mintu8.265",
    "gen/hm_ra_parmrg5.265",
    "gen/hm_ra_tiles_pcm.265",
    "gen/hm_rext_400.265",
    "gen/hm_rext_422_cqp.265",
    "gen/hm_rext_444_ccp.265",
    "hevc_conformance/hevcjs/full_qcif_10f.265",
    "hevc_conformance/jmhm/hm_amp_mincu8_ra64.265",
    "hevc_conformance/jmhm/hm_ldb_longterm_lists.265",
    "hevc_conformance/jmhm/hm_ra_lists_mod.265",
    "hevc_conformance/jmhm/hm_rext_420_12.265",
    "hevc_conformance/jmhm/hm_rext_444_12_all.265",
    "hevc_conformance/jmhm/hm_rext_444_chromaqpadj.265",
    "hevc_conformance/jmhm/hm_rext_444_rdpcm_inter.265",
    "hevc_conformance/made/kvz_lossless.bit",
    "hevc_conformance/made/kvz_nofilter.bit",
    "hevc_conformance/made/kvz_smp_amp.bit",
    "hevc_conformance/made/x265_444_12_lossless.bit",
    "hevc_conformance/made/x265_cip.bit",
    "hevc_conformance/made/x265_nofilter.bit",
    "hevc_conformance/made/x265_nofilter_hq.bit",
]


@pytest.mark.parametrize("name", STREAMS)
def test_streams_of_other_encoders(name: str) -> None:
    path = require_stream(name)
    coverage = check_pictures(path, read(path), decode_unfiltered(path), first=5)
    assert coverage.num_inter > 300, coverage


def test_implicit_rdpcm() -> None:
    """libavcodec (62.28) accumulates chroma residuals of inter coding units here, as if of intra
    ones; its pictures do not have the checksums that the stream tells.

    The encoder coded the same video without loss in another stream, which gives the true samples.
    """
    path = require_stream("hevc_conformance/made/kvz_lossless_rdpcm.bit")
    frames = decode(require_stream("hevc_conformance/made/kvz_lossless.bit"))
    coverage = check_pictures(path, read(path), frames, first=8)
    assert coverage.num_coded > 1000, coverage
