"""Videos of which the picture size changes on the way."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest
from data import require_command

import cope

SIZES = [(176, 144), (96, 160), (320, 96)]
DENSITY = cope.Density(keyframes_per_second=1.0, deltas_per_second=5.0)


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Byte streams of two seconds each, 25 frames per second."""
    folder = tmp_path_factory.mktemp("parts")
    streams = []
    for width, height in SIZES:
        path = folder / f"{width}.264"
        command = [require_command("ffmpeg"), "-nostdin", "-v", "error", "-f", "lavfi"]
        command += ["-i", f"testsrc2=size={width}x{height}:rate=25", "-frames:v", "50"]
        subprocess.run([*command, "-c:v", "libx264", "-g", "25", str(path)], check=True)
        streams.append(path.read_bytes())
    return streams


def test_pictures_equal_those_of_the_parts(parts: list[bytes]) -> None:
    whole = list(cope.VideoReader(b"".join(parts)).pictures())
    alone = [picture for part in parts for picture in cope.VideoReader(part).pictures()]
    assert len(whole) == len(alone) == 150
    for ours, theirs in zip(whole, alone, strict=True):
        assert (ours.info.width, ours.info.height) == (theirs.info.width, theirs.info.height)
        assert np.array_equal(ours.motion.mv, theirs.motion.mv)
        assert np.array_equal(ours.coefficients.levels, theirs.coefficients.levels)
    assert [p.info.timestamp for p in whole if p.info.is_idr] == [0, 1, 2, 3, 4, 5]


def test_segments(parts: list[bytes]) -> None:
    segments = cope.extract_segments(b"".join(parts), density=DENSITY)
    assert [segment.start_seconds for segment in segments] == [0, 2, 4]
    for (width, height), segment, part in zip(SIZES, segments, parts, strict=True):
        alone = cope.extract(part, density=DENSITY)
        assert segment.keyframes.shape == (2, 3, height, width)
        assert segment.motion.shape[2:] == (-(-height // 16), -(-width // 16))
        # Where more follows, the last window gives way to a keyframe.
        num_windows = len(segment.timestamps)
        assert len(alone.timestamps) - num_windows <= 1
        times = alone.timestamps.numpy()[:num_windows] + segment.start_seconds
        np.testing.assert_allclose(segment.timestamps.numpy(), times)
        np.testing.assert_array_equal(segment.keyframes.numpy(), alone.keyframes.numpy())
        for name in ("motion", "valid", "intra", "residual", "saliency"):
            ours, theirs = getattr(segment, name).numpy(), getattr(alone, name).numpy()
            np.testing.assert_array_equal(ours, theirs[:num_windows], err_msg=name)


def test_one_size_is_one_segment(parts: list[bytes]) -> None:
    (segment,) = cope.extract_segments(parts[0], density=DENSITY)
    np.testing.assert_array_equal(
        segment.motion.numpy(), cope.extract(parts[0], density=DENSITY).motion.numpy()
    )


def test_extract_says_when_the_size_changes(parts: list[bytes]) -> None:
    with pytest.raises(cope.UnsupportedStreamError, match=r"at 2\.00 s, at 4\.00 s"):
        cope.extract(b"".join(parts))


def test_probe_says_when_the_size_changes(parts: list[bytes]) -> None:
    report = cope.probe(b"".join(parts))
    assert report.sizes == tuple((2.0 * i, w, h) for i, (w, h) in enumerate(SIZES))


def test_change_between_keyframes(parts: list[bytes]) -> None:
    """Windows follow the new size although nothing is decoded there."""
    density = cope.Density(keyframes_per_second=0.05, deltas_per_second=5.0)
    with cope.VideoReader(b"".join(parts)) as video:
        steps = list(video.windows(density=density))
    deltas = [step for step in steps if isinstance(step, cope.DeltaWindow)]
    for delta in deltas:
        width, height = SIZES[min(int(delta.timestamp // 2), 2)]
        assert delta.motion.shape[1:] == (-(-height // 16), -(-width // 16))
        if int(delta.start // 2) != int(delta.timestamp // 2):
            assert not delta.valid.any()  # nothing of the old size is left to refer to


def test_a_lost_idr_picture_of_a_new_size(parts: list[bytes]) -> None:
    """Pictures that need the lost one are dropped: they may be of either size."""
    second = parts[1]
    starts = [i for i in range(len(second) - 3) if second[i : i + 3] == b"\0\0\1"]
    idr = next(i for i in starts if second[i + 3] & 31 == 5)
    after = min(i for i in starts if i > idr)
    with pytest.warns(cope.ConcealedDamageWarning):
        pictures = list(cope.VideoReader(parts[0] + second[:idr] + second[after:]).pictures())
    sizes = [(p.info.width, p.info.height) for p in pictures]
    assert sizes == [SIZES[0]] * 50 + [SIZES[1]] * 25
