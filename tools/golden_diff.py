"""Compares `cope.digest` with the goldens and prints the first difference of each stream.

    python tools/golden_diff.py [PATTERN ...] [--codec h264|hevc] [--processes N] [--time-limit S]

A stream is taken when its path contains one of the patterns (all without patterns), smallest first.
Where the golden has full arrays for the differing picture, the first macroblock and value that
differ are printed as well: vectors, reference indices, reference POCs and coefficient levels.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import sys
from collections import Counter
from multiprocessing.connection import Connection
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "python"))

from golden import GoldenStream, differing_fields, field, read_index

CONTEXT = multiprocessing.get_context("forkserver")
KIND_NAMES = {0: "4x4", 1: "8x8", 2: "Intra16x16DC", 3: "chroma DC"}


def macroblock_of(x4: int, y4: int, width_4x4: int) -> int:
    """Raster macroblock address of a 4x4 block (MBAFF: position by address, not mb_addr itself)."""
    return (y4 // 4) * (width_4x4 // 4) + x4 // 4


def diff_motion(picture: Any, golden: dict[str, np.ndarray], n: int) -> list[str]:
    """The first differing 4x4 block of each motion array, in macroblock order."""
    lines = []
    ours = {
        "ref_idx": picture.motion.ref_idx,
        "mv": picture.motion.mv,
        "ref_poc": picture.motion.ref_poc,
    }
    height, width = ours["ref_idx"].shape[1:]
    y4, x4 = np.mgrid[0:height, 0:width]
    order = ((y4 // 4) * (width // 4) + x4 // 4) * 16 + (y4 % 4) * 4 + x4 % 4
    used = golden["ref_idx"][n][:, :height] >= 0
    for name, array in ours.items():
        theirs = golden[name][n][:, :height]
        differs = array != theirs
        if name == "mv":
            differs = differs.any(axis=-1)
        if name != "ref_idx":
            differs &= used
        for lx in range(2):
            if not differs[lx].any():
                continue
            y, x = np.unravel_index(np.where(differs[lx], order, order.size).argmin(), order.shape)
            mb = macroblock_of(int(x), int(y), width)
            blocks = picture.blocks
            lines.append(
                f"{name}.L{lx}: {differs[lx].sum()} of {used[lx].sum()} blocks differ; "
                f"first mb {mb} (x {x // 4}, y {y // 4}) block x4 {x % 4} y4 {y % 4}: "
                f"ours {array[lx, y, x].tolist()}, golden {theirs[lx, y, x].tolist()}, "
                f"golden ref_idx {golden['ref_idx'][n][lx, y, x]}; "
                f"type {blocks.type.reshape(-1)[mb]}, "
                f"shape {blocks.partition_shape.reshape(-1)[mb]}, "
                f"partition {int(blocks.partition.reshape(-1)[mb]):08b}"
            )
    return lines


def expand_coefficients(picture: Any) -> np.ndarray:
    """Our levels as rows plane, kind, blk, mb_addr, k, level."""
    c = picture.coefficients
    counts = c.records["count"].astype(np.int64)
    rows = np.repeat(np.arange(len(c.records)), counts)
    offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    at = c.records["first"].astype(np.int64)[rows] + offsets
    columns = [
        c.records[name][rows].astype(np.int64) for name in ("plane", "kind", "block_idx", "mb_addr")
    ]
    return np.stack(
        [*columns, c.positions[at].astype(np.int64), c.levels[at].astype(np.int64)], axis=1
    )


def diff_coefficients(picture: Any, golden: dict[str, np.ndarray], n: int) -> list[str]:
    """The first differing level in macroblock order."""
    theirs = golden["coeffs"][golden["coeffs"][:, 0] == n][:, 1:].astype(np.int64)
    ours = set(map(tuple, expand_coefficients(picture).tolist()))
    expected = set(map(tuple, theirs.tolist()))
    if ours == expected:
        return []
    first = min(ours ^ expected, key=lambda r: (r[3], r[0], r[1] not in (2, 3), r[2], r[4]))
    plane, kind, blk, mb_addr, _, _ = first

    def block(rows: set[tuple[int, ...]]) -> list[tuple[int, int]]:
        return sorted((r[4], r[5]) for r in rows if r[:4] == first[:4])

    mb_type = picture.blocks.type.reshape(-1)[mb_addr]
    return [
        f"coefficients: {len(ours - expected)} wrong, {len(expected - ours)} missing; "
        f"first mb {mb_addr} (type {mb_type}, "
        f"qp {picture.blocks.qp.reshape(-1)[mb_addr]}) plane {plane} {KIND_NAMES[kind]} blk {blk}: "
        f"(k, level) ours {block(ours)}, golden {block(expected)}"
    ]


def diff_arrays(stream: GoldenStream, n: int) -> list[str]:
    """Differences of picture `n` in the full arrays, where there are any."""
    import cope

    golden = stream.arrays()
    if golden is None or n >= len(golden["poc"]):
        return []
    with cope.VideoReader(stream.path, threads=1) as video:
        picture = next(itertools.islice(video.pictures(coefficients=True), n, None))
        return diff_motion(picture, golden, n) + diff_coefficients(picture, golden, n)


def first_difference(stream: GoldenStream) -> tuple[str, list[str]]:
    """Status (exact, unsupported, differs, error, timeout) and lines that say why."""
    import cope

    golden = stream.records()
    n = 0
    try:
        for ours in itertools.islice(
            cope.digest(stream.path), len(golden) + (not stream.is_cut_short)
        ):
            if n == len(golden):
                return "differs", [f"more than {len(golden)} pictures"]
            fields = list(differing_fields(ours, golden[n]))
            if fields:
                lines = [
                    f"picture {n} (POC {golden[n]['poc']}, {golden[n]['slice_types']}): "
                    f"{', '.join(fields)}"
                ]
                lines += [
                    f"{name}: ours {field(ours, name)!r}, golden {field(golden[n], name)!r}"
                    for name in fields[:6]
                ]
                return "differs", lines + diff_arrays(stream, n)
            n += 1
    except cope.UnsupportedStreamError as error:
        return "unsupported", [f"at picture {n}: {error}"]
    except Exception as error:
        return "error", [f"at picture {n} of {len(golden)}: {type(error).__name__}: {error}"]
    return (
        ("exact", []) if n == len(golden) else ("differs", [f"{n} pictures, golden {len(golden)}"])
    )


def _report(stream: GoldenStream, result: Connection) -> None:
    result.send(first_difference(stream))


def run_isolated(stream: GoldenStream, time_limit: float) -> tuple[str, list[str]]:
    """`first_difference` in a process of its own: a crash or a hang is a status like the others."""
    receiver, sender = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=_report, args=(stream, sender), daemon=True)
    process.start()
    sender.close()
    try:
        if not receiver.poll(time_limit):
            return "timeout", [f"after {time_limit} s"]
        return receiver.recv()
    except EOFError:
        process.join()
        return "crash", [f"exit code {process.exitcode}"]
    finally:
        process.kill()
        process.join()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("patterns", nargs="*")
    parser.add_argument("--codec", choices=["h264", "hevc"], default="h264")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--time-limit", type=int, default=60, help="seconds for one stream")
    parser.add_argument(
        "--quiet", action="store_true", help="do not list exact and unsupported streams"
    )
    args = parser.parse_args()

    streams = [s for s in read_index(args.codec) if s.is_sound and s.path.exists()]
    streams = [s for s in streams if not args.patterns or any(p in s.name for p in args.patterns)]
    CONTEXT.set_forkserver_preload(["cope", "golden"])
    streams.sort(key=lambda s: s.path.stat().st_size)
    counts: Counter[str] = Counter()
    with ThreadPool(args.processes) as pool:
        results = pool.imap(lambda stream: run_isolated(stream, args.time_limit), streams)
        for stream, (status, lines) in zip(streams, results, strict=True):
            counts[status] += 1
            if not args.quiet or status not in ("exact", "unsupported"):
                print(f"{status:11} {stream.name} ({stream.path.stat().st_size} bytes)")
                for line in lines:
                    print(f"    {line}", flush=True)
    print(", ".join(f"{n} {status}" for status, n in sorted(counts.items())))
    return int(set(counts) - {"exact", "unsupported"} != set())


if __name__ == "__main__":
    sys.exit(main())
