"""`cope digest` prints the golden format, one JSON object per picture."""

from __future__ import annotations

import json

from data import require_stream
from golden import read_index


def test_prints_the_golden_records(run):
    path = require_stream("gen/tiny_worked_example.264")
    golden = next(s for s in read_index("h264") if s.path == path)
    done = run("digest", path)
    assert done.returncode == 0, done.stderr
    assert [json.loads(line) for line in done.stdout.splitlines()] == golden.records()


def test_every_picture_and_macroblock_is_there(run, demo_clip):
    done = run("digest", demo_clip)
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [record["n"] for record in records] == list(range(350))
    for record in records:
        assert sum(record["mb_counts"].values()) == 40 * 23
