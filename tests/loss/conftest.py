"""Makes the helper modules of this folder, and the benchmark's network, importable by its tests."""

from __future__ import annotations

import sys
from pathlib import Path

FOLDER = Path(__file__).parent
sys.path[:0] = [str(FOLDER), str(FOLDER.parents[1] / "benchmarks")]
