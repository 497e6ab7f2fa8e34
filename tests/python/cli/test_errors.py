"""A failure is one line that names its type, and an exit status; never a traceback."""

from __future__ import annotations

import subprocess
import sys
import wave
from pathlib import Path

import pytest
from data import require_command

import cope

COMMANDS = {
    "probe": [],
    "digest": [],
    "extract": ["-o", "fields.npz"],
    "encode": [],
    "view": ["-o", "view.png"],
}


@pytest.fixture
def bad_inputs(tmp_path: Path) -> dict[str, Path]:
    empty, text, audio = (tmp_path / name for name in ("empty.mp4", "text.mp4", "audio.wav"))
    empty.touch()
    text.write_text("not a video\n" * 100)
    with wave.open(str(audio), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16000))
    return {
        "missing": tmp_path / "missing.mp4",
        "folder": tmp_path,
        "empty": empty,
        "text": text,
        "audio": audio,
    }


def _assert_one_clean_line(done: subprocess.CompletedProcess[str], name: str) -> None:
    assert done.returncode == 1, done
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith(f"cope: {name}: ")


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        *((command, "missing") for command in COMMANDS),
        *(("probe", kind) for kind in ("folder", "empty", "text", "audio")),
    ],
)
def test_what_cannot_be_opened(run, bad_inputs, tmp_path, monkeypatch, command, kind):
    monkeypatch.chdir(tmp_path)
    done = run(command, bad_inputs[kind], *COMMANDS[command])
    _assert_one_clean_line(done, "MediaOpenError")


def test_codec_that_is_not_read(run, tmp_path):
    path = tmp_path / "mpeg4.mp4"
    source = ["-f", "lavfi", "-i", "testsrc=size=64x64:rate=25", "-frames:v", "3"]
    subprocess.run(
        [require_command("ffmpeg"), "-v", "error", *source, "-c:v", "mpeg4", str(path)], check=True
    )
    done = run("digest", path)
    _assert_one_clean_line(done, "UnsupportedStreamError")
    assert "mpeg4" in done.stderr


def test_damage_is_a_warning_of_one_line(run, demo_clip, tmp_path):
    data = bytearray(demo_clip.read_bytes())
    middle = len(data) // 2
    for i in range(middle, middle + 4000):
        data[i] ^= 0x5A
    path = tmp_path / "damaged.mp4"
    path.write_bytes(data)
    done = run("extract", path, "-o", tmp_path / "fields.npz", "-d", "25")
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("cope: warning: damaged video")
    assert done.stderr.count("\n") == 1
    done = run("extract", path, "-o", tmp_path / "fields.npz", "-d", "25", "--on-error", "raise")
    _assert_one_clean_line(done, "InvalidBitstreamError")


def test_output_that_cannot_be_written(run, demo_clip, tmp_path):
    output = tmp_path / "fields.npz"
    output.mkdir()
    done = run("extract", demo_clip, "-o", output)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("cope: ")


@pytest.mark.parametrize(
    ("package", "extra", "arguments"),
    [
        ("typer", "cli", ["probe"]),
        ("torch", "models", ["encode"]),
        ("av", "view", ["view", "-o", "view.png"]),
    ],
)
def test_missing_package_names_the_extra(demo_clip, tmp_path, package, extra, arguments):
    code = "import sys; sys.modules[sys.argv[1]] = None; sys.argv[1:2] = []; import cope.cli as cli"
    command = [sys.executable, "-c", f"{code}; cli.main()", package, *arguments, str(demo_clip)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert done.returncode == 1
    assert f"cope[{extra}]" in done.stderr
    assert "Traceback" not in done.stderr


def test_version(run):
    done = run("--version")
    assert done.returncode == 0
    assert done.stdout == f"cope {cope.__version__}\n"
