r"""Peak memory by resolution, number of threads and length of the video.

    python benchmarks/memory.py CLIP [CLIP ...] [--minutes 1,10,60] [--threads 1,2,4] [--json]

Each clip is repeated with `ffmpeg -stream_loop -c copy` up to every length. A measurement is a
process of its own that reads the file once and reports its largest resident set, libraries
included; `slow` waits after every picture as a consumer would that is slower than the parser, and
stops after a minute. `frames/s` is per second of wall clock.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

WORKLOADS = ("pictures", "windows", "slow")
SLOW_SECONDS = 60.0  # of the slow consumer


def read(workload: str, path: str) -> int:
    """Reads a file and returns how many pictures were met."""
    import cope

    with cope.VideoReader(path) as video:
        if workload == "windows":
            for _ in video.windows():
                pass
            return video.stats.num_pictures
        num_pictures = 0
        start = time.perf_counter()
        for _ in video.pictures():
            num_pictures += 1
            if workload == "slow":
                time.sleep(0.02)
                if time.perf_counter() - start > SLOW_SECONDS:
                    break
        return num_pictures


def measure(workload: str, path: str) -> dict[str, Any]:
    start = time.perf_counter()
    num_pictures = read(workload, path)
    seconds = time.perf_counter() - start
    status = Path("/proc/self/status").read_text().splitlines()
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    return {"pictures": num_pictures, "seconds": seconds, "peak_mib": peak / 1024}


def run_row(workload: str, path: Path, threads: int) -> dict[str, Any]:
    command = [sys.executable, __file__, str(path), "--worker", workload]
    environment = {**os.environ, "COPE_NUM_THREADS": str(threads)}
    process = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
    if process.returncode != 0:
        raise SystemExit(f"{workload}, {threads} threads, {path}: exit code {process.returncode}")
    row: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    return row


def repeat(clip: Path, seconds: float, minutes: float, folder: Path) -> Path:
    """The clip over and over, for so many minutes."""
    path = folder / f"{clip.stem}-{minutes:g}min.mp4"
    loops = max(0, math.ceil(minutes * 60 / seconds) - 1)
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-stream_loop", str(loops), "-i"]
    subprocess.run([*command, str(clip), "-map", "0:v:0", "-c", "copy", str(path)], check=True)
    return path


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips", nargs="+", type=Path, metavar="CLIP")
    parser.add_argument("--minutes", default="1,10,60", help="default: %(default)s")
    parser.add_argument("--threads", default="1,2,4", help="default: %(default)s")
    parser.add_argument("--workloads", default=",".join(WORKLOADS))
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        print(json.dumps(measure(args.worker, str(args.clips[0]))))
        return 0

    import cope

    rows = []
    if not args.json:
        print(
            f"{'resolution':>11}{'workload':>10}{'minutes':>9}{'threads':>9}{'pictures':>10}"
            f"{'frames/s':>10}{'peak MiB':>10}"
        )
    for clip in args.clips:
        with cope.VideoReader(clip) as video:
            info = video.info
        for minutes in map(float, args.minutes.split(",")):
            with tempfile.TemporaryDirectory() as folder:
                path = repeat(clip, info.duration_seconds or 1.0, minutes, Path(folder))
                for workload in args.workloads.split(","):
                    for threads in map(int, args.threads.split(",")):
                        row = run_row(workload, path, threads)
                        row.update(
                            resolution=f"{info.width}x{info.height}",
                            workload=workload,
                            minutes=minutes,
                            threads=threads,
                        )
                        rows.append(row)
                        if args.json:
                            continue
                        print(
                            f"{row['resolution']:>11}{workload:>10}{minutes:>9g}{threads:>9}"
                            f"{row['pictures']:>10}{row['pictures'] / row['seconds']:>10.0f}"
                            f"{row['peak_mib']:>10.0f}",
                            flush=True,
                        )
    if args.json:
        print(json.dumps(rows, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
