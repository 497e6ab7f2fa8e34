"""Whatever is lost, cut, repeated or delivered in another order: what is handed out is true."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from data import require_stream
from hypothesis import given, settings
from hypothesis import strategies as st
from received import Outcome, Sent, compare, read, send, without_orphans

import cope
from network import Delivery, cut_slices, join, lose_packets, reorder_slices, repeat_slices

STREAMS = {
    "cabac": "made/x264_slices8.264",
    "cabac-bytes": "made/x264_slice_max_size.264",
    "cavlc": "jvt/BA1_FT_C.264",
    "cavlc-b": "jvt/SL1_SVA_B.264",
    "b-temporal": "made/x264_direct_temporal.264",
    "b-pyramid": "made/x264_direct_spatial_pyr.264",
    "refs16": "made/x264_placebo_refs16.264",
    "open-gop": "made/x264_open_gop.264",
    "long-term": "jvt/MR1_BT_A.h264",
    "paff": "jvt/CAPA1_TOSHIBA_B.264",
    "paff-mbaff-cabac": "jmhm/paff_mbaff_cabac.264",
    "paff-mbaff-cavlc": "jmhm/paff_mbaff_cavlc.264",
    "fields": "jmhm/field_p_refs8_slices.264",
    "fields-temporal": "jvt/CABREF3_Sand_D.264",
    "mbaff": "jmhm/mbaff_slices_refs.264",
    "mbaff-temporal": "jvt/CAMANL3_Sand_E.264",
    "mbaff-cavlc": "made/x264_mbaff_bff_cavlc.264",
    "fmo": "jvt/FM1_FT_E.264",
    "fmo-aso": "jmhm/fmo1_aso.264",
    "aso": "jmhm/aso_slices.264",
    "partitions": "jmhm/dp_p.264",
    "partitions-b": "jmhm/dp_b.264",
    "planes": "jmhm/hi444_sepplanes_slices.264",
    "hi422-10": "made/x264_hi422_10.264",
    "sp": "jmhm/sp_b.264",
}

MULTI_SLICE = ["cabac", "cabac-bytes", "cavlc", "cavlc-b", "long-term", "fields", "mbaff", "aso"]
HEADER_BYTES = 64  # of a slice, at most

Damage = Callable[[list[Delivery], random.Random], list[Delivery]]


@cache
def sent(name: str) -> Sent:
    return send(require_stream(f"h264_conformance/{STREAMS[name]}"), max_slices=120)


def receive(name: str, damage: Damage, seed: int) -> tuple[Outcome, cope.ReadStats]:
    """Damages a stream, reads it, and compares."""
    original = sent(name)
    received = without_orphans(original, damage(original.deliveries, random.Random(seed)))
    try:
        pictures, stats = read(join(received))
    except cope.MediaOpenError:
        # Without an IDR picture, libavformat may not see that it is H.264: let more follow.
        pictures, stats = read(join(received + original.deliveries))
        del pictures[len(pictures) - len(original.pictures) :]
    return compare(original, received, pictures), stats


def lose(rate: float, keep_cut: bool) -> Damage:
    return lambda nals, rng: lose_packets(nals, rate, rng, keep_cut=keep_cut, payload_bytes=600)


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("rate", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("keep_cut", [True, False], ids=["cut", "whole"])
def test_lost_packets(name: str, rate: float, keep_cut: bool) -> None:
    outcome, stats = receive(name, lose(rate, keep_cut), seed=1)
    assert outcome.num_parsed >= outcome.num_arrived or "partitions" in name
    assert stats.num_nal_units_repeated == 0


@pytest.mark.parametrize("name", STREAMS)
def test_cut_slices(name: str) -> None:
    for seed in range(2):
        receive(name, lambda nals, rng: cut_slices(nals, 0.2, rng, min_bytes=HEADER_BYTES), seed)


@pytest.mark.parametrize("name", STREAMS)
def test_repeated_slices(name: str) -> None:
    """Costs nothing."""
    outcome, stats = receive(name, lambda nals, rng: repeat_slices(nals, 0.3, rng), 1)
    assert outcome.num_parsed == outcome.num_blocks
    assert outcome.num_motion_lost == 0
    assert stats.num_nal_units_repeated > 0
    assert stats.num_nal_units_damaged == 0


@pytest.mark.parametrize("name", MULTI_SLICE)
def test_slices_that_come_too_late(name: str) -> None:
    """A slice that comes behind one of the next picture is lost, and nothing else is."""
    for seed in range(3):
        original = sent(name)
        received, late = swap_at_borders(original, 0.3, random.Random(seed))
        pictures, stats = read(join(received))
        compare(original, [d for d in received if d.index not in late], pictures)
        assert len(late) > 0
        assert stats.num_nal_units_damaged == len(late)
        assert stats.num_frames_lost == 0


def swap_at_borders(
    original: Sent, rate: float, rng: random.Random
) -> tuple[list[Delivery], set[int]]:
    """Swaps the last slice of a picture and the first of the next, where both have several."""
    received, late = list(original.deliveries), set()
    for i in range(len(received) - 1):
        places = [original.slice_of.get(received[j].index) for j in (i, i + 1)]
        if None in places or places[0][0] == places[1][0] or rng.random() >= rate:
            continue
        if all(original.pictures[n].info.num_slices > 1 for n, _ in places):
            late.add(received[i].index)
            received[i : i + 2] = received[i + 1], received[i]
    return received, late


@pytest.mark.parametrize("name", STREAMS)
def test_reordered_slices(name: str) -> None:
    """Whatever the order, pictures come out and the next IDR picture ends the confusion."""
    original = sent(name)
    received = reorder_slices(original.deliveries, 0.1, random.Random(3))
    pictures, stats = read(join(received))
    assert len(pictures) > 0.9 * len(original.pictures)
    lost = sum(int((p.blocks.type == cope.BlockType.LOST).sum()) for p in pictures)
    assert lost == stats.num_blocks_lost
    again, _ = read(join(received + original.deliveries))
    for ours, theirs in zip(again[len(pictures) :], original.pictures, strict=True):
        assert np.array_equal(ours.motion.mv, theirs.motion.mv)
        assert np.array_equal(ours.blocks.type, theirs.blocks.type)


@settings(max_examples=25, deadline=None)
@given(
    name=st.sampled_from(list(STREAMS)),
    rate=st.floats(0.0, 0.5),
    keep_cut=st.booleans(),
    repeat=st.floats(0.0, 0.3),
    seed=st.integers(0, 1 << 32),
)
def test_anything(name: str, rate: float, keep_cut: bool, repeat: float, seed: int) -> None:
    def damage(nals: list[Delivery], rng: random.Random) -> list[Delivery]:
        nals = repeat_slices(nals, repeat, rng)
        return lose_packets(nals, rate, rng, keep_cut=keep_cut, payload_bytes=400)

    receive(name, damage, seed)


@pytest.mark.parametrize("name", STREAMS)
def test_cuts_in_headers(name: str) -> None:
    """Slices without a whole header are dropped and counted."""
    received = cut_slices(sent(name).deliveries, 0.5, random.Random(5))
    pictures, stats = read(join(received))
    num_dropped = len([d for d in received if d.is_cut and len(d.data) < 3])
    assert stats.num_nal_units_damaged >= num_dropped
    assert len(pictures) <= len(sent(name).pictures)
