"""The error tree, and what errors carry."""

from __future__ import annotations

import errno
import os
import pickle
from pathlib import Path

import pytest
from data import require_stream

import cope


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (cope.InvalidBitstreamError, ValueError),
        (cope.UnsupportedStreamError, NotImplementedError),
        (cope.LimitExceededError, ValueError),
        (cope.MediaOpenError, OSError),
    ],
)
def test_tree(error: type[cope.CopeError], builtin: type[Exception]) -> None:
    assert issubclass(error, cope.CopeError)
    assert issubclass(error, builtin)
    made = error("text", element="e", clause="c", bit_pos=3, nal_index=7)
    assert (made.element, made.clause, made.bit_pos, made.nal_index) == ("e", "c", 3, 7)
    assert str(made) == "text"
    bare = error("text")
    assert bare.element is bare.clause is bare.bit_pos is bare.nal_index is None


def test_media_open_error_is_an_os_error() -> None:
    error = cope.MediaOpenError("gone", errno=errno.ENOENT, filename="a.mp4")
    assert error.errno == errno.ENOENT
    assert error.filename == "a.mp4"
    assert str(error) == "gone: 'a.mp4'"
    assert str(cope.MediaOpenError("no video")) == "no video"
    assert cope.MediaOpenError("no video").errno is None


def test_errors_can_be_sent_to_another_process() -> None:
    error = cope.InvalidBitstreamError("text", element="mb_type", bit_pos=12)
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == "text"
    assert copy.element == "mb_type"
    assert copy.bit_pos == 12


def test_missing_file(tmp_path: Path) -> None:
    path = tmp_path / "absent.mp4"
    with pytest.raises(cope.MediaOpenError) as caught:
        cope.VideoReader(path)
    assert caught.value.errno == errno.ENOENT
    assert caught.value.filename == os.fspath(path)
    assert "No such file" in str(caught.value)
    with pytest.raises(OSError, match=r"absent\.mp4"):
        cope.probe(path)


def test_unsupported_codec_is_named() -> None:
    with pytest.raises(cope.UnsupportedStreamError, match="av1") as caught:
        cope.VideoReader(require_stream("clips/fate_av1/av1-1-b8-03-sizeup.mp4"))
    assert caught.value.element is not None
    assert "av1" in caught.value.element


def test_invalid_bitstream_says_where(natural_clip: Path, tmp_path: Path) -> None:
    """A slice whose bits are noise: the error names the element, the NAL unit and the bit."""
    data = bytearray(natural_clip.read_bytes())
    with cope.VideoReader(natural_clip) as video:
        first = next(video.pictures()).info
    place = data.index(b"mdat") + 4 + first.size_bytes // 2
    data[place : place + 64] = bytes(range(64))
    with pytest.raises(cope.InvalidBitstreamError) as caught:
        for _ in cope.digest(bytes(data), on_error="raise"):
            pass
    assert caught.value.element
    assert caught.value.clause is not None
    assert caught.value.clause.startswith("H.264")
    assert caught.value.bit_pos is not None
    assert 0 < caught.value.bit_pos < 8 * first.size_bytes
    assert caught.value.nal_index is not None
