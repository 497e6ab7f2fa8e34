"""Inter prediction of H.265 in NumPy, sample for sample as 8.5.3.3 says.

Plain and slow, for small pictures; it shares nothing with the code under test. Planes are
`int32 [height, width]`. Vectors are given per sample of the plane.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from headers import Unit, trace_headers
from reconstruct import to_samples

# Tables 8-11 and 8-12, by fraction: quarters of luma samples, eighths of chroma samples.
LUMA_TAPS = (
    (0, 0, 0, 64, 0, 0, 0, 0),
    (-1, 4, -10, 58, 17, -5, 1, 0),
    (-1, 4, -11, 40, 40, -11, 4, -1),
    (0, 1, -5, 17, 58, -10, 4, -1),
)
CHROMA_TAPS = (
    (0, 64, 0, 0),
    (-2, 58, 10, -2),
    (-4, 54, 16, -2),
    (-6, 46, 28, -4),
    (-4, 36, 36, -4),
    (-4, 28, 46, -6),
    (-2, 16, 54, -4),
    (-2, 10, 58, -2),
)


def interpolate(
    plane: np.ndarray,
    y: np.ndarray,
    x: np.ndarray,
    mv: np.ndarray,
    taps: Sequence[Sequence[int]],
    bit_depth: int,
) -> np.ndarray:
    """predSamplesLX at 14 bits of the samples `y [N]`, `x [N]` of a plane (8.5.3.3.3).

    `mv [N, 2]` counts in units of one sample over `len(taps)`. Samples of full position go through
    the filter (.., 64, ..) here, which comes to the same as the standard's shift.
    """
    units = len(taps)
    table = np.array(taps, np.int32)
    before = table.shape[1] // 2 - 1
    x_int, y_int = x + mv[:, 0] // units, y + mv[:, 1] // units
    x_taps, y_taps = table[mv[:, 0] % units], table[mv[:, 1] % units]
    result = np.zeros(len(y), np.int32)
    for j in range(table.shape[1]):
        row = np.clip(y_int + j - before, 0, plane.shape[0] - 1)
        filtered = np.zeros(len(y), np.int32)
        for i in range(table.shape[1]):
            column = np.clip(x_int + i - before, 0, plane.shape[1] - 1)
            filtered += x_taps[:, i] * plane[row, column]
        result += y_taps[:, j] * (filtered >> min(4, bit_depth - 8))
    return result >> 6


@dataclass
class Weights:
    """pred_weight_table() of one slice (7.4.7.3), read by FFmpeg; empty where there is none."""

    log2_denominator: list[int] = field(default_factory=lambda: [0, 0, 0])  # [plane]
    table: dict[tuple[int, int, int], tuple[int, int]] = field(default_factory=dict)
    # (list, refIdx, plane) -> weight, offset in 8-bit units; absent: 2**denominator and 0

    def of(self, lx: int, ref_idx: int, plane: int) -> tuple[int, int]:
        return self.table.get((lx, ref_idx, plane), (1 << self.log2_denominator[plane], 0))


def _weights(unit: Unit) -> Weights:
    luma = unit.get("luma_log2_weight_denom")
    chroma = luma + unit.get("delta_chroma_log2_weight_denom")
    weights = Weights([luma, chroma, chroma])
    for lx in range(2):
        for i in range(16):
            if unit.get(f"luma_weight_l{lx}_flag[{i}]"):
                weights.table[lx, i, 0] = (
                    (1 << luma) + unit.get(f"delta_luma_weight_l{lx}[{i}]"),
                    unit.get(f"luma_offset_l{lx}[{i}]"),
                )
            if unit.get(f"chroma_weight_l{lx}_flag[{i}]"):
                for j in range(2):
                    weight = (1 << chroma) + unit.get(f"delta_chroma_weight_l{lx}[{i}][{j}]")
                    delta = unit.get(f"chroma_offset_l{lx}[{i}][{j}]")  # the delta
                    offset = min(max(128 + delta - ((128 * weight) >> chroma), -128), 127)
                    weights.table[lx, i, 1 + j] = weight, offset
    return weights


def read_weights(path: Path) -> list[Weights]:
    """The weights of every slice in coded order."""
    return [
        _weights(unit)
        for unit in trace_headers(path)
        if unit.kind == "slice" and not unit.get("dependent_slice_segment_flag")
    ]


def predict_picture(
    mv: np.ndarray,
    ref_idx: np.ndarray,
    ref_poc: np.ndarray,
    references: dict[int, list[np.ndarray]],
    weights: list[Weights],
    slice_idx: np.ndarray,
    bit_depths: tuple[int, int],
) -> list[np.ndarray]:
    """Predicts every sample of a picture; samples of intra blocks come out meaningless.

    Args:
        mv, ref_idx, ref_poc: As `Picture.motion`.
        references: Decoded pictures by picture order count.
        weights: Of each slice.
        slice_idx: Of each 4x4 block.
        bit_depths: Of luma and chroma.
    """
    shapes = [plane.shape for plane in next(iter(references.values()))]
    planes = []
    for index, (height, width) in enumerate(shapes):
        sub_height, sub_width = shapes[0][0] // height, shapes[0][1] // width
        depth = bit_depths[min(index, 1)]
        taps = CHROMA_TAPS if index else LUMA_TAPS
        weighted_sum = np.zeros((height, width), np.int64)
        used = np.zeros((2, height, width), bool)
        offsets = np.zeros((height, width), np.int64)
        for lx in range(2):
            vectors = to_samples(mv[lx].astype(np.int32), sub_width, sub_height)
            if index:  # to units of an eighth of a chroma sample
                vectors = vectors * 2 // np.array([sub_width, sub_height])
            in_plane = to_samples(ref_idx[lx], sub_width, sub_height)
            pocs = to_samples(ref_poc[lx], sub_width, sub_height)
            slices = to_samples(slice_idx, sub_width, sub_height)
            used[lx] = in_plane >= 0
            for poc in np.unique(pocs[used[lx]]):
                y, x = np.nonzero(used[lx] & (pocs == poc))
                reference = references[int(poc)][index]
                predicted = interpolate(reference, y, x, vectors[y, x], taps, depth)
                keys = slices[y, x].astype(np.int64) * 16 + in_plane[y, x]
                for key in np.unique(keys):
                    here = keys == key
                    s, i = divmod(int(key), 16)
                    weight, offset = weights[s].of(lx, i, index)
                    weighted_sum[y[here], x[here]] += predicted[here].astype(np.int64) * weight
                    offsets[y[here], x[here]] += offset << (depth - 8)
        # Weighted sample prediction (8.5.3.3.4.3); with unit weights it is the default one.
        denominators = np.array([w.log2_denominator[index] for w in weights])
        log2_wd = denominators[to_samples(slice_idx, sub_width, sub_height)] + 14 - depth
        uni = ((weighted_sum + (1 << (log2_wd - 1))) >> log2_wd) + offsets
        bi = (weighted_sum + ((offsets + 1) << log2_wd)) >> (log2_wd + 1)
        values = np.where(used[0] & used[1], bi, uni)
        planes.append(np.clip(values, 0, (1 << depth) - 1).astype(np.int32))
    return planes
