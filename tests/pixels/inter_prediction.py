"""Inter prediction of H.264 in NumPy, sample for sample as 8.4.2.2 and 8.4.2.3 say.

Plain and slow, for small progressive pictures; it shares nothing with the code under test.
Planes are `int32 [height, width]`. Vectors are given per luma sample.
"""

from __future__ import annotations

import numpy as np

MARGIN = 8  # beyond this distance outside the picture every sample equals its border neighbour


def six_tap(samples: np.ndarray, axis: int) -> np.ndarray:
    """The (1, -5, 20, 20, -5, 1) filter between sample `i + 2` and `i + 3`; 5 samples fewer."""
    length = samples.shape[axis] - 5
    taps = [samples.take(range(i, i + length), axis=axis) for i in range(6)]
    return taps[0] - 5 * taps[1] + 20 * taps[2] + 20 * taps[3] - 5 * taps[4] + taps[5]


def quarter_sample_planes(plane: np.ndarray, bit_depth: int) -> np.ndarray:
    """All sixteen luma sample positions of 8.4.2.2.1: `[yFrac, xFrac, height + 2M, width + 2M]`.

    Entry `[yFrac, xFrac, y + M, x + M]` lies `(xFrac, yFrac)` quarters right of and below `(x, y)`.
    """
    height, width = (size + 2 * MARGIN for size in plane.shape)
    pad = MARGIN + 3  # six taps and the next full sample
    padded = np.pad(plane.astype(np.int32), pad, mode="edge")

    def clip(values: np.ndarray) -> np.ndarray:
        return np.clip(values, 0, (1 << bit_depth) - 1)

    def window(values: np.ndarray, y: int, x: int) -> np.ndarray:
        return values[y : y + height, x : x + width]

    # Figure 8-4: G full sample; b, h, j half samples; m below H (right of h), s below b.
    b1 = six_tap(padded, axis=1)  # [y, x] lies right of padded sample (y, x + 2)
    h1 = six_tap(padded, axis=0)
    j = clip((six_tap(b1, axis=0) + 512) >> 10)
    b, h = clip((b1 + 16) >> 5), clip((h1 + 16) >> 5)
    full = {(y, x): window(padded, 3 + y, 3 + x) for y in (0, 1) for x in (0, 1)}
    b, s = window(b, 3, 1), window(b, 4, 1)
    h, m = window(h, 1, 3), window(h, 1, 4)
    j = window(j, 1, 1)

    def mean(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return (one + other + 1) >> 1

    g = full[0, 0]
    rows = [
        [g, mean(g, b), b, mean(b, full[0, 1])],
        [mean(g, h), mean(b, h), mean(b, j), mean(b, m)],
        [h, mean(h, j), j, mean(j, m)],
        [mean(h, full[1, 0]), mean(h, s), mean(j, s), mean(s, m)],
    ]
    return np.stack([np.stack(row) for row in rows])


def predict_luma(plane: np.ndarray, mv: np.ndarray, bit_depth: int) -> np.ndarray:
    """Predicts every sample from one plane; `mv [height, width, 2]` in quarter samples."""
    planes = quarter_sample_planes(plane, bit_depth)
    height, width = plane.shape
    y, x = np.mgrid[0:height, 0:width]
    x_int = np.clip(x + (mv[..., 0] >> 2), -MARGIN, width + MARGIN - 1) + MARGIN
    y_int = np.clip(y + (mv[..., 1] >> 2), -MARGIN, height + MARGIN - 1) + MARGIN
    return planes[mv[..., 1] & 3, mv[..., 0] & 3, y_int, x_int]


def predict_chroma(
    plane: np.ndarray, mv: np.ndarray, sub_width: int, sub_height: int
) -> np.ndarray:
    """Predicts every sample of a subsampled plane (8.4.2.2.2); `mv` per luma sample."""
    height, width = plane.shape
    mv = mv[::sub_height, ::sub_width]
    y, x = np.mgrid[0:height, 0:width]
    # Vectors are in units of 1 / (4 * SubWidthC) horizontally and 1 / (4 * SubHeightC) vertically.
    x_at, y_at = mv[..., 0] * (2 // sub_width), mv[..., 1] * (2 // sub_height)
    x_int, x_frac = x + (x_at >> 3), x_at & 7
    y_int, y_frac = y + (y_at >> 3), y_at & 7

    def sample(dy: int, dx: int) -> np.ndarray:
        rows = np.clip(y_int + dy, 0, height - 1)
        return plane[rows, np.clip(x_int + dx, 0, width - 1)].astype(np.int32)

    top = (8 - x_frac) * sample(0, 0) + x_frac * sample(0, 1)
    bottom = (8 - x_frac) * sample(1, 0) + x_frac * sample(1, 1)
    return ((8 - y_frac) * top + y_frac * bottom + 32) >> 6


def combine(
    predictions: list[np.ndarray | None],
    used: np.ndarray,
    weights: np.ndarray | None,
    log2_denominator: int,
    bit_depth: int,
) -> np.ndarray:
    """Weighted sample prediction (8.4.2.3).

    `predictions` holds the samples of both lists and `used [2, height, width]` tells which of them
    each sample has. `weights [2, 2, height, width]` is weight and offset per list, `None` for the
    default prediction.
    """
    zero = np.zeros(used.shape[1:], np.int32)
    p0, p1 = (zero if p is None else p for p in predictions)
    both = used[0] & used[1]
    limit = (1 << bit_depth) - 1
    if weights is None:
        single = np.where(used[0], p0, p1)
        return np.where(both, (p0 + p1 + 1) >> 1, single)
    (w0, o0), (w1, o1) = weights
    bi = ((p0 * w0 + p1 * w1 + (1 << log2_denominator)) >> (log2_denominator + 1)) + (
        (o0 + o1 + 1) >> 1
    )
    single, w, o = np.where(used[0], p0, p1), np.where(used[0], w0, w1), np.where(used[0], o0, o1)
    if log2_denominator >= 1:
        uni = ((single * w + (1 << (log2_denominator - 1))) >> log2_denominator) + o
    else:
        uni = single * w + o
    return np.clip(np.where(both, bi, uni), 0, limit)
