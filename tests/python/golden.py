"""Reads the golden per-picture digests and compares records with them, field by field."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from data import GOLDEN, STREAMS

Record = dict[str, Any]


@dataclass(frozen=True)
class GoldenStream:
    """One row of the golden index."""

    name: str  # path of the stream, relative to the folder of streams
    codec: str  # h264 | hevc
    golden_file: str
    num_pictures: int  # pictures that the golden holds, from the first in decoding order
    status: str
    notes: str

    @property
    def path(self) -> Path:
        return STREAMS / self.name

    @property
    def is_sound(self) -> bool:
        """Whether a parser must match. True for the one stream of an old x264 that breaks the
        standard in a known way too, which we read as it was meant.
        """
        return self.status.startswith("ok")

    @property
    def is_cut_short(self) -> bool:
        """Whether the golden stops before the stream does."""
        return "coded pictures only" in self.notes

    def records(self) -> list[Record]:
        with gzip.open(GOLDEN / self.golden_file, "rt") as file:
            return [json.loads(line) for line in file]

    def arrays(self) -> dict[str, np.ndarray] | None:
        """Full arrays of the first pictures; `None` for most streams."""
        path = (
            GOLDEN / "arrays" / (self.golden_file.split("/")[1].removesuffix(".jsonl.gz") + ".npz")
        )
        if not path.exists():
            return None
        with np.load(path) as arrays:
            return dict(arrays)


def read_index(codec: str) -> list[GoldenStream]:
    """Every row of the golden index for `codec` ("h264" or "hevc"), sound or not."""
    with open(GOLDEN / "INDEX.tsv", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [
        GoldenStream(
            row["stream"],
            row["codec"],
            row["golden_file"],
            int(row["pictures"] or 0),
            row["status"],
            row["notes"],
        )
        for row in rows
        if row["codec"] == codec
    ]


def differing_fields(ours: Record, golden: Record, prefix: str = "") -> Iterator[str]:
    """Names the fields of two records that differ, e.g. `coeffs.Y`; a missing field differs."""
    for key in [*golden, *(key for key in ours if key not in golden)]:
        a, b = ours.get(key), golden.get(key)
        if isinstance(a, dict) and isinstance(b, dict):
            yield from differing_fields(a, b, f"{prefix}{key}.")
        elif a != b:
            yield f"{prefix}{key}"


def field(record: Record, name: str) -> Any:
    """The value of a dotted field name, `None` when absent."""
    value: Any = record
    for key in name.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value
