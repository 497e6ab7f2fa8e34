"""What a video is read as: keyframes in pixels and windows of composed fields, as NumPy arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch

    from cope.stream import ReadStats, StreamInfo

__all__ = [
    "DeltaWindow",
    "Field",
    "Keyframe",
    "Primitives",
]


class Field:
    r"""An array that leaves as NumPy, torch or anything that speaks DLPack, without a copy.

    Args:
        array (`numpy.ndarray`):
            The values. C-contiguous.

    Example:
        >>> import numpy as np
        >>> field = Field(np.zeros((2, 3), np.float32))
        >>> field.shape, field.numpy().dtype
        ((2, 3), dtype('float32'))
    """

    __slots__ = ("_array",)

    def __init__(self, array: npt.NDArray[Any]) -> None:
        self._array = array

    @property
    def shape(self) -> tuple[int, ...]:
        """`tuple` of `int`: length of each axis."""
        return self._array.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """`numpy.dtype` of the values."""
        return self._array.dtype

    def __len__(self) -> int:
        return len(self._array)

    def __repr__(self) -> str:
        return f"Field(shape={self.shape}, dtype={self.dtype})"

    def __array__(
        self, dtype: npt.DTypeLike | None = None, copy: bool | None = None
    ) -> npt.NDArray[Any]:
        import numpy as np

        return np.array(self._array, dtype=dtype, copy=copy)

    def __dlpack__(self, **options: Any) -> Any:
        return self._array.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._array.__dlpack_device__()

    def numpy(self) -> npt.NDArray[Any]:
        """The values as a `numpy.ndarray` that shares their memory."""
        return self._array

    def torch(self) -> torch.Tensor:
        """The values as a `torch.Tensor` that shares their memory."""
        from torch.utils.dlpack import from_dlpack

        return from_dlpack(self)


@dataclass(frozen=True, eq=False)
class Keyframe:
    """A picture decoded to pixels.

    Args:
        image (`numpy.ndarray` of shape `(3, height, width)`):
            uint8 RGB, cropped and turned as displayed.
        timestamp (`float`): Presentation time, seconds since the start of the video.
        frame_index (`int`): Frames presented before it.
    """

    image: npt.NDArray[np.uint8]
    timestamp: float
    frame_index: int


@dataclass(frozen=True, eq=False)
class DeltaWindow:
    """How the picture changed from the start of a window to its target, composed along the
    references.

    Cells are `cell` luma samples wide and high, `Hc = ceil(height / cell)`, `Wc = ceil(width /
    cell)`, turned as the picture is displayed. Masks are the share of a cell's 4x4 blocks, 0..1.

    Args:
        start (`float`): Presentation time of the picture that the window starts from, seconds.
        timestamp (`float`): Presentation time of the target picture, seconds.
        frame_index (`int`): Frames presented before the target.
        motion (`numpy.ndarray` of shape `(2, Hc, Wc)`):
            float32 displacement towards the past per second, x in picture widths, y in heights;
            mean over valid blocks. What moves right by a tenth of the width per second reads -0.1.
        valid (`numpy.ndarray` of shape `(Hc, Wc)`): float32, neither intra nor lost.
        intra (`numpy.ndarray` of shape `(Hc, Wc)`): float32, the chain of references met an intra
            block.
        lost (`numpy.ndarray` of shape `(Hc, Wc)`): float32, it met a damaged block or a missing
            picture.
        scaled (`numpy.ndarray` of shape `(Hc, Wc)`):
            float32, it passed the start of the window; the last step was shortened in proportion.
        residual (`numpy.ndarray` of shape `(3, ceil(height / residual_scale), ceil(width /
        residual_scale))`):
            float32 Y, Cb, Cr on one grid: what was added to the prediction along the way, in
            samples of 8 bits / 255.
        saliency (`numpy.ndarray` of shape `(3, Hc, Wc)`):
            float32: bits per luma sample and root mean square residual, averaged over the window's
            pictures, and length of the motion in picture heights per second.
    """

    start: float
    timestamp: float
    frame_index: int
    motion: npt.NDArray[np.float32]
    valid: npt.NDArray[np.float32]
    intra: npt.NDArray[np.float32]
    lost: npt.NDArray[np.float32]
    scaled: npt.NDArray[np.float32]
    residual: npt.NDArray[np.float32]
    saliency: npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Primitives:
    """Keyframes and delta windows of a whole video, stacked. K keyframes, T windows.

    Args:
        keyframes ([`Field`] of shape `(K, 3, height, width)`): uint8 RGB.
        keyframe_timestamps ([`Field`] of shape `(K,)`): float64 seconds.
        keyframe_index ([`Field`] of shape `(K,)`): int64, frames presented before each.
        motion ([`Field`] of shape `(T, 2, Hc, Wc)`): float32, see [`DeltaWindow`], as all that
            follow.
        valid ([`Field`] of shape `(T, Hc, Wc)`): float32.
        intra ([`Field`] of shape `(T, Hc, Wc)`): float32.
        lost ([`Field`] of shape `(T, Hc, Wc)`): float32.
        scaled ([`Field`] of shape `(T, Hc, Wc)`): float32.
        residual ([`Field`] of shape `(T, 3, Hr, Wr)`): float32.
        saliency ([`Field`] of shape `(T, 3, Hc, Wc)`): float32.
        starts ([`Field`] of shape `(T,)`): float64 seconds, start of each window.
        timestamps ([`Field`] of shape `(T,)`): float64 seconds, target of each window.
        frame_index ([`Field`] of shape `(T,)`): int64, frames presented before each target.
        info ([`StreamInfo`]): Of the video.
        stats ([`ReadStats`]): Of the reading.
    """

    keyframes: Field
    keyframe_timestamps: Field
    keyframe_index: Field
    motion: Field
    valid: Field
    intra: Field
    lost: Field
    scaled: Field
    residual: Field
    saliency: Field
    starts: Field
    timestamps: Field
    frame_index: Field
    info: StreamInfo
    stats: ReadStats

    @property
    def start_seconds(self) -> float:
        """`float`: presentation time of the first keyframe or target; 0 where there is none."""
        times = [*self.keyframe_timestamps.numpy()[:1], *self.timestamps.numpy()[:1]]
        return float(min(times, default=0.0))
