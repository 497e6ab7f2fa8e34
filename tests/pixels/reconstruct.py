"""Predicts inter macroblocks from decoded references with the vectors that cope parsed."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from headers import Unit, trace_headers
from inter_prediction import combine, predict_chroma, predict_luma

Planes = list[np.ndarray]


@dataclass
class SliceWeights:
    """How one slice weights its predictions (7.4.3.2, 8.4.2.3), read by FFmpeg."""

    mode: str  # default | explicit | implicit
    log2_denominator: list[int] = field(default_factory=lambda: [0, 0, 0])  # [plane]
    table: dict[tuple[int, int, int], tuple[int, int]] = field(default_factory=dict)
    # (list, refIdx, plane) -> weight, offset in 8-bit units; absent: 2**denominator and 0

    def of(self, lx: int, ref_idx: int, plane: int) -> tuple[int, int]:
        return self.table.get((lx, ref_idx, plane), (1 << self.log2_denominator[plane], 0))


def slice_weights(unit: Unit, pps: Unit) -> SliceWeights:
    slice_type = unit.get("slice_type") % 5
    bipred = pps.get("weighted_bipred_idc")
    if slice_type == 1 and bipred == 2:
        return SliceWeights("implicit")
    if not (slice_type == 0 and pps.get("weighted_pred_flag")) and not (
        slice_type == 1 and bipred == 1
    ):
        return SliceWeights("default")
    chroma = unit.get("chroma_log2_weight_denom")
    weights = SliceWeights("explicit", [unit.get("luma_log2_weight_denom"), chroma, chroma])
    for lx in range(2):
        for i in range(32):
            if unit.get(f"luma_weight_l{lx}_flag[{i}]"):
                weights.table[lx, i, 0] = (
                    unit.get(f"luma_weight_l{lx}[{i}]"),
                    unit.get(f"luma_offset_l{lx}[{i}]"),
                )
            if unit.get(f"chroma_weight_l{lx}_flag[{i}]"):
                for j in range(2):
                    weights.table[lx, i, 1 + j] = (
                        unit.get(f"chroma_weight_l{lx}[{i}][{j}]"),
                        unit.get(f"chroma_offset_l{lx}[{i}][{j}]"),
                    )
    return weights


@dataclass
class SliceHeader:
    """What predicting a slice needs of its header, read by FFmpeg."""

    weights: SliceWeights
    delta_pic_order_cnt_bottom: int


def read_slices(path: Path) -> list[SliceHeader]:
    """The headers of every slice in coded order."""
    ppss: dict[int, Unit] = {}
    slices = []
    for unit in trace_headers(path):
        if unit.kind == "pps":
            ppss[unit.get("pic_parameter_set_id")] = unit
        elif unit.kind == "slice":
            weights = slice_weights(unit, ppss[unit.get("pic_parameter_set_id")])
            slices.append(SliceHeader(weights, unit.get("delta_pic_order_cnt_bottom")))
    return slices


def implicit_weights(poc: int, poc0: np.ndarray, poc1: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights of both lists in units of 1/64 for short-term references (8.4.2.3.1)."""
    tb = np.clip(poc - poc0, -128, 127)
    td = np.clip(poc1 - poc0, -128, 127)
    divisor = np.where(td == 0, 1, td)
    tx = np.trunc((16384 + np.abs(np.trunc(td / 2))) / divisor).astype(np.int64)
    dist_scale_factor = np.clip((tb * tx + 32) >> 6, -1024, 1023)
    w1 = dist_scale_factor >> 2
    w1 = np.where((td == 0) | (w1 < -64) | (w1 > 128), 32, w1)
    return 64 - w1, w1


def to_samples(blocks: np.ndarray, sub_width: int = 1, sub_height: int = 1) -> np.ndarray:
    """Spreads values of 4x4 luma blocks, `[height_4x4, width_4x4, ...]`, to samples of a plane."""
    rows = np.repeat(blocks, 4 // sub_height, axis=0)
    return np.repeat(rows, 4 // sub_width, axis=1)


def predict_picture(
    poc: int,
    mv: np.ndarray,
    ref_idx: np.ndarray,
    ref_poc: np.ndarray,
    references: dict[int, Planes],
    weights: np.ndarray,
    bit_depths: tuple[int, int],
    chroma_offsets: dict[int, int] | None = None,
) -> Planes:
    """Predicts every sample of a frame or field; samples of intra blocks come out meaningless.

    Args:
        poc: Picture order count of the picture.
        mv, ref_idx, ref_poc: As `Picture.motion`.
        references: Decoded frames or fields by picture order count.
        weights: `SliceWeights` of each 4x4 block, an object array `[height_4x4, width_4x4]`.
        bit_depths: Of luma and chroma.
        chroma_offsets: Added to vertical chroma vectors, by picture order count of the reference.
    """
    shapes = [plane.shape for plane in next(iter(references.values()))]
    used = ref_idx >= 0
    modes = np.vectorize(lambda w: w.mode, otypes=[object])(weights)
    weighted = modes != "default"
    planes = []
    for index, (height, width) in enumerate(shapes):
        sub_height, sub_width = shapes[0][0] // height, shapes[0][1] // width
        depth = bit_depths[min(index, 1)]
        predictions: list[np.ndarray | None] = []
        for lx in range(2):
            prediction = np.zeros((height, width), np.int32)
            vectors = to_samples(mv[lx].astype(np.int32))
            for reference_poc in np.unique(ref_poc[lx][used[lx]]):
                plane = references[int(reference_poc)][index]
                if sub_width == 1 and sub_height == 1:
                    predicted = predict_luma(plane, vectors, depth)
                else:
                    offset = (chroma_offsets or {}).get(int(reference_poc), 0)
                    shifted = vectors + np.array([0, offset])
                    predicted = predict_chroma(plane, shifted, sub_width, sub_height)
                here = to_samples(used[lx] & (ref_poc[lx] == reference_poc), sub_width, sub_height)
                prediction[here] = predicted[here]
            predictions.append(prediction)
        in_plane = np.stack([to_samples(used[lx], sub_width, sub_height) for lx in range(2)])
        result = combine(predictions, in_plane, None, 0, depth)
        # Weighted blocks, one pass per denominator: explicit slices may differ in it.
        table, denominators = _weights_of_blocks(poc, ref_idx, ref_poc, weights, index, depth)
        for denominator in np.unique(denominators[weighted]) if weighted.any() else ():
            here = weighted & (denominators == denominator)
            sampled = np.stack(
                [
                    np.stack([to_samples(table[lx, k], sub_width, sub_height) for k in range(2)])
                    for lx in range(2)
                ]
            )
            values = combine(predictions, in_plane, sampled, int(denominator), depth)
            mask = to_samples(here, sub_width, sub_height)
            result[mask] = values[mask]
        planes.append(result)
    return planes


def _weights_of_blocks(
    poc: int,
    ref_idx: np.ndarray,
    ref_poc: np.ndarray,
    weights: np.ndarray,
    plane: int,
    bit_depth: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Weight and offset `[list, 2, height_4x4, width_4x4]` and log2 denominator of each block."""
    table = np.zeros((2, 2, *weights.shape), np.int64)
    denominators = np.zeros(weights.shape, np.int64)
    implicit0, implicit1 = implicit_weights(poc, ref_poc[0].astype(int), ref_poc[1].astype(int))
    both = (ref_idx >= 0).all(axis=0)
    for y, x in np.ndindex(weights.shape):
        slice_ = weights[y, x]
        if slice_.mode == "implicit":
            denominators[y, x] = 5
            table[:, 0, y, x] = (implicit0[y, x], implicit1[y, x]) if both[y, x] else 32
        elif slice_.mode == "explicit":
            denominators[y, x] = slice_.log2_denominator[plane]
            for lx in range(2):
                if ref_idx[lx, y, x] >= 0:
                    weight, offset = slice_.of(lx, int(ref_idx[lx, y, x]), plane)
                    table[lx, :, y, x] = weight, offset << (bit_depth - 8)
    return table, denominators


def by_address(plane: np.ndarray, field_pairs: np.ndarray) -> np.ndarray:
    """A plane of an MBAFF frame with the rows of field macroblock pairs in address order.

    `field_pairs [height / 32, width / 16]`: in such a pair the top field's macroblock comes first.
    """
    pairs, columns = field_pairs.shape
    height, width = plane.shape
    rows = plane.reshape(pairs, height // pairs, width)
    split = np.concatenate([rows[:, 0::2], rows[:, 1::2]], axis=1)
    mask = np.repeat(field_pairs, width // columns, axis=1)[:, None]
    return np.where(mask, split, rows).reshape(height, width)


@dataclass
class Fields:
    """Decoded fields that an MBAFF frame refers to, and its own picture order counts."""

    pocs: tuple[int, int]  # top, bottom
    references: dict[int, tuple[int, Planes]]  # by POC of the field: parity (0 top), planes


def predict_mbaff(
    poc: int,
    mv: np.ndarray,
    ref_idx: np.ndarray,
    ref_poc: np.ndarray,
    references: dict[int, Planes],
    weights: np.ndarray,
    bit_depths: tuple[int, int],
    fields: Fields,
    field_pairs: np.ndarray,
) -> Planes:
    """Predicts an MBAFF frame, rows `by_address`; arguments as of `predict_picture`."""
    num_pairs, _ = field_pairs.shape
    field_rows = np.repeat(np.repeat(field_pairs, 8, axis=0), 4, axis=1)
    frame_ref_idx = np.where(field_rows, -1, ref_idx)
    planes = predict_picture(poc, mv, frame_ref_idx, ref_poc, references, weights, bit_depths)

    def of_field(blocks: np.ndarray, axis: int, parity: int) -> np.ndarray:
        shape = blocks.shape
        pairs = blocks.reshape(*shape[:axis], num_pairs, 2, 4, *shape[axis + 1 :])
        one = pairs.take(parity, axis=axis + 1)
        return one.reshape(*shape[:axis], num_pairs * 4, *shape[axis + 1 :])

    is_420 = len(planes) == 3 and planes[1].shape[0] * 2 == planes[0].shape[0]
    for parity in range(2):
        # Table 8-9: fields of other parity lie half a row away, which luma vectors include.
        offsets = {p: 2 * (parity - q) * is_420 for p, (q, _) in fields.references.items()}
        field_ref_idx = np.where(field_rows, ref_idx, -1)
        predicted = predict_picture(
            fields.pocs[parity],
            of_field(mv, 1, parity),
            of_field(field_ref_idx, 1, parity),
            of_field(ref_poc, 1, parity),
            {p: planes for p, (_, planes) in fields.references.items()},
            of_field(weights, 0, parity),
            bit_depths,
            offsets,
        )
        for plane, values in zip(planes, predicted, strict=True):
            pairs = plane.reshape(num_pairs, 2, -1, plane.shape[1])
            mask = np.repeat(field_pairs, plane.shape[1] // field_pairs.shape[1], axis=1)[:, None]
            field_rows_of_plane = values.reshape(num_pairs, -1, plane.shape[1])
            pairs[:, parity] = np.where(mask, field_rows_of_plane, pairs[:, parity])
    return planes
