"""`cope view`: that what is drawn is where it should be, and points where the content goes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from data import require_command

import cope

av = pytest.importorskip("av")
pytest.importorskip("PIL")

from PIL import Image  # noqa: E402

from cope.cli.canvas import INTRA, Canvas, Facts, Layers, heat  # noqa: E402
from cope.cli.frames import shown  # noqa: E402
from cope.cli.layers import make_layers  # noqa: E402


def _pairs(path: Path):
    with cope.VideoReader(path) as video:
        yield from shown(video, str(path))


@pytest.mark.parametrize("clip", ["pan_clip", "hevc_pan_clip"])
def test_arrows_point_where_the_content_goes(clip, pan_motion, request):
    checked = 0
    for picture, frame in _pairs(request.getfixturevalue(clip)):
        layers = make_layers(picture, frame.to_ndarray(format="rgb24"), 1 / 25)
        # Content enters at the left and the bottom; the rest of the texture moves as a whole.
        inner = (slice(2, 7), slice(2, 10))
        inter = layers.prediction[inner] <= Layers.FROM_BOTH
        if picture.info.slice_types == "I":
            assert not inter.any()
            continue
        assert inter.mean() > 0.9
        motion = layers.motion[(slice(None), *inner)][:, inter]
        np.testing.assert_allclose(np.median(motion, axis=1), pan_motion, atol=0.26)
        checked += 1
    assert checked == 11


def test_predictions_from_the_future_are_told(pan_clip):
    seen = set()
    for picture, frame in _pairs(pan_clip):
        layers = make_layers(picture, frame.to_ndarray(format="rgb24"), 1 / 25)
        codes = set(np.unique(layers.prediction).tolist())
        if "B" not in picture.info.slice_types:
            assert codes <= {Layers.FROM_PAST, Layers.FROM_NOWHERE}
        seen |= codes
    assert Layers.FROM_BOTH in seen or Layers.FROM_FUTURE in seen


@pytest.mark.parametrize(
    ("clip", "size"), [("pan_clip", (144, 192)), ("hevc_pan_clip", (152, 200))]
)
def test_bits_and_residual_are_those_of_the_picture(clip, size, request):
    picture, frame = next(_pairs(request.getfixturevalue(clip)))
    layers = make_layers(picture, frame.to_ndarray(format="rgb24"), 1 / 25)
    assert layers.bits.shape == tuple(-(-n // 16) for n in size)
    assert layers.bits.sum() == picture.bits.sum()
    assert layers.residual.shape == size
    exact = np.abs(cope.ops.residual(picture)[0].astype(float))
    assert layers.residual.mean() == pytest.approx(exact.mean(), rel=1e-5)


@pytest.mark.parametrize("clip", ["demo_clip", "natural_clip", "portrait_clip"])
def test_frames_meet_their_pictures(clip, request):
    path = request.getfixturevalue(clip)
    times = []
    for picture, frame in _pairs(path):
        assert frame.pts == picture.info.pts
        times.append(picture.info.timestamp)
    with av.open(str(path)) as container:
        num_frames = sum(1 for _ in container.decode(video=0))
    assert len(times) == num_frames
    assert times == sorted(times)


def test_frames_without_times_are_paired_in_order(pan_clip, tmp_path):
    raw = tmp_path / "pan.264"
    command = [require_command("ffmpeg"), "-v", "error", "-i", str(pan_clip), "-c", "copy"]
    subprocess.run([*command, "-bsf:v", "h264_mp4toannexb", str(raw)], check=True)
    kinds = [
        (picture.info.slice_types[:1], av.video.frame.PictureType(frame.pict_type).name)
        for picture, frame in _pairs(raw)
    ]
    assert len(kinds) == 12
    assert all(ours == theirs for ours, theirs in kinds)


def test_picture_of_one_frame(run, demo_clip, tmp_path):
    path = tmp_path / "frame.png"
    done = run("view", demo_clip, "-o", path, "--at", "2.0")
    assert done.returncode == 0, done.stderr
    assert "the frame at 2.00 s" in done.stdout
    with Image.open(path) as image:
        assert image.width == pytest.approx(1280, abs=2)
        assert image.width % 2 == image.height % 2 == 0


def test_video_of_a_stretch(run, demo_clip, tmp_path):
    path = tmp_path / "view.mp4"
    done = run("view", demo_clip, "-o", path, "--at", "7.8", "--seconds", "0.4")
    assert done.returncode == 0, done.stderr
    assert "10 frames" in done.stdout
    with av.open(str(path)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 10


def test_time_beyond_the_end_is_wrong_usage(run, pan_clip, tmp_path):
    done = run("view", pan_clip, "-o", tmp_path / "frame.png", "--at", "100")
    assert done.returncode == 2
    assert not (tmp_path / "frame.png").exists()


def _still(rotation: int) -> Image.Image:
    """A wide frame of which only the block in the upper left corner is intra coded."""
    prediction = np.full((4, 8), Layers.FROM_PAST, np.uint8)
    prediction[0, 0] = Layers.FROM_NOWHERE
    layers = Layers(
        image=np.zeros((64, 128, 3), np.uint8),
        block_size=16,
        motion=np.zeros((2, 4, 8), np.float32),
        prediction=prediction,
        bits=np.zeros((4, 8), np.float32),
        residual=np.zeros((64, 128), np.float32),
    )
    return Canvas(128, 64, rotation=rotation).draw(layers, Facts("P", "", ""))


@pytest.mark.parametrize(
    ("rotation", "right", "low"), [(0, 0, 0), (90, 1, 0), (180, 1, 1), (270, 0, 1)]
)
def test_frames_are_turned_clockwise(rotation, right, low):
    canvas = Canvas(128, 64, rotation=rotation)
    width, height = canvas.large
    assert (width < height) == (rotation in (90, 270))
    panel = np.asarray(_still(rotation))[30 : 30 + height, 16 : 16 + width].astype(int)
    # Magenta has more red than green; nothing else on this panel has.
    y, x = np.argwhere(panel[..., 0] - panel[..., 1] > 20).mean(0)
    assert INTRA[0] > INTRA[1]
    assert (x > width / 2, y > height / 2) == (bool(right), bool(low))


def test_heat_goes_from_the_first_colour_to_the_last():
    colours = heat(np.float32([[-1, 0, 0.5, 1, 2]]), [(0, 0, 0), (100, 50, 0), (200, 0, 250)])
    assert colours.tolist() == [[[0] * 3, [0] * 3, [100, 50, 0], [200, 0, 250], [200, 0, 250]]]
