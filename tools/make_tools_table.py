"""Writes docs/h264.md: the coding tools of H.264, in which profiles they occur, and which streams
prove that each is read exactly.

Counts come from tests/conformance/suites/h264.tsv, whose every row is asserted by the tests.

    python tools/make_tools_table.py [--check]
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
SUITE = REPOSITORY / "tests" / "conformance" / "suites" / "h264.tsv"
TABLE = REPOSITORY / "docs" / "h264.md"

BASELINE, MAIN, EXTENDED, HIGH = "Baseline", "Main", "Extended", "High and above"
ALL = f"{BASELINE}, {MAIN}, {EXTENDED}, {HIGH}"
NOT_BASELINE = f"{MAIN}, {EXTENDED}, {HIGH}"

# Feature of the suite, what it is, clause of H.264, profiles of Annex A that may use it.
TOOLS = [
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

HEAD = """# Coding tools of H.264

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


def table() -> str:
    with SUITE.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    unread = [row["stream"] for row in rows if row["expected"] != "exact"]
    if unread:
        raise SystemExit(f"not exact, so the text above the table is wrong: {unread}")
    lines = []
    for feature, name, clause, profiles in TOOLS:
        users = [row for row in rows if feature in row["features"].split()]
        if not users:
            raise SystemExit(f"no stream has {feature}")
        shortest = min(users, key=lambda row: (len(row["features"]), row["stream"]))
        stream = Path(shortest["stream"]).name
        lines.append(f"| {name} | {clause} | {profiles} | {len(users)} | `{stream}` |")
    pictures = sum(int(row["pictures"]) for row in rows)
    return HEAD.format(total=len(rows), pictures=f"{pictures:,}") + "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    text = table()
    if parser.parse_args().check:
        if not TABLE.exists() or TABLE.read_text() != text:
            print(f"{TABLE.relative_to(REPOSITORY)} is out of date", file=sys.stderr)
            return 1
        return 0
    TABLE.write_text(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
