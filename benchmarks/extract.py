r"""Frames per second of cope and of its peers, in one run, on the same clips, one thread each.

    python benchmarks/extract.py [--clips CLIP ...] [--repeat N] [--python PEER=PATH ...] [--json]

Every measurement is a process of its own, pinned to one core. The repetitions alternate between
the ways, and the smallest CPU time (user + system) of each counts: other load on the machine then
changes the figures least. frames/s is frames per CPU second. Clips of high bit rates are made
with ffmpeg (`--no-made-clips` leaves them out). Peers are left out for codecs of which they do not
give what they are named for: no library exports the motion vectors of H.265. Bins per second need
the program count_bins of the micro benchmarks (`-DCOPE_BUILD_BENCHMARKS=ON`), for H.264. Peers that
are not installed are named and left out; `--python` says in which environment one is to be found,
`all` for every one but cope, e.g.

    python -m venv /tmp/peers && /tmp/peers/bin/pip install av decord motion-vector-extractor \
        torch==2.13.0 torchcodec==0.13.0
    python benchmarks/extract.py --python all=/tmp/peers/bin/python
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from peers import PEERS

REPOSITORY = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("COPE_TEST_DATA") or REPOSITORY.parent / "shared")
BASELINE = "cope"
COUNT_BINS = REPOSITORY / "build" / "release" / "benchmarks" / "micro" / "count_bins"
MADE_FROM = DATA / "streams" / "bench" / "h264_1080_def.mp4"

# Clips that are made of 120 frames of a 1080p clip: sensor noise added, and encoder.
MADE = {
    "h264_1080_crf16.mp4": (4, "libx264 -preset fast -crf 16 -g 50"),  # 34 Mbit/s
    "hevc_1080_crf18.mp4": (
        4,
        "libx265 -preset fast -crf 18 -x265-params log-level=error",
    ),  # 9 Mbit/s
}


def make_high_rate_clips(folder: Path) -> list[Path]:
    clips = []
    for name, (noise, encoder) in MADE.items():
        clip = folder / name
        command = ["ffmpeg", "-v", "error", "-i", str(MADE_FROM), "-frames:v", "120", "-an"]
        command += ["-vf", f"noise=c0s={noise}:c0f=t", "-c:v", *encoder.split(), str(clip)]
        try:
            subprocess.run(command, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
        else:
            clips.append(clip)
    return clips


def codec_of(clip: Path) -> str:
    import cope

    with cope.VideoReader(clip) as video:
        return video.info.codec


def count_bins(clip: Path, program: Path) -> int | None:
    """Bins of CABAC in the slice data of a clip; none where the program is missing."""
    if not program.exists():
        return None
    process = subprocess.run([str(program), str(clip)], capture_output=True, text=True)
    return int(process.stdout) if process.returncode == 0 else None


def run_once(name: str, clip: Path, python: str) -> dict[str, Any]:
    """One measurement of one peer."""
    command = [python, str(Path(__file__).with_name("peers.py")), name, str(clip)]
    process = subprocess.run(command, capture_output=True, text=True)
    lines = process.stdout.splitlines()
    if process.returncode != 0 or not lines:
        return {"error": f"exit code {process.returncode}"}
    result: dict[str, Any] = json.loads(lines[-1])
    return result


def measure_clip(
    clip: Path, names: list[str], pythons: dict[str, str], repeat: int
) -> dict[str, dict[str, Any]]:
    """The best of `repeat` alternating measurements of every peer."""
    best: dict[str, dict[str, Any]] = {}
    for _ in range(repeat):
        for name in names:
            if "error" in best.get(name, {}):
                continue
            result = run_once(name, clip, pythons.get(name, sys.executable))
            known = best.get(name)
            if known is None or result.get("cpu_seconds", 0) < known["cpu_seconds"]:
                best[name] = result
    return best


def summarise(clip: Path, best: dict[str, dict[str, Any]], num_bins: int | None) -> dict[str, Any]:
    """Rates, and ratios to the baseline's, from measured seconds."""
    size = clip.stat().st_size
    rows = {}
    baseline = best.get(BASELINE, {}).get("cpu_seconds")
    for name, result in best.items():
        if "error" in result:
            rows[name] = result
            continue
        cpu = max(result["cpu_seconds"], 1e-9)
        rows[name] = {
            **result,
            "frames_per_second": result["frames"] / cpu,
            "megabits_per_second": size * 8e-6 / cpu,
            "ratio_to_cope": cpu / baseline if baseline else None,
        }
        if num_bins and name in ("cope", "cope-motion"):  # that parse every picture
            rows[name]["megabins_per_second"] = num_bins * 1e-6 / cpu
    return {"clip": clip.name, "size_bytes": size, "num_bins": num_bins, "peers": rows}


def print_table(summary: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{summary['clip']} ({summary['size_bytes'] / 1e6:.2f} MB), one thread")
    table.add_column("")
    headings = ("frames/s", "CPU s", "Mbit/s", "Mbins/s", "time / cope", "peak RSS", "frames")
    for heading in headings:
        table.add_column(heading, justify="right")
    missing = []
    for name, row in summary["peers"].items():
        if "error" in row:
            missing.append(f"{PEERS[name].label}: not measured, {row['error']}")
            continue
        ratio = row["ratio_to_cope"]
        table.add_row(
            f"{PEERS[name].label} {row['version']}",
            f"{row['frames_per_second']:,.0f}",
            f"{row['cpu_seconds']:.3f}",
            f"{row['megabits_per_second']:.1f}",
            f"{row['megabins_per_second']:.0f}" if "megabins_per_second" in row else "",
            f"{ratio:.2f}" if ratio is not None else "-",
            f"{row['peak_rss_bytes'] / 2**20:.0f} MiB",
            str(row["frames"]),
        )
    console = Console(width=max(100, Console().width))
    console.print(table)
    for line in missing:
        console.print(line, style="dim", highlight=False)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--clips",
        nargs="*",
        type=Path,
        default=sorted((DATA / "streams" / "bench").glob("*.mp4")),
        help="default: the clips of streams/bench under COPE_TEST_DATA",
    )
    parser.add_argument("--peers", nargs="*", choices=list(PEERS), default=list(PEERS))
    parser.add_argument("--repeat", type=int, default=3, help="repetitions, the best one counts")
    parser.add_argument(
        "--python", action="append", default=[], metavar="PEER=PATH", help="interpreter of a peer"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument(
        "--no-made-clips", action="store_true", help="do not make the clips of high bit rates"
    )
    parser.add_argument("--count-bins", type=Path, default=COUNT_BINS, metavar="PROGRAM")
    args = parser.parse_args()
    pythons = dict(item.split("=", 1) for item in args.python)
    if unknown := set(pythons) - set(PEERS) - {"all"}:
        parser.error(f"--python: no peer named {', '.join(sorted(unknown))}")
    if "all" in pythons:
        others = {name for name, peer in PEERS.items() if peer.package != "cope"}
        pythons = dict.fromkeys(others, pythons.pop("all")) | pythons
    if not args.clips:
        parser.error(f"no clips under {DATA}/streams/bench: give --clips or set COPE_TEST_DATA")
    summaries = []
    with tempfile.TemporaryDirectory() as folder:
        clips = list(args.clips)
        if not args.no_made_clips:
            clips += make_high_rate_clips(Path(folder))
        for clip in clips:
            codec = codec_of(clip)
            names = [name for name in args.peers if codec in PEERS[name].codecs]
            best = measure_clip(clip, names, pythons, args.repeat)
            summaries.append(summarise(clip, best, count_bins(clip, args.count_bins)))
            if not args.json:
                print_table(summaries[-1])
    if args.json:
        print(json.dumps(summaries, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
