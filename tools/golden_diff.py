"""Compares `cope.digest` with the goldens and prints the first difference of each stream.

    python tools/golden_diff.py [PATTERN ...] [--codec h264|hevc] [--processes N] [--time-limit S]

A stream is taken when its path contains one of the patterns (all without patterns), smallest first.
Where the golden has full arrays for the differing picture, the first block and value that
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


def decoding_order(codec: str, height: int, width: int) -> np.ndarray:
    """Rank of each 4x4 block: macroblocks or blocks of 64x64 in turn, in Z-order inside."""
    size = 4 if codec == "h264" else 16
    y4, x4 = np.mgrid[0:height, 0:width]
    rank = (y4 // size) * -(-width // size) + x4 // size
    while size > 1:
        size //= 2
        rank = rank * 4 + y4 // size % 2 * 2 + x4 // size % 2
    return rank


def describe_block(picture: Any, x: int, y: int) -> str:
    """What the block at sample (x, y) is."""
    blocks = picture.blocks
    at = (y // blocks.size, x // blocks.size)
    return (
        f"block x {at[1]} y {at[0]} of {blocks.size}: type {blocks.type[at]}, qp {blocks.qp[at]}, "
        f"shape {blocks.partition_shape[at]}, partition {int(blocks.partition[at]):08b}"
    )


def diff_motion(picture: Any, golden: dict[str, np.ndarray], n: int, codec: str) -> list[str]:
    """The first differing 4x4 block of each motion array, in decoding order."""
    lines = []
    ours = {
        "ref_idx": picture.motion.ref_idx,
        "mv": picture.motion.mv,
        "ref_poc": picture.motion.ref_poc,
    }
    height, width = ours["ref_idx"].shape[1:]
    order = decoding_order(codec, height, width)
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
            first = np.where(differs[lx], order, order.max() + 1).argmin()
            y, x = (int(i) for i in np.unravel_index(first, order.shape))
            lines.append(
                f"{name}.L{lx}: {differs[lx].sum()} of {used[lx].sum()} blocks differ; "
                f"first x4 {x} y4 {y}: "
                f"ours {array[lx, y, x].tolist()}, golden {theirs[lx, y, x].tolist()}, "
                f"golden ref_idx {golden['ref_idx'][n][lx, y, x]}; "
                f"{describe_block(picture, 4 * x, 4 * y)}"
            )
    return lines


Row = tuple[int, ...]


def expand_coefficients(picture: Any, codec: str) -> list[Row]:
    """Our levels as rows: plane, kind, blk, mb_addr, k, level (H.265: plane, x0, y0, log2size, xC,
    yC, level).
    """
    c = picture.coefficients
    counts = c.records["count"].astype(np.int64)
    rows = np.repeat(np.arange(len(c.records)), counts)
    offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    at = c.records["first"].astype(np.int64)[rows] + offsets

    def column(name: str) -> np.ndarray:
        return c.records[name][rows].astype(np.int64)

    positions, levels = c.positions[at].astype(np.int64), c.levels[at].astype(np.int64)
    if codec == "h264":
        names = ("plane", "kind", "block_idx", "mb_addr")
        columns = [*(column(name) for name in names), positions, levels]
    else:
        log2_size = column("kind") - 2
        x_c, y_c = positions & ((1 << log2_size) - 1), positions >> log2_size
        columns = [*(column(name) for name in ("plane", "x", "y")), log2_size, x_c, y_c, levels]
    return [tuple(row) for row in np.stack(columns, axis=1).tolist()]


def diff_coefficients(picture: Any, golden: dict[str, np.ndarray], n: int, codec: str) -> list[str]:
    """The first differing transform block, in raster order of macroblocks or of 64x64 blocks."""
    theirs = golden["coeffs"][golden["coeffs"][:, 0] == n][:, 1:].astype(np.int64)
    ours = set(expand_coefficients(picture, codec))
    expected = {tuple(row) for row in theirs.tolist()}
    if ours == expected:
        return []
    counts = f"coefficients: {len(ours - expected)} wrong, {len(expected - ours)} missing; first "

    def levels(rows: set[Row]) -> list[Row]:
        return sorted(r[4:] for r in rows if r[:4] == first[:4])

    if codec == "h264":
        first = min(ours ^ expected, key=lambda r: (r[3], r[0], r[1] not in (2, 3), r[2], r[4]))
        plane, kind, blk, mb_addr = first[:4]
        width = picture.blocks.type.shape[1]
        block = describe_block(picture, mb_addr % width * 16, mb_addr // width * 16)
        place = f"mb {mb_addr} plane {plane} {KIND_NAMES[kind]} blk {blk}; {block}"
    else:
        # Chroma planes have their own coordinates: the planes come one after another.
        first = min(ours ^ expected, key=lambda r: (r[0], r[2] // 64, r[1] // 64, r[2], r[1]))
        plane, x0, y0, log2_size = first[:4]
        place = f"plane {plane} x {x0} y {y0} size {1 << log2_size}"
        if plane == 0:
            place += f"; {describe_block(picture, x0, y0)}"
    return [f"{counts}{place}: ours {levels(ours)}, golden {levels(expected)}"]


def diff_arrays(stream: GoldenStream, n: int) -> list[str]:
    """Differences of picture `n` in the full arrays, where there are any."""
    import cope

    golden = stream.arrays()
    if golden is None or n >= len(golden["poc"]):
        return []
    with cope.VideoReader(stream.path, threads=1) as video:
        picture = next(itertools.islice(video.pictures(coefficients=True), n, None))
        return [
            line
            for diff in (diff_motion, diff_coefficients)
            for line in diff(picture, golden, n, stream.codec)
        ]


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
