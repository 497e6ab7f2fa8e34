"""Every sound golden H.264 stream is exact, or refused by the name of what it uses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from data import require_data
from golden import GoldenStream, read_index
from h264_suite import (
    SuiteRow,
    compare_with_golden,
    count_by_feature,
    read_suite,
)

import cope

ROWS = read_suite()
COUNTS = Path(__file__).parent / "suites" / "h264_counts.json"


@pytest.fixture(scope="module")
def index() -> dict[str, GoldenStream]:
    require_data("golden/INDEX.tsv")
    return {stream.name: stream for stream in read_index("h264")}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.stream)
def test_stream(row: SuiteRow, index: dict[str, GoldenStream]) -> None:
    stream = index[row.stream]
    require_data(f"streams/{row.stream}")
    if row.expected == "exact":
        assert compare_with_golden(stream) is None
        return
    with pytest.raises(cope.UnsupportedStreamError) as error:
        assert compare_with_golden(stream) is None
    assert row.expected == f"unsupported: {error.value.element}"


def test_suite_lists_every_sound_stream(index: dict[str, GoldenStream]) -> None:
    sound = {(s.name, s.num_pictures) for s in index.values() if s.is_sound}
    assert {(row.stream, row.pictures) for row in ROWS} == sound


def test_counts_per_feature() -> None:
    """Support cannot shrink unseen: a changed expectation shows in the counts file as well."""
    counts = count_by_feature(ROWS)
    assert counts == json.loads(COUNTS.read_text())
    assert set(counts["total"]) <= {"exact", "unsupported"}
