"""Every code of the CAVLC tables, written as the data file spells it and looked up."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

Find = Callable[[int], tuple[int, int]]  # next 32 bits -> (length, value)
Codes = dict[str, int]

COEFF_TOKEN_NC = {
    "0<=nC<2": (0, 1),
    "2<=nC<4": (2, 3),
    "4<=nC<8": (4, 5, 6, 7),
    "8<=nC": (8, 12, 16),
    "nC==-1": (-1,),
    "nC==-2": (-2,),
}


def tables(native: ModuleType, spec: dict[str, Any]) -> Iterator[tuple[str, Codes, Find]]:
    """Name, codes and look-up of every variable-length table."""
    for name, values in COEFF_TOKEN_NC.items():
        codes = {code: total << 2 | ones for total, ones, code in spec["coeff_token"][name]}
        for nc in values:
            yield f"coeff_token nC={nc}", codes, lambda n, nc=nc: native.find_coeff_token(nc, n)
    for name, is_422 in (("4x4", None), ("chromaDC_2x2", False), ("chromaDC_2x4", True)):
        for index, pairs in spec["total_zeros"][name].items():
            tz = int(index)
            if is_422 is None:
                find: Find = lambda n, tz=tz: native.find_total_zeros(tz, n)  # noqa: E731
            else:
                find = lambda n, tz=tz, c=is_422: native.find_total_zeros_chroma_dc(c, tz, n)  # noqa: E731
            yield f"total_zeros {name} {tz}", {code: value for value, code in pairs}, find
    for zeros_left in range(1, 16):
        pairs = spec["run_before"][str(zeros_left) if zeros_left <= 6 else ">6"]
        codes = {code: value for value, code in pairs}
        yield (
            f"run_before {zeros_left}",
            codes,
            lambda n, z=zeros_left: native.find_run_before(z, n),
        )


@pytest.fixture(scope="module")
def vlc_tables(native: ModuleType, h264_spec: dict[str, Any]) -> dict[str, tuple[Codes, Find]]:
    found = {name: (codes, find) for name, codes, find in tables(native, h264_spec)}
    # 2 + 2 + 4 + 3 + 1 + 1 values of nC, 15 + 3 + 7 tzVlcIndex, 15 zerosLeft.
    assert len(found) == 13 + 25 + 15
    return found


def match(codes: Codes, bits: str) -> tuple[int, int]:
    """Length and value of the code that `bits` begin with, or (0, 0)."""
    for code, value in codes.items():
        if bits.startswith(code):
            return len(code), value
    return 0, 0


def test_every_code_is_found_whatever_follows(
    vlc_tables: dict[str, tuple[Codes, Find]],
) -> None:
    rng = random.Random(0)
    for name, (codes, find) in vlc_tables.items():
        for code, value in codes.items():
            fillers = ["0" * 32, "1" * 32, *(format(rng.getrandbits(32), "032b") for _ in range(4))]
            for filler in fillers:
                assert find(int((code + filler)[:32], 2)) == (len(code), value), (name, code)


def test_every_16_bit_beginning_has_the_code_of_the_data_file_or_none(
    vlc_tables: dict[str, tuple[Codes, Find]],
) -> None:
    for name, (codes, find) in vlc_tables.items():
        longest = max(map(len, codes))
        assert longest <= 16
        for prefix in range(1 << longest):
            expected = match(codes, format(prefix, f"0{longest}b"))
            found = find(prefix << (32 - longest))
            assert found[0] == expected[0], (name, prefix)
            assert found[0] == 0 or found == expected, (name, prefix)


@given(data=st.data())
def test_sequences_round_trip(
    vlc_tables: dict[str, tuple[Codes, Find]], data: st.DataObject
) -> None:
    names = data.draw(st.lists(st.sampled_from(sorted(vlc_tables)), max_size=30))
    symbols = [(name, data.draw(st.sampled_from(sorted(vlc_tables[name][0])))) for name in names]
    bits = "".join(code for _, code in symbols) + "0" * 32
    pos = 0
    for name, code in symbols:
        codes, find = vlc_tables[name]
        length, value = find(int(bits[pos : pos + 32], 2))
        assert (length, value) == (len(code), codes[code])
        pos += length
    assert pos == len(bits) - 32


@given(next_bits=st.integers(0, 2**32 - 1))
def test_any_bits_have_the_code_of_the_data_file_or_none(
    vlc_tables: dict[str, tuple[Codes, Find]], next_bits: int
) -> None:
    for name, (codes, find) in vlc_tables.items():
        length, value = match(codes, format(next_bits, "032b"))
        found = find(next_bits)
        assert found[0] == length, name
        assert length == 0 or found[1] == value, name
