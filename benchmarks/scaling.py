r"""How reading scales with threads: one file, and many files at once that share the pool.

    python benchmarks/scaling.py CLIP [CLIP ...] [--threads 1,2,4,8,16] [--files 64] [--json]

The first clip is read alone, all clips take turns in the many. Every row is a process of its own
whose CPUs are limited by COPE_NUM_THREADS alone; a reader asks for no number of threads. In a row,
passes over the files are repeated until `--seconds` have gone by and the fastest counts, opening
and closing included. A file is held in memory, so that no disk takes part. `extract` runs the
default density plan with keyframes, `pictures` parses every picture with its coefficients, `first`
waits for the first of them alone, and closing, which waits for those under way, does not count.
What demuxing and headers take, which is the one thing that goes on picture after picture, stands
below.

Needs cope and numpy, nothing else: it runs from a wheel, beside no source tree. `speed-up / N` is
against the row of one thread in the same run: 1.00 is perfect.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

WORKLOADS = ("pictures", "extract", "first")


def read_pictures(cope: Any, data: bytes) -> int:
    num_pictures = 0
    with cope.VideoReader(data) as video:
        for _ in video.pictures():
            num_pictures += 1
    return num_pictures


def read_extract(cope: Any, data: bytes) -> int:
    return int(cope.extract(data).stats.num_pictures)


def read_first(cope: Any, data: bytes) -> tuple[int, float, float]:
    """Pictures, and seconds of wall clock and of CPU, until the first one is there."""
    wall, cpu = time.perf_counter(), time.process_time()
    with cope.VideoReader(data) as video:
        num_pictures = sum(1 for _ in itertools.islice(video.pictures(), 1))
        return num_pictures, time.perf_counter() - wall, time.process_time() - cpu


def timed_pass(cope: Any, workload: str, files: list[bytes]) -> tuple[int, float, float]:
    """One pass: pictures, seconds of wall clock and of CPU."""
    if workload == "first":
        return read_first(cope, files[0])
    wall, cpu = time.perf_counter(), time.process_time()
    num_pictures = read_all(cope, workload, files)
    return num_pictures, time.perf_counter() - wall, time.process_time() - cpu


def read_all(cope: Any, workload: str, files: list[bytes]) -> int:
    """One pass: every file in a Python thread of its own. Returns the number of pictures."""
    read = read_pictures if workload == "pictures" else read_extract
    if len(files) == 1:
        return read(cope, files[0])
    counts = [0] * len(files)
    errors: list[BaseException] = []

    def work(i: int) -> None:
        try:
            counts[i] = read(cope, files[i])
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(files))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return sum(counts)


def measure(workload: str, clips: list[str], num_files: int, seconds: float) -> dict[str, Any]:
    """The fastest pass of this process."""
    import cope

    data = [Path(clip).read_bytes() for clip in clips]
    files = [data[i % len(data)] for i in range(num_files)]
    timed_pass(cope, workload, files[:1])  # loads libraries, starts the pool
    best: dict[str, Any] = {}
    start = time.perf_counter()
    num_passes = 0
    while num_passes < 2 or time.perf_counter() - start < seconds:
        num_pictures, wall, cpu = timed_pass(cope, workload, files)
        if not best or wall < best["wall_seconds"]:
            best = {"pictures": num_pictures, "wall_seconds": wall, "cpu_seconds": cpu}
        num_passes += 1
        if num_files > 1 and time.perf_counter() - start > seconds:
            break
    if workload == "pictures" and num_files == 1:
        with cope.VideoReader(files[0], threads=1) as video:
            cpu = time.process_time()
            num_pictures = sum(1 for _ in video.pictures())
            cpu = time.process_time() - cpu
            best["cpu_per_picture"] = cpu / num_pictures
            best["demux_per_picture"] = video.stats.seconds_demux / num_pictures
    best["peak_rss_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return best


def run_row(workload: str, clips: list[str], num_files: int, threads: int, seconds: float) -> Any:
    command = [sys.executable, __file__, *clips, "--worker", workload]
    command += ["--files", str(num_files), "--seconds", str(seconds)]
    environment = {**os.environ, "COPE_NUM_THREADS": str(threads)}
    process = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
    if process.returncode != 0:
        raise SystemExit(f"{workload} with {threads} threads: exit code {process.returncode}")
    return json.loads(process.stdout.splitlines()[-1])


def print_table(title: str, rows: list[dict[str, Any]]) -> None:
    print(f"\n{title}")
    print(
        f"{'threads':>8}{'pictures/s':>12}{'wall s':>9}{'CPU s':>9}{'CPUs busy':>11}"
        f"{'speed-up':>10}{'/ N':>7}{'peak MiB':>10}"
    )
    for row in rows:
        print(
            f"{row['threads']:>8}{row['rate']:>12.0f}{row['wall_seconds']:>9.4f}"
            f"{row['cpu_seconds']:>9.3f}{row['cpu_seconds'] / row['wall_seconds']:>11.2f}"
            f"{row['speed_up']:>10.2f}{row['efficiency']:>7.2f}{row['peak_rss_mib']:>10.0f}",
            flush=True,
        )
    if "demux_per_picture" in rows[0]:
        # The least of all rows: other load counts in a wall clock.
        demux = min(row["demux_per_picture"] for row in rows)
        cpu = min(row["cpu_per_picture"] for row in rows)
        print(
            f"demuxing and headers: {demux * 1e6:.0f} of {cpu * 1e6:.0f} us per picture "
            f"({demux / cpu:.1%}), a limit at {cpu / demux:.0f} threads"
        )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips", nargs="+", metavar="CLIP")
    parser.add_argument("--threads", default="1,2,4,8,16", help="default: %(default)s")
    parser.add_argument("--files", type=int, default=64, help="how many at once")
    parser.add_argument("--seconds", type=float, default=3.0, help="of every measurement, at least")
    parser.add_argument("--workloads", default=",".join(WORKLOADS))
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        print(json.dumps(measure(args.worker, args.clips, args.files, args.seconds)))
        return 0

    available = len(os.sched_getaffinity(0))
    thread_counts = [n for n in map(int, args.threads.split(",")) if n <= available]
    if not args.json:
        print(f"{available} CPUs available, {len(args.clips)} clips")
    tables = []
    for workload in args.workloads.split(","):
        for num_files in (1,) if workload == "first" else (1, args.files):
            clips = args.clips if num_files > 1 else args.clips[:1]
            rows: list[dict[str, Any]] = []
            for threads in thread_counts:
                row = run_row(workload, clips, num_files, threads, args.seconds)
                row["threads"] = threads
                row["rate"] = row["pictures"] / row["wall_seconds"]
                row["speed_up"] = row["rate"] / (rows[0]["rate"] if rows else row["rate"])
                row["efficiency"] = row["speed_up"] / (threads / thread_counts[0])
                rows.append(row)
            title = f"{workload}, {Path(clips[0]).name if num_files == 1 else f'{num_files} files'}"
            tables.append({"title": title, "rows": rows})
            if not args.json:
                print_table(title, rows)
    if args.json:
        print(json.dumps(tables, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
