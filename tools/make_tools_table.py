"""Writes docs/h264.md and docs/h265.md: the coding tools of each standard, in which profiles they
occur, and which streams prove that each is read exactly.

Counts come from tests/conformance/suites, of which the tests assert every row.

    python tools/make_tools_table.py [--check]
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
SUITES = REPOSITORY / "tests" / "conformance" / "suites"
DOCS = REPOSITORY / "docs"

BASELINE, MAIN, EXTENDED, HIGH = "Baseline", "Main", "Extended", "High and above"
ALL = f"{BASELINE}, {MAIN}, {EXTENDED}, {HIGH}"
NOT_BASELINE = f"{MAIN}, {EXTENDED}, {HIGH}"

# Feature of the suite, what it is, clause, profiles of Annex A that may use it.
Tool = tuple[str, str, str, str]
H264_TOOLS: list[Tool] = [
    ("i", "I slices", "7.3.5", ALL),
    ("p", "P slices, median and directional prediction", "8.4.1.3", ALL),
    ("b", "B slices", "8.4.1", NOT_BASELINE),
    ("direct_spatial", "Spatial direct prediction", "8.4.1.2.2", NOT_BASELINE),
    ("direct_temporal", "Temporal direct prediction", "8.4.1.2.3", NOT_BASELINE),
    ("cavlc", "CAVLC", "9.2", ALL),
    ("cabac", "CABAC", "9.3", f"{MAIN}, {HIGH}"),
    ("pcm", "I_PCM macroblocks", "7.3.5", ALL),
    ("8x8", "8x8 transform", "8.5.13", HIGH),
    ("scaling_matrix", "Scaling matrices", "8.5.9", HIGH),
    ("cb_cr_qp", "Separate QP offsets of Cb and Cr", "7.4.2.2", HIGH),
    ("lossless", "Transform bypass", "8.5.15", "High 4:4:4 Predictive, CAVLC 4:4:4 Intra"),
    ("400", "Monochrome", "6.2", HIGH),
    ("420", "4:2:0", "6.2", ALL),
    ("422", "4:2:2", "6.2", "High 4:2:2 and above"),
    ("444", "4:4:4", "6.2", "High 4:4:4 Predictive, CAVLC 4:4:4 Intra"),
    ("separate_planes", "Separate colour planes", "7.3.3", "High 4:4:4 Predictive"),
    ("8bit", "8 bits", "7.4.2.1.1", ALL),
    ("9bit", "9 bits", "7.4.2.1.1", "High 10 and above"),
    ("10bit", "10 bits", "7.4.2.1.1", "High 10 and above"),
    ("11bit", "11 bits", "7.4.2.1.1", "High 4:4:4 Predictive, CAVLC 4:4:4 Intra"),
    ("12bit", "12 bits", "7.4.2.1.1", "High 4:4:4 Predictive, CAVLC 4:4:4 Intra"),
    ("13bit", "13 bits", "7.4.2.1.1", "High 4:4:4 Predictive, CAVLC 4:4:4 Intra"),
    ("14bit", "14 bits", "7.4.2.1.1", "High 4:4:4 Predictive, CAVLC 4:4:4 Intra"),
    ("8+10bit", "Luma and chroma of different depth", "7.4.2.1.1", "High 10 and above"),
    ("progressive", "Progressive frames", "7.3.3", ALL),
    ("field", "Field pictures only", "7.3.3", NOT_BASELINE),
    ("paff", "Frames and field pictures mixed", "7.3.3", NOT_BASELINE),
    ("mbaff", "Frame and field macroblocks mixed", "7.3.4", NOT_BASELINE),
    ("multislice", "Several slices in a picture", "7.3.4", ALL),
    ("fmo", "Slice groups (flexible macroblock order)", "8.2.2", f"{BASELINE}, {EXTENDED}"),
    ("aso", "Arbitrary slice order", "7.4.3", f"{BASELINE}, {EXTENDED}"),
    ("redundant", "Redundant slices, passed over", "7.4.3", f"{BASELINE}, {EXTENDED}"),
    ("data_partitioning", "Data partitions", "7.3.2.9", EXTENDED),
    ("sp", "SP slices", "7.3.5", EXTENDED),
    ("si", "SI slices", "7.3.5", EXTENDED),
    ("list_modification", "Reference list modification", "8.2.4.3", ALL),
    ("mmco", "Adaptive reference marking", "8.2.5.4", ALL),
    ("mmco5", "memory_management_control_operation 5", "8.2.5.4.5", ALL),
    ("long_term", "Long-term references", "8.2.5.4", ALL),
    ("gaps", "Gaps in frame_num", "8.2.5.2", ALL),
    ("poc0", "Picture order count type 0", "8.2.1.1", ALL),
    ("poc1", "Picture order count type 1", "8.2.1.2", ALL),
    ("poc2", "Picture order count type 2", "8.2.1.3", ALL),
    ("wp_explicit", "Explicit weighted prediction", "8.4.2.3", NOT_BASELINE),
    ("wp_implicit", "Implicit weighted prediction", "8.4.2.3", NOT_BASELINE),
    ("cip", "Constrained intra prediction", "7.4.2.2", ALL),
    ("cropped", "Cropping", "7.4.2.1.1", ALL),
    ("many_pps", "More than 128 picture parameter sets", "7.4.2.2", ALL),
    ("non_conforming", "4:4:4 CABAC of x264 before build 151, which breaks 9.3.3.1.1.9", "", ""),
]

H264_HEAD = """# Coding tools of H.264

Written by `tools/make_tools_table.py` from the table that the conformance tests assert; clauses
are those of ITU-T H.264 (08/2021). "Exact" means that in every compared picture of the stream
picture order count, macroblock types, QP, every coefficient level and every motion vector with
its reference equal those of an independent decoder: {total} streams with {pictures} pictures.

Of scalable and multi-view streams (NAL unit types 14, 15, 20, 21) the base layer or view is read
and the rest passed over, as are auxiliary pictures. Weighted prediction changes no value that is
read.

| coding tool | clause | profiles | exact streams | for instance |
| --- | --- | --- | --- | --- |
"""


VERSION_1, MAIN_10, REXT = "Main and above", "Main 10 and above", "Format range extensions"
REXT_444, REXT_16 = "4:4:4 of the format range extensions", "16-bit format range extensions"

H265_TOOLS: list[Tool] = [
    ("i", "I slices", "7.3.8", VERSION_1),
    ("p", "P slices: merge and AMVP", "8.5.3.2", VERSION_1),
    ("b", "B slices", "8.5.3.2", VERSION_1),
    ("tmvp", "Temporal motion vector prediction", "8.5.3.2.8", VERSION_1),
    ("collocated_l1", "Collocated picture from list 1", "7.4.7.1", VERSION_1),
    ("mvd_l1_zero", "mvd_l1_zero_flag", "7.4.7.1", VERSION_1),
    ("fewer_merge", "Fewer than five merging candidates", "8.5.3.2.2", VERSION_1),
    ("parallel_merge", "Parallel merge level", "8.5.3.2.2", VERSION_1),
    ("amp", "Asymmetric motion partitions", "7.4.9.5", VERSION_1),
    ("wp_p", "Weighted prediction", "7.4.7.3", VERSION_1),
    ("wp_b", "Weighted bi-prediction", "7.4.7.3", VERSION_1),
    ("ctb16", "Coding tree blocks of 16x16", "7.4.3.2.1", VERSION_1),
    ("ctb32", "Coding tree blocks of 32x32", "7.4.3.2.1", VERSION_1),
    ("ctb64", "Coding tree blocks of 64x64", "7.4.3.2.1", VERSION_1),
    ("min_cb16", "Coding blocks of 16x16 at least", "7.4.3.2.1", VERSION_1),
    ("pcm", "PCM coding units", "7.3.8.7", VERSION_1),
    ("lossless", "Transform and quantisation bypass", "7.4.9.5", VERSION_1),
    ("transform_skip", "Transform skip", "8.6.4.2", VERSION_1),
    ("scaling_list", "Scaling lists", "7.4.5", VERSION_1),
    ("sign_hiding", "Sign data hiding", "7.4.9.11", VERSION_1),
    ("cu_qp_delta", "QP per coding unit", "8.6.1", VERSION_1),
    ("chroma_qp_offset", "QP offsets of Cb and Cr", "8.6.1", VERSION_1),
    ("cip", "Constrained intra prediction", "7.4.3.3.1", VERSION_1),
    ("sao", "Sample adaptive offset syntax", "7.3.8.3", VERSION_1),
    ("deblock_override", "Deblocking parameters in slices", "7.4.7.1", VERSION_1),
    ("cabac_init", "cabac_init_flag", "9.3.2.2", VERSION_1),
    ("multislice", "Several slices in a picture", "7.3.6", VERSION_1),
    ("dependent_slices", "Dependent slice segments", "7.4.7.1", VERSION_1),
    ("tiles", "Tiles", "6.5.1", VERSION_1),
    ("wpp", "Wavefront parallel processing", "9.3.1", VERSION_1),
    ("inter_rps", "Reference picture sets predicted from others", "7.4.8", VERSION_1),
    ("slice_rps", "Reference picture sets of slices", "7.4.8", VERSION_1),
    ("long_term", "Long-term references", "8.3.2", VERSION_1),
    ("long_term_sps", "Long-term references listed in the SPS", "7.4.7.1", VERSION_1),
    ("list_modification", "Reference list modification", "8.3.4", VERSION_1),
    ("cra", "CRA pictures", "8.1.3", VERSION_1),
    ("rasl", "RASL pictures, passed over where decoding starts", "8.1.3", VERSION_1),
    ("bla", "BLA pictures", "8.1.3", VERSION_1),
    ("radl", "RADL pictures", "8.1.3", VERSION_1),
    ("sub_layers", "Temporal sub-layers", "7.4.3.2.1", VERSION_1),
    ("tsa", "Temporal sub-layer access pictures", "7.4.2.2", VERSION_1),
    ("field_seq", "Fields as pictures", "E.3.1", VERSION_1),
    ("cropped", "Conformance window", "7.4.3.2.1", VERSION_1),
    ("400", "Monochrome", "6.2", REXT),
    ("420", "4:2:0", "6.2", VERSION_1),
    ("422", "4:2:2", "6.2", REXT),
    ("444", "4:4:4", "6.2", REXT_444),
    ("8bit", "8 bits", "7.4.3.2.1", VERSION_1),
    ("10bit", "10 bits", "7.4.3.2.1", MAIN_10),
    ("12bit", "12 bits", "7.4.3.2.1", REXT),
    ("16bit", "16 bits", "7.4.3.2.1", REXT_16),
    ("large_transform_skip", "Transform skip of blocks above 4x4", "7.4.3.3.2", REXT),
    ("ts_rotation", "Rotation of transform skip blocks", "8.6.2", REXT),
    ("ts_context", "One context for transform skip blocks", "9.3.4.2.5", REXT),
    ("implicit_rdpcm", "Implicit RDPCM", "8.6.5", REXT),
    ("explicit_rdpcm", "Explicit RDPCM", "7.3.8.11", REXT),
    ("rice_adaptation", "Persistent Rice adaptation", "9.3.3.11", REXT),
    ("cross_component", "Cross-component prediction", "7.3.8.12", REXT_444),
    ("cu_chroma_qp_offset", "Chroma QP offsets per coding unit", "7.3.8.14", REXT),
    ("high_precision_offsets", "High precision offsets", "7.4.7.3", REXT),
    ("intra_smoothing_off", "Intra smoothing disabled", "7.4.3.2.2", REXT),
    ("extended_precision", "Extended precision processing", "7.4.3.2.2", REXT_16),
    ("bypass_alignment", "Aligned bypass decoding", "9.3.4.3.4", "High throughput"),
]

H265_HEAD = """# Coding tools of H.265

Written by `tools/make_tools_table.py` from the table that the conformance tests assert; clauses
are those of ITU-T H.265 (08/2021). "Exact" means that in every compared picture of the stream
picture order count, NAL unit type, slices, prediction modes, QP, every coefficient level and every
motion vector with its reference equal those of an independent decoder: {total} streams with
{pictures} pictures.

Of streams with several layers (scalable, multi-view, 3D) layer 0 is read and the rest passed over.
Weighted prediction and loop filters change no value that is read. Palette mode, current picture
referencing, adaptive motion vector resolution, adaptive colour transform (screen content coding)
and separate colour planes are refused by name. Tools that no stream uses are
tested on bits written for the purpose.

| coding tool | clause | profiles | exact streams | for instance |
| --- | --- | --- | --- | --- |
"""

# Tools that no stream uses, and the tests that do.
TESTED_ELSEWHERE = {
    "pcm": "tests/python/test_h265_pcm.py",
    "bla": "tests/cpp/h265/header_decoder_test.cpp",
    "long_term_sps": "tests/cpp/h265/slice_header_test.cpp",
}

STANDARDS = {"h264": (H264_TOOLS, H264_HEAD), "h265": (H265_TOOLS, H265_HEAD)}


def table(standard: str) -> str:
    tools, head = STANDARDS[standard]
    with (SUITES / f"{standard}.tsv").open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    unread = [row["stream"] for row in rows if row["expected"] != "exact"]
    if unread:
        raise SystemExit(f"not exact, so the text above the table is wrong: {unread}")
    lines = []
    for feature, name, clause, profiles in tools:
        users = [row for row in rows if feature in row["features"].split()]
        if not users:
            test = TESTED_ELSEWHERE[feature]
            lines.append(f"| {name} | {clause} | {profiles} | none | `{test}` |")
            continue
        shortest = min(users, key=lambda row: (len(row["features"]), row["stream"]))
        stream = Path(shortest["stream"]).name
        lines.append(f"| {name} | {clause} | {profiles} | {len(users)} | `{stream}` |")
    pictures = sum(int(row["pictures"]) for row in rows)
    return head.format(total=len(rows), pictures=f"{pictures:,}") + "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    is_check = parser.parse_args().check
    num_differing = 0
    for standard in STANDARDS:
        path = DOCS / f"{standard}.md"
        text = table(standard)
        if not is_check:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            print(f"{path.relative_to(REPOSITORY)} is out of date", file=sys.stderr)
            num_differing += 1
    return int(num_differing > 0)


if __name__ == "__main__":
    raise SystemExit(main())
