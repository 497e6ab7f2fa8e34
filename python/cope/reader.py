"""Opens a video and yields what its bitstream says: parsed pictures, or keyframes and delta
windows.

Decoding to pixels happens for keyframes only; everything else is entropy decoding.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict
from fractions import Fraction
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, cast

from cope.density import Density
from cope.errors import ConcealedDamageWarning, UnsupportedStreamError
from cope.fields import DeltaWindow, Field, Keyframe, Primitives
from cope.limits import Limits
from cope.picture import Picture
from cope.profiles import level_number, profile_name
from cope.stream import ReadStats, StreamInfo

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["OnError", "VideoReader", "digest", "extract", "extract_segments"]

OnError = Literal["raise", "skip", "conceal"]


class VideoReader:
    r"""One open video.

    Args:
        source (`str`, `os.PathLike`, bytes-like or binary file object):
            A path, a URL that contains `"://"`, the bytes of a whole file, or an object with
            `read(size)` and, if it can, `readinto`, `seek` and `tell`. A file object stays open
            when the reader is closed.
        stream_index (`int`, *optional*):
            Stream of the container. The default is the best video stream.
        threads (`int`, *optional*):
            Threads that work for this reader, borrowed from a pool that all readers of the process
            share. The default is the size of the pool: the CPUs that the process may use by
            affinity, cgroup quota, or the environment variable `COPE_NUM_THREADS` when cope is
            first used. With 1, the calling thread does all the work.
        on_error (`"raise"`, `"skip"` or `"conceal"`, *optional*, defaults to `"conceal"`):
            What to do with a damaged picture: raise; leave it out; hand it out with its lost blocks
            marked. The last two count in `stats` and warn once, so nothing is silently wrong.
        limits ([`Limits`], *optional*):
            What the stream may ask for.

    Raises:
        MediaOpenError: The source cannot be opened, or holds no video.
        UnsupportedStreamError: The codec, or encryption, is not supported.
        TypeError: `source` is none of the above.

    Passes over the video start with [`~VideoReader.pictures`] or [`~VideoReader.windows`]; a second
    pass needs a source that can seek, and ends the one before. One thread at a time; not across a
    `fork`.

    Example:
        >>> with VideoReader("clip.mp4") as video:  # doctest: +SKIP
        ...     for picture in video.pictures():
        ...         print(picture.info.slice_types, picture.motion.mv.shape)
    """

    def __init__(
        self,
        source: Any,
        *,
        stream_index: int | None = None,
        threads: int | None = None,
        on_error: OnError = "conceal",
        limits: Limits | None = None,
    ) -> None:
        if threads is not None and threads < 1:
            raise ValueError(f"threads must be at least 1, not {threads}")
        from cope import _native  # links libav*, which takes its time to load

        native_limits = _native.Limits()
        for name, value in asdict(limits or Limits()).items():
            setattr(native_limits, name, value)
        self._native = _native.Reader(
            _as_source(source), stream_index, threads or 0, on_error, native_limits
        )
        self._pass = 0
        self._is_open = True
        self._warned = False
        self._stats: ReadStats | None = None
        self.info = _make_info(self._native.info)

    def pictures(self, *, coefficients: bool = True) -> Iterator[Picture]:
        """Parse every picture, in decoding order.

        Args:
            coefficients (`bool`, *optional*, defaults to `True`):
                Keep the transform coefficient levels.

        Yields:
            [`Picture`]: its arrays stay valid after the reader is closed.

        Raises:
            UnsupportedStreamError: A coding tool is not supported; `element` names it.
            InvalidBitstreamError: A picture is damaged and `on_error` is `"raise"`.
            LimitExceededError: The stream asks for more than the limits admit.
        """
        self._check_open()
        self._native.start_pictures(coefficients)
        return cast("Iterator[Picture]", self._items(self._native.next_picture, Picture))

    def windows(
        self,
        *,
        density: Density | None = None,
        cell: int = 16,
        residual_scale: int = 4,
        keyframes: bool = True,
    ) -> Iterator[Keyframe | DeltaWindow]:
        """Read keyframes and delta windows, in time order, with bounded memory.

        Only the reference pictures on the way from a window's start to its target are parsed.

        Args:
            density ([`Density`], *optional*):
                How many of each. Defaults to `Density()`.
            cell (`int`, *optional*, defaults to 16):
                Luma samples per cell of motion, masks and saliency; a multiple of 4.
            residual_scale (`int`, *optional*, defaults to 4):
                Luma samples per residual value; a multiple of 4.
            keyframes (`bool`, *optional*, defaults to `True`):
                Decode keyframes. Otherwise the windows are the same, and nothing is decoded.

        Yields:
            [`Keyframe`] or [`DeltaWindow`].

        Raises:
            ValueError: `cell` or `residual_scale` is not a positive multiple of 4.
            LimitExceededError: Windows that overlap hold more coded data than fits; take a smaller
                `window`.
            CopeError: As [`~VideoReader.pictures`].
        """
        self._check_open()
        density = density or Density()
        for name, value in (("cell", cell), ("residual_scale", residual_scale)):
            if value < 4 or value % 4:
                raise ValueError(f"{name} must be a positive multiple of 4, not {value}")
        rate = density.keyframes_per_second
        self._native.start_windows(
            float("inf") if isinstance(rate, str) else rate,
            density.deltas_per_second,
            density.window or 0.0,
            cell,
            residual_scale,
            keyframes,
        )
        return cast(
            "Iterator[Keyframe | DeltaWindow]", self._items(self._native.next_window, _make_step)
        )

    @property
    def stats(self) -> ReadStats:
        """[`ReadStats`]: of the pass under way, or the last one."""
        return self._stats or ReadStats(**self._native.stats)

    def close(self) -> None:
        """Let the source go. Arrays of pictures stay valid."""
        if self._is_open:
            self._stats = self.stats
            self._is_open = False
            self._native.close()

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        info = self.info
        return f"VideoReader({info.codec} {info.profile}, {info.width}x{info.height})"

    def _headers(self) -> Iterator[dict[str, Any]]:
        """What the headers of each picture say, in decoding order; no slice data is parsed."""
        self._check_open()
        self._native.start_headers()
        return self._items(self._native.next_header, dict)

    def _check_open(self) -> None:
        if not self._is_open:
            raise ValueError("this VideoReader is closed")

    def _items(self, read: Callable[[], Any], make: Callable[[Any], Any]) -> Iterator[Any]:
        self._pass += 1
        return self._iterate(self._pass, read, make)

    def _iterate(
        self, this_pass: int, read: Callable[[], Any], make: Callable[[Any], Any]
    ) -> Iterator[Any]:
        while True:
            self._check_open()
            if this_pass != self._pass:
                raise RuntimeError("another pass over this VideoReader has begun")
            item = read()
            if item is None:
                self._warn_of_damage()
                return
            yield make(item)

    def _warn_of_damage(self) -> None:
        stats = self.stats
        damaged = stats.num_skipped + stats.num_concealed_pictures
        num_missing = max(0, (self.info.num_frames or 0) - stats.num_packets)
        if self._warned or not (
            damaged
            or num_missing
            or stats.num_nal_units_damaged
            or stats.num_packets_corrupt
            or stats.num_frames_lost
        ):
            return
        self._warned = True
        parts = [
            f"{num_missing} of {self.info.num_frames} frames missing at the end of the file",
            f"{stats.num_concealed_pictures} pictures concealed",
            f"{stats.num_blocks_lost} blocks lost",
            f"{stats.num_motion_lost} blocks without their vectors",
            f"{stats.num_frames_lost} reference frames lost",
            f"{stats.num_skipped} pictures skipped",
            f"{stats.num_nal_units_damaged} NAL units dropped",
            f"{stats.num_packets_corrupt} packets corrupt",
        ]
        text = ", ".join(part for part in parts if not part.startswith("0 "))
        reason = f"; first: {stats.first_error}" if stats.first_error else ""
        warnings.warn(f"damaged video: {text}{reason}", ConcealedDamageWarning, stacklevel=3)


def extract(
    source: Any,
    *,
    density: Density | None = None,
    device: str = "cpu",
    cell: int = 16,
    residual_scale: int = 4,
    threads: int | None = None,
    on_error: OnError = "conceal",
    limits: Limits | None = None,
) -> Primitives:
    r"""Read a whole video as stacked keyframes and delta windows.

    Memory grows with the video: for long ones iterate over [`VideoReader.windows`].

    Args:
        source: As [`VideoReader`].
        density ([`Density`], *optional*): How many of each. Defaults to `Density()`.
        device (`str`, *optional*, defaults to `"cpu"`): Where the fields are made. Only `"cpu"` so
            far.
        cell (`int`, *optional*, defaults to 16): Luma samples per cell, a multiple of 4.
        residual_scale (`int`, *optional*, defaults to 4): Luma samples per residual value, a
            multiple of 4.
        threads (`int`, *optional*): As [`VideoReader`].
        on_error (`str`, *optional*, defaults to `"conceal"`): As [`VideoReader`].
        limits ([`Limits`], *optional*): As [`VideoReader`].

    Returns:
        [`Primitives`]: fields with `numpy()`, `torch()` and `__dlpack__`.

    Raises:
        UnsupportedStreamError: Besides the reader's reasons: the picture size changes in the video.
            The message says when; [`extract_segments`] reads such videos.
        ValueError: `device` is not `"cpu"`.

    Example:
        >>> primitives = extract("clip.mp4")  # doctest: +SKIP
        >>> primitives.motion.torch().shape  # doctest: +SKIP
        torch.Size([10, 2, 45, 80])
    """
    segments = extract_segments(
        source,
        density=density,
        device=device,
        cell=cell,
        residual_scale=residual_scale,
        threads=threads,
        on_error=on_error,
        limits=limits,
    )
    if len(segments) > 1:
        changes = ", ".join(f"at {segment.start_seconds:.2f} s" for segment in segments[1:])
        raise UnsupportedStreamError(
            f"the picture size changes in the video {changes}: use extract_segments",
            element="picture size",
        )
    return segments[0]


def extract_segments(
    source: Any,
    *,
    density: Density | None = None,
    device: str = "cpu",
    cell: int = 16,
    residual_scale: int = 4,
    threads: int | None = None,
    on_error: OnError = "conceal",
    limits: Limits | None = None,
) -> list[Primitives]:
    r"""Read a whole video of which the picture size may change, as one piece for each size.

    Args: As [`extract`].

    Returns:
        `list` of [`Primitives`]: in time order, at least one. A new one begins where keyframes and
        windows have another size than those before, at `start_seconds`. `info` and `stats` are
        those of the whole video.

    Raises:
        CopeError: As [`VideoReader`].
        ValueError: `device` is not `"cpu"`.
    """
    if device != "cpu":
        raise ValueError(f"device must be 'cpu', not {device!r}")
    parts: list[list[Keyframe | DeltaWindow]] = []
    sizes: list[dict[type, tuple[int, ...]]] = []
    with VideoReader(source, threads=threads, on_error=on_error, limits=limits) as video:
        for step in video.windows(density=density, cell=cell, residual_scale=residual_scale):
            image = step.image if isinstance(step, Keyframe) else step.residual
            size = image.shape[1:]
            if not parts or sizes[-1].setdefault(type(step), size) != size:
                parts.append([])
                sizes.append({type(step): size})
            parts[-1].append(step)
        info, stats = video.info, video.stats
    return [_stack(part, info, stats, cell, residual_scale) for part in parts or [[]]]


def _stack(
    steps: list[Keyframe | DeltaWindow],
    info: StreamInfo,
    stats: ReadStats,
    cell: int,
    residual_scale: int,
) -> Primitives:
    """Stacks keyframes and windows of one size."""
    import numpy as np

    keyframes = [step for step in steps if isinstance(step, Keyframe)]
    deltas = [step for step in steps if isinstance(step, DeltaWindow)]
    height, width = (info.height, info.width)[:: -1 if info.rotation % 180 else 1]
    cells = (-(-height // cell), -(-width // cell))
    values = (-(-height // residual_scale), -(-width // residual_scale))

    def stack(items: list[npt.NDArray[Any]], shape: tuple[int, ...], dtype: npt.DTypeLike) -> Field:
        return Field(np.stack(items) if items else np.empty((0, *shape), dtype))

    def column(values: list[float] | list[int], dtype: npt.DTypeLike) -> Field:
        return Field(np.array(values, dtype))

    masks = {
        name: stack([getattr(delta, name) for delta in deltas], cells, np.float32)
        for name in ("valid", "intra", "lost", "scaled")
    }
    return Primitives(
        keyframes=stack([k.image for k in keyframes], (3, height, width), np.uint8),
        keyframe_timestamps=column([k.timestamp for k in keyframes], np.float64),
        keyframe_index=column([k.frame_index for k in keyframes], np.int64),
        motion=stack([d.motion for d in deltas], (2, *cells), np.float32),
        residual=stack([d.residual for d in deltas], (3, *values), np.float32),
        saliency=stack([d.saliency for d in deltas], (3, *cells), np.float32),
        starts=column([d.start for d in deltas], np.float64),
        timestamps=column([d.timestamp for d in deltas], np.float64),
        frame_index=column([d.frame_index for d in deltas], np.int64),
        info=info,
        stats=stats,
        **masks,
    )


def digest(
    source: Any,
    *,
    stream_index: int | None = None,
    threads: int | None = None,
    on_error: OnError = "conceal",
    limits: Limits | None = None,
) -> Iterator[dict[str, Any]]:
    """Summarise every picture in counts and order-independent hashes of what was parsed.

    Args:
        source: As [`VideoReader`].
        stream_index (`int`, *optional*): As [`VideoReader`].
        threads (`int`, *optional*): As [`VideoReader`].
        on_error (`str`, *optional*, defaults to `"conceal"`): As [`VideoReader`].
        limits ([`Limits`], *optional*): As [`VideoReader`].

    Yields:
        `dict`: one record per coded picture in decoding order, ready for JSON. Lost blocks, if any,
        are counted under `"lost"` in `"mb_counts"` (H.265: `"counts"`), and those of which only the
        vectors are lost under `"num_motion_lost"`.
    """
    with VideoReader(
        source, stream_index=stream_index, threads=threads, on_error=on_error, limits=limits
    ) as video:
        for n, picture in enumerate(video.pictures()):
            yield picture._native.digest(n)


def _as_source(source: Any) -> Any:
    if isinstance(source, os.PathLike):
        source = os.fspath(source)
        if isinstance(source, bytes):
            source = os.fsdecode(source)
    if isinstance(source, str) or hasattr(source, "read"):
        return source
    try:
        return memoryview(source).cast("B")
    except TypeError:
        raise TypeError(
            f"a video is a path, a URL, bytes or a binary file object, not {type(source).__name__}"
        ) from None


def _make_step(fields: dict[str, Any]) -> Keyframe | DeltaWindow:
    return Keyframe(**fields) if "image" in fields else DeltaWindow(**fields)


def _make_info(values: dict[str, Any]) -> StreamInfo:
    profile_idc, level_idc = values.pop("profile_idc"), values.pop("level_idc")
    numerator, denominator = values.pop("sample_aspect_ratio")
    ratio = Fraction(numerator, denominator or 1)
    numerator, denominator = values.pop("average_rate")
    rate = Fraction(numerator, denominator or 1)
    return StreamInfo(
        profile=profile_name(values["codec"], profile_idc),
        level=level_number(values["codec"], level_idc),
        time_base=Fraction(*values.pop("time_base")),
        sample_aspect_ratio=ratio or None,
        average_rate=rate or None,
        bit_depth=_bit_depth(values["pix_fmt"]),
        **values,
    )


def _bit_depth(pix_fmt: str) -> int | None:
    """Bit depth in FFmpeg's names of planar YUV formats: `yuv420p`, `yuv422p10le`, `gray12le`."""
    if not pix_fmt:
        return None
    match = re.fullmatch(r"(?:gray|.*p)(\d+)(?:le|be)", pix_fmt)
    return int(match[1]) if match else 8
