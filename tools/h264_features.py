"""Coding tools of an H.264 stream, told by its golden and by FFmpeg's reading of its headers."""

from __future__ import annotations

import re
from pathlib import Path

from golden import GoldenStream
from headers import Unit, named_flags, trace_headers

MAX_PACKETS = 60  # enough to meet every tool a stream uses, few enough to trace hundreds of streams


def coding_features(stream: GoldenStream) -> set[str]:
    """Features that the golden records show."""
    features: set[str] = set()
    structures: set[str] = set()
    for record in stream.records():
        structures.add(
            "mbaff" if record["mbaff"] else "frame" if record["structure"] == "frame" else "field"
        )
        features.update(
            {"B": "b", "P": "p", "I": "i", "p": "sp", "i": "si"}[t] for t in record["slice_types"]
        )
        if record["slices"] > 1:
            features.add("multislice")
        features.update(
            {"I_PCM": "pcm", "I_8x8": "8x8"}[t]
            for t in ("I_PCM", "I_8x8")
            if record["mb_counts"][t]
        )
    if structures == {"frame"}:
        features.add("progressive")
    elif structures == {"field"}:
        features.add("field")
    else:
        features.update({"mbaff"} & structures)
        features.update({"paff"} if "field" in structures else set())
    return features


def header_features(units: list[Unit]) -> set[str]:
    """Features that the parameter sets and slice headers show."""
    features: set[str] = set()
    ppss: dict[
        int, Unit
    ] = {}  # in force, by id: a parameter set may be sent again with other content
    features |= (
        {"many_sps"}
        if len({u.get("seq_parameter_set_id") for u in units if u.kind == "sps"}) > 1
        else set()
    )
    features |= (
        {"many_pps"}
        if len({u.get("pic_parameter_set_id") for u in units if u.kind == "pps"}) > 1
        else set()
    )
    for unit in units:
        if unit.kind == "sps":
            features |= sps_features(unit)
        elif unit.kind == "pps":
            ppss[unit.get("pic_parameter_set_id")] = unit
            features |= pps_features(unit)
        elif unit.kind == "slice":
            features |= slice_features(unit, ppss.get(unit.get("pic_parameter_set_id")))
    return features


def sps_features(sps: Unit) -> set[str]:
    features = {f"poc{sps.get('pic_order_cnt_type')}"}
    separate = sps.get("separate_colour_plane_flag")
    chroma = ("400", "420", "422", "444")[sps.get("chroma_format_idc", 1)]
    features.add("separate_planes" if separate else chroma)
    luma, chroma_depth = (
        8 + sps.get("bit_depth_luma_minus8"),
        8 + sps.get("bit_depth_chroma_minus8"),
    )
    features.add(
        f"{luma}bit" if luma == chroma_depth or chroma == "400" else f"{luma}+{chroma_depth}bit"
    )
    return features | named_flags(
        sps,
        scaling_matrix="seq_scaling_matrix_present_flag",
        lossless="qpprime_y_zero_transform_bypass_flag",
        gaps="gaps_in_frame_num_allowed_flag",
        cropped="frame_cropping_flag",
    )


def pps_features(pps: Unit) -> set[str]:
    features = {"cabac" if pps.get("entropy_coding_mode_flag") else "cavlc"}
    if pps.get("second_chroma_qp_index_offset", pps.get("chroma_qp_index_offset")) != pps.get(
        "chroma_qp_index_offset"
    ):
        features.add("cb_cr_qp")
    return features | named_flags(
        pps,
        fmo="num_slice_groups_minus1",
        scaling_matrix="pic_scaling_matrix_present_flag",
        cip="constrained_intra_pred_flag",
        **{"8x8": "transform_8x8_mode_flag"},
    )


def slice_features(unit: Unit, pps: Unit | None) -> set[str]:
    features = set()
    slice_type = unit.get("slice_type") % 5
    if slice_type == 1:
        features.add(
            "direct_spatial" if unit.get("direct_spatial_mv_pred_flag") else "direct_temporal"
        )
        bipred = pps.get("weighted_bipred_idc") if pps else 0
        features |= {("", "wp_explicit", "wp_implicit")[bipred]} - {""}
    elif slice_type in (0, 3) and pps is not None and pps.get("weighted_pred_flag"):
        features.add("wp_explicit")
    names = {re.sub(r"\[.*", "", name) for name in unit.values}
    operations = {
        v for name, v in unit.elements if name.startswith("memory_management_control_operation")
    }
    features |= {"mmco"} if operations - {0} else set()
    features |= {"mmco5"} if 5 in operations else set()
    features |= (
        {"long_term"}
        if operations & {2, 3, 4, 6} or unit.get("long_term_reference_flag")
        else set()
    )
    features |= {"list_modification"} if "modification_of_pic_nums_idc" in names else set()
    features |= {"redundant"} if unit.get("redundant_pic_cnt") else set()
    features |= {"deblock_across_off"} if unit.get("disable_deblocking_filter_idc") == 2 else set()
    return features


class Bits:
    """Exp-Golomb codes and bits of the first bytes of a NAL unit's payload."""

    def __init__(self, nal: bytes) -> None:
        self.bits = "".join(f"{byte:08b}" for byte in nal[1:17]) + "1"

    def u(self, n: int) -> int:
        value, self.bits = int(self.bits[:n], 2), self.bits[n:]
        return value

    def ue(self) -> int:
        zeros = self.bits.index("1")
        return self.u(2 * zeros + 1) - 1


def byte_stream_features(path: Path) -> set[str]:
    """Features told by NAL units alone: FFmpeg traces no stream that it cannot decode."""
    features = set()
    last_mb = -1
    for nal in re.split(rb"\x00\x00\x01", path.read_bytes())[1:]:
        nal_unit_type = nal[0] & 31
        if nal_unit_type in (2, 3, 4):
            features.add("data_partitioning")
        if nal_unit_type in (1, 2, 5):
            first_mb = Bits(nal).ue()
            if 0 < first_mb < last_mb:
                features.add("aso?")
            last_mb = first_mb
        elif nal_unit_type == 8:
            bits = Bits(nal)
            bits.ue(), bits.ue(), bits.u(2)
            features |= {"fmo"} if bits.ue() > 0 else set()  # num_slice_groups_minus1
    return features


def stream_features(stream: GoldenStream) -> set[str]:
    features = coding_features(stream)
    features |= {"non_conforming"} if "non-conforming" in stream.status else set()
    features |= header_features(list(trace_headers(stream.path, MAX_PACKETS)))
    if stream.path.suffix not in (".mp4", ".mkv", ".ts", ".flv"):
        found = byte_stream_features(stream.path)
        # With slice groups, redundant slices or separate planes, addresses step back in any order.
        if "aso?" in found and (
            "ASO" in stream.notes
            or not (features | found) & {"fmo", "redundant", "separate_planes"}
        ):
            features.add("aso")
        features |= found - {"aso?"}
    return features
