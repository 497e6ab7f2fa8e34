"""Turns a parsed picture into what `cope view` draws."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cope import ops
from cope.cli.canvas import Layers
from cope.types import BlockType, Picture

RESIDUAL_CELL = 4  # luma samples


def _cell_means(values: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Means over squares of `size`; rows and columns beyond the last whole square are left out."""
    height, width = (n // size for n in values.shape)
    squares = values[: height * size, : width * size].reshape(height, size, width, size)
    means: NDArray[np.float32] = squares.mean((1, 3))
    return means


def _prediction(picture: Picture) -> NDArray[np.uint8]:
    """Where each macroblock is predicted from, as codes of [`Layers`]."""
    types = picture.blocks.type
    rows, columns = types.shape
    is_used = (picture.motion.ref_idx >= 0).reshape(2, rows, 4, columns, 4).any((2, 4))
    codes = np.full(types.shape, Layers.FROM_NOWHERE, np.uint8)
    codes[is_used[0]] = Layers.FROM_PAST
    codes[is_used[1]] = Layers.FROM_FUTURE
    codes[is_used[0] & is_used[1]] = Layers.FROM_BOTH
    codes[types == BlockType.LOST] = Layers.IS_LOST
    return codes


def make_layers(picture: Picture, image: NDArray[np.uint8], frame_seconds: float) -> Layers:
    """The layers of one picture; its arrays are copied, so that it may be let go.

    Args:
        picture ([`Picture`]):
            With coefficients.
        image (`numpy.ndarray` of shape `(height, width, 3)`):
            uint8, the decoded frame, RGB, cropped as the stream asks.
        frame_seconds (`float`):
            Time from one frame to the next.
    """
    height, width = image.shape[:2]
    # [2, rows, columns] per second towards the past, in sizes of the picture
    motion, _ = ops.rasterise_motion(picture, cell=16)
    to_samples = np.float32([width, height])[:, None, None] * -frame_seconds
    residual = np.abs(ops.residual(picture)[0].astype(np.float32))
    residual /= 1 << (picture.info.bit_depth_luma - 8)
    return Layers(
        image=image,
        block_size=16,
        motion=motion * to_samples,
        prediction=_prediction(picture),
        bits=picture.bits.astype(np.float32),
        residual=_cell_means(residual, RESIDUAL_CELL),
    )
