"""`cope.VideoReader(bytes)` from Python: whatever the bytes, nothing leaves but a `CopeError`.

    tests/fuzz/reader_fuzzer.py [libFuzzer options] CORPUS...     with atheris (pip install atheris)
    tests/fuzz/reader_fuzzer.py --replay PATH...                  without

The last byte of the input chooses how it is read. Native code is not instrumented here: the target
`file` goes the same way with coverage and sanitizers, and its corpus is the one to start from.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import cope

LIMITS = cope.Limits(
    max_luma_samples=1 << 19, max_nal_bytes=1 << 18, max_slices_per_picture=64, max_references=16
)


def read(data: bytes) -> None:
    """Reads all that a reader gives."""
    choice = data[-1] if data else 0
    on_error = ("conceal", "conceal", "skip", "raise")[choice & 3]
    source = data if choice & 4 else memoryview(data)
    try:
        with cope.VideoReader(
            source, threads=1 + (choice >> 3 & 1), on_error=on_error, limits=LIMITS
        ) as video:
            for picture in video.pictures(coefficients=bool(choice & 16)):
                lost = int((picture.blocks.type == cope.BlockType.LOST).sum())
                assert lost == picture.info.num_blocks_lost
                assert picture.motion.mv.shape[1:3] == picture.motion.ref_idx.shape[1:]
                assert len(picture.coefficients.levels) == len(picture.coefficients.positions)
                assert str(picture)
            density = cope.Density(keyframes_per_second=1.0, deltas_per_second=5.0)
            for step in video.windows(density=density, cell=8 << (choice >> 5 & 1)):
                assert str(step)
            assert str(video.stats)
        cope.probe(source, limits=LIMITS)
    except cope.CopeError as error:
        assert str(error)


def replay(paths: list[str]) -> None:
    """Reads files, or those in folders."""
    for path in map(Path, paths):
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file():
                print(file, flush=True)
                read(file.read_bytes())


def main() -> None:
    warnings.simplefilter("ignore", cope.ConcealedDamageWarning)
    if sys.argv[1:2] == ["--replay"]:
        replay(sys.argv[2:])
        return
    import atheris

    atheris.instrument_all()
    atheris.Setup(sys.argv, read)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
