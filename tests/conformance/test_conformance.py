"""Every sound golden stream is exact, or refused by the name of what it uses."""

from __future__ import annotations

import pytest
from conformance_suite import (
    SuiteRow,
    compare_with_golden,
    count_by_feature,
    expected_counts,
    read_suite,
)
from data import require_data
from golden import GoldenStream, read_index

import cope

ROWS = {name: read_suite(name) for name in ("h264", "h265")}
CODECS = {"h264": "h264", "h265": "hevc"}  # as the index of goldens calls them


@pytest.fixture(scope="module")
def index() -> dict[str, GoldenStream]:
    require_data("golden/INDEX.tsv")
    return {s.name: s for codec in CODECS.values() for s in read_index(codec)}


@pytest.mark.parametrize("row", [r for rows in ROWS.values() for r in rows], ids=lambda r: r.stream)
def test_stream(row: SuiteRow, index: dict[str, GoldenStream]) -> None:
    stream = index[row.stream]
    require_data(f"streams/{row.stream}")
    if row.expected == "exact":
        assert compare_with_golden(stream) is None
        return
    with pytest.raises(cope.UnsupportedStreamError) as error:
        assert compare_with_golden(stream) is None
    assert row.expected == f"unsupported: {error.value.element}"


@pytest.mark.parametrize("name", ROWS)
def test_suite_lists_every_sound_stream(name: str, index: dict[str, GoldenStream]) -> None:
    sound = {
        (s.name, s.num_pictures) for s in index.values() if s.is_sound and s.codec == CODECS[name]
    }
    assert {(row.stream, row.pictures) for row in ROWS[name]} == sound


@pytest.mark.parametrize("name", ROWS)
def test_counts_per_feature(name: str) -> None:
    """Support cannot shrink unseen: a changed expectation shows in the counts file as well."""
    counts = count_by_feature(ROWS[name])
    assert counts == expected_counts(name)
    assert set(counts["total"]) <= {"exact", "unsupported"}
