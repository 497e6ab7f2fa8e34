"""Compares what is read of a stream that lost parts with what is read of the whole one.

The whole stream equals its golden (tests/conformance), so it stands for the truth here. The rule:
whatever is handed out unmarked is true, and what is marked lost was hit or hangs on a hit.
"""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import cope
from network import Delivery, join, split

LOST = cope.BlockType.LOST
FIELD, MOTION_LOST = 4, 16  # bits of cope.Picture.blocks.flags
SLICE_HEADER_BITS = 1200  # more than any header in the streams of the tests
MAX_LEVEL_BITS = 64  # a code that the cut went through may be longer than what is left of it


@dataclass
class Sent:
    """A whole stream: its NAL units, and what is read of it."""

    deliveries: list[Delivery]
    pictures: list[cope.Picture]
    slice_of: dict[int, tuple[int, int]]  # NAL unit -> picture, slice of it
    parts_of: dict[int, int]  # data partition B or C -> NAL unit of its A


def read(data: bytes, **options: object) -> tuple[list[cope.Picture], cope.ReadStats]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cope.ConcealedDamageWarning)
        with cope.VideoReader(data, **options) as video:
            pictures = list(video.pictures())
            return pictures, video.stats


def send(path: Path, max_slices: int | None = None) -> Sent:
    """Reads a stream as it is, or its first slices."""
    deliveries = split(path.read_bytes())
    if max_slices is not None:
        # A slice whose first bit is 1, first_mb_in_slice 0, starts a picture.
        starts = [i for i, d in enumerate(deliveries) if d.nal_unit_type in (1, 2, 5)]
        starts = [i for n, i in enumerate(starts) if n >= max_slices and deliveries[i].data[1] >> 7]
        deliveries = deliveries[: starts[0]] if starts else deliveries
    pictures, stats = read(join(deliveries))
    assert stats.num_blocks_lost == 0
    slices = [d.index for d in deliveries if d.nal_unit_type in (1, 2, 5)]
    places = [(n, k) for n, p in enumerate(pictures) for k in range(p.info.num_slices)]
    parts_of, last = {}, -1
    for d in deliveries:
        if d.nal_unit_type in (1, 2, 5):
            last = d.index
        elif d.nal_unit_type in (3, 4):
            parts_of[d.index] = last
    return Sent(deliveries, pictures, dict(zip(slices, places, strict=True)), parts_of)


@dataclass
class Outcome:
    """How much of a stream was recovered."""

    num_blocks: int = 0  # macroblocks sent
    num_arrived: int = 0  # of slices that arrived whole
    num_parsed: int = 0  # macroblocks read
    num_motion_lost: int = 0
    num_references: int = 0  # entries of reference lists
    num_references_known: int = 0
    lost_pictures: list[int] = field(default_factory=list)


def compare(sent: Sent, received: Sequence[Delivery], pictures: list[cope.Picture]) -> Outcome:
    """Raises where anything that is not marked differs from what was sent."""
    arrived: dict[int, dict[int, Delivery]] = defaultdict(dict)  # picture -> slice -> as it came
    damaged_parts = damaged_partitions(sent, received)
    order: list[int] = []
    for delivery in received:
        if delivery.index not in sent.slice_of:
            continue
        picture, slice_idx = sent.slice_of[delivery.index]
        if picture not in arrived:
            order.append(picture)
        known = arrived[picture].get(slice_idx)
        if known is None or len(known.data) < len(delivery.data):
            arrived[picture][slice_idx] = delivery
    if lost_idr(sent, order) and len(pictures) < len(order):
        return Outcome()  # the first pictures behind a lost IDR picture may look like old ones
    assert len(pictures) == len(order), "pictures"

    outcome = Outcome(sum(p.blocks.type.size for p in sent.pictures))
    outcome.lost_pictures = sorted(set(range(len(sent.pictures))) - set(order))
    truth_of = {p.info.decode_index: n for p, n in zip(pictures, order, strict=True)}
    for picture, n in zip(pictures, order, strict=True):
        truth = sent.pictures[n]
        slices = arrived[n]
        where = f"picture {n} (received as {picture.info.decode_index})"
        assert picture.info.structure == truth.info.structure, where
        check_blocks(picture, truth, slices, damaged_parts, where)
        check_levels(picture, truth, where)
        check_motion(picture, truth, where)
        check_references(picture, truth, slices, truth_of, outcome, where)
        whole = [k for k, d in slices.items() if not d.is_cut]
        outcome.num_arrived += int(np.isin(truth.blocks.slice_idx, whole).sum())
        outcome.num_parsed += int((picture.blocks.type != LOST).sum())
        outcome.num_motion_lost += int(((picture.blocks.flags & MOTION_LOST) != 0).sum())
    return outcome


def lost_idr(sent: Sent, order: list[int]) -> bool:
    """Whether an IDR picture is missing altogether."""
    return any(p.info.is_idr and n not in order for n, p in enumerate(sent.pictures))


def without_orphans(sent: Sent, received: Sequence[Delivery]) -> list[Delivery]:
    """Leaves partitions B and C out of which A did not arrive.

    They name no picture: with slice_id alone, nobody can tell them from those of the slice before
    which lost its own.
    """
    there = {d.index for d in received}
    return [d for d in received if sent.parts_of.get(d.index, d.index) in there]


def damaged_partitions(sent: Sent, received: Sequence[Delivery]) -> set[int]:
    """NAL units of data partitions A that lack B or C, or have a piece of them."""
    whole = {d.index for d in received if not d.is_cut}
    return {a for part, a in sent.parts_of.items() if part not in whole}


def check_blocks(
    picture: cope.Picture,
    truth: cope.Picture,
    slices: dict[int, Delivery],
    damaged_parts: set[int],
    where: str,
) -> None:
    is_lost = picture.blocks.type == LOST
    cut = [k for k, d in slices.items() if d.is_cut or d.index in damaged_parts]
    whole = [k for k in slices if k not in cut]
    must_be_there = np.isin(truth.blocks.slice_idx, whole)
    may_be_there = np.isin(truth.blocks.slice_idx, list(slices))
    assert not (is_lost & must_be_there).any(), f"{where}: macroblocks that arrived are lost"
    assert not (~is_lost & ~may_be_there).any(), f"{where}: macroblocks that never arrived"
    for name in ("type", "qp", "partition", "partition_shape"):
        ours, theirs = getattr(picture.blocks, name), getattr(truth.blocks, name)
        assert (ours == theirs)[~is_lost].all(), f"{where}: {name}"
    assert (picture.bits == truth.bits)[~is_lost].all(), f"{where}: bits"
    keep = ~is_lost
    flags = picture.blocks.flags & ~np.uint8(MOTION_LOST)
    assert (flags == truth.blocks.flags)[keep].all(), f"{where}: flags"
    for k in cut:
        if slices[k].index not in damaged_parts:
            check_prefix(picture, truth, k, slices[k], where)


def check_prefix(
    picture: cope.Picture, truth: cope.Picture, k: int, delivery: Delivery, where: str
) -> None:
    """Of a cut slice everything is there that lies before the cut."""
    here = truth.blocks.slice_idx == k
    address = block_addresses(truth)[here]
    order = np.argsort(address)
    there = (picture.blocks.type[here] != LOST)[order]
    num_there = int(there.sum())
    assert there[:num_there].all(), f"{where}: holes in slice {k}"
    # Up to two macroblocks go with the one that was cut: the upper one of its pair.
    needed = truth.bits[here][order][: num_there + 2].sum(dtype=np.int64)
    if num_there + 2 <= there.size:
        have = 8 * len(delivery.data)
        slack = SLICE_HEADER_BITS + MAX_LEVEL_BITS
        assert needed + slack >= have * 255 // 256, f"{where}: too much lost of slice {k}"


def block_addresses(picture: cope.Picture) -> np.ndarray:
    """CurrMbAddr of each macroblock `[height / 16, width / 16]`."""
    height, width = picture.blocks.type.shape
    raster = np.arange(height * width).reshape(height, width)
    if not picture.info.mbaff:
        return raster
    y, x = np.mgrid[0:height, 0:width]
    return (y // 2 * width + x) * 2 + y % 2


def sorted_levels(picture: cope.Picture, keep: np.ndarray) -> tuple[np.ndarray, ...]:
    """Records and levels of the macroblocks to keep (by address), in an order of their own."""
    c = picture.coefficients
    records = c.records[keep[c.records["mb_addr"]]]
    keys = (records["block_idx"], records["kind"], records["plane"], records["mb_addr"])
    records = records[np.lexsort(keys)]
    counts = records["count"].astype(np.int64)
    starts = np.repeat(records["first"].astype(np.int64) - np.cumsum(counts) + counts, counts)
    at = starts + np.arange(counts.sum())
    names = ["mb_addr", "x", "y", "count", "plane", "kind", "block_idx", "flags", "qp"]
    return *(records[name] for name in names), c.positions[at], c.levels[at]


def check_levels(picture: cope.Picture, truth: cope.Picture, where: str) -> None:
    keep = np.zeros(picture.blocks.type.size, bool)
    keep[block_addresses(picture).ravel()] = (picture.blocks.type != LOST).ravel()
    if picture.info.separate_colour_planes:
        return  # the block map is that of the first plane alone
    assert keep[picture.coefficients.records["mb_addr"]].all(), f"{where}: levels of lost blocks"
    for ours, theirs in zip(sorted_levels(picture, keep), sorted_levels(truth, keep), strict=True):
        assert np.array_equal(ours, theirs), f"{where}: levels"


def check_motion(picture: cope.Picture, truth: cope.Picture, where: str) -> None:
    unknown = (picture.blocks.type == LOST) | ((picture.blocks.flags & MOTION_LOST) != 0)
    unknown = np.repeat(np.repeat(unknown, 4, axis=0), 4, axis=1)
    assert (picture.motion.ref_idx[:, unknown] == -1).all(), f"{where}: lost, yet referring"
    same = (picture.motion.ref_idx == truth.motion.ref_idx) & (
        picture.motion.mv == truth.motion.mv
    ).all(axis=-1)
    wrong = ~same.all(axis=0) & ~unknown
    assert not wrong.any(), f"{where}: vectors at {np.argwhere(wrong)[:3].tolist()}"


def check_references(
    picture: cope.Picture,
    truth: cope.Picture,
    slices: dict[int, Delivery],
    truth_of: dict[int, int],
    outcome: Outcome,
    where: str,
) -> None:
    """Every reference that is named is the one that the encoder meant."""
    ours_idx, theirs_idx = picture.blocks.slice_idx, truth.blocks.slice_idx
    for k in slices:
        here = (theirs_idx == k) & (ours_idx != 0xFFFF)
        if not here.any():
            continue
        j = ours_idx[here]
        assert (j == j[0]).all(), f"{where}: slice {k} in pieces"
        for ours, theirs in zip(picture.references[j[0]], truth.references[k], strict=True):
            assert len(ours) == len(theirs), where
            for mine, real in zip(ours, theirs, strict=True):
                outcome.num_references += 1
                if mine[0] < 0:
                    continue
                outcome.num_references_known += 1
                assert truth_of[mine[0]] == real[0] and mine[2] == real[2], (
                    f"{where}: slice {k} refers to picture {truth_of[mine[0]]}, not {real[0]}"
                )
