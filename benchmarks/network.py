"""What a lossy network makes of an H.264 byte stream: NAL units in packets, as RTP carries them
(RFC 6184, one NAL unit or a fragment of one per packet).
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass

PAYLOAD_BYTES = 1400
SLICES = (1, 2, 3, 4, 5)  # nal_unit_type


@dataclass(frozen=True)
class Delivery:
    """A NAL unit as it arrives."""

    index: int  # of the NAL unit in the stream that was sent
    data: bytes  # header first, no start code; shorter than sent where `is_cut`
    is_cut: bool = False

    @property
    def nal_unit_type(self) -> int:
        """Table 7-1."""
        return self.data[0] & 31


def split(stream: bytes) -> list[Delivery]:
    """The NAL units of a byte stream (Annex B)."""
    starts = [match.end() for match in re.finditer(rb"\0\0\x01", stream)]
    ends = [start - 3 for start in starts[1:]] + [len(stream)]
    nals = [stream[a:b].rstrip(b"\0") for a, b in zip(starts, ends, strict=True)]
    return [Delivery(i, nal) for i, nal in enumerate(nals) if nal]


def join(deliveries: Iterable[Delivery]) -> bytes:
    """A byte stream of NAL units."""
    return b"".join(b"\0\0\0\x01" + delivery.data for delivery in deliveries)


def lose_packets(
    sent: Iterable[Delivery],
    rate: float,
    rng: random.Random,
    *,
    keep_cut: bool = True,
    payload_bytes: int = PAYLOAD_BYTES,
) -> list[Delivery]:
    """Loses each packet that carries a slice with probability `rate`.

    Parameter sets and SEI are taken to come another way. Of a NAL unit in several packets the part
    before the first loss is delivered when `keep_cut`, else nothing.
    """
    received = []
    for delivery in sent:
        if delivery.nal_unit_type not in SLICES:
            received.append(delivery)
            continue
        num_packets = -(-len(delivery.data) // payload_bytes)
        arrived = 0
        while arrived < num_packets and rng.random() >= rate:
            arrived += 1
        if arrived == num_packets:
            received.append(delivery)
        elif arrived > 0 and keep_cut:
            part = delivery.data[: arrived * payload_bytes]
            received.append(Delivery(delivery.index, part, is_cut=True))
    return received


def cut_slices(
    sent: Iterable[Delivery], rate: float, rng: random.Random, *, min_bytes: int = 1
) -> list[Delivery]:
    """Cuts slices with probability `rate`, anywhere behind their first `min_bytes`."""
    received = []
    for delivery in sent:
        size = len(delivery.data)
        if delivery.nal_unit_type in SLICES and size > min_bytes and rng.random() < rate:
            part = delivery.data[: rng.randrange(min_bytes, size)]
            delivery = Delivery(delivery.index, part, is_cut=True)
        received.append(delivery)
    return received


def repeat_slices(sent: Iterable[Delivery], rate: float, rng: random.Random) -> list[Delivery]:
    """Delivers slices twice in a row with probability `rate`."""
    received = []
    for delivery in sent:
        received.append(delivery)
        if delivery.nal_unit_type in SLICES and rng.random() < rate:
            received.append(delivery)
    return received


def reorder_slices(
    sent: Iterable[Delivery], rate: float, rng: random.Random, *, distance: int = 3
) -> list[Delivery]:
    """Delays slices with probability `rate`, so that up to `distance` NAL units overtake them."""
    times = []
    for position, delivery in enumerate(sent):
        is_late = delivery.nal_unit_type in SLICES and rng.random() < rate
        times.append((position + (rng.randint(1, distance) + 0.5 if is_late else 0), delivery))
    return [delivery for _, delivery in sorted(times, key=lambda item: item[0])]
