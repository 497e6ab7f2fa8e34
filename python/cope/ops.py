"""Operations on parsed pictures, on NumPy arrays: residuals, motion in physical units, saliency,
composition.

Nothing here reads a file. What a whole video needs in one go is [`cope.extract`].
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

from cope.fields import DeltaWindow
from cope.picture import Picture

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["compose", "rasterise_motion", "residual", "saliency"]

BiPrediction = Literal["average", "list0", "nearest"]


def residual(
    picture: Picture, *, scale: Literal[1, 4, 8] = 1
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    r"""Inverse-transform the residual of a picture.

    At full size it is exactly the standard's. At reduced size it is the area average, made straight
    from the levels; it differs from the average of the exact one by the standard's intermediate
    rounding at most.

    Args:
        picture ([`Picture`]): A parsed picture, with coefficients.
        scale (`int`, *optional*, defaults to 1): Luma samples per value and axis: 1, 4 or 8.

    Returns:
        `tuple` of three `numpy.ndarray`: Y, Cb, Cr of the coded picture. With `scale` 1 int16 at
        the size of each plane, in which residuals of 16-bit video may saturate; else float32, all
        three on the grid of `scale` x `scale` luma samples. In units of samples. Chroma of
        monochrome video is empty.

    Raises:
        ValueError: `scale` is not 1, 4 or 8.

    Spec: H.264 8.5, H.265 8.6.
    """
    from cope import _native

    if scale == 1:
        return _native.residual(picture._native)
    if scale not in (4, 8):
        raise ValueError(f"scale must be 1, 4 or 8, not {scale}")
    return _native.scaled_residual(picture._native, scale)


def rasterise_motion(
    picture: Picture, *, cell: int = 16, bi_prediction: BiPrediction = "average"
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    r"""Average the motion vectors of a picture over cells, in physical units.

    Args:
        picture ([`Picture`]): A parsed picture.
        cell (`int`, *optional*, defaults to 16): Luma samples per cell, a multiple of 4.
        bi_prediction (`str`, *optional*, defaults to `"average"`):
            What stands for a block with two vectors: their mean, that of list 0, or that of the
            reference `"nearest"` in time.

    Returns:
        `tuple` of two `numpy.ndarray`: float32 `(2, Hc, Wc)`, displacement towards the past per
        second, x in widths and y in heights of the displayed picture; and float32 `(Hc, Wc)`, the
        share of each cell that has motion.

    Raises:
        ValueError: `cell` is not a positive multiple of 4, or `bi_prediction` is unknown.
    """
    from cope import _native

    _check_multiple("cell", cell)
    return _native.rasterise_motion(picture._native, cell, bi_prediction)


def saliency(picture: Picture, *, cell: int = 16) -> npt.NDArray[np.float32]:
    r"""Measure what the encoder spent on each cell of a picture: where the news is.

    Args:
        picture ([`Picture`]): A parsed picture, with coefficients.
        cell (`int`, *optional*, defaults to 16): Luma samples per cell, a multiple of 4.

    Returns:
        `numpy.ndarray` of shape `(3, Hc, Wc)`: float32 bits per luma sample, root mean square of
        the luma residual in samples of 8 bits / 255, and length of the motion in picture heights
        per second.

    Raises:
        ValueError: `cell` is not a positive multiple of 4.
    """
    from cope import _native

    _check_multiple("cell", cell)
    return _native.saliency(picture._native, cell)


def compose(
    pictures: Iterable[Picture],
    *,
    cell: int = 16,
    residual_scale: int = 4,
    bi_prediction: BiPrediction = "average",
) -> DeltaWindow:
    r"""Compose motion and residual of the last picture relative to the first.

    Follows the reference graph: see [`DeltaWindow`].

    Args:
        pictures (iterable of [`Picture`]):
            In decoding order. The first is the window's start, the last its target; between them
            every picture that the target depends on. A reference that is absent counts as lost.
        cell (`int`, *optional*, defaults to 16): Luma samples per cell, a multiple of 4.
        residual_scale (`int`, *optional*, defaults to 4): Luma samples per residual value, a
            multiple of 4.
        bi_prediction (`str`, *optional*, defaults to `"average"`): As [`rasterise_motion`].

    Returns:
        [`DeltaWindow`]: not turned for display; `frame_index` is the target's `decode_index`.

    Raises:
        ValueError: Fewer than two pictures, or an argument out of range.
    """
    from cope import _native

    _check_multiple("cell", cell)
    _check_multiple("residual_scale", residual_scale)
    chain = [picture._native for picture in pictures]
    if len(chain) < 2:
        raise ValueError("a window takes at least two pictures")
    fields = _native.compose(chain, cell, residual_scale, bi_prediction)
    return DeltaWindow(frame_index=chain[-1].info["decode_index"], **fields)


def _check_multiple(name: str, value: int) -> None:
    if value < 4 or value % 4:
        raise ValueError(f"{name} must be a positive multiple of 4, not {value}")
