"""Writes the inputs of tests/fuzz/regressions, which the replay programs run in every test.

    tests/fuzz/make_regressions.py [--check]

What fuzzing finds is written here again by hand, as small as it gets: an input that says why it is
there, and that nobody else wrote a part of. `--check` tells whether the folder holds just these.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python"))

from made_streams import BitWriter, make_stream, split

FOLDER = Path(__file__).resolve().parent / "regressions"


def prefixed(units: list[bytes]) -> bytes:
    """NAL units, each behind a length of two bytes: inputs of `nal_sequence` and `fields`."""
    return b"".join(len(unit).to_bytes(2, "big") + unit for unit in units)


def unit(writer: BitWriter, header: int) -> bytes:
    return split(writer.nal(header))[0]


def direct_in_colour_planes() -> bytes:
    """B slices of three colour planes whose collocated picture is missing: the blocks of all three
    planes are lost, and each plane counts its own.
    """
    sps = BitWriter().u(8, 244).u(8, 0).u(8, 40).ue(0).ue(3).u(1, 1).ue(0).ue(0).u(1, 0).u(1, 0)
    sps.ue(0).ue(2).ue(1).u(1, 0).ue(1).ue(1).u(1, 1).u(1, 1).u(1, 0).u(1, 0)
    pps = BitWriter().ue(0).ue(0).u(1, 0).u(1, 0).ue(0).ue(0).ue(0).u(1, 0).u(2, 0)
    pps.ue(0).ue(0).ue(0).u(1, 0).u(1, 0).u(1, 0)
    units = [unit(sps, 0x67), unit(pps, 0x68)]
    for colour_plane_id in range(3):
        b_slice = BitWriter().ue(0).ue(6).ue(0).u(2, colour_plane_id).u(4, 0)
        b_slice.u(1, 1).u(1, 0).u(1, 0).u(1, 0).ue(0).ue(4)  # spatial direct; all 4 skipped
        units.append(unit(b_slice, 0x01))
    return prefixed(units)


def overlapping_slices() -> bytes:
    """Slices of a few bytes that skip nearly all of a large picture, again and again."""
    sps, pps, idr, _ = split(make_stream(1024, 512))
    units = [sps, pps, idr]
    for i in range(60):
        p_slice = BitWriter().ue(min(i, 1)).ue(5).ue(0).u(4, 1).u(1, 0).u(1, 0).u(1, 0).ue(0)
        p_slice.ue(1 if i == 0 else 2047)
        units.append(unit(p_slice, 0x41))
    return b"".join(b"\0\0\1" + u for u in units)


def regressions() -> Iterator[tuple[str, str, bytes]]:
    """Target, name, input."""
    yield "nal_sequence", "direct_in_colour_planes", direct_in_colour_planes()
    yield "fields", "direct_in_colour_planes", direct_in_colour_planes()
    yield "byte_stream", "overlapping_slices", overlapping_slices()
    yield "file", "overlapping_slices", overlapping_slices()
    yield "file", "sps_16384x16384", make_stream(16384, 16384)


def main() -> None:
    expected = {FOLDER / target / name: data for target, name, data in regressions()}
    if "--check" in sys.argv:
        found = {path: path.read_bytes() for path in FOLDER.rglob("*") if path.is_file()}
        if found != expected:
            sys.exit(f"{FOLDER} does not hold what make_regressions.py writes")
        return
    for path, data in expected.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


if __name__ == "__main__":
    main()
