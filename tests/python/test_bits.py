"""Bit reader, Exp-Golomb codes and NAL unit extraction against writers written from the syntax."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

Bits = str

# The bytes that start codes and emulation prevention are made of, and some others.
troublesome_bytes = st.lists(
    st.sampled_from([0, 0, 0, 1, 2, 3, 3, 4, 0x80, 0xFF]), max_size=40
).map(bytes)
payloads = st.one_of(troublesome_bytes, st.binary(max_size=300))


def fixed(value: int, n: int) -> Bits:
    return format(value, f"0{n}b") if n else ""


def exp_golomb(code_num: int) -> Bits:
    """9.1: as many zeros as bits follow the leading one of code_num + 1."""
    suffix = format(code_num + 1, "b")
    return "0" * (len(suffix) - 1) + suffix


def signed_exp_golomb(value: int) -> Bits:
    """Table 9-3."""
    return exp_golomb(2 * value - 1 if value > 0 else -2 * value)


def truncated_exp_golomb(value: int, max_value: int) -> Bits:
    return exp_golomb(value) if max_value > 1 else str(1 - value)


def pack(bits: Bits) -> bytes:
    return bytes(int(bits[i : i + 8].ljust(8, "0"), 2) for i in range(0, len(bits), 8))


def escape(rbsp: bytes) -> bytes:
    """7.4.1: emulation_prevention_three_byte where two zeros meet 0..3 or the end."""
    return re.sub(rb"\x00\x00(?=[\x00-\x03]|\Z)", b"\0\0\3", rbsp)


@st.composite
def elements(draw: st.DrawFn) -> tuple[str, tuple[int, ...], int]:
    """One syntax element: reader method, its arguments, the value."""
    kind = draw(st.sampled_from(["u", "ue", "se", "te"]))
    # Uniform over code lengths rather than over values.
    magnitude = (1 << draw(st.integers(0, 31))) + draw(st.integers(-1, 1))
    if kind == "u":
        n = draw(st.integers(0, 32))
        return kind, (n,), draw(st.integers(0, (1 << n) - 1))
    if kind == "ue":
        return kind, (), min(draw(st.sampled_from([magnitude, 2 * magnitude])), 2**32 - 2)
    if kind == "se":
        return kind, (), draw(st.sampled_from([-1, 1])) * min(magnitude, 2**31 - 1)
    max_value = draw(st.integers(1, 31))
    return kind, (max_value,), draw(st.integers(0, max_value))


def code(element: tuple[str, tuple[int, ...], int]) -> Bits:
    kind, args, value = element
    if kind == "u":
        return fixed(value, args[0])
    if kind == "te":
        return truncated_exp_golomb(value, args[0])
    return exp_golomb(value) if kind == "ue" else signed_exp_golomb(value)


@given(sequence=st.lists(elements(), max_size=60))
def test_reader_returns_what_was_written(
    native: ModuleType, sequence: list[tuple[str, tuple[int, ...], int]]
) -> None:
    reader = native.BitReader(pack("".join(map(code, sequence))))
    pos = 0
    for element in sequence:
        kind, args, value = element
        assert getattr(reader, kind)(*args) == value
        pos += len(code(element))
        assert reader.bit_pos == pos
    assert not reader.overrun


@given(before=st.integers(0, 7), element=elements(), data=st.data())
def test_an_element_cut_by_the_end_is_zero_and_an_overrun(
    native: ModuleType,
    before: int,
    element: tuple[str, tuple[int, ...], int],
    data: st.DataObject,
) -> None:
    kind, args, _ = element
    bits = code(element)
    # Leave a part of the code such that the data ends exactly behind it.
    cuts = [n for n in range(len(bits)) if (before + n) % 8 == 0]
    if not cuts:
        return
    cut = data.draw(st.sampled_from(cuts))
    reader = native.BitReader(pack("1" * before + bits[:cut]))
    reader.skip(before)
    value = getattr(reader, kind)(*args)
    assert reader.overrun
    assert value == (1 if kind == "te" and args == (1,) else 0)  # te(v) of one bit inverts it
    assert reader.bits_left == 0
    assert reader.u(1) == 0


@given(data=st.binary(max_size=64), operations=st.lists(st.integers(0, 35), max_size=60))
def test_reader_survives_any_data(native: ModuleType, data: bytes, operations: list[int]) -> None:
    reader = native.BitReader(data)
    for operation in operations:
        before = reader.bit_pos
        if operation <= 32:
            reader.u(operation)
        else:
            getattr(reader, {33: "ue", 34: "se"}.get(operation, "more_rbsp_data"))()
        assert before <= reader.bit_pos <= 8 * len(data)


@given(bits=st.text("01", max_size=40), num_zero_bytes=st.integers(0, 4), pos=st.integers(0, 40))
def test_more_rbsp_data_is_false_from_the_stop_bit_on(
    native: ModuleType, bits: Bits, num_zero_bytes: int, pos: int
) -> None:
    reader = native.BitReader(pack(bits + "1") + bytes(num_zero_bytes))
    reader.skip(min(pos, len(bits)))
    assert reader.more_rbsp_data() == (pos < len(bits))


@given(rbsp=payloads)
@example(rbsp=b"\0\0\0\0\0\0\1\0\0\3\0\0")
def test_unescape_inverts_escape(native: ModuleType, rbsp: bytes) -> None:
    nal = escape(rbsp)
    assert not re.search(rb"\x00\x00[\x00-\x02]", nal)
    assert native.unescape_rbsp(nal) == rbsp


@given(nal=payloads)
def test_unescape_equals_the_syntax_table_on_any_data(native: ModuleType, nal: bytes) -> None:
    rbsp, i = bytearray(), 0
    while i < len(nal):  # nal_unit() of 7.3.1
        if nal[i : i + 3] == b"\0\0\3":
            rbsp += b"\0\0"
            i += 3
        else:
            rbsp.append(nal[i])
            i += 1
    assert native.unescape_rbsp(nal) == bytes(rbsp)


@given(
    leading=st.integers(0, 3),
    units=st.lists(st.tuples(st.booleans(), payloads, st.integers(0, 3)), max_size=6),
)
def test_annex_b_returns_the_units_written(
    native: ModuleType, leading: int, units: list[tuple[bool, bytes, int]]
) -> None:
    stream, nals = bytes(leading), []
    for long_start_code, payload, trailing in units:
        nal = b"\x65" + escape(payload + b"\x80")
        nals.append(nal)
        stream += b"\0" * long_start_code + b"\0\0\1" + nal + bytes(trailing)
    assert native.split_annex_b(stream) == nals


@given(stream=st.one_of(troublesome_bytes, st.binary(max_size=300)))
def test_annex_b_of_any_data(native: ModuleType, stream: bytes) -> None:
    parts = stream.split(b"\0\0\1")[1:]
    nals = [nal for part in parts if (nal := part.rstrip(b"\0"))]
    assert native.split_annex_b(stream) == nals


@given(length_size=st.integers(1, 4), nals=st.lists(st.binary(max_size=255), max_size=6))
def test_length_prefixed_returns_the_units_written(
    native: ModuleType, length_size: int, nals: list[bytes]
) -> None:
    sample = b"".join(len(nal).to_bytes(length_size, "big") + nal for nal in nals)
    assert native.split_length_prefixed(sample, length_size) == (True, [n for n in nals if n])


@given(
    length_size=st.integers(1, 4),
    nals=st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=4),
    data=st.data(),
)
def test_length_prefixed_keeps_the_units_before_a_cut(
    native: ModuleType, length_size: int, nals: list[bytes], data: st.DataObject
) -> None:
    ends, sample = [0], b""
    for nal in nals:
        sample += len(nal).to_bytes(length_size, "big") + nal
        ends.append(len(sample))
    cut = data.draw(st.integers(0, len(sample)))
    ok, found = native.split_length_prefixed(sample[:cut], length_size)
    assert ok == (cut in ends)
    assert found == nals[: sum(end <= cut for end in ends[1:])]


def avcc(length_size: int, sps: list[bytes], pps: list[bytes]) -> bytes:
    def units(nals: list[bytes]) -> bytes:
        return b"".join(len(nal).to_bytes(2, "big") + nal for nal in nals)

    fixed_part = bytes([1, 100, 0, 31, 0xFC | (length_size - 1), 0xE0 | len(sps)])
    return fixed_part + units(sps) + bytes([len(pps)]) + units(pps)


@given(
    length_size=st.integers(1, 4),
    sps=st.lists(st.binary(min_size=1, max_size=40), max_size=31),
    pps=st.lists(st.binary(min_size=1, max_size=40), max_size=40),
    extension=st.binary(max_size=8),
    data=st.data(),
)
def test_avcc(
    native: ModuleType,
    length_size: int,
    sps: list[bytes],
    pps: list[bytes],
    extension: bytes,
    data: st.DataObject,
) -> None:
    record = avcc(length_size, sps, pps)
    assert native.parse_avcc(record + extension) == (True, length_size, sps + pps)
    cut = data.draw(st.integers(0, len(record) - 1))
    ok, _, nals = native.parse_avcc(record[:cut])
    assert not ok
    assert nals == (sps + pps)[: len(nals)]


@given(record=st.binary(max_size=80))
def test_configuration_records_of_any_data(native: ModuleType, record: bytes) -> None:
    for parse in (native.parse_avcc, native.parse_hvcc):
        for data in (record, b"\1" + record, b"\1" + bytes(20) + b"\3" + record):
            _, length_size, nals = parse(data)
            assert 1 <= length_size <= 4
            assert sum(map(len, nals)) <= len(data)


def test_units_of_a_real_file_equal_those_of_libavcodec(
    native: ModuleType, natural_clip: Path
) -> None:
    """Against the bitstream filter that rewrites length-prefixed samples as a byte stream."""
    av = pytest.importorskip("av")
    from av.bitstream import BitStreamFilterContext

    parameter_sets = {7, 8}

    def others(nals: list[bytes]) -> list[bytes]:  # the filter inserts parameter sets
        return [nal for nal in nals if nal[0] & 31 not in parameter_sets]

    with av.open(str(natural_clip)) as container:
        stream = container.streams.video[0]
        ok, length_size, sets = native.parse_avcc(bytes(stream.codec_context.extradata))
        assert ok
        bsf = BitStreamFilterContext("h264_mp4toannexb", stream)
        num_nals = 0
        for packet in container.demux(stream):
            if packet.size == 0:
                continue
            ok, nals = native.split_length_prefixed(bytes(packet), length_size)
            assert ok
            (filtered,) = bsf.filter(packet)
            expected = native.split_annex_b(bytes(filtered))
            assert others(nals) == others(expected)
            if num_nals == 0:
                assert [nal for nal in expected if nal[0] & 31 in parameter_sets] == sets
            num_nals += len(nals)
        assert num_nals > 100
