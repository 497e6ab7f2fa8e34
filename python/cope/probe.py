"""`probe`: what a video is made of, from the headers of its pictures."""

from __future__ import annotations

from itertools import groupby, pairwise
from typing import Any

from cope.limits import Limits
from cope.profiles import level_number, profile_name
from cope.reader import VideoReader
from cope.stream import StreamReport

__all__ = ["probe"]


def probe(source: Any, *, limits: Limits | None = None) -> StreamReport:
    r"""Look at the headers of every picture of a video. No slice data is parsed.

    Args:
        source: As [`VideoReader`].
        limits ([`Limits`], *optional*): As [`VideoReader`].

    Returns:
        [`StreamReport`]: codec, structure, coding tools, and whether cope parses all of it.

    Raises:
        CopeError: The source cannot be opened, or its codec is not supported.
    """
    with VideoReader(source, limits=limits) as video:
        headers = list(video._headers())
        stats, info = video.stats, video.info

    first = headers[0] if headers else None
    frames = [h for h in headers if not h["is_second_field"]]
    types = [_picture_type(h["slice_types"]) for h in headers]
    keys = [i for i, h in enumerate(frames) if h["is_random_access"]]
    # A leading or trailing stretch without a random access point counts as a group of its own.
    edges = sorted({0, *keys, len(frames)})
    groups = [b - a for a, b in pairwise(edges)]
    keyframe_seconds = [frames[i]["seconds"] for i in keys]
    gaps = [b - a for a, b in pairwise(keyframe_seconds)]
    shown = sorted(frames, key=lambda h: h["seconds"])
    b_runs = [len(list(run)) for is_b, run in groupby(shown, _is_b) if is_b]
    duration = info.duration_seconds
    if duration is None and shown and info.average_rate:
        duration = shown[-1]["seconds"] - shown[0]["seconds"] + float(1 / info.average_rate)
    reasons = [h["unsupported"] for h in headers if h["unsupported"]]
    width, height = _display_size(first) if first else (info.width, info.height)
    sizes = [(next(group)["seconds"], *size) for size, group in groupby(headers, _display_size)]
    return StreamReport(
        info=info,
        codec=info.codec,
        profile=_profile(info.codec, first) if first else info.profile,
        level=level_number(info.codec, first["level_idc"]) if first else info.level,
        width=width,
        height=height,
        sizes=tuple(sizes),
        num_pictures=len(headers),
        num_by_type={name: types.count(name) for name in "IPB"},
        num_references=sum(h["is_reference"] for h in headers),
        num_idr=sum(h["is_idr"] for h in headers),
        num_random_access=len(keys),
        keyframe_seconds=tuple(keyframe_seconds),
        gop_pictures_min=min(groups, default=None),
        gop_pictures_max=max(groups, default=None),
        gop_seconds_mean=sum(gaps) / len(gaps) if gaps else None,
        max_consecutive_b=max(b_runs, default=0),
        is_open_gop=any(h["is_leading"] for h in headers),
        features=tuple(sorted({name for h in headers for name in h["features"]})),
        duration_seconds=duration,
        size_bytes=sum(h["size_bytes"] for h in headers),
        is_supported=not reasons,
        unsupported_reason=reasons[0] if reasons else None,
        num_nal_units_damaged=stats.num_nal_units_damaged,
        num_nal_units_skipped=stats.num_nal_units_skipped,
        num_frames_lost=stats.num_frames_lost,
        first_error=stats.first_error,
    )


def _display_size(header: dict[str, Any]) -> tuple[int, int]:
    """Width and height of the frame as displayed, before rotation."""
    left, top, right, bottom = header["crop"]
    fields = 1 if header["structure"] == "frame" else 2
    return header["width"] - left - right, header["height"] * fields - top - bottom


def _picture_type(slice_types: str) -> str:
    """The most general of the slice types: SP counts as P and SI as I."""
    if "B" in slice_types:
        return "B"
    return "P" if "P" in slice_types or "p" in slice_types else "I"


def _is_b(header: dict[str, Any]) -> bool:
    return "B" in header["slice_types"]


def _profile(codec: str, header: dict[str, Any]) -> str:
    return profile_name(codec, header["profile_idc"], header["constraint_flags"])
