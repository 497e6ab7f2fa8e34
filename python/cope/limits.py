"""Bounds on what a stream may ask for, the Python side of `cpp/cope/base/limits.h`."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Limits"]


@dataclass(frozen=True)
class Limits:
    r"""What a stream may ask for. Checked before anything is allocated for it.

    A stream that asks for more raises [`LimitExceededError`], whose `element` is the name of the
    limit. The defaults admit 8K: all that level 6.2 of H.264 does.

    Args:
        max_luma_samples (`int`, *optional*): Per picture. Defaults to 8192x4320.
        max_dimension (`int`, *optional*): Width or height in luma samples. Defaults to 16880.
        max_nal_bytes (`int`, *optional*): Of one NAL unit; a picture or packet may hold four times
            as much. Defaults to 64 MiB.
        max_slices_per_picture (`int`, *optional*): Defaults to 8192; never more than 65535.
        max_references (`int`, *optional*): Frames that the stream may keep as references. Defaults
            to 16.
        max_coefficients_per_picture (`int`, *optional*): Non-zero levels. Defaults to one for each
            sample of an 8K picture in 4:4:4.
        max_pictures_in_flight (`int`, *optional*): Coded pictures of one packet, and pictures
            parsed at a time. Defaults to 128.
        max_seconds_per_picture (`float`, *optional*): Wall time of parsing one picture, looked at
            between slices. Defaults to 60.
    """

    max_luma_samples: int = 139264 * 256
    max_dimension: int = 16880
    max_nal_bytes: int = 64 << 20
    max_slices_per_picture: int = 8192
    max_references: int = 16
    max_coefficients_per_picture: int = 3 * 139264 * 256
    max_pictures_in_flight: int = 128
    max_seconds_per_picture: float = 60.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            least = 0 if name == "max_references" else 1
            if name == "max_seconds_per_picture":
                if not value > 0.0:
                    raise ValueError(f"{name} must be positive, not {value}")
            elif not least <= value <= 2**31 - 1:
                raise ValueError(f"{name} must be in {least}..2**31-1, not {value}")
