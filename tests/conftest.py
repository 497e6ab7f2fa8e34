"""Makes the helpers in `tests/python` importable from every folder of tests."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "python"))
