"""Intra prediction of H.265 in NumPy, as 8.4.4.2 says: every prediction that a block can have.

Plain and slow; it shares nothing with the code under test.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

# intraPredAngle and invAngle, Tables 8-5 and 8-6.
ANGLES = (
    *(32, 26, 21, 17, 13, 9, 5, 2, 0, -2, -5, -9, -13, -17, -21, -26, -32),
    *(-26, -21, -17, -13, -9, -5, -2, 0, 2, 5, 9, 13, 17, 21, 26, 32),
)
_INVERSE = (-4096, -1638, -910, -630, -482, -390, -315)
INVERSE_ANGLES = dict(zip(range(11, 26), (*_INVERSE, -256, *_INVERSE[::-1]), strict=True))


def morton(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Bits of x and y in turns: the z-scan of a coding tree block (6.5.2)."""
    code = np.zeros(np.broadcast(x, y).shape, np.int64)
    for bit in range(5):
        code |= ((x >> bit) & 1) << (2 * bit) | ((y >> bit) & 1) << (2 * bit + 1)
    return code


def border(
    plane: np.ndarray, x: int, y: int, size: int, scale: tuple[int, int], ctb: int, bit_depth: int
) -> np.ndarray:
    """The 4 * size + 1 samples around a block, from below left over the corner to above right.

    What is outside the picture or comes later in decoding order is substituted (8.4.4.2.2).

    Args:
        scale: Luma samples per sample of the plane, (x, y).
        ctb: Size of a coding tree block in luma samples.
    """
    along = np.arange(2 * size)
    xs = np.concatenate([np.full(2 * size, x - 1), [x - 1], x + along])
    ys = np.concatenate([y + along[::-1], [y - 1], np.full(2 * size, y - 1)])
    height, width = plane.shape
    inside = (xs >= 0) & (ys >= 0) & (xs < width) & (ys < height)
    columns = -(-width * scale[0] // ctb)

    def order(sx: np.ndarray, sy: np.ndarray) -> np.ndarray:
        lx, ly = sx * scale[0], sy * scale[1]
        block = (ly // ctb) * columns + lx // ctb
        return block * 1024 + morton(lx % ctb // 4, ly % ctb // 4)

    available = inside & (order(xs, ys) <= order(np.array([x]), np.array([y])))
    if not available.any():
        return np.full(len(xs), 1 << (bit_depth - 1))
    samples = np.zeros(len(xs), np.int64)
    samples[available] = plane[ys[available], xs[available]]
    first = int(np.argmax(available))
    samples[:first] = samples[first]
    last = np.maximum.accumulate(np.where(available, np.arange(len(xs)), first))
    return samples[last]


def smoothed(samples: np.ndarray) -> Iterator[np.ndarray]:
    """The border as it is, filtered (8.4.4.2.3), and filtered strongly."""
    yield samples
    filtered = samples.copy()
    filtered[1:-1] = (samples[:-2] + 2 * samples[1:-1] + samples[2:] + 2) >> 2
    yield filtered
    size = len(samples) // 4
    if size == 32:
        strong = samples.copy()
        step = np.arange(1, 64)
        strong[64 - step] = ((64 - step) * samples[64] + step * samples[0] + 32) >> 6
        strong[64 + step] = ((64 - step) * samples[64] + step * samples[128] + 32) >> 6
        yield strong


def angular(samples: np.ndarray, mode: int) -> np.ndarray:
    """Modes 18 to 34, from above (8.4.4.2.6)."""
    size = len(samples) // 4
    angle = ANGLES[mode - 2]
    corner = 2 * size
    ref = {i: samples[corner + i] for i in range(2 * size + 1)}
    if angle < 0:
        for i in range((size * angle) >> 5, 0):
            ref[i] = samples[corner - ((i * INVERSE_ANGLES[mode] + 128) >> 8)]
    low = min(ref)
    line = np.array([ref[i] for i in range(low, 2 * size + 1)] + [0])
    y, x = np.mgrid[0:size, 0:size]
    index, fraction = ((y + 1) * angle) >> 5, ((y + 1) * angle) & 31
    at = x + index + 1 - low
    return ((32 - fraction) * line[at] + fraction * line[at + 1] + 16) >> 5


def predictions(samples: np.ndarray, bit_depth: int) -> Iterator[np.ndarray]:
    """Every intra prediction from a border, with and without filters, `[size, size]` each."""
    size = len(samples) // 4
    log2 = size.bit_length() - 1
    y, x = np.mgrid[0:size, 0:size]
    top, left = samples[2 * size + 1 :], samples[2 * size - 1 :: -1]
    corner = samples[2 * size]
    dc = np.full((size, size), (top[:size].sum() + left[:size].sum() + size) >> (log2 + 1))
    yield dc
    edged = dc.copy()
    edged[0] = (top[:size] + 3 * dc[0] + 2) >> 2
    edged[:, 0] = (left[:size] + 3 * dc[:, 0] + 2) >> 2
    edged[0, 0] = (left[0] + 2 * dc[0, 0] + top[0] + 2) >> 2
    yield edged
    limit = (1 << bit_depth) - 1
    for border_samples in smoothed(samples):
        top, left = border_samples[2 * size + 1 :], border_samples[2 * size - 1 :: -1]
        yield (
            (size - 1 - x) * left[y]
            + (x + 1) * top[size]
            + (size - 1 - y) * top[x]
            + (y + 1) * left[size]
            + size
        ) >> (log2 + 1)
        for mode in range(18, 35):
            yield angular(border_samples, mode)
            if mode != 18:  # its mirror image is a mode of its own
                yield angular(border_samples[::-1], mode).T
    top, left = samples[2 * size + 1 :], samples[2 * size - 1 :: -1]
    vertical = np.repeat(top[None, :size], size, axis=0)
    vertical[:, 0] = np.clip(vertical[:, 0] + ((left[:size] - corner) >> 1), 0, limit)
    yield vertical
    horizontal = np.repeat(left[:size, None], size, axis=1)
    horizontal[0] = np.clip(horizontal[0] + ((top[:size] - corner) >> 1), 0, limit)
    yield horizontal
