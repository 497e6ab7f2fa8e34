"""What is known of a video as a whole: by its container, by its headers, by reading it."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

__all__ = [
    "ReadStats",
    "StreamInfo",
    "StreamReport",
]


@dataclass(frozen=True)
class StreamInfo:
    """What the container says of the video stream.

    Args:
        codec (`str`): FFmpeg's name, such as `"h264"`.
        profile (`str`): Name of the profile, `"unknown"` when the container does not tell.
        level (`float`, *optional*): Such as 4.1.
        width (`int`): Luma samples as displayed, before rotation. 0 when unknown.
        height (`int`): Luma samples as displayed, before rotation. 0 when unknown.
        rotation (`int`): Degrees by which pictures are turned clockwise for display: 0, 90, 180,
            270.
        is_mirrored (`bool`): Pictures are mirrored left-right before they are turned.
        sample_aspect_ratio (`Fraction`, *optional*): Width of a sample divided by its height.
        time_base (`Fraction`): Seconds per unit of `pts` and `dts`.
        average_rate (`Fraction`, *optional*): Frames per second.
        duration_seconds (`float`, *optional*): Of the presentation.
        num_frames (`int`, *optional*): Where the container counts them.
        bit_rate (`int`, *optional*): Bits per second.
        bit_depth (`int`, *optional*): Of the samples.
        pix_fmt (`str`): FFmpeg's name, such as `"yuv420p"`; empty when unknown.
        container (`str`): FFmpeg's name, such as `"mov,mp4,m4a,3gp,3g2,mj2"`.
        stream_index (`int`): Of the stream in the container.
    """

    codec: str
    profile: str
    level: float | None
    width: int
    height: int
    rotation: int
    is_mirrored: bool
    sample_aspect_ratio: Fraction | None
    time_base: Fraction
    average_rate: Fraction | None
    duration_seconds: float | None
    num_frames: int | None
    bit_rate: int | None
    bit_depth: int | None
    pix_fmt: str
    container: str
    stream_index: int


@dataclass(frozen=True)
class ReadStats:
    """What a pass over a video read, what it made of it, and where the time went.

    Args:
        num_packets (`int`): Packets read.
        num_packets_corrupt (`int`): Damaged by the container's account, or unreadable.
        num_nal_units (`int`): NAL units read.
        num_nal_units_damaged (`int`): Dropped, because their headers make no sense or they came
            too late.
        num_nal_units_skipped (`int`): Passed over: of other layers and views, of auxiliary
            pictures, and redundant slices.
        num_nal_units_repeated (`int`): Passed over because they came twice.
        num_frames_lost (`int`): Reference frames that never came, as far as their numbers tell.
        num_pictures (`int`): Coded pictures met.
        num_parsed (`int`): Pictures of which slice data was parsed.
        num_decoded (`int`): Pictures decoded to pixels.
        num_skipped (`int`): Damaged pictures that were left out.
        num_concealed_pictures (`int`): Damaged pictures that were handed out.
        num_blocks_lost (`int`): Blocks of concealed pictures that could not be parsed.
        num_motion_lost (`int`): Blocks that were parsed but have no vectors, for these depend on
            a loss in another picture.
        first_error (`str`, *optional*): The first damage met.
        seconds_demux (`float`): Spent on reading and headers.
        seconds_parse (`float`): Spent waiting for slice data to be parsed.
        seconds_compose (`float`): Spent on fields.
        seconds_decode (`float`): Spent on pixels.
    """

    num_packets: int = 0
    num_packets_corrupt: int = 0
    num_nal_units: int = 0
    num_nal_units_damaged: int = 0
    num_nal_units_skipped: int = 0
    num_nal_units_repeated: int = 0
    num_frames_lost: int = 0
    num_pictures: int = 0
    num_parsed: int = 0
    num_decoded: int = 0
    num_skipped: int = 0
    num_concealed_pictures: int = 0
    num_blocks_lost: int = 0
    num_motion_lost: int = 0
    first_error: str | None = None
    seconds_demux: float = 0.0
    seconds_parse: float = 0.0
    seconds_compose: float = 0.0
    seconds_decode: float = 0.0


@dataclass(frozen=True)
class StreamReport:
    """What `probe` found: the headers of every picture, and no slice data.

    Args:
        info ([`StreamInfo`]): What the container says.
        codec (`str`): FFmpeg's name.
        profile (`str`): Of the first picture.
        level (`float`, *optional*): Of the first picture, such as 4.1.
        width (`int`): Luma samples as displayed, before rotation.
        height (`int`): Luma samples as displayed, before rotation.
        sizes (`tuple`): `(seconds, width, height)` of each stretch of pictures of one size; the
            first is `(0.0, width, height)`, more than one where the size changes.
        num_pictures (`int`): Coded pictures; each field of a field pair is one.
        num_by_type (`dict` of `str` to `int`):
            Pictures by the most general slice type they contain: `"I"`, `"P"`, `"B"`.
        num_references (`int`): Pictures that others may be predicted from.
        num_idr (`int`): IDR pictures.
        num_random_access (`int`): Pictures at which decoding may start.
        keyframe_seconds (`tuple` of `float`): Presentation times of those.
        gop_pictures_min (`int`, *optional*): Fewest pictures from one random access point to the
            next.
        gop_pictures_max (`int`, *optional*): Most pictures, those before the first and after the
            last included.
        gop_seconds_mean (`float`, *optional*): Mean time from one random access point to the next.
        max_consecutive_b (`int`): Most B pictures in a row in presentation order.
        is_open_gop (`bool`): Some pictures shown before a random access point are decoded after it.
        features (`tuple` of `str`): Coding tools that the headers use, sorted.
        duration_seconds (`float`, *optional*): Container's, else from the first picture to the end
            of the last.
        size_bytes (`int`): Of all slices.
        is_supported (`bool`): Windows can be composed over it, so `cope.extract` and
            `cope.encode_video` read it. `VideoReader.pictures` reads it in any case.
        unsupported_reason (`str`, *optional*): What keeps windows from being composed.
        num_nal_units_damaged (`int`): NAL units dropped because their headers make no sense.
        num_nal_units_skipped (`int`): NAL units passed over: of other layers and views, of
            auxiliary pictures, and redundant slices.
        num_frames_lost (`int`): Reference frames that never came, as far as their numbers tell.
        first_error (`str`, *optional*): The first damage met.
    """

    info: StreamInfo
    codec: str
    profile: str
    level: float | None
    width: int
    height: int
    sizes: tuple[tuple[float, int, int], ...]
    num_pictures: int
    num_by_type: dict[str, int]
    num_references: int
    num_idr: int
    num_random_access: int
    keyframe_seconds: tuple[float, ...] = field(repr=False)
    gop_pictures_min: int | None
    gop_pictures_max: int | None
    gop_seconds_mean: float | None
    max_consecutive_b: int
    is_open_gop: bool
    features: tuple[str, ...]
    duration_seconds: float | None
    size_bytes: int
    is_supported: bool
    unsupported_reason: str | None
    num_nal_units_damaged: int
    num_nal_units_skipped: int
    num_frames_lost: int
    first_error: str | None
