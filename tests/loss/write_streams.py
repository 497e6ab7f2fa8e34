"""Writes streams that lost parts on their way, for programs that read files under sanitizers.

    tests/loss/write_streams.py STREAMS OUT [--seeds N]

STREAMS is the folder `streams` of the shared data. Of each of some short streams, `OUT/h264` and
`OUT/h265` get N variants: NAL units of slices lost, cut, delivered twice or late, and parameter
sets lost now and then. Ends with status 77, which ctest takes for a skip, without STREAMS.
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path

H264 = (
    "made/x264_slices8.264",
    "made/x264_direct_spatial_pyr.264",
    "made/x264_mbaff_tff.264",
    "jvt/FM1_FT_E.264",
    "jvt/CABREF3_Sand_D.264",
    "jvt/CI1_FT_B.264",
)
H265 = (
    "made/x265_slices4.bit",
    "made/x265_b_open_gop.bit",
    "made/kvz_wpp_slices.bit",
    "made/kvz_tiles_3x2_slices.bit",
    "made/x265_temporal_layers.bit",
    "jmhm/hm_slices_bytes_wpp_dep.265",
    "jmhm/hm_ldb_longterm_lists.265",
)
MAX_BYTES = 100_000  # of a stream: a sanitizer is slow
CHANCE = 0.05  # of each mishap
CHANCE_OF_PARAMETER_SET = 0.02  # of being lost


def is_slice(nal: bytes, is_h265: bool) -> bool:
    return nal[0] >> 1 & 63 < 32 if is_h265 else nal[0] & 31 in (1, 2, 3, 4, 5)


def deliver(nals: list[bytes], is_h265: bool, chance: random.Random) -> list[bytes]:
    """The NAL units in the order in which they arrive, as far as they do."""
    arrivals: list[tuple[float, bytes]] = []
    for i, nal in enumerate(nals):
        if not is_slice(nal, is_h265):
            if chance.random() >= CHANCE_OF_PARAMETER_SET:
                arrivals.append((i, nal))
            continue
        mishap = chance.random() / CHANCE
        if mishap < 1:
            continue
        if mishap < 2:
            arrivals.append((i, nal[: chance.randrange(1, len(nal))]))
        elif mishap < 3:
            arrivals.extend([(i, nal), (i + chance.randrange(1, 9), nal)])
        elif mishap < 4:
            arrivals.append((i + chance.uniform(1, 5), nal))
        else:
            arrivals.append((i, nal))
    arrivals.sort(key=lambda arrival: arrival[0])
    return [nal for _, nal in arrivals]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("streams", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seeds", type=int, default=4)
    args = parser.parse_args()
    if not args.streams.is_dir():
        return 77
    for codec, folder, names in (
        ("h264", "h264_conformance", H264),
        ("h265", "hevc_conformance", H265),
    ):
        out = args.out / codec
        out.mkdir(parents=True, exist_ok=True)
        for name in names:
            data = (args.streams / folder / name).read_bytes()[:MAX_BYTES]
            nals = [nal.rstrip(b"\0") for nal in data.split(b"\0\0\1")[1:]]
            for seed in range(args.seeds):
                chance = random.Random(f"{name} {seed}")
                received = deliver([nal for nal in nals if nal], codec == "h265", chance)
                path = out / f"{Path(name).stem}.{seed}"
                path.write_bytes(b"".join(b"\0\0\0\1" + nal for nal in received))
    return 0


if __name__ == "__main__":
    sys.exit(main())
