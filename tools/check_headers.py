#!/usr/bin/env python3
"""Compiles each C++ header on its own: none may lean on what its includer included before."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
FLAGS = ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"]
LIBAV = ["libavformat", "libavcodec", "libavutil", "libswscale"]


def libav_flags() -> list[str]:
    """Include directories of libav*, which the headers of `media` need."""
    command = ["pkg-config", "--cflags", *LIBAV]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


def compile_alone(compiler: str, flags: list[str], header: Path) -> str:
    """The compiler's complaint about one header; empty when there is none."""
    source = f'#include "{header.relative_to(REPOSITORY / "cpp")}"\n'
    command = [compiler, *FLAGS, f"-I{REPOSITORY / 'cpp'}", *flags, "-x", "c++", "-"]
    return subprocess.run(command, input=source, capture_output=True, text=True).stderr


def main() -> int:
    """Checks all headers, or those named, and returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("headers", nargs="*", type=Path, help="default: every header of cpp/cope")
    arguments = parser.parse_args()
    compiler = os.environ.get("CXX") or shutil.which("g++") or "c++"
    headers = [h.resolve() for h in arguments.headers] or sorted((REPOSITORY / "cpp").rglob("*.h"))
    flags = libav_flags()
    with ThreadPoolExecutor(max_workers=len(os.sched_getaffinity(0))) as pool:
        complaints = list(pool.map(lambda header: compile_alone(compiler, flags, header), headers))
    failed = [c for c in complaints if c]
    print("".join(failed) or f"headers: {len(headers)} compile on their own")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
