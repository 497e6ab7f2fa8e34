"""The tables of streams of each codec and the comparison of one stream with its golden."""

from __future__ import annotations

import csv
import itertools
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from golden import GoldenStream, differing_fields, field

import cope

SUITES = Path(__file__).parent / "suites"

# Goldens are of the first video stream, cope's default is the best one. They differ here.
STREAM_INDEX = {"clips/torchcodec/nasa_13013.mp4": 0}


@dataclass(frozen=True)
class SuiteRow:
    """What one stream uses and must give."""

    stream: str
    pictures: int
    expected: str  # "exact", or "unsupported: " and what the error must name
    features: frozenset[str]


def read_suite(name: str) -> list[SuiteRow]:
    """The rows of suite `name`, "h264" or "h265"."""
    with open(SUITES / f"{name}.tsv", newline="") as file:
        return [
            SuiteRow(
                row["stream"],
                int(row["pictures"]),
                row["expected"],
                frozenset(row["features"].split()),
            )
            for row in csv.DictReader(file, delimiter="\t")
        ]


def count_by_feature(rows: list[SuiteRow]) -> dict[str, dict[str, int]]:
    """How many streams of each feature are exact or unsupported; "total" is every stream."""
    counts: dict[str, Counter[str]] = {}
    for row in rows:
        for feature in {"total", *row.features}:
            counts.setdefault(feature, Counter())[row.expected.split(":")[0]] += 1
    return {name: dict(count) for name, count in counts.items()}


def expected_counts(name: str) -> dict[str, dict[str, int]]:
    """What `count_by_feature` must give."""
    return json.loads((SUITES / f"{name}_counts.json").read_text())


def compare_with_golden(stream: GoldenStream) -> str | None:
    """The first difference between our records and the golden's, in words; `None` when exact.

    Raises what reading the stream raises. Records that come before an error are compared as well.
    """
    golden = stream.records()
    # One picture beyond the golden's last is one too many, unless the golden was cut short.
    limit = len(golden) if stream.is_cut_short else len(golden) + 1
    num_pictures = 0
    options = {"stream_index": STREAM_INDEX[stream.name]} if stream.name in STREAM_INDEX else {}
    for ours in itertools.islice(cope.digest(stream.path, **options), limit):
        if num_pictures < len(golden):
            theirs = golden[num_pictures]
            fields = list(differing_fields(ours, theirs))
            if fields:
                name = fields[0]
                return (
                    f"picture {theirs['n']} (POC {theirs['poc']}, {theirs['slice_types']}): "
                    f"{', '.join(fields)}; "
                    f"{name} is {field(ours, name)!r}, golden {field(theirs, name)!r}"
                )
        num_pictures += 1
    if num_pictures != len(golden):
        return f"{num_pictures} pictures, golden {len(golden)}"
    return None
