"""What reading a video gives: plain frozen records of NumPy arrays.

Arrays of a [`Picture`] are read-only views of the parser's memory: nothing is copied, and the memory
lives as long as any array of it, whatever becomes of the reader. They export DLPack, so
`torch.from_dlpack(picture.motion.mv)` shares the memory too.

Axes. Vectors are `(x, y)`, arrays are `[..., height, width]`. H.264 block rows of an MBAFF frame follow
macroblock addresses: in a field macroblock pair the top field's macroblock lies above the bottom field's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

    from cope import _native

__all__ = [
    "COEFF_RECORD_DTYPE",
    "Blocks",
    "BlockType",
    "Coefficients",
    "DeltaWindow",
    "Field",
    "Keyframe",
    "Limits",
    "MotionField",
    "Picture",
    "PictureInfo",
    "Primitives",
    "ReadStats",
    "StreamInfo",
    "StreamReport",
]
