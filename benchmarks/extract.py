r"""Frames per second of cope and of its peers, in one run, on the same clips, one thread each.

    python benchmarks/extract.py [--clips CLIP ...] [--repeat N] [--python PEER=PATH ...] [--json]

Every measurement is a process of its own, pinned to one core. The repetitions alternate between
the ways, and the smallest CPU time (user + system) of each counts: other load on the machine then
changes the figures least. frames/s is frames per CPU second. Peers that are not installed are
named and left out; `--python` says in which environment one is to be found, e.g.

    python -m venv /tmp/peers && /tmp/peers/bin/pip install decord motion-vector-extractor \
        torch torchcodec
    python benchmarks/extract.py --python decord=/tmp/peers/bin/python ...
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from peers import PEERS

REPOSITORY = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("COPE_TEST_DATA") or REPOSITORY.parent / "shared")
BASELINE = "cope"


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


def summarise(clip: Path, best: dict[str, dict[str, Any]]) -> dict[str, Any]:
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
    return {"clip": clip.name, "size_bytes": size, "peers": rows}


def print_table(summary: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{summary['clip']} ({summary['size_bytes'] / 1e6:.2f} MB), one thread")
    table.add_column("")
    for heading in ("frames/s", "CPU s", "Mbit/s", "time / cope", "frames"):
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
            f"{ratio:.2f}" if ratio is not None else "-",
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
        default=sorted((DATA / "streams" / "bench").glob("h264_*")),
        help="default: the H.264 clips of streams/bench under COPE_TEST_DATA",
    )
    parser.add_argument("--peers", nargs="*", choices=list(PEERS), default=list(PEERS))
    parser.add_argument("--repeat", type=int, default=3, help="repetitions, the best one counts")
    parser.add_argument(
        "--python", action="append", default=[], metavar="PEER=PATH", help="interpreter of a peer"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    args = parser.parse_args()
    pythons = dict(item.split("=", 1) for item in args.python)
    if unknown := set(pythons) - set(PEERS):
        parser.error(f"--python: no peer named {', '.join(sorted(unknown))}")
    if not args.clips:
        parser.error(f"no clips under {DATA}/streams/bench: give --clips or set COPE_TEST_DATA")
    summaries = []
    for clip in args.clips:
        summaries.append(summarise(clip, measure_clip(clip, args.peers, pythons, args.repeat)))
        if not args.json:
            print_table(summaries[-1])
    if args.json:
        print(json.dumps(summaries, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
