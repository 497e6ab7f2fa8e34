"""Coding tools of an H.265 stream, told by its golden and by FFmpeg's reading of its headers."""

from __future__ import annotations

from golden import GoldenStream
from headers import Unit, named_flags, trace_headers

MAX_PACKETS = 60  # enough to meet every tool a stream uses, few enough to trace hundreds of streams

NAL_UNIT_TYPES = {
    2: "tsa",
    3: "tsa",
    4: "stsa",
    5: "stsa",
    6: "radl",
    7: "radl",
    8: "rasl",
    9: "rasl",
    16: "bla",
    17: "bla",
    18: "bla",
    21: "cra",
}


def stream_features(stream: GoldenStream) -> set[str]:
    units = list(trace_headers(stream.path, MAX_PACKETS))
    return coding_features(stream) | header_features(units)


def coding_features(stream: GoldenStream) -> set[str]:
    """Features that the golden records show."""
    features: set[str] = set()
    for record in stream.records():
        features.update({"B": "b", "P": "p", "I": "i"}[t] for t in record["slice_types"])
        features |= {NAL_UNIT_TYPES.get(record["nal_unit_type"], "")} - {""}
        features |= {"multislice"} if record["slices"] > 1 else set()
        features |= {"dependent_slices"} if record["segments"] > record["slices"] else set()
        features |= {"pcm"} if record["counts"]["pcm"] else set()
        features |= {"lossless"} if record["counts"]["transquant_bypass"] else set()
    return features


def header_features(units: list[Unit]) -> set[str]:
    """Features that the parameter sets and slice segment headers show."""
    features: set[str] = set()
    ppss: dict[int, Unit] = {}  # in force, by id: one may be sent again with other content
    for unit in units:
        if unit.get("nuh_layer_id") > 0:
            continue
        if unit.kind == "sps":
            features |= sps_features(unit)
        elif unit.kind == "pps":
            ppss[unit.get("pps_pic_parameter_set_id")] = unit
            features |= pps_features(unit)
        elif unit.kind == "slice":
            pps = ppss.get(unit.get("slice_pic_parameter_set_id"))
            if pps is not None and not unit.get("dependent_slice_segment_flag"):
                features |= slice_features(unit, pps)
    return features | ({"many_pps"} if len(ppss) > 1 else set())


def sps_features(sps: Unit) -> set[str]:
    luma, chroma = 8 + sps.get("bit_depth_luma_minus8"), 8 + sps.get("bit_depth_chroma_minus8")
    chroma_format_idc = sps.get("chroma_format_idc", 1)
    is_one_depth = luma == chroma or chroma_format_idc == 0
    min_cb = sps.get("log2_min_luma_coding_block_size_minus3") + 3
    ctb = min_cb + sps.get("log2_diff_max_min_luma_coding_block_size")
    features = {
        ("400", "420", "422", "444")[chroma_format_idc],
        f"{luma}bit" if is_one_depth else f"{luma}+{chroma}bit",
        f"ctb{1 << ctb}",
    }
    features |= {f"min_cb{1 << min_cb}"} if min_cb > 3 else set()
    return features | named_flags(
        sps,
        amp="amp_enabled_flag",
        sao="sample_adaptive_offset_enabled_flag",
        scaling_list="scaling_list_enabled_flag",
        cropped="conformance_window_flag",
        field_seq="field_seq_flag",
        sub_layers="sps_max_sub_layers_minus1",
        ts_rotation="transform_skip_rotation_enabled_flag",
        ts_context="transform_skip_context_enabled_flag",
        implicit_rdpcm="implicit_rdpcm_enabled_flag",
        explicit_rdpcm="explicit_rdpcm_enabled_flag",
        extended_precision="extended_precision_processing_flag",
        intra_smoothing_off="intra_smoothing_disabled_flag",
        high_precision_offsets="high_precision_offsets_enabled_flag",
        rice_adaptation="persistent_rice_adaptation_enabled_flag",
        bypass_alignment="cabac_bypass_alignment_enabled_flag",
    )


def pps_features(pps: Unit) -> set[str]:
    return named_flags(
        pps,
        sign_hiding="sign_data_hiding_enabled_flag",
        cip="constrained_intra_pred_flag",
        transform_skip="transform_skip_enabled_flag",
        large_transform_skip="log2_max_transform_skip_block_size_minus2",
        cu_qp_delta="cu_qp_delta_enabled_flag",
        tiles="tiles_enabled_flag",
        wpp="entropy_coding_sync_enabled_flag",
        parallel_merge="log2_parallel_merge_level_minus2",
        scaling_list="pps_scaling_list_data_present_flag",
        cross_component="cross_component_prediction_enabled_flag",
        cu_chroma_qp_offset="chroma_qp_offset_list_enabled_flag",
        extra_header_bits="num_extra_slice_header_bits",
        header_extension="slice_segment_header_extension_present_flag",
    ) | (
        {"chroma_qp_offset"}
        if pps.get("pps_cb_qp_offset") or pps.get("pps_cr_qp_offset")
        else set()
    )


def slice_features(unit: Unit, pps: Unit) -> set[str]:
    slice_type = unit.get("slice_type")
    features = named_flags(
        unit,
        cabac_init="cabac_init_flag",
        mvd_l1_zero="mvd_l1_zero_flag",
        deblock_override="deblocking_filter_override_flag",
    )
    if slice_type == 2:
        return features
    is_b = slice_type == 0
    features |= named_flags(
        unit,
        tmvp="slice_temporal_mvp_enabled_flag",
        list_modification_l0="ref_pic_list_modification_flag_l0",
        list_modification_l1="ref_pic_list_modification_flag_l1",
        fewer_merge="five_minus_max_num_merge_cand",
        collocated_ref_idx="collocated_ref_idx",
        long_term="num_long_term_pics",
        long_term_sps="num_long_term_sps",
    )
    if {"list_modification_l0", "list_modification_l1"} & features:
        features -= {"list_modification_l0", "list_modification_l1"}
        features.add("list_modification")
    if "tmvp" in features and is_b and not unit.get("collocated_from_l0_flag", 1):
        features.add("collocated_l1")
    weighted = pps.get("weighted_bipred_flag") if is_b else pps.get("weighted_pred_flag")
    features |= {"wp_b" if is_b else "wp_p"} if weighted else set()
    sets = [name for name in unit.values if name.startswith("inter_ref_pic_set_prediction_flag")]
    features |= {"slice_rps"} if not unit.get("short_term_ref_pic_set_sps_flag", 1) else set()
    return features | ({"inter_rps"} if any(unit.get(name) for name in sets) else set())
