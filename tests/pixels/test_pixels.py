"""Prediction from decoded references plus our residual equals the decoded picture.

Proves vectors, reference indices, transform, scaling and residual together: nothing of our own is
compared with itself. Every sample of every inter macroblock must be equal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from clips import FADE, MOVING, ClipConfig, decode, display_order
from data import require_stream
from reconstruct import (
    Fields,
    SliceWeights,
    by_address,
    predict_mbaff,
    predict_picture,
    read_slices,
)
from unfiltered import without_loop_filter

import cope

INTER, SKIP = cope.BlockType.INTER, cope.BlockType.SKIP
FIELD_BLOCK = 4  # bit of cope.Picture.blocks.flags
PARITIES = {"top": 0, "bottom": 1}  # structures that are fields

CLIPS = [
    ClipConfig("p_cavlc", "bframes=0:ref=1:qp=24:weightp=0:cabac=0:8x8dct=0:partitions=p8x8"),
    ClipConfig("p_sub4x4", "bframes=0:ref=1:qp=22:weightp=0:8x8dct=0:partitions=all:subme=9"),
    ClipConfig("p_refs", "bframes=0:ref=8:qp=26:weightp=0:8x8dct=1:mixed-refs=1"),
    ClipConfig("p_low_qp", "bframes=0:qp=2:weightp=0:8x8dct=1"),
    ClipConfig("p_high_qp", "bframes=0:qp=44:weightp=0:8x8dct=1"),
    ClipConfig("p_ratecontrol", "bframes=0:bitrate=200:weightp=0:aq-mode=1"),
    ClipConfig("b_spatial", "bframes=3:b-adapt=0:direct=spatial:weightb=0:weightp=0:qp=24"),
    ClipConfig("b_temporal", "bframes=3:b-adapt=0:direct=temporal:weightb=0:weightp=0:qp=24"),
    ClipConfig(
        "b_pyramid_8x8_cavlc", "bframes=5:b-adapt=0:b-pyramid=normal:cabac=0:weightb=0:qp=20"
    ),
    ClipConfig(
        "b_implicit", "bframes=4:b-adapt=0:b-pyramid=normal:weightb=1:weightp=0:ref=4:qp=24"
    ),
    ClipConfig("p_weighted", "bframes=0:weightp=2:ref=4:qp=24", source=FADE),
    ClipConfig("b_weighted", "bframes=2:b-adapt=0:weightp=2:weightb=1:qp=24", source=FADE),
    ClipConfig("cqm_jvt", "bframes=2:b-adapt=0:weightp=0:cqm=jvt:qp=18"),
    ClipConfig(
        "cqm_custom",
        "bframes=0:weightp=0:qp=20:cqm8p=" + ",".join(str(10 + i // 2) for i in range(64)),
    ),
    ClipConfig("chroma_qp", "bframes=0:weightp=0:qp=30:chroma-qp-offset=-9"),
    ClipConfig("slices", "bframes=2:b-adapt=0:slices=5:weightp=0:qp=26"),
    ClipConfig("lossless", "qp=0:bframes=0:weightp=0"),
    ClipConfig(
        "hi422", "bframes=2:b-adapt=0:qp=24:weightp=2:ref=3", pix_fmt="yuv422p", source=FADE
    ),
    ClipConfig(
        "hi422_10", "bframes=2:b-adapt=0:qp=30:weightp=2", pix_fmt="yuv422p10le", source=FADE
    ),
    ClipConfig("hi10", "bframes=2:b-adapt=0:qp=30:8x8dct=1:cqm=jvt", pix_fmt="yuv420p10le"),
    ClipConfig("hi10_cavlc", "bframes=2:b-adapt=0:qp=12:cabac=0:8x8dct=1", pix_fmt="yuv420p10le"),
    ClipConfig("hi444", "bframes=2:b-adapt=0:qp=24:8x8dct=1", pix_fmt="yuv444p"),
    ClipConfig("hi444_cavlc_cqm", "bframes=2:b-adapt=0:qp=24:cabac=0:cqm=jvt", pix_fmt="yuv444p"),
    ClipConfig("hi444_lossless", "qp=0:bframes=0", pix_fmt="yuv444p"),
    ClipConfig("mbaff_p", "tff=1:bframes=0:qp=24:weightp=0", height=160, source=MOVING),
    ClipConfig("mbaff_cavlc", "bff=1:bframes=0:qp=28:cabac=0:8x8dct=1", height=160, source=MOVING),
    ClipConfig("mbaff_b_spatial", "tff=1:bframes=3:b-adapt=0:qp=26", height=160, source=MOVING),
    ClipConfig(
        "mbaff_b_temporal_implicit",
        "bff=1:bframes=3:b-adapt=0:direct=temporal:weightb=1:qp=24",
        height=160,
        source=MOVING,
    ),
    ClipConfig(
        "mbaff_hi422_10",
        "tff=1:bframes=2:b-adapt=0:qp=30:8x8dct=1",
        pix_fmt="yuv422p10le",
        height=160,
        source=MOVING,
    ),
    ClipConfig("monochrome", "bframes=2:b-adapt=0:qp=24", pix_fmt="gray"),
    ClipConfig(
        "mbaff_hi444_10_cavlc",
        "tff=1:bframes=2:b-adapt=0:qp=28:cabac=0:8x8dct=1",
        pix_fmt="yuv444p10le",
        height=160,
        source=MOVING,
    ),
    ClipConfig(
        "mbaff_hi422_temporal",
        "bff=1:bframes=2:b-adapt=0:direct=temporal:qp=26:cqm=jvt",
        pix_fmt="yuv422p",
        height=160,
        source=MOVING,
    ),
    ClipConfig("mbaff_lossless", "tff=1:qp=0:bframes=0", height=160, source=MOVING),
    ClipConfig(
        "mbaff_slices_implicit",
        "tff=1:bframes=2:b-adapt=0:slices=3:weightb=1:ref=3:qp=26",
        height=160,
        source=MOVING,
    ),
    ClipConfig("hi444_10_lossless", "qp=0:bframes=0", pix_fmt="yuv444p10le"),
    ClipConfig("hi422_lossless_cavlc", "qp=0:bframes=0:cabac=0", pix_fmt="yuv422p"),
    ClipConfig("hi444_10_weighted", "bframes=2:b-adapt=0:qp=26:weightp=2", "yuv444p10le", FADE),
]


@dataclass
class Coverage:
    """What the compared macroblocks used."""

    num_inter: int = 0
    num_bi: int = 0
    num_weighted: int = 0
    num_coded: int = 0  # inter macroblocks with a luma residual
    num_field_pairs: int = 0  # of MBAFF frames
    num_fields: int = 0  # field pictures
    modes: set[str] = field(default_factory=set)
    fractions: set[int] = field(default_factory=set)


def check_clip(path: Path) -> Coverage:
    """Compares every inter macroblock of a clip; raises on the first that differs."""
    with cope.VideoReader(path, on_error="raise") as video:
        pictures = list(video.pictures(coefficients=True))
    return check_pictures(path, pictures)


def check_pictures(path: Path, pictures: list[cope.Picture]) -> Coverage:
    frames = decode(path)
    assert len(frames) == sum(not picture.info.is_second_field for picture in pictures)
    if pictures[0].info.chroma_format_idc == 0:
        frames = [frame[:1] for frame in frames]  # libavcodec shows monochrome with grey chroma
    slices = iter(read_slices(path))
    shown = iter(display_order(frame_keys(pictures)))
    references: dict[int, list[np.ndarray]] = {}
    fields: dict[int, tuple[int, list[np.ndarray]]] = {}
    coverage = Coverage()
    frame: list[np.ndarray] = []
    first_poc = 0
    for picture in pictures:
        info = picture.info
        headers = [next(slices) for _ in range(info.num_slices)]
        if not info.is_second_field:
            frame = frames[next(shown)]
        if info.is_idr:
            references, fields = {}, {}
        poc, delta = info.poc, headers[0].delta_pic_order_cnt_bottom
        field_pocs = (poc, poc + delta) if delta >= 0 else (poc - delta, poc)
        parity = PARITIES.get(info.structure)
        decoded = frame if parity is None else [plane[parity::2] for plane in frame]
        if np.isin(picture.blocks.type, (INTER, SKIP)).any():
            weights = [header.weights for header in headers]
            if parity is None:
                known = Fields(field_pocs, fields)
                check_picture(picture, decoded, references, known, weights, coverage)
            else:
                known = Fields((poc, poc), fields)
                planes = {p: planes for p, (_, planes) in fields.items()}
                check_picture(picture, decoded, planes, known, weights, coverage)
        if parity is not None:
            fields[poc] = parity, decoded
            if info.is_second_field:
                references[min(first_poc, poc)] = frame
            first_poc = poc
            continue
        references[poc] = frame
        for parity in range(2):
            fields[field_pocs[parity]] = parity, [plane[parity::2] for plane in frame]
    return coverage


def frame_keys(pictures: list[cope.Picture]) -> list[tuple[int, int]]:
    """IDR period and picture order count of each frame, both fields together."""
    period, keys = 0, []
    for picture in pictures:
        period += picture.info.is_idr
        if picture.info.is_second_field:
            keys[-1] = keys[-1][0], min(keys[-1][1], picture.info.poc)
        else:
            keys.append((period, picture.info.poc))
    return keys


def check_picture(
    picture: cope.Picture,
    frame: list[np.ndarray],
    references: dict[int, list[np.ndarray]],
    fields: Fields,
    weights: list[SliceWeights],
    coverage: Coverage,
) -> None:
    info = picture.info
    inter = np.isin(picture.blocks.type, (INTER, SKIP))
    by_slice = np.array([*weights, SliceWeights("default")], dtype=object)
    block_slices = np.minimum(picture.blocks.slice_idx.astype(int), len(weights))
    block_weights = by_slice[np.repeat(np.repeat(block_slices, 4, axis=0), 4, axis=1)]
    motion, ref_idx = picture.motion, picture.motion.ref_idx
    depths = (info.bit_depth_luma, info.bit_depth_chroma)
    arguments = (info.poc, motion.mv, ref_idx, motion.ref_poc, references, block_weights, depths)
    residual = cope.ops.residual(picture, scale=1)
    if info.mbaff:
        field_pairs = (picture.blocks.flags[::2] & FIELD_BLOCK) != 0
        predicted = predict_mbaff(*arguments, fields, field_pairs)
        frame = [by_address(plane, field_pairs) for plane in frame]
        residual = tuple(by_address(plane, field_pairs) for plane in residual[: len(frame)])
        coverage.num_field_pairs += int(field_pairs.sum())
    elif info.structure != "frame":
        # Table 8-9: fields of other parity lie half a row away, which luma vectors include.
        parity, is_420 = PARITIES[info.structure], info.chroma_format_idc == 1
        offsets = {p: 2 * (parity - q) * is_420 for p, (q, _) in fields.references.items()}
        predicted = predict_picture(*arguments, offsets)
        coverage.num_fields += 1
    else:
        predicted = predict_picture(*arguments)
    for index, (plane, decoded) in enumerate(zip(predicted, frame, strict=True)):
        depth = info.bit_depth_chroma if index else info.bit_depth_luma
        height, width = decoded.shape
        total = plane + residual[index][:height, :width].astype(np.int32)
        ours = np.clip(total, 0, (1 << depth) - 1)
        rows, columns = height // inter.shape[0], width // inter.shape[1]
        here = np.repeat(np.repeat(inter, rows, axis=0), columns, axis=1)
        wrong = (ours != decoded) & here
        if wrong.any():
            y, x = np.argwhere(wrong)[0]
            mb = y // rows * inter.shape[1] + x // columns
            by4, bx4 = y * 4 // rows, x * 4 // columns
            pytest.fail(
                f"picture {info.decode_index} (POC {info.poc}) plane {index}: {wrong.sum()} of "
                f"{here.sum()} samples differ; first in macroblock {mb} at ({x}, {y}): "
                f"predicted {plane[y, x]} + residual {residual[index][y, x]}, decoded "
                f"{decoded[y, x]}; mv {picture.motion.mv[:, by4, bx4].tolist()}, "
                f"ref_idx {ref_idx[:, by4, bx4].tolist()}, qp {picture.blocks.qp.flat[mb]}, "
                f"flags {picture.blocks.flags.flat[mb]:#x}, "
                f"weights {block_weights[by4, bx4].mode}"
            )
    bi = (ref_idx >= 0).all(axis=0)
    coverage.num_inter += int(inter.sum())
    coverage.num_bi += int(bi.sum())
    coverage.modes |= {w.mode for w in weights}
    coverage.num_weighted += sum(len(w.table) > 0 for w in weights)
    height, width = inter.shape
    coded = (residual[0].reshape(height, 16, width, 16) != 0).any(axis=(1, 3))
    coverage.num_coded += int((coded & inter).sum())
    mv = picture.motion.mv[ref_idx >= 0]
    coverage.fractions |= set(np.unique((mv[:, 0] & 3) + 4 * (mv[:, 1] & 3)).tolist())


@pytest.mark.parametrize("config", CLIPS, ids=lambda config: config.name)
def test_inter_macroblocks_equal_decoded_samples(config: ClipConfig, tmp_path: Path) -> None:
    coverage = check_clip(config.encode(tmp_path))
    assert coverage.num_inter > 300, coverage
    assert coverage.num_coded > 30, coverage
    assert len(coverage.fractions) == 16, coverage
    if "bframes=0" not in config.x264:
        assert coverage.num_bi > 100, coverage
    if "mbaff" in config.name:
        assert coverage.num_field_pairs > 30, coverage
    if "implicit" in config.name:
        assert "implicit" in coverage.modes
    if "weighted" in config.name or config.source is FADE:
        assert coverage.num_weighted > 0, coverage


def test_a_wrong_vector_is_found(tmp_path: Path) -> None:
    """One vector of one 4x4 block must not pass when it is two samples off."""
    path = CLIPS[0].encode(tmp_path)
    with cope.VideoReader(path) as video:
        pictures = list(video.pictures())
    check_pictures(path, pictures)
    motion = pictures[3].motion
    mv = motion.mv.copy()
    y, x = np.argwhere(motion.ref_idx[0] >= 0)[40]
    mv[0, y, x, 0] += 8
    pictures[3].motion = SimpleNamespace(mv=mv, ref_idx=motion.ref_idx, ref_poc=motion.ref_poc)
    with pytest.raises(pytest.fail.Exception, match=r"picture 3 .* samples differ"):
        check_pictures(path, pictures)


# Streams of other encoders with the loop filter off in every slice, uncropped.
STREAMS = [
    "jvt/AUD_MW_E.264",
    "jvt/CANL4_SVA_B.264",
    "jvt/NLMQ2_JVC_C.264",
    "jvt/SVA_CL1_E.264",
    "jvt/SVA_NL2_E.264",
    "vendor_goh264/cabac_b4x4_temporal_direct_sub.h264",
    "vendor_goh264/cabac_b8x8_temporal_direct_sub.h264",
    "vendor_goh264/cavlc_b4x4_spatial_direct_sub.h264",
    "vendor_goh264/cavlc_b8x8_spatial_direct_sub.h264",
    "vendor_goh264/high10_implicit_weight_b_cabac.h264",
    "vendor_goh264/high10_partitioned_implicit_weight_b8x8_cavlc.h264",
    "vendor_goh264/high10_partitioned_p_cabac.h264",
    "vendor_goh264/high10_weighted422_cavlc_p.h264",
    "vendor_goh264/high10_weighted444_cabac_p.h264",
    "vendor_goh264/high10_weighted_cavlc_p16x16.h264",
    "vendor_goh264/high12_p16x16_cavlc_p.h264",
]


@pytest.mark.parametrize("name", STREAMS)
def test_streams_of_other_encoders(name: str) -> None:
    coverage = check_clip(require_stream(f"h264_conformance/{name}"))
    assert coverage.num_inter > 0, coverage


# Streams of other encoders that use the loop filter, which is turned off in their headers. Every
# kind of picture that x264 does not make: field pictures, frames and fields mixed, MBAFF with
# temporal direct prediction and several slices, in 4:2:0, 4:2:2, 8 and 10 bits. Pictures are told
# apart by their counts, so only streams of which both fields of a frame have different ones.
FILTERED = {
    "jvt/CABREF3_Sand_D.264": "fields temporal",
    "jvt/CVFI1_SVA_C.264": "fields",
    "jvt/FRext/HCAFF1_HHI.264": "fields spatial",
    "jvt/FRext/HCAMFF1_HHI.264": "mbaff spatial",
    "jvt/FRext/FREXT01_JVC_D.264": "mbaff spatial",
    "jmhm/field_p_refs8_slices.264": "fields",
    "jmhm/mbaff_slices_refs.264": "mbaff spatial",
    "jmhm/paff_cabac.264": "fields spatial",
    "jmhm/paff_cavlc.264": "fields temporal",
    "jmhm/paff_hi422_10.264": "mbaff spatial",
    "jmhm/paff_mbaff_cabac.264": "mbaff fields spatial",
    "jmhm/paff_mbaff_cavlc.264": "mbaff fields temporal",
    "jmhm/wp_paff_explicit.264": "fields weighted",
}


@pytest.mark.parametrize("name", FILTERED)
def test_streams_with_the_loop_filter_turned_off(name: str, tmp_path: Path) -> None:
    path = tmp_path / "unfiltered.264"
    without_loop_filter(require_stream(f"h264_conformance/{name}"), path, max_slices=24)
    coverage = check_clip(path)
    assert coverage.num_inter > 0, coverage
    kinds = FILTERED[name]
    assert ("fields" in kinds) == (coverage.num_fields > 0), coverage
    assert ("mbaff" in kinds) == (coverage.num_field_pairs > 0), coverage
    assert coverage.num_coded > 0, coverage
    if "weighted" in kinds:
        assert coverage.num_weighted > 0, coverage
    if "temporal" in kinds or "spatial" in kinds:
        assert coverage.num_bi > 0, coverage
