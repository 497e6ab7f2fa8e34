"""Writes tests/conformance/suites/h264.tsv: what each golden H.264 stream uses and must give,
and h264_counts.json beside it: how many streams of each feature must give what.

Features come from the goldens and from FFmpeg's reading of the headers, never from our own parser.
The expectation of a stream that the table already lists is kept; a new one starts as `exact`.

    python tools/make_conformance_suite.py [--check]
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import re
import sys
from collections import Counter
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "tests" / "python"))

from golden import GoldenStream, read_index  # noqa: E402
from headers import Unit, trace_headers  # noqa: E402

SUITE = REPOSITORY / "tests" / "conformance" / "suites" / "h264.tsv"
COUNTS = SUITE.with_name("h264_counts.json")
COLUMNS = ["stream", "pictures", "expected", "features"]
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


def named_flags(unit: Unit, **elements: str) -> set[str]:
    return {name for name, element in elements.items() if unit.get(element)}


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


def make_row(stream: GoldenStream, expected: str) -> dict[str, str]:
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
    row = [stream.name, str(stream.num_pictures), expected, " ".join(sorted(features))]
    return dict(zip(COLUMNS, row, strict=True))


def counts_text(rows: list[dict[str, str]]) -> str:
    """JSON, a feature a line: number of streams per expectation. "total" is every stream."""
    counts: dict[str, Counter[str]] = {}
    for row in rows:
        for feature in {"total", *row["features"].split()}:
            counts.setdefault(feature, Counter())[row["expected"].split(":")[0]] += 1
    lines = [
        f'  "{name}": {json.dumps(dict(sorted(c.items())))}' for name, c in sorted(counts.items())
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--check", action="store_true", help="fail when the table would change; write nothing"
    )
    args = parser.parse_args()
    present: dict[str, str] = {}
    if SUITE.exists():
        with open(SUITE, newline="") as file:
            present = {
                row["stream"]: row["expected"] for row in csv.DictReader(file, delimiter="\t")
            }
    rows = [
        make_row(stream, present.get(stream.name, "exact"))
        for stream in read_index("h264")
        if stream.is_sound
    ]
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, delimiter="\t", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    texts = {SUITE: out.getvalue(), COUNTS: counts_text(rows)}
    if args.check:
        return int(any(not path.exists() or path.read_text() != t for path, t in texts.items()))
    SUITE.parent.mkdir(parents=True, exist_ok=True)
    for path, text in texts.items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
