"""The arithmetic decoder against an encoder written from H.264 9.3.4."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from cabac_encoder import BYPASS, TERMINATE, CabacEncoder
from hypothesis import given
from hypothesis import strategies as st

NUM_CONTEXTS = 6


def pack_states(states: list[tuple[int, int]] | list[list[int]]) -> bytes:
    return bytes(p_state_idx << 1 | val_mps for p_state_idx, val_mps in states)


context_states = st.lists(
    st.tuples(st.integers(0, 62), st.integers(0, 1)), min_size=NUM_CONTEXTS, max_size=NUM_CONTEXTS
)


@st.composite
def bin_strings(draw: st.DrawFn) -> list[tuple[int, int]]:
    """(operation, bin) pairs, of runs so that states reach their ends and bits stay outstanding."""
    runs = draw(
        st.lists(
            st.tuples(
                st.sampled_from([*range(NUM_CONTEXTS), BYPASS, TERMINATE]),
                st.one_of(
                    st.lists(st.integers(0, 1), max_size=12),
                    st.tuples(st.integers(0, 1), st.integers(1, 150)).map(lambda t: [t[0]] * t[1]),
                ),
            ),
            max_size=20,
        )
    )
    return [
        (operation, 0 if operation == TERMINATE else bin_val)
        for operation, bins in runs
        for bin_val in bins
    ]


@given(states=context_states, bins=bin_strings(), tail=st.binary(max_size=9))
def test_decodes_what_was_encoded(
    native: ModuleType,
    h264_spec: dict[str, Any],
    states: list[tuple[int, int]],
    bins: list[tuple[int, int]],
    tail: bytes,
) -> None:
    bins = [*bins, (TERMINATE, 1)]
    encoder = CabacEncoder(h264_spec, states)
    for operation, bin_val in bins:
        encoder.encode(operation, bin_val)

    operations = [operation for operation, _ in bins]
    decoded, final_states, bit_pos, overrun = native.decode_cabac(
        encoder.data() + tail, operations, pack_states(states)
    )
    assert list(decoded) == [bin_val for _, bin_val in bins]
    assert final_states == pack_states(encoder.states)
    assert bit_pos == len(encoder.bits)
    assert not overrun


@given(states=context_states, segments=st.lists(bin_strings(), min_size=2, max_size=3))
def test_decoding_starts_anew_behind_a_terminating_bin(
    native: ModuleType,
    h264_spec: dict[str, Any],
    states: list[tuple[int, int]],
    segments: list[list[tuple[int, int]]],
) -> None:
    """As around I_PCM samples: terminate, align, initialise; contexts live on (9.3.1.2)."""
    data, encoders = b"", []
    live: list[Any] = states
    for bins in segments:
        encoder = CabacEncoder(h264_spec, live)
        for operation, bin_val in [*bins, (TERMINATE, 1)]:
            encoder.encode(operation, bin_val)
        live = encoder.states
        data += encoder.data()
        encoders.append(encoder)

    packed = pack_states(states)
    for bins, encoder in zip(segments, encoders, strict=True):
        operations = [operation for operation, _ in bins] + [TERMINATE]
        decoded, packed, bit_pos, _ = native.decode_cabac(data, operations, packed)
        assert list(decoded) == [bin_val for _, bin_val in bins] + [1]
        assert packed == pack_states(encoder.states)
        data = data[(bit_pos + 7) // 8 :]
    assert data == b""


@given(
    data=st.binary(max_size=40),
    operations=st.lists(st.integers(-2, NUM_CONTEXTS - 1), max_size=400),
    states=context_states,
)
def test_any_data_gives_bins(
    native: ModuleType, data: bytes, operations: list[int], states: list[tuple[int, int]]
) -> None:
    decoded, final_states, bit_pos, overrun = native.decode_cabac(
        data, operations, pack_states(states)
    )
    assert set(decoded) <= {0, 1}
    assert len(decoded) <= len(operations)
    assert len(final_states) == NUM_CONTEXTS
    if bit_pos > 8 * len(data) + 15:
        assert overrun


@given(column=st.integers(0, 3), slice_qp=st.integers(-36, 60))
def test_initial_states_follow_9_3_1_1(
    native: ModuleType, h264_spec: dict[str, Any], column: int, slice_qp: int
) -> None:
    name = ("I", "cabac_init_idc_0", "cabac_init_idc_1", "cabac_init_idc_2")[column]
    states = native.init_contexts(column, slice_qp)
    qp = min(max(slice_qp, 0), 51)
    for state, pair in zip(states, h264_spec["cabac_context_init"][name], strict=True):
        if pair is None:
            continue
        m, n = pair
        pre_ctx_state = min(max((m * qp >> 4) + n, 1), 126)
        if pre_ctx_state <= 63:
            assert (state >> 1, state & 1) == (63 - pre_ctx_state, 0)
        else:
            assert (state >> 1, state & 1) == (pre_ctx_state - 64, 1)
