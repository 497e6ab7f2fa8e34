"""`cope extract` writes what `cope.extract` returns."""

from __future__ import annotations

import numpy as np
import pytest

import cope

ARRAYS = {
    "keyframes",
    "keyframe_timestamps",
    "keyframe_index",
    "motion",
    "valid",
    "intra",
    "lost",
    "scaled",
    "residual",
    "saliency",
    "starts",
    "timestamps",
    "frame_index",
}


def _load(path):
    if path.suffix == ".npz":
        with np.load(path) as arrays:
            return dict(arrays)
    return pytest.importorskip("safetensors.numpy").load_file(path)


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_file_holds_the_fields(run, demo_clip, tmp_path, suffix):
    path = tmp_path / f"fields{suffix}"
    options = ["--deltas-per-second", "2", "--keyframes-per-second", "all", "--cell", "32"]
    done = run("extract", demo_clip, "-o", path, *options)
    assert done.returncode == 0, done.stderr
    arrays = _load(path)
    assert set(arrays) == ARRAYS
    expected = cope.extract(demo_clip, density=cope.Density("all", 2.0), cell=32)
    for name in ARRAYS:
        np.testing.assert_array_equal(arrays[name], getattr(expected, name).numpy())
    assert arrays["keyframes"].shape == (2, 3, 360, 640)
    assert arrays["motion"].shape[1:] == (2, 12, 20)


def test_report_counts_what_was_read(run, demo_clip, tmp_path):
    done = run("extract", demo_clip, "-o", tmp_path / "fields.npz")
    facts = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    parsed, total = (int(word) for word in facts["parsed"].split()[:3:2])
    assert total == 350 and 0 < parsed < total  # pictures off the chains are not parsed
    assert facts["decoded"].startswith("2 of 350 ")
    assert facts["keyframes"] == "uint8 [2, 3, 360, 640]"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["-o", "fields.txt"], "does not end in"),
        (["-o", "nowhere/fields.npz"], "no folder"),
        (["-o", "fields.npz", "-k", "often"], "neither a number nor"),
        (["-o", "fields.npz", "-d", "-1"], "at least 0"),
        (["-o", "fields.npz", "--on-error", "hide"], "on-error"),
        ([], "--output"),
    ],
)
def test_wrong_usage_is_said_before_any_work(run, options, words):
    done = run("extract", "missing.mp4", *options, COLUMNS="200", TERMINAL_WIDTH="200")
    assert done.returncode == 2
    assert words in done.stderr
