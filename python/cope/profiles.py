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
_H264_INTRA_PROFILES = {110: "High 10 Intra", 122: "High 4:2:2 Intra", 244: "High 4:4:4 Intra"}
# general_profile_idc of H.265 Annex A, G, H, I
_HEVC_PROFILES = {
    1: "Main",
    2: "Main 10",
    3: "Main Still Picture",
    4: "Format Range Extensions",
    5: "High Throughput",
    6: "Multiview Main",
    7: "Scalable Main",
    8: "3D Main",
    9: "Screen-Extended Main",
    10: "Scalable Format Range Extensions",
    11: "High Throughput Screen-Extended",
}
# Bits that FFmpeg adds to profile_idc
_FFMPEG_CONSTRAINED = 1 << 9
_FFMPEG_INTRA = 1 << 11


def profile_name(codec: str, profile_idc: int, constraint_flags: int | None = None) -> str:
    """Name of a profile; `"unknown"` for a negative number, the number itself for one that has no
    name here.

    Args:
        codec (`str`): FFmpeg's name of the codec.
        profile_idc (`int`): As coded, or as FFmpeg gives it.
        constraint_flags (`int`, *optional*): Bit i is constraint_set<i>_flag, where they are known;
            of HEVC the flags from general_max_12bit_constraint_flag on.
    """
    if profile_idc < 0:
        return "unknown"
    if codec == "hevc":
        if profile_idc == 4 and constraint_flags:
            return _range_extensions_profile(constraint_flags)
        return _HEVC_PROFILES.get(profile_idc, str(profile_idc))
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
    if is_intra and profile_idc in _H264_INTRA_PROFILES:
        return _H264_INTRA_PROFILES[profile_idc]
    return _H264_PROFILES.get(profile_idc, str(profile_idc))


def _range_extensions_profile(constraint_flags: int) -> str:
    """A profile of Table A.2, e.g. Main 4:2:2 10, by what its streams keep to."""
    max_12, max_10, max_8, max_422, max_420, max_400, intra, one_picture = (
        bool(constraint_flags >> i & 1) for i in range(8)
    )
    depth = "" if max_8 else " 10" if max_10 else " 12" if max_12 else " 16"
    if max_400:
        return "Monochrome" + depth
    chroma = "" if max_420 else " 4:2:2" if max_422 else " 4:4:4"
    use = " Still Picture" if one_picture else " Intra" if intra else ""
    return "Main" + chroma + depth + use


def level_number(codec: str, level_idc: int) -> float | None:
    """The level as people write it, such as 4.1; none where unknown."""
    if level_idc <= 0:
        return None
    return level_idc / (30 if codec == "hevc" else 10)
