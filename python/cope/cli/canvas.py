"""Draws what `cope view` shows: a frame with its motion, heat maps beside it, facts below.

Knows nothing of files and bitstreams; it is given arrays and words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Rgb = tuple[int, int, int]

GROUND: Rgb = (17, 19, 24)
TRACK: Rgb = (38, 42, 51)
TEXT: Rgb = (226, 229, 235)
FAINT: Rgb = (141, 148, 160)
PAST: Rgb = (64, 224, 208)
FUTURE: Rgb = (255, 176, 59)
BOTH: Rgb = (245, 245, 250)
INTRA: Rgb = (236, 72, 153)
LOST: Rgb = (239, 68, 68)
TYPE_COLOURS: dict[str, Rgb] = {"I": INTRA, "P": PAST, "B": FUTURE}

# Colours of a heat map from none to most, evenly spaced.
_EMBER = (
    (32, 35, 44),
    (62, 24, 92),
    (142, 36, 106),
    (216, 72, 70),
    (250, 152, 52),
    (252, 244, 180),
)
_ICE = (
    (32, 35, 44),
    (18, 52, 96),
    (20, 104, 150),
    (38, 166, 170),
    (146, 218, 172),
    (250, 250, 214),
)

MARGIN = 16
LABEL_HEIGHT = 26
STRIP_HEIGHT = 48
WORDS_WIDTH = (
    490  # of the strip; the timeline stands right of them, or below where there is no room
)
LONGEST_ARROW = 44  # pixels; longer ones approach it, lest a fast scene be nothing but arrows
OVERSAMPLE = 2  # overlays are drawn this much larger, then averaged: Pillow's lines have hard edges


def heat(values: NDArray[np.float32], colours: Sequence[Rgb]) -> NDArray[np.uint8]:
    """Colours of `values` in 0..1, uint8 `[height, width, 3]`."""
    table = np.asarray(colours, np.float32)
    position = np.clip(values, 0, 1) * (len(table) - 1)
    low = np.minimum(position.astype(np.intp), len(table) - 2)
    share = (position - low)[..., None]
    mixed: NDArray[np.float32] = table[low] * (1 - share) + table[low + 1] * share
    return (mixed + 0.5).astype(np.uint8)


@dataclass(frozen=True)
class Layers:
    """What is drawn of one picture. Grids have a cell per block of `block_size` luma samples."""

    image: NDArray[np.uint8]
    """uint8 `[height, width, 3]`, the decoded frame, RGB."""
    block_size: int
    """Luma samples on a side of a grid cell."""
    motion: NDArray[np.float32]
    """float32 `[2, rows, columns]`, movement `(x, y)` of the content, luma samples per frame."""
    prediction: NDArray[np.uint8]
    """uint8 `[rows, columns]`, one of the codes below."""
    bits: NDArray[np.float32]
    """float32 `[rows, columns]`, bits spent per block."""
    residual: NDArray[np.float32]
    """float32 `[height, width]`, residual magnitude in 8-bit sample units."""

    FROM_PAST = 0
    FROM_FUTURE = 1
    FROM_BOTH = 2
    FROM_NOWHERE = 3
    """Intra coded."""
    IS_LOST = 4


@dataclass(frozen=True)
class Facts:
    """What is said of one picture in the strip below the panels."""

    picture_type: str
    """`"I"`, `"P"` or `"B"`."""
    headline: str
    details: str
    sizes: Sequence[tuple[str, float]] = field(default_factory=tuple)
    """Type and bits of the pictures up to this one, in display order; the last is this one."""


class Canvas:
    """Lays pictures of one size out on a sheet of one size.

    Args:
        width (`int`), height (`int`):
            Luma samples of the frames to draw, as displayed.
        rotation (`int`, *optional*, defaults to 0):
            Degrees clockwise that the frames are turned for display: 0, 90, 180 or 270.
        is_mirrored (`bool`, *optional*, defaults to `False`):
            Frames are mirrored left-right before they are turned.
        sheet_width (`int`, *optional*, defaults to 1280):
            Largest width of the sheet, pixels.
    """

    def __init__(
        self,
        width: int,
        height: int,
        *,
        rotation: int = 0,
        is_mirrored: bool = False,
        sheet_width: int = 1280,
    ) -> None:
        self.frame_size = (width, height)
        self.rotation = rotation % 360
        self.is_mirrored = is_mirrored
        shown = (height, width) if self.rotation in (90, 270) else (width, height)
        aspect = shown[0] / shown[1]
        # The two small panels and the label between them are as high as the large one.
        room = sheet_width - 3 * MARGIN
        small = min((room / aspect - LABEL_HEIGHT) / 3, 300)
        self.small = (round(small * aspect), round(small))
        self.large = (round((2 * small + LABEL_HEIGHT) * aspect), round(2 * small) + LABEL_HEIGHT)
        width = self.large[0] + self.small[0] + 3 * MARGIN
        self._is_narrow = width < WORDS_WIDTH + 320
        strips = 2 if self._is_narrow else 1
        sheet = (width, self.large[1] + LABEL_HEIGHT + strips * (STRIP_HEIGHT + MARGIN) + MARGIN)
        self.size = (sheet[0] + sheet[0] % 2, sheet[1] + sheet[1] % 2)  # 4:2:0 video has even sizes

    @cached_property
    def _fonts(self) -> dict[int, ImageFont.FreeTypeFont | ImageFont.ImageFont]:
        return {size: ImageFont.load_default(size) for size in (13, 15, 18, 24)}

    def draw(self, layers: Layers, facts: Facts) -> Image.Image:
        """One sheet: the frame under its motion, bits and residual beside it, facts below."""
        sheet = Image.new("RGB", self.size, GROUND)
        left, right = MARGIN, 2 * MARGIN + self.large[0]
        top = LABEL_HEIGHT + 4
        lower = top + self.small[1] + LABEL_HEIGHT
        sheet.paste(self._motion_panel(layers), (left, top))
        bits = (np.log2(1 + layers.bits) / 11).astype(
            np.float32
        )  # 2047 bits a macroblock are the brightest
        sheet.paste(self._heat_panel(bits, layers.block_size, _EMBER), (right, top))
        residual = np.sqrt(layers.residual / 16)  # shows the faint ones, too
        sheet.paste(self._heat_panel(residual, 1, _ICE), (right, lower))

        pen = ImageDraw.Draw(sheet)
        self._legend(pen, left, top - LABEL_HEIGHT, layers)
        self._heat_label(pen, right, top - LABEL_HEIGHT, "bits per block", "2k", _EMBER)
        self._heat_label(pen, right, lower - LABEL_HEIGHT, "residual magnitude", "16", _ICE)
        self._strip(pen, top + self.large[1] + MARGIN, facts)
        return sheet

    def _turn(self, image: Image.Image) -> Image.Image:
        turns = {
            90: Image.Transpose.ROTATE_270,  # Pillow counts anticlockwise
            180: Image.Transpose.ROTATE_180,
            270: Image.Transpose.ROTATE_90,
        }
        if self.is_mirrored:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return image.transpose(turns[self.rotation]) if self.rotation in turns else image

    def _unturned(self, size: tuple[int, int]) -> tuple[int, int]:
        return (size[1], size[0]) if self.rotation in (90, 270) else size

    def _heat_panel(
        self, values: NDArray[np.float32], cell: int, colours: Sequence[Rgb]
    ) -> Image.Image:
        """A heat map of cells of `cell` luma samples; the last may stick out of the frame."""
        part = (0, 0, self.frame_size[0] / cell, self.frame_size[1] / cell)
        kind = Image.Resampling.NEAREST if cell > 1 else Image.Resampling.BOX
        panel = Image.fromarray(heat(values, colours))
        return self._turn(panel.resize(self._unturned(self.small), kind, part))

    def _motion_panel(self, layers: Layers) -> Image.Image:
        size = self._unturned(self.large)
        frame = Image.fromarray(layers.image).resize(size, Image.Resampling.LANCZOS)
        grey = frame.convert("L").convert("RGB")
        frame = Image.blend(Image.blend(frame, grey, 0.45), Image.new("RGB", size, GROUND), 0.25)
        overlay = Image.new("RGBA", (size[0] * OVERSAMPLE, size[1] * OVERSAMPLE))
        self._draw_motion(ImageDraw.Draw(overlay), layers, size)
        frame.paste(overlay := overlay.reduce(OVERSAMPLE), (0, 0), overlay)
        return self._turn(frame)

    @staticmethod
    def _draw_motion(pen: ImageDraw.ImageDraw, layers: Layers, size: tuple[int, int]) -> None:
        height, width = layers.image.shape[:2]
        scale = np.array((size[0] / width, size[1] / height)) * OVERSAMPLE
        cell = layers.block_size * scale
        # One arrow for 1x1, 2x2, ... blocks, so that arrows keep their distance in large pictures.
        step = max(1, round(16 * OVERSAMPLE / cell[0]))
        rows, columns = layers.prediction.shape
        for code, colour in ((Layers.FROM_NOWHERE, INTRA), (Layers.IS_LOST, LOST)):
            for row, column in np.argwhere(layers.prediction == code):
                x, y = column * cell[0], row * cell[1]
                box = (x + 1, y + 1, x + cell[0] - 2, y + cell[1] - 2)
                pen.rectangle(box, fill=(*colour, 56), outline=(*colour, 120))
        colours = {Layers.FROM_PAST: PAST, Layers.FROM_FUTURE: FUTURE, Layers.FROM_BOTH: BOTH}
        for row in range(step // 2, rows, step):
            for column in range(step // 2, columns, step):
                code = int(layers.prediction[row, column])
                if code not in colours:
                    continue
                start = (np.array((column, row)) + 0.5) * cell
                vector = layers.motion[:, row, column] * scale * Canvas.exaggeration(layers)
                _draw_arrow(pen, start, vector, colours[code])

    @staticmethod
    def exaggeration(layers: Layers) -> int:
        """How many times longer than the motion per frame the arrows are, to be seen at all."""
        return max(1, round(int(layers.image.shape[1]) / 160))

    def _legend(self, pen: ImageDraw.ImageDraw, x: float, y: float, layers: Layers) -> None:
        font = self._fonts[15]
        entries = [("past", PAST), ("future", FUTURE), ("both", BOTH), ("intra", INTRA)]
        if (layers.prediction == Layers.IS_LOST).any():
            entries.append(("lost", LOST))
        widths = [pen.textlength(word, font=font) + 30 for word, _ in entries]
        title = f"motion per frame, arrows x{self.exaggeration(layers)}"
        if pen.textlength(title, font=font) + sum(widths) > self.large[0]:
            title = "motion"
        pen.text((x, y + 4), title, font=font, fill=TEXT)
        at = x + self.large[0] - sum(widths) + 15
        for (word, colour), width in zip(entries, widths, strict=True):
            pen.ellipse((at, y + 9, at + 9, y + 18), fill=colour)
            pen.text((at + 15, y + 4), word, font=font, fill=FAINT)
            at += width

    def _heat_label(
        self,
        pen: ImageDraw.ImageDraw,
        x: float,
        y: float,
        title: str,
        most: str,
        colours: Sequence[Rgb],
    ) -> None:
        pen.text((x, y + 4), title, font=self._fonts[15], fill=TEXT)
        small = self._fonts[13]
        edge = x + self.small[0] - pen.textlength(most, font=small)
        width = min(72, self.small[0] - pen.textlength(title, font=self._fonts[15]) - 60)
        if width < 16:
            return
        pen.text((edge, y + 6), most, font=small, fill=FAINT)
        steps = heat(np.linspace(0, 1, int(width), dtype=np.float32), colours)
        for i, colour in enumerate(steps):
            at = edge - 6 - width + i
            pen.line(
                (at, y + 10, at, y + 17), fill=(int(colour[0]), int(colour[1]), int(colour[2]))
            )
        pen.text((edge - 6 - width - 12, y + 6), "0", font=small, fill=FAINT)

    def _strip(self, pen: ImageDraw.ImageDraw, y: float, facts: Facts) -> None:
        x = float(MARGIN)
        colour = TYPE_COLOURS.get(facts.picture_type, FAINT)
        pen.rounded_rectangle((x, y, x + 44, y + 44), radius=9, fill=colour)
        pen.text(
            (x + 22, y + 22), facts.picture_type, font=self._fonts[24], fill=GROUND, anchor="mm"
        )
        pen.text((x + 58, y + 1), facts.headline, font=self._fonts[18], fill=TEXT)
        pen.text((x + 58, y + 26), facts.details, font=self._fonts[15], fill=FAINT)
        self._timeline(pen, y + (STRIP_HEIGHT + MARGIN if self._is_narrow else 0), facts.sizes)

    def _timeline(
        self, pen: ImageDraw.ImageDraw, y: float, sizes: Sequence[tuple[str, float]]
    ) -> None:
        """A bar per picture, its area the picture's size: heights are square roots."""
        left = MARGIN if self._is_narrow else WORDS_WIDTH
        right, height = self.size[0] - MARGIN, 44
        pen.line((left, y + height, right, y + height), fill=TRACK)
        shown = sizes[-int((right - left) // 5) :]
        most = max((bits for _, bits in shown), default=1) or 1
        for i, (picture_type, bits) in enumerate(shown):
            colour = TYPE_COLOURS.get(picture_type, FAINT)
            if i + 1 != len(shown):
                colour = (colour[0] * 5 // 9, colour[1] * 5 // 9, colour[2] * 5 // 9)
            x = right - 5 * (len(shown) - i)
            bar = max(2.0, height * (bits / most) ** 0.5)
            pen.rectangle((x, y + height - bar, x + 3, y + height - 1), fill=colour)


def _draw_arrow(
    pen: ImageDraw.ImageDraw, start: NDArray[np.float64], vector: NDArray[np.float64], colour: Rgb
) -> None:
    length = float(np.hypot(*vector))
    if length < 2.5 * OVERSAMPLE:
        radius = 0.9 * OVERSAMPLE
        pen.ellipse((*(start - radius), *(start + radius)), fill=(*colour, 150))
        return
    longest = LONGEST_ARROW * OVERSAMPLE
    vector = vector * (longest * np.tanh(length / longest) / length)
    length = float(np.hypot(*vector))
    direction = vector / length
    end = start + vector
    head = min(5.0 * OVERSAMPLE, 0.5 * length)
    across = np.array((-direction[1], direction[0])) * head * 0.45
    neck = end - direction * head
    pen.line((*start, *neck), fill=(*colour, 230), width=round(1.5 * OVERSAMPLE))
    pen.polygon([tuple(end), tuple(neck + across), tuple(neck - across)], fill=(*colour, 240))
