"""One scene coded by x264 and by x265: both give the motion that is in it.

The scene is made of NumPy alone, so that every sample's true displacement is known: a camera that
pans and zooms over a texture, and a disc that moves on its own.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from data import require_command

import cope

WIDTH, HEIGHT, FRAMES, RATE = 320, 192, 33, 25
CELL = 16
PAN = np.array([1.7, -0.9])  # world samples per frame
ZOOM = 0.996  # of the world samples per picture sample, per frame
RADIUS, SPEED = 34.0, np.array([-2.6, 1.4])  # of the disc, picture samples


def texture(rng: np.random.Generator, size: int) -> np.ndarray:
    """A random surface with detail at every scale that a codec can follow."""
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size)[None])
    noise = np.fft.fft2(rng.standard_normal((size, size)))
    surface = np.fft.ifft2(noise * np.exp(-((frequency / 0.12) ** 2)) / (frequency + 0.02)).real
    return 128 + 45 * surface / surface.std()


def sample(surface: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Bilinear samples at `points [..., 2]` (x, y); the surface repeats."""
    whole = np.floor(points).astype(int)
    fx, fy = np.moveaxis(points - whole, -1, 0)
    x, y = np.moveaxis(whole, -1, 0)

    def at(dy: int, dx: int) -> np.ndarray:
        return surface[(y + dy) % surface.shape[0], (x + dx) % surface.shape[1]]

    top = at(0, 0) * (1 - fx) + at(0, 1) * fx
    return top * (1 - fy) + (at(1, 0) * (1 - fx) + at(1, 1) * fx) * fy


def grid() -> np.ndarray:
    """Positions of all samples, `[height, width, 2]`, (x, y)."""
    return np.stack(np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT)), axis=-1).astype(float)


def disc_centre(frame: float) -> np.ndarray:
    return np.array([0.65 * WIDTH, 0.35 * HEIGHT]) + SPEED * frame


def to_world(points: np.ndarray, frame: float) -> np.ndarray:
    return PAN * frame + (points - np.array([WIDTH / 2, HEIGHT / 2])) * ZOOM**frame


def true_displacement(frame: float, past: float) -> tuple[np.ndarray, np.ndarray]:
    """Where each sample of a frame was, relative to where it is, and which are the disc's."""
    points = grid()
    world = to_world(points, frame)
    background = (world - PAN * past) / ZOOM**past + np.array([WIDTH / 2, HEIGHT / 2]) - points
    disc = np.linalg.norm(points - disc_centre(frame), axis=-1) < RADIUS
    displacement = np.where(disc[..., None], disc_centre(past) - disc_centre(frame), background)
    return displacement, disc


def render() -> bytes:
    rng = np.random.default_rng(7)
    ground, surface = texture(rng, 512), texture(rng, 128)
    frames = []
    for frame in range(FRAMES):
        luma = sample(ground, to_world(grid(), frame))
        local = grid() - disc_centre(frame)
        disc = np.linalg.norm(local, axis=-1) < RADIUS
        luma[disc] = sample(surface, local)[disc]
        frames.append(np.clip(np.rint(luma), 0, 255).astype(np.uint8))
    chroma = np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8).tobytes()
    return b"".join(frame.tobytes() + chroma + chroma for frame in frames)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The scene as coded by each encoder."""
    folder, raw = tmp_path_factory.mktemp("cross_codec"), render()
    coders = {
        "x264.mp4": ["-c:v", "libx264", "-x264-params", "threads=1:keyint=250:qp=20"],
        "x265.mp4": [
            *("-c:v", "libx265", "-tag:v", "hvc1"),
            *("-x265-params", "pools=1:frame-threads=1:keyint=250:qp=20:log-level=error"),
        ],
    }
    coders["x265.mov"] = coders["x265.mp4"]
    source = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(RATE)]
    for name, options in coders.items():
        command = [require_command("ffmpeg"), "-v", "error", "-y", *source, "-i", "-", *options]
        command.append(str(folder / name))
        subprocess.run(command, input=raw, check=True)
    return {name: folder / name for name in coders}


def windows(path: Path) -> tuple[cope.Primitives, np.ndarray]:
    """Windows of four frames, and their motion in samples per frame, `[T, 2, Hc, Wc]`."""
    fields = cope.extract(
        path, cell=CELL, density=cope.Density(keyframes_per_second=0, deltas_per_second=RATE / 4)
    )
    size = np.array([WIDTH, HEIGHT])[None, :, None, None]
    return fields, fields.motion.numpy() * size / RATE


@pytest.mark.parametrize("name", ["x264.mp4", "x265.mp4", "x265.mov"])
def test_fields_are_the_motion_of_the_scene(clips: dict[str, Path], name: str) -> None:
    fields, motion = windows(clips[name])
    starts, ends = fields.starts.numpy(), fields.timestamps.numpy()
    assert len(ends) >= 6
    first = ends.min() - round(ends.min() * RATE) / RATE  # the first frame may not be shown at 0
    errors, disc_errors = [], []
    for window, valid in enumerate(fields.valid.numpy()):
        frame, past = ((t - first) * RATE for t in (ends[window], starts[window]))
        truth, disc = true_displacement(frame, past)
        shape = (HEIGHT // CELL, CELL, WIDTH // CELL, CELL)
        truth = truth.reshape(*shape, 2).mean(axis=(1, 3)) / (frame - past)
        share = disc.reshape(shape).mean(axis=(1, 3))
        # Cells that the disc's edge cuts have no one motion.
        usable = (valid > 0.9) & ((share == 0) | (share == 1))
        error = np.abs(np.moveaxis(motion[window], 0, -1) - truth).max(axis=-1)
        errors.append(error[usable])
        disc_errors.append(error[usable & (share == 1)])
    everything = np.concatenate(errors)
    assert np.median(everything) < 0.1, np.median(everything)
    assert np.mean(everything < 0.5) > 0.9, np.mean(everything < 0.5)
    of_disc = np.concatenate(disc_errors)
    assert len(of_disc) > 20
    assert np.median(of_disc) < 0.25, np.median(of_disc)


def test_both_codecs_agree(clips: dict[str, Path]) -> None:
    medians = {}
    for name in ("x264.mp4", "x265.mp4"):
        fields, motion = windows(clips[name])
        masked = np.where(fields.valid.numpy()[:, None] > 0.9, motion, np.nan)
        medians[name] = np.nanmedian(masked, axis=0)  # [2, Hc, Wc] samples per frame
    difference = np.abs(medians["x264.mp4"] - medians["x265.mp4"])
    difference = difference[:, ~np.isnan(difference).any(axis=0)]
    assert difference.shape[1] > 0.9 * (WIDTH // CELL) * (HEIGHT // CELL)
    assert np.median(difference) < 0.05, np.median(difference)
    assert np.mean(difference.max(axis=0) < 0.5) > 0.95, np.mean(difference.max(axis=0) < 0.5)


def test_both_containers_read_the_same(clips: dict[str, Path]) -> None:
    one, other = windows(clips["x265.mp4"])[0], windows(clips["x265.mov"])[0]
    for name in ("motion", "valid", "intra", "residual", "saliency"):
        np.testing.assert_array_equal(getattr(one, name).numpy(), getattr(other, name).numpy())
