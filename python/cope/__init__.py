"""Compressed video in, language-model tokens out.

Reads motion vectors and transform coefficients straight from the bitstream, decodes few keyframes
to pixels. What needs numpy or torch is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cope import ops
from cope.density import Density
from cope.errors import (
    ConcealedDamageWarning,
    CopeError,
    InvalidBitstreamError,
    LimitExceededError,
    MediaOpenError,
    UnsupportedStreamError,
)
from cope.fields import DeltaWindow, Field, Keyframe, Primitives
from cope.limits import Limits
from cope.picture import BlockType, Picture, PictureInfo
from cope.probe import probe
from cope.reader import VideoReader, digest, extract, extract_segments
from cope.stream import ReadStats, StreamInfo, StreamReport

if TYPE_CHECKING:
    __version__: str
    from cope.encode import VideoTokens, encode_video

__all__ = [
    "BlockType",
    "ConcealedDamageWarning",
    "CopeError",
    "DeltaWindow",
    "Density",
    "Field",
    "InvalidBitstreamError",
    "Keyframe",
    "LimitExceededError",
    "Limits",
    "MediaOpenError",
    "Picture",
    "PictureInfo",
    "Primitives",
    "ReadStats",
    "StreamInfo",
    "StreamReport",
    "UnsupportedStreamError",
    "VideoReader",
    "VideoTokens",
    "digest",
    "encode_video",
    "extract",
    "extract_segments",
    "ops",
    "probe",
]


def __getattr__(name: str) -> Any:
    if name in ("encode_video", "VideoTokens"):
        from cope import encode

        return getattr(encode, name)
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("cope")
        except PackageNotFoundError:  # a source tree that is not installed
            return "0+unknown"
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
