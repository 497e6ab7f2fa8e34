"""What is particular to H.265, seen through the reader."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from data import require_command, require_stream
from golden import read_index
from test_probe import ffprobe

import cope

CLIP = "clips/hevcjs_dash/dash_720p_concat.mp4"


@pytest.mark.parametrize(
    "name",
    [
        CLIP,
        "clips/exoplayer/sample_h265.ts",
        "clips/torchcodec/h265_10bits.mp4",
        "clips/fate_hevc/hdr10tags-both.mkv",
        "hevc_conformance/made/x265_b_open_gop.bit",
    ],
)
def test_probe_equals_ffprobe(name: str) -> None:
    path = require_stream(name)
    report = cope.probe(path)
    stream = ffprobe(path, "stream=codec_name,profile,level,width,height")["streams"][0]
    frames = ffprobe(path, "frame=pict_type,key_frame")["frames"]
    types = [frame["pict_type"] for frame in frames]
    assert report.codec == stream["codec_name"] == "hevc"
    assert report.profile == stream["profile"]
    assert report.level == int(stream["level"]) / 30
    assert (report.width, report.height) == (stream["width"], stream["height"])
    assert report.num_pictures == len(frames)
    assert report.num_by_type == {kind: types.count(kind) for kind in "IPB"}
    assert report.num_random_access == sum(int(frame["key_frame"]) for frame in frames)
    assert report.is_supported


@pytest.mark.parametrize(
    ("name", "profile"),
    [
        ("made/x265_400_8.bit", "Monochrome"),
        ("made/x265_422_10.bit", "Main 4:2:2 10"),
        ("made/x265_444_8.bit", "Main 4:4:4"),
        ("made/x265_444_12.bit", "Main 4:4:4 12"),
        ("hevcjs/toy_qp30.265", "Main Still Picture"),
    ],
)
def test_profiles_have_the_names_of_annex_a(name: str, profile: str) -> None:
    assert cope.probe(require_stream(f"hevc_conformance/{name}")).profile == profile


@pytest.mark.parametrize(
    ("name", "feature"),
    [
        ("made/kvz_tiles_2x2.bit", "tiles"),
        ("made/kvz_wpp_slices.bit", "dependent slice segments"),
        ("made/x265_temporal_layers.bit", "temporal sub-layers"),
        ("made/x265_tskip.bit", "transform skip"),
        ("jmhm/hm_ldp_longterm.265", "long-term references"),
        ("jmhm/hm_ldb_lists_mod.265", "modified reference lists"),
        ("jmhm/hm_rext_extprec16_align.265", "CABAC bypass alignment"),
        ("jmhm/x265_field_seq.265", "field pictures"),
    ],
)
def test_features_are_named(name: str, feature: str) -> None:
    assert feature in cope.probe(require_stream(f"hevc_conformance/{name}")).features


def test_other_layers_are_passed_over() -> None:
    report = cope.probe(require_stream("clips/fate_hevc/multiview.mp4"))
    assert "other layers (skipped)" in report.features
    assert report.is_supported


def test_one_picture_per_packet_with_its_time() -> None:
    av = pytest.importorskip("av")
    path = require_stream(CLIP)
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    with cope.VideoReader(path) as video:
        infos = [picture.info for picture in video.pictures(coefficients=False)]
    assert [info.pts for info in infos] == [packet.pts for packet in packets]
    assert [info.is_random_access for info in infos] == [p.is_keyframe for p in packets]


def test_threads_do_not_matter() -> None:
    path = require_stream("hevc_conformance/made/x265_default.bit")
    assert list(cope.digest(path, threads=3)) == list(cope.digest(path, threads=1))


def test_rasl_pictures_at_the_start_are_left_out() -> None:
    """They have neither a record nor a time: the pictures that follow keep theirs."""
    name = "hevc_conformance/jmhm/hm_ra_cra_start_rasl.265"
    path = require_stream(name)
    (golden,) = (s for s in read_index("hevc") if s.name == name)
    with cope.VideoReader(path) as video:
        infos = [picture.info for picture in video.pictures()]
    assert len(infos) == golden.num_pictures
    assert infos[0].nal_unit_type == 21  # CRA_NUT
    assert not any(info.nal_unit_type in (8, 9) for info in infos[:4])
    command = [require_command("ffmpeg"), "-v", "error", "-i", str(path), "-f", "framemd5", "-"]
    lines = subprocess.run(command, capture_output=True, check=True, text=True).stdout.splitlines()
    assert len(infos) == sum(not line.startswith("#") for line in lines)


def test_windows_end_where_pictures_that_others_need_do() -> None:
    path = require_stream(CLIP)
    with cope.VideoReader(path) as video:
        shown = {p.info.timestamp: p.info for p in video.pictures(coefficients=False)}
    fields = cope.extract(path, density=cope.Density(0.25, 4.0))
    assert len(fields.timestamps.numpy()) > 30
    for timestamp in fields.timestamps.numpy():
        assert shown[float(timestamp)].is_reference
    assert np.isfinite(fields.motion.numpy()).all()
    assert fields.stats.num_parsed < len(shown)


def test_annex_b_equals_mp4(tmp_path: Path) -> None:
    """The same NAL units behind lengths and behind start codes."""
    path = require_stream("clips/torchcodec/h265_10bits.mp4")
    raw = tmp_path / "raw.265"
    command = [require_command("ffmpeg"), "-v", "error", "-i", str(path), "-c:v", "copy", "-an"]
    subprocess.run([*command, str(raw)], check=True)
    assert list(cope.digest(raw)) == list(cope.digest(path))
