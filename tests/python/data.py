"""Finds what tests need from outside: shared streams, goldens and command-line tools.

Data lives under `COPE_TEST_DATA` (default: the folder `shared` beside the repository). A test whose
data or tool is absent is skipped with the reason; `COPE_REQUIRE_DATA=1` turns each such skip into a
failure, so that a run that is meant to be complete cannot lose coverage unseen.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("COPE_TEST_DATA") or REPOSITORY.parent / "shared").resolve()
STREAMS = DATA / "streams"
GOLDEN = DATA / "golden"


def missing(reason: str) -> NoReturn:
    """Skips the running test, or fails it when `COPE_REQUIRE_DATA=1`."""
    if os.environ.get("COPE_REQUIRE_DATA") == "1":
        pytest.fail(f"{reason} (COPE_REQUIRE_DATA=1)", pytrace=False)
    pytest.skip(reason)


def require_data(relative: str | os.PathLike[str]) -> Path:
    """The path of a shared file or folder, relative to `COPE_TEST_DATA`."""
    path = DATA / relative
    if not path.exists():
        missing(f"no {relative} under {DATA}: set COPE_TEST_DATA")
    return path


def require_stream(relative: str | os.PathLike[str]) -> Path:
    """The path of a shared stream, relative to `streams`."""
    return require_data(Path("streams") / relative)


def require_command(name: str) -> str:
    """The path of a command-line tool."""
    path = shutil.which(name)
    if path is None:
        missing(f"no {name} on PATH")
    return path
