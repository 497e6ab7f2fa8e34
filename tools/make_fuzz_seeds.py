"""Writes seed inputs for the fuzz targets, cut from the shared streams.

    tools/make_fuzz_seeds.py OUT

One folder per target under OUT. Inputs are cut short where a target needs no more than the begin of
a stream: what libFuzzer mutates should be small. Reads `COPE_TEST_DATA` (default: the folder
`shared` beside the repository); nothing it writes belongs into the repository.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
STREAMS = Path(os.environ.get("COPE_TEST_DATA") or REPOSITORY.parent / "shared") / "streams"
RAW_SUFFIXES = {".264", ".h264", ".jsv", ".avc", ".26l", ".jvt"}
H265_SUFFIXES = {".265", ".h265", ".bit"}
MAX_SEQUENCE = 8 << 10  # bytes of a NAL sequence
MAX_FILE = 36 << 10
MAX_UNIT = 0xFFFF

Unit = bytes


class Seeds:
    """Collects inputs without repetition."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.count: dict[str, int] = {}

    def add(self, target: str, data: bytes) -> None:
        folder = self.out / target
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / hashlib.sha1(data).hexdigest()
        if not path.exists():
            path.write_bytes(data)
            self.count[target] = self.count.get(target, 0) + 1


def split_annex_b(data: bytes) -> list[Unit]:
    """NAL units of a byte stream."""
    units = []
    start = data.find(b"\0\0\1")
    while start >= 0:
        end = data.find(b"\0\0\1", start + 3)
        unit = data[start + 3 : end if end >= 0 else len(data)].rstrip(b"\0")
        if unit:
            units.append(unit)
        start = end
    return units


def unescape(unit: Unit, header_size: int = 1) -> bytes:
    """Payload of a NAL unit."""
    return unit[header_size:].replace(b"\0\0\3", b"\0\0")


def boxes(data: bytes, name: bytes) -> Iterator[bytes]:
    """Payloads of all boxes of a name, wherever they lie."""
    at = data.find(name)
    while at >= 4:
        size = int.from_bytes(data[at - 4 : at], "big")
        if 8 <= size <= len(data) - at + 4:
            yield data[at + 4 : at - 4 + size]
        at = data.find(name, at + 1)


def cut(units: list[Unit]) -> list[Unit]:
    """As many units from the front as a sequence may hold; the last may be cut short."""
    out: list[Unit] = []
    size = 0
    for unit in units:
        room = MAX_SEQUENCE - size
        if room < 64:
            break
        out.append(unit[:room])
        size += len(out[-1]) + 2
    return out


def add_units(seeds: Seeds, units: list[Unit]) -> None:
    """Seeds of all targets that read NAL units."""
    sps: Unit | None = None
    pps: Unit | None = None
    num_slices = 0
    for unit in units:
        kind = unit[0] & 31
        if kind == 7:
            sps = unit
            seeds.add("sps", unescape(unit))
        elif kind == 8 and sps is not None and len(unescape(sps)) < 256:
            pps = unit
            rbsp = unescape(sps)
            seeds.add("pps", bytes([len(rbsp)]) + rbsp + unescape(unit))
        elif kind in (1, 2, 5) and sps is not None and pps is not None and num_slices < 6:
            num_slices += 1
            a, b = unescape(sps), unescape(pps)
            if len(a) < 256 and len(b) < 256:
                head = bytes([len(a), len(b), unit[0]])
                seeds.add("slice_header", head + a + b + unescape(unit)[:96])
    sequence = cut(units)
    prefixed = b"".join(len(unit).to_bytes(2, "big") + unit for unit in sequence)
    for target in ("nal_sequence", "fields"):
        seeds.add(target, prefixed)
    stream = b"".join(b"\0\0\1" + unit for unit in sequence)
    seeds.add("byte_stream", stream)
    seeds.add("annex_b", stream[:2048])
    seeds.add("avcc", prefixed[:512])


def add_h265_units(seeds: Seeds, units: list[Unit]) -> None:
    """The same of H.265."""
    sps = pps = b""
    segments: list[tuple[int, bytes]] = []
    for unit in units:
        kind, payload = unit[0] >> 1, unescape(unit, 2)
        if kind in (32, 39):
            seeds.add("h265_vps", payload[:512])
        elif kind == 33:
            sps = payload[:255]
            seeds.add("h265_sps", sps)
        elif kind == 34:
            pps = payload[:255]
            seeds.add("h265_pps", bytes([len(sps)]) + sps + pps)
        elif kind < 22 and sps and pps and len(segments) < 6:
            segments.append((unit[0], payload[:64]))
    for (first_byte, first), (_, second) in pairwise(segments):
        head = bytes([len(sps), len(pps), len(first), first_byte])
        seeds.add("h265_slice_header", head + sps + pps + first + second)
    sequence = cut(units)
    seeds.add(
        "h265_nal_sequence", b"".join(len(unit).to_bytes(2, "big") + unit for unit in sequence)
    )
    seeds.add("h265_byte_stream", b"".join(b"\0\0\1" + unit for unit in sequence))


def main() -> None:
    parser = argparse.ArgumentParser(description="Writes seed inputs for the fuzz targets.")
    parser.add_argument("out", type=Path, help="folder for one folder of inputs per target")
    seeds = Seeds(parser.parse_args().out)
    files = sorted(p for p in STREAMS.rglob("*") if p.is_file())
    if not files:
        sys.exit(f"no streams under {STREAMS}: set COPE_TEST_DATA")
    for path in files:
        is_malformed = "malformed" in path.parts
        size = path.stat().st_size
        data = path.read_bytes()[: 4 << 20]
        if path.suffix in RAW_SUFFIXES or (is_malformed and path.suffix == ""):
            if units := split_annex_b(data):
                add_units(seeds, units)
            if size <= MAX_FILE // 3:
                seeds.add("file", data)
        elif path.suffix in H265_SUFFIXES:
            if units := [unit for unit in split_annex_b(data) if len(unit) > 2]:
                add_h265_units(seeds, units)
            if size <= MAX_FILE // 3:
                seeds.add("file", data)
        elif path.suffix in {".tsv", ".md", ".txt"}:
            continue
        else:
            for name in (b"avcC", b"hvcC"):
                for box in boxes(data, name):
                    seeds.add("avcc", box)
            if size <= MAX_FILE and "vp9" not in str(path) and "av1" not in str(path):
                seeds.add("file", data)
    for target, count in sorted(seeds.count.items()):
        print(f"{target:17} {count:5} inputs")


if __name__ == "__main__":
    main()
