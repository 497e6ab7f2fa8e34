#!/usr/bin/env python3
"""Draws the demo clip and codes it with x264: two scenes of textured objects over moving ground.

The first is a landscape that scrolls in three depths while a ball rolls, a crate crosses it and a
kite flies; the second looks down on a mosaic that turns and grows while discs circle over it.
Between them lies a scene cut. Everything is computed from one seed.

    python tools/make_demo_clip.py examples/demo.mp4
"""

from __future__ import annotations

import argparse
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]  # (height, width, 3), 0..1
Plane = NDArray[np.float32]

WIDTH, HEIGHT, RATE = 640, 360, 25
LANDSCAPE_SECONDS, MOSAIC_SECONDS = 8, 6
X264 = ["-c:v", "libx264", "-preset", "medium", "-crf", "28", "-pix_fmt", "yuv420p"]

Y, X = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)


def sample(texture: Plane, x: Plane, y: Plane) -> Plane:
    """Bilinear samples of a texture that repeats in both directions."""
    height, width = texture.shape[:2]
    x0, y0 = np.floor(x), np.floor(y)
    fx, fy = x - x0, y - y0
    if texture.ndim == 3:
        fx, fy = fx[..., None], fy[..., None]
    c0, r0 = x0.astype(int) % width, y0.astype(int) % height
    c1, r1 = (c0 + 1) % width, (r0 + 1) % height
    top = texture[r0, c0] * (1 - fx) + texture[r0, c1] * fx
    bottom = texture[r1, c0] * (1 - fx) + texture[r1, c1] * fx
    return (top * (1 - fy) + bottom * fy).astype(np.float32)


def noise(rng: np.random.Generator, size: int, cells: int, octaves: int) -> Plane:
    """Value noise of several octaves on a torus, about 0..1."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    total, weight = np.zeros((size, size), np.float32), 0.0
    for octave in range(octaves):
        n = cells << octave
        lattice = rng.random((n, n), dtype=np.float32)
        total += sample(lattice, x * n, y * n) * 0.5**octave
        weight += 0.5**octave
    return total / weight


def blend(image: Image, colour: Image, alpha: Plane) -> None:
    """Lays `colour` over `image` in place."""
    image += (colour - image) * alpha[..., None]


def ramp(distance: Plane) -> Plane:
    """Coverage of a pixel whose centre is `distance` pixels inside an edge."""
    return np.clip(distance + 0.5, 0, 1)


def tint(shade: Plane, dark: tuple[float, ...], light: tuple[float, ...]) -> Image:
    """Colours between `dark` (shade 0) and `light` (shade 1)."""
    low, high = np.float32(dark), np.float32(light)
    return low + (high - low) * shade[..., None]


def turned(cx: float, cy: float, angle: float) -> tuple[Plane, Plane]:
    """Coordinates of every pixel in a frame that is centred at (cx, cy) and turned by `angle`."""
    c, s = np.cos(angle), np.sin(angle)
    return (X - cx) * c + (Y - cy) * s, (Y - cy) * c - (X - cx) * s


class Landscape:
    """A valley that scrolls in three depths, with a ball, a crate and a kite."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.cloud = noise(rng, 512, 3, 6)
        self.rock = noise(rng, 512, 8, 6)
        self.grass = noise(rng, 512, 24, 5)
        self.ridge = [noise(rng, 512, 3, 5)[0], noise(rng, 512, 2, 4)[0]]

    def hills(self, image: Image, depth: int, shift: float) -> None:
        """One row of hills, moved to the left by `shift` pixels."""
        texture, base, tall = ((self.rock, 180, 150), (self.grass, 250, 120))[depth]
        x = X[0] + shift
        crest = base + tall / 2 - tall * sample(self.ridge[depth][None], x * 0.7, 0 * x)
        shade = sample(texture, X + shift, Y)
        colours = (
            ((0.20, 0.24, 0.36), (0.62, 0.60, 0.66)),
            ((0.10, 0.26, 0.10), (0.52, 0.66, 0.28)),
        )
        blend(image, tint(shade, *colours[depth]), ramp(Y - crest[None]))

    def draw(self, t: float) -> Image:
        image = tint(Y / HEIGHT, (0.32, 0.56, 0.86), (0.86, 0.90, 0.94))
        clouds = sample(self.cloud, X + 9 * t, Y * 1.6)
        blend(image, np.float32([1, 1, 1]), np.clip(clouds * 4 - 2, 0, 0.85))
        self.hills(image, 0, 30 * t)
        self.kite(image, 430 + 90 * np.sin(0.9 * t), 85 + 35 * np.sin(1.8 * t), 0.4 * np.sin(2 * t))
        self.hills(image, 1, 75 * t)
        self.crate(image, 760 - 120 * t, 285)
        self.ball(image, -50 + 95 * t, 300 - 60 * abs(np.sin(2.2 * t)), 0.045 * 95 * t)
        return image

    def kite(self, image: Image, cx: float, cy: float, angle: float) -> None:
        u, v = turned(cx, cy, angle)
        checks = ((np.floor(u / 12) + np.floor(v / 12)) % 2).astype(np.float32)
        colour = tint(checks, (0.80, 0.12, 0.20), (0.98, 0.84, 0.25))
        blend(image, colour, ramp((42 - abs(u) - 0.75 * abs(v)) / 1.25))

    def crate(self, image: Image, cx: float, cy: float) -> None:
        u, v = X - cx, Y - cy
        planks = 0.35 + 0.65 * sample(self.rock, u * 0.25, v * 3)
        planks *= np.where((v % 18) < 2, 0.45, 1).astype(np.float32)
        frame = np.maximum(abs(u), abs(v)) > 38
        colour = tint(planks * np.where(frame, 0.8, 1.0), (0.22, 0.12, 0.05), (0.85, 0.60, 0.32))
        blend(image, colour, ramp(46 - np.maximum(abs(u), abs(v))))

    def ball(self, image: Image, cx: float, cy: float, angle: float) -> None:
        u, v = turned(cx, cy, angle)
        radius = np.hypot(u, v)
        stripe = (np.floor((np.arctan2(v, u) + np.pi) / (np.pi / 4)) % 2).astype(np.float32)
        light = np.clip(1.15 - np.hypot(X - cx + 14, Y - cy + 14) / 75, 0.35, 1)[..., None]
        colour = tint(stripe, (0.95, 0.95, 0.92), (0.10, 0.35, 0.75)) * light
        blend(image, colour, ramp(40 - radius))


class Mosaic:
    """Tiles that turn and grow slowly under discs that circle the other way."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.stone = noise(rng, 512, 16, 5)
        self.shade = rng.random((16, 16), dtype=np.float32)
        self.marble = noise(rng, 256, 4, 6)

    def draw(self, t: float) -> Image:
        zoom = 0.9 + 0.07 * t
        u, v = (w / zoom for w in turned(WIDTH / 2, HEIGHT / 2, 0.10 * t))
        tile = self.shade[(v // 36).astype(int) % 16, (u // 36).astype(int) % 16]
        shade = 0.55 * tile + 0.45 * sample(self.stone, u * 1.5, v * 1.5)
        image = tint(shade, (0.16, 0.12, 0.20), (0.86, 0.74, 0.58))
        joint = np.minimum(np.minimum(u % 36, 36 - u % 36), np.minimum(v % 36, 36 - v % 36))
        blend(image, np.float32([0.10, 0.09, 0.10]), ramp(1.5 - joint) * 0.8)
        colours = ((0.85, 0.25, 0.20), (0.15, 0.55, 0.55), (0.90, 0.70, 0.20))
        for i, colour in enumerate(colours):
            phase = -0.8 * t + i * 2 * np.pi / 3
            self.disc(
                image, 320 + 190 * np.cos(phase), 180 + 100 * np.sin(phase), 3 * phase, colour
            )
        return image

    def disc(
        self, image: Image, cx: float, cy: float, angle: float, colour: tuple[float, ...]
    ) -> None:
        u, v = turned(cx, cy, angle)
        radius = np.hypot(u, v)
        blend(
            image, np.float32([0, 0, 0]), 0.35 * ramp((52 - np.hypot(X - cx - 8, Y - cy - 8)) / 4)
        )
        shade = sample(self.marble, u * 2, v * 2) + 0.25 * (np.floor(radius / 9) % 2)
        blend(image, tint(np.clip(shade, 0, 1), (0.1, 0.1, 0.12), colour), ramp(46 - radius))


def frames() -> Iterator[bytes]:
    """The clip as raw RGB frames."""
    rng = np.random.default_rng(20)
    for scene, seconds in ((Landscape(rng), LANDSCAPE_SECONDS), (Mosaic(rng), MOSAIC_SECONDS)):
        for n in range(seconds * RATE):
            image = scene.draw(n / RATE)
            yield (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8).tobytes()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("output", type=Path)
    output = parser.parse_args().output
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(RATE)]
    command = ["ffmpeg", "-v", "error", "-y", *raw, "-i", "-", *X264]
    command += ["-movflags", "+faststart", str(output)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as encoder:
        assert encoder.stdin is not None
        for frame in frames():
            encoder.stdin.write(frame)
        encoder.stdin.close()
        if encoder.wait() != 0:
            raise SystemExit("ffmpeg failed")
    print(f"{output}: {output.stat().st_size} bytes")


if __name__ == "__main__":
    main()
