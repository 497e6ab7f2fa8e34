"""Writes tests/conformance/suites/h264.tsv and h265.tsv, what each golden stream uses and must
give, and *_counts.json beside them: how many streams of each feature must give what.

Features come from the goldens and from FFmpeg's reading of the headers, never from our own parser.
The expectation of a stream that the table already lists is kept; a new one starts as `exact`.

    python tools/make_conformance_suite.py [--check] [--codec h264|h265]
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
from collections import Counter
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "tests" / "python"))

from golden import read_index  # noqa: E402

import h264_features  # noqa: E402
import h265_features  # noqa: E402

SUITES = REPOSITORY / "tests" / "conformance" / "suites"
COLUMNS = ["stream", "pictures", "expected", "features"]
# Name of the suite, the index's name of the codec, what tells the features of a stream.
CODECS = {
    "h264": ("h264", h264_features.stream_features),
    "h265": ("hevc", h265_features.stream_features),
}


def make_rows(suite: Path, name: str) -> list[dict[str, str]]:
    present: dict[str, str] = {}
    if suite.exists():
        with open(suite, newline="") as file:
            present = {
                row["stream"]: row["expected"] for row in csv.DictReader(file, delimiter="\t")
            }
    codec, stream_features = CODECS[name]
    return [
        {
            "stream": stream.name,
            "pictures": str(stream.num_pictures),
            "expected": present.get(stream.name, "exact"),
            "features": " ".join(sorted(stream_features(stream))),
        }
        for stream in read_index(codec)
        if stream.is_sound
    ]


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


def suite_texts(name: str) -> dict[Path, str]:
    suite = SUITES / f"{name}.tsv"
    rows = make_rows(suite, name)
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, delimiter="\t", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return {suite: out.getvalue(), SUITES / f"{name}_counts.json": counts_text(rows)}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--check", action="store_true", help="fail when a table would change; write nothing"
    )
    parser.add_argument("--codec", choices=CODECS, help="one of the tables alone")
    args = parser.parse_args()
    texts: dict[Path, str] = {}
    for name in [args.codec] if args.codec else CODECS:
        texts |= suite_texts(name)
    if args.check:
        return int(any(not path.exists() or path.read_text() != t for path, t in texts.items()))
    SUITES.mkdir(parents=True, exist_ok=True)
    for path, text in texts.items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
