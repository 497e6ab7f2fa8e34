"""Names of profiles and levels, as the standards write them."""

from __future__ import annotations

__all__ = ["level_number", "profile_name"]

# profile_idc of H.264 Annex A
_H264_PROFILES = {
    44: "CAVLC 4:4:4 Intra",
    66: "Baseline",
    77: "Main",
    88: "Extended",
    100: "High",
    110: "High 10",
    122: "High 4:2:2",
    244: "High 4:4:4 Predictive",
}
_INTRA_PROFILES = {110: "High 10 Intra", 122: "High 4:2:2 Intra", 244: "High 4:4:4 Intra"}
# Bits that FFmpeg adds to profile_idc
_FFMPEG_CONSTRAINED = 1 << 9
_FFMPEG_INTRA = 1 << 11


def profile_name(codec: str, profile_idc: int, constraint_flags: int | None = None) -> str:
    """Name of a profile; `"unknown"` for a negative number, the number itself for one that has no
    name here.

    Args:
        codec (`str`): FFmpeg's name of the codec.
        profile_idc (`int`): As coded, or as FFmpeg gives it.
        constraint_flags (`int`, *optional*): Bit i is constraint_set<i>_flag, where they are known.
    """
    if profile_idc < 0:
        return "unknown"
    is_constrained = bool(profile_idc & _FFMPEG_CONSTRAINED)
    is_intra = bool(profile_idc & _FFMPEG_INTRA)
    profile_idc &= ~(_FFMPEG_CONSTRAINED | _FFMPEG_INTRA)
    if codec != "h264":
        return str(profile_idc)
    if constraint_flags is not None:
        is_constrained = bool(constraint_flags & 0b10)
        is_intra = bool(constraint_flags & 0b1000)
    if profile_idc == 66 and is_constrained:
        return "Constrained Baseline"
    if is_intra and profile_idc in _INTRA_PROFILES:
        return _INTRA_PROFILES[profile_idc]
    return _H264_PROFILES.get(profile_idc, str(profile_idc))


def level_number(codec: str, level_idc: int) -> float | None:
    """The level as people write it, such as 4.1; none where unknown."""
    if level_idc <= 0:
        return None
    return level_idc / (30 if codec == "hevc" else 10)
