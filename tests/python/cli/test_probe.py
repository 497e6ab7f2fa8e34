"""`cope probe` against ffprobe."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from data import require_command


def _ffprobe(path: Path) -> list[dict[str, str]]:
    command = [require_command("ffprobe"), "-v", "error", "-select_streams", "v:0"]
    command += [
        "-show_frames",
        "-show_entries",
        "frame=pict_type,key_frame,pts_time",
        "-of",
        "json",
    ]
    output = subprocess.run([*command, str(path)], check=True, capture_output=True, text=True)
    return json.loads(output.stdout)["frames"]


@pytest.mark.parametrize("clip", ["demo_clip", "natural_clip"])
def test_json_report_agrees_with_ffprobe(run, clip, request):
    path = request.getfixturevalue(clip)
    frames = _ffprobe(path)
    done = run("probe", path, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["num_pictures"] == len(frames)
    types = Counter(frame["pict_type"] for frame in frames)
    assert report["num_by_type"] == {name: types[name] for name in "IPB"}
    keyframes = [float(frame["pts_time"]) for frame in frames if frame["key_frame"]]
    start = float(frames[0]["pts_time"])
    expected = pytest.approx([time - start for time in keyframes], abs=1e-3)
    assert list(report["keyframe_seconds"]) == expected
    assert report["is_supported"] is True


def test_report_for_people_names_what_matters(run, demo_clip):
    done = run("probe", demo_clip)
    assert done.returncode == 0, done.stderr
    for words in ("h264 High", "640x360, 25 frames/s", "14.00 s", "350: 2 I", "2 IDR", "supported"):
        assert words in done.stdout
    assert "\x1b" not in done.stdout  # no colours where no terminal is


def test_coding_tools_are_named(run, tmp_path):
    path = tmp_path / "interlaced.264"
    source = ["-f", "lavfi", "-i", "testsrc=size=128x96:rate=25", "-frames:v", "4"]
    command = [require_command("ffmpeg"), "-v", "error", *source, "-c:v", "libx264"]
    subprocess.run([*command, "-flags", "+ildct+ilme", str(path)], check=True)
    done = run("probe", path)
    assert done.returncode == 0, done.stderr
    tools = next(line for line in done.stdout.splitlines() if line.startswith("tools"))
    assert "MBAFF" in tools and "CABAC" in tools
