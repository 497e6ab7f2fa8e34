"""Turns a parsed picture into what `cope view` draws."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cope import ops
from cope.cli.canvas import Layers
from cope.picture import BlockType, Picture

BLOCK = 16  # luma samples: of what is drawn, and of H.264 macroblocks
LATTICE = 4  # luma samples: motion has a value for each such square
RESIDUAL_CELL = 4  # luma samples


def make_layers(picture: Picture, image: NDArray[np.uint8], frame_seconds: float) -> Layers:
    """The layers of one picture. Of a field pair it takes the first field, at twice its height.

    Args:
        picture ([`Picture`]):
            With coefficients.
        image (`numpy.ndarray` of shape `(height, width, 3)`):
            uint8, the decoded frame, RGB, cropped as the stream asks.
        frame_seconds (`float`):
            Time from one frame to the next.
    """
    height, width = image.shape[:2]
    # Displacement towards the past per second, in sizes of the picture.
    motion, _ = ops.rasterise_motion(picture, cell=BLOCK)
    to_samples = np.array([width, height], np.float32)[:, None, None] * -frame_seconds
    left, top, _, _ = picture.info.crop
    lines = 1 if picture.info.structure == "frame" else 2  # of the frame for one of the picture
    rows, columns = motion.shape[1:]
    bits = _on_lattice(picture.bits, picture) / (picture.blocks.size // LATTICE) ** 2
    bits = _squares(bits, 0).sum((1, 3)).astype(np.float32)
    # Squares count from the coded picture's corner, cells from the shown one's.
    row = (top + BLOCK * np.arange(rows) + BLOCK // 2) // (BLOCK * lines)
    row = np.minimum(row, bits.shape[0] - 1)
    column = (left + BLOCK * np.arange(columns) + BLOCK // 2) // BLOCK
    column = np.minimum(column, bits.shape[1] - 1)
    shown = np.ix_(row, column)
    return Layers(
        image=image,
        block_size=BLOCK,
        motion=motion * to_samples,
        prediction=_prediction(picture)[shown],
        bits=bits[shown] / lines,
        residual=_residual(picture).repeat(lines, 0)[top : top + height, left : left + width],
    )


def _residual(picture: Picture) -> NDArray[np.float32]:
    """Magnitude of the luma residual, averaged over small squares, at the coded size."""
    residual = np.abs(ops.residual(picture)[0].astype(np.float32))
    height, width = (n // RESIDUAL_CELL for n in residual.shape)
    cells = residual.reshape(height, RESIDUAL_CELL, width, RESIDUAL_CELL).mean((1, 3))
    cells /= 1 << (picture.info.bit_depth_luma - 8)
    magnitude: NDArray[np.float32] = cells.repeat(RESIDUAL_CELL, 0).repeat(RESIDUAL_CELL, 1)
    return magnitude


def _on_lattice(blocks: NDArray[Any], picture: Picture) -> NDArray[Any]:
    """Values of blocks, of whatever size the codec has them, repeated on the lattice."""
    times = picture.blocks.size // LATTICE
    return blocks.repeat(times, 0).repeat(times, 1)


def _squares(lattice: NDArray[Any], outside: int) -> NDArray[Any]:
    """`[rows, n, columns, n]`: the lattice by squares of `BLOCK`, `outside` behind its end."""
    n = BLOCK // LATTICE
    height, width = lattice.shape
    lattice = np.pad(lattice, ((0, -height % n), (0, -width % n)), constant_values=outside)
    return lattice.reshape(-(-height // n), n, -(-width // n), n)


def _prediction(picture: Picture) -> NDArray[np.uint8]:
    """Where each square is predicted from, as codes of [`Layers`]."""
    from_past, from_future = (
        _squares(ref_idx, -1).max((1, 3)) >= 0 for ref_idx in picture.motion.ref_idx
    )
    codes = np.full(from_past.shape, Layers.FROM_NOWHERE, np.uint8)
    codes[from_past] = Layers.FROM_PAST
    codes[from_future] = Layers.FROM_FUTURE
    codes[from_past & from_future] = Layers.FROM_BOTH
    is_lost = _on_lattice(picture.blocks.type == BlockType.LOST, picture)
    codes[_squares(is_lost, 0).any((1, 3))] = Layers.IS_LOST
    return codes
