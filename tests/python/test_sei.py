"""What SEI messages say of pictures, checked against FFmpeg's reading of them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import pytest
from data import require_command
from headers import trace_headers

import cope

MakeClip = Callable[[str], Path]


@pytest.fixture
def make_clip(tmp_path: Path) -> MakeClip:
    """Encodes 60 frames with x264."""

    def make(x264: str) -> Path:
        path = tmp_path / "clip.264"
        command = [require_command("ffmpeg"), "-nostdin", "-v", "error", "-f", "lavfi"]
        field = "bff" if "bff" in x264 else "tff" if "tff" in x264 else "prog"
        command += ["-i", f"testsrc2=size=160x96:rate=25,setfield={field}", "-frames:v", "60"]
        command += ["-flags", "+ildct"] if field != "prog" else []
        command += ["-c:v", "libx264", "-x264-params", x264, str(path)]
        subprocess.run(command, check=True)
        return path

    return make


def messages_of_pictures(path: Path) -> Iterator[dict[str, int]]:
    """The elements of the SEI messages before each picture of one slice."""
    values: dict[str, int] = {}
    for unit in trace_headers(path):
        if unit.kind == "sei":
            values |= unit.values
        elif unit.kind == "slice":
            yield values
            values = {}


def infos(path: Path) -> list[cope.PictureInfo]:
    with cope.VideoReader(path, on_error="raise") as video:
        return [picture.info for picture in video.pictures(coefficients=False)]


def test_open_gop(make_clip: MakeClip) -> None:
    path = make_clip("open-gop=1:keyint=12:min-keyint=12:bframes=3:b-adapt=0:slices=1")
    pictures = infos(path)
    for info, sei in zip(pictures, messages_of_pictures(path), strict=True):
        assert info.recovery_frame_cnt == sei.get("recovery_frame_cnt")
        assert info.is_random_access == (info.is_idr or "recovery_frame_cnt" in sei)
    starts = [info for info in pictures if info.is_random_access]
    assert len(starts) >= 4
    assert sum(info.is_idr for info in pictures) == 1
    assert any(info.is_leading for info in pictures)
    assert cope.probe(path).num_random_access == len(starts)


def test_decoding_starts_at_an_open_gop(make_clip: MakeClip) -> None:
    """From the second random access point on, all but leading pictures are as in the whole."""
    path = make_clip("open-gop=1:keyint=12:min-keyint=12:bframes=3:b-adapt=0:slices=1")
    whole = list(cope.VideoReader(path).pictures())
    start = [n for n, p in enumerate(whole) if p.info.is_random_access][1]
    stream = path.read_bytes()
    units = [i for i in range(len(stream) - 4) if stream[i : i + 3] == b"\0\0\1"]
    slices = [i for i in units if stream[i + 3] & 31 in (1, 5)]
    headers = stream[: slices[0]]
    sei = max(i for i in units if i < slices[start] and stream[i + 3] & 31 == 6)
    rest = list(cope.VideoReader(headers + stream[sei:]).pictures())
    assert rest[0].info.is_random_access
    assert len(rest) == len(whole) - start
    for ours, theirs in zip(rest, whole[start:], strict=True):
        if not theirs.info.is_leading:
            assert (ours.motion.mv == theirs.motion.mv).all()
            assert (ours.blocks.type == theirs.blocks.type).all()


def test_gradual_refresh(make_clip: MakeClip) -> None:
    path = make_clip("intra-refresh=1:keyint=15:bframes=0:slices=1")
    pictures = infos(path)
    for info, sei in zip(pictures, messages_of_pictures(path), strict=True):
        assert info.recovery_frame_cnt == sei.get("recovery_frame_cnt")
        assert info.is_random_access == info.is_idr
    assert sum((info.recovery_frame_cnt or 0) > 0 for info in pictures) >= 3
    assert "gradual refresh" in cope.probe(path).features


@pytest.mark.parametrize(
    ("x264", "pic_struct"),
    [
        ("pic-struct=1:slices=1", 0),
        ("tff=1:slices=1", 3),
        ("bff=1:slices=1", 4),
        ("tff=1:slices=1:nal-hrd=vbr:vbv-maxrate=500:vbv-bufsize=500", 3),
    ],
)
def test_picture_timing(make_clip: MakeClip, x264: str, pic_struct: int) -> None:
    path = make_clip(x264)
    ours = [info.pic_struct for info in infos(path)]
    assert ours == [sei["pic_struct"] for sei in messages_of_pictures(path)]
    assert pic_struct in ours


def test_no_picture_timing(make_clip: MakeClip) -> None:
    assert {info.pic_struct for info in infos(make_clip("slices=1"))} == {None}


# frame_packing_arrangement_type: its name, and FFmpeg's AVStereo3DType
PACKINGS = {
    0: ("checkerboard", 4),
    1: ("columns", 7),
    2: ("rows", 6),
    3: ("side by side", 1),
    4: ("top and bottom", 2),
}


@pytest.mark.parametrize("number", PACKINGS)
def test_frame_packing(make_clip: MakeClip, number: int) -> None:
    name, stereo_type = PACKINGS[number]
    path = make_clip(f"frame-packing={number}:keyint=20:slices=1")
    with av.open(str(path)) as video:
        for frame in video.decode(video=0):
            data = next(bytes(d) for d in frame.side_data if d.type.name == "STEREO3D")
            assert int.from_bytes(data[:4], "little") == stereo_type
            break
    assert {info.frame_packing for info in infos(path)} == {number}
    assert f"frame packing: {name}" in cope.probe(path).features
