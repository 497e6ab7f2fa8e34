"""Input that is not what a video reader hopes for: a typed error, or a count of what was concealed.

Every case must end within a second and without memory that the input does not warrant.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bounds import bounded
from data import REPOSITORY, require_command, require_stream
from made_streams import make_stream

import cope


@pytest.fixture(autouse=True)
def within_bounds() -> Iterator[None]:
    with bounded(seconds=1.0, megabytes=64):
        yield


@pytest.fixture(scope="module")
def make_clip(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Writes a file with the ffmpeg command line."""
    folder = tmp_path_factory.mktemp("clips")

    def make(name: str, *options: str, source: str = "testsrc2=size=160x96:rate=25") -> Path:
        path = folder / name
        command = [require_command("ffmpeg"), "-nostdin", "-v", "error", "-y", "-f", "lavfi"]
        subprocess.run([*command, "-i", source, "-t", "2", *options, str(path)], check=True)
        return path

    return make


@pytest.fixture(scope="module")
def good_mp4(make_clip: Callable[..., Path]) -> Path:
    """50 pictures, keyframe every 25, moov at the end."""
    return make_clip("good.mp4", "-c:v", "libx264", "-g", "25", "-pix_fmt", "yuv420p")


def read_all(source: object, **options: object) -> tuple[int, cope.ReadStats]:
    """How many pictures come out, and the account of them."""
    with cope.VideoReader(source, **options) as video:
        num_pictures = sum(1 for _ in video.pictures())
        return num_pictures, video.stats


# Nothing to read: every door answers with the same typed error.


def open_reader(source: object) -> object:
    return cope.VideoReader(source)


def probe(source: object) -> object:
    return cope.probe(source)


def extract(source: object) -> object:
    return cope.extract(source)


DOORS = [open_reader, probe, extract, read_all]


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
class TestNothingToRead:
    def test_empty_file(self, door: Callable[[object], object], tmp_path: Path) -> None:
        path = tmp_path / "empty.mp4"
        path.touch()
        with pytest.raises(cope.MediaOpenError, match=r"empty\.mp4"):
            door(path)

    def test_empty_bytes(self, door: Callable[[object], object]) -> None:
        with pytest.raises(cope.MediaOpenError):
            door(b"")

    def test_text_file(self, door: Callable[[object], object], tmp_path: Path) -> None:
        path = tmp_path / "notes.txt"
        path.write_text("not a video\n" * 1000)
        with pytest.raises(cope.MediaOpenError):
            door(path)

    def test_text_file_called_mp4(self, door: Callable[[object], object], tmp_path: Path) -> None:
        path = tmp_path / "notes.mp4"
        path.write_text("not a video\n" * 1000)
        with pytest.raises(cope.MediaOpenError):
            door(path)

    def test_missing_file(self, door: Callable[[object], object], tmp_path: Path) -> None:
        with pytest.raises(cope.MediaOpenError, match="No such file") as error:
            door(tmp_path / "absent.mp4")
        assert isinstance(error.value, OSError)

    def test_directory(self, door: Callable[[object], object], tmp_path: Path) -> None:
        with pytest.raises(cope.MediaOpenError):
            door(tmp_path)

    def test_audio_only(
        self, door: Callable[[object], object], make_clip: Callable[..., Path]
    ) -> None:
        path = make_clip("audio.mp4", "-c:a", "aac", source="sine")
        with pytest.raises(cope.MediaOpenError, match="video"):
            door(path)

    def test_mp4_cut_before_moov(
        self, door: Callable[[object], object], good_mp4: Path, tmp_path: Path
    ) -> None:
        path = tmp_path / "cut.mp4"
        data = good_mp4.read_bytes()
        assert data.index(b"moov") > len(data) // 2
        path.write_bytes(data[: len(data) // 2])
        with pytest.raises(cope.MediaOpenError):
            door(path)

    def test_mp4_cut_before_its_codec(
        self, door: Callable[[object], object], tmp_path: Path
    ) -> None:
        path = tmp_path / "cut.mp4"
        path.write_bytes((REPOSITORY / "examples" / "demo.mp4").read_bytes()[:400])
        with pytest.raises(cope.MediaOpenError, match="codec of the video stream unknown"):
            door(path)

    @pytest.mark.parametrize(
        ("name", "codec"),
        [("vp9.webm", "libvpx-vp9"), ("part2.mp4", "mpeg4"), ("mpeg2.ts", "mpeg2video")],
    )
    def test_codec_not_parsed(
        self,
        door: Callable[[object], object],
        name: str,
        codec: str,
        make_clip: Callable[..., Path],
    ) -> None:
        path = make_clip(name, "-c:v", codec, "-frames:v", "3")
        ours = {"libvpx-vp9": "vp9", "mpeg4": "mpeg4", "mpeg2video": "mpeg2"}[codec]
        with pytest.raises(cope.UnsupportedStreamError, match=ours) as error:
            door(path)
        assert isinstance(error.value, NotImplementedError)


@pytest.mark.parametrize("what", ["file", "folder", "file in the folder"])
def test_unreadable(what: str, good_mp4: Path, tmp_path: Path) -> None:
    """Root may read anything, so a child process gives its privileges up first."""
    folder = tmp_path / "folder"
    folder.mkdir()
    path = Path(shutil.copy(good_mp4, folder / "clip.mp4"))
    locked = path if what == "file" else folder
    opened = folder if what == "folder" else path
    script = (
        "import os, sys, cope\n"
        "from cope import _native\n"
        "if os.geteuid() == 0: os.setuid(65534)\n"
        "try: cope.VideoReader(sys.argv[1])\n"
        "except cope.MediaOpenError as error: print(error)\n"
    )
    for parent in path.parents:  # those of pytest are for their owner alone
        if "pytest-" in str(parent):
            parent.chmod(0o755)
    locked.chmod(0)
    try:
        command = [sys.executable, "-c", script, str(opened)]
        result = subprocess.run(command, capture_output=True, text=True)
    finally:
        locked.chmod(0o755)
    expected = "Is a directory" if what == "folder" else "Permission denied"
    assert expected in result.stdout, result.stderr
    assert str(opened) in result.stdout


@pytest.mark.parametrize("source", [None, 3, 2.5, ["a.mp4"], object()])
def test_wrong_type(source: object) -> None:
    with pytest.raises(TypeError):
        cope.VideoReader(source)


# Damage inside: the rest of the video comes out, and what is lost is counted.


def test_good_clip_loses_nothing(good_mp4: Path) -> None:
    num_pictures, stats = read_all(good_mp4)
    assert num_pictures == 50
    assert stats.num_concealed_pictures == 0
    assert stats.num_blocks_lost == 0


def test_mp4_with_moov_cut_in_the_samples(make_clip: Callable[..., Path], tmp_path: Path) -> None:
    options = ["-c:v", "libx264", "-g", "25", "-pix_fmt", "yuv420p", "-movflags", "faststart"]
    data = make_clip("faststart.mp4", *options).read_bytes()
    path = tmp_path / "cut.mp4"
    path.write_bytes(data[: len(data) * 2 // 3])
    with pytest.warns(cope.ConcealedDamageWarning):
        num_pictures, stats = read_all(path)
    assert 20 < num_pictures < 50
    assert stats.num_concealed_pictures <= 1


def cut_in_half(stream: bytes, nal_unit_type: int, skip: int) -> bytes:
    """Removes the second half of one NAL unit of an Annex B stream."""
    starts = [i for i in range(len(stream) - 3) if stream[i : i + 3] == b"\0\0\1"]
    matching = [i for i in starts if stream[i + 3] & 31 == nal_unit_type]
    start = matching[skip]
    end = min((i for i in starts if i > start), default=len(stream))
    return stream[: (start + end) // 2] + stream[end:]


@pytest.fixture(scope="module")
def byte_stream(make_clip: Callable[..., Path]) -> bytes:
    options = ["-c:v", "libx264", "-g", "25", "-bf", "0", "-pix_fmt", "yuv420p"]
    source = "testsrc2=size=160x96:rate=25,noise=alls=20:allf=t"
    return make_clip("good.264", *options, source=source).read_bytes()


@pytest.mark.parametrize("entropy", ["cabac", "cavlc"])
class TestSliceCutInHalf:
    def stream(self, entropy: str, make_clip: Callable[..., Path]) -> bytes:
        options = ["-c:v", "libx264", "-g", "25", "-bf", "0", "-pix_fmt", "yuv420p"]
        options += ["-x264-params", f"cabac={int(entropy == 'cabac')}"]
        source = "testsrc2=size=160x96:rate=25,noise=alls=20:allf=t"
        return make_clip(f"{entropy}.264", *options, source=source).read_bytes()

    def test_conceal(self, entropy: str, make_clip: Callable[..., Path]) -> None:
        damaged = cut_in_half(self.stream(entropy, make_clip), 1, skip=3)
        with pytest.warns(cope.ConcealedDamageWarning) as warnings:
            num_pictures, stats = read_all(damaged)
        assert len(warnings) == 1
        assert num_pictures == 50
        assert stats.num_concealed_pictures == 1
        assert 10 <= stats.num_blocks_lost < 60  # of 60 macroblocks

    def test_lost_blocks_are_marked(self, entropy: str, make_clip: Callable[..., Path]) -> None:
        damaged = cut_in_half(self.stream(entropy, make_clip), 1, skip=3)
        with pytest.warns(cope.ConcealedDamageWarning), cope.VideoReader(damaged) as video:
            lost = [
                int((picture.blocks.type == cope.BlockType.LOST).sum())
                for picture in video.pictures()
            ]
            assert [n for n, count in enumerate(lost) if count] == [4]
            assert sum(lost) == video.stats.num_blocks_lost

    def test_skip(self, entropy: str, make_clip: Callable[..., Path]) -> None:
        damaged = cut_in_half(self.stream(entropy, make_clip), 1, skip=3)
        with pytest.warns(cope.ConcealedDamageWarning):
            num_pictures, stats = read_all(damaged, on_error="skip")
        assert num_pictures == 49
        assert stats.num_pictures == 50

    def test_raise(self, entropy: str, make_clip: Callable[..., Path]) -> None:
        damaged = cut_in_half(self.stream(entropy, make_clip), 1, skip=3)
        with pytest.raises(cope.InvalidBitstreamError) as error:
            read_all(damaged, on_error="raise")
        assert isinstance(error.value, ValueError)
        assert error.value.element
        assert error.value.nal_index > 0


def test_missing_slice(byte_stream: bytes) -> None:
    """A picture that is absent altogether is a gap in frame_num."""
    starts = [i for i in range(len(byte_stream) - 3) if byte_stream[i : i + 3] == b"\0\0\1"]
    slices = [i for i in starts if byte_stream[i + 3] & 31 == 1]
    damaged = byte_stream[: slices[5]] + byte_stream[slices[6] :]
    with pytest.warns(cope.ConcealedDamageWarning, match="1 reference frames lost"):
        num_pictures, stats = read_all(damaged)
    assert num_pictures == 49
    assert stats.num_frames_lost == 1
    assert stats.num_concealed_pictures == 0  # what is there is whole
    assert cope.probe(damaged).num_frames_lost == 1
    with pytest.raises(cope.InvalidBitstreamError) as error:
        read_all(damaged, on_error="raise")
    assert error.value.element == "frame_num"
    with cope.VideoReader(byte_stream) as video:
        lost = [n for n, picture in enumerate(video.pictures()) if picture.info.num_frames_lost]
    assert lost == []


# Parameter sets that ask for more than they should.


@pytest.mark.parametrize("size", [(16384, 16384), (65536, 16), (16, 1 << 20)])
def test_sps_beyond_the_limits(size: tuple[int, int]) -> None:
    with pytest.raises(cope.LimitExceededError) as error:
        read_all(make_stream(*size))
    assert isinstance(error.value, ValueError)


def test_sps_within_the_limits_but_no_data() -> None:
    """A few bytes that claim 4096x4096 pictures: nothing to parse, so all of it is lost."""
    with pytest.warns(cope.ConcealedDamageWarning):
        num_pictures, stats = read_all(make_stream(1920, 1088))
    assert num_pictures == 2
    assert stats.num_blocks_lost >= 120 * 68


def test_own_limits() -> None:
    limits = cope.Limits(max_luma_samples=64 * 64)
    with pytest.raises(cope.LimitExceededError, match="luma"):
        read_all(make_stream(640, 480), limits=limits)


@pytest.mark.parametrize(
    "name", ["encrypted/mov-tenc-only-encrypted.mp4", "encrypted/short-cenc.mp4"]
)
def test_encrypted(name: str) -> None:
    path = require_stream(f"malformed/{name}")
    with pytest.raises(cope.UnsupportedStreamError, match="encrypt"):
        read_all(path)


def test_a_file_that_ends_early_is_told_by_its_index() -> None:
    """What is missing behind the last sample read is known from the index alone."""
    data = (REPOSITORY / "examples" / "demo.mp4").read_bytes()  # the index comes first
    with pytest.warns(
        cope.ConcealedDamageWarning, match=r"300 of 350 frames missing at the end of the file"
    ):
        cope.extract(data[:60_000])
    with warnings.catch_warnings():
        warnings.simplefilter("error", cope.ConcealedDamageWarning)
        assert cope.extract(data).stats.num_packets == 350
