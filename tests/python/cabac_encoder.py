"""An arithmetic encoder written from the standards, for bits that are known to be right."""

from __future__ import annotations

from typing import Any

BYPASS, TERMINATE = -1, -2


class CabacEncoder:
    """InitEncoder, EncodeDecision, EncodeBypass, EncodeTerminate and EncodeFlush of 9.3.4.

    Args:
        spec: data file with `rangeTabLPS` and the transition tables.
        states: (pStateIdx, valMPS) of each context.
    """

    def __init__(self, spec: dict[str, Any], states: list[tuple[int, int]]) -> None:
        self.range_tab_lps = spec["rangeTabLPS"]
        self.trans_idx_lps = spec["transIdxLPS"]
        self.trans_idx_mps = spec["transIdxMPS"]["table"]
        self.states = [list(state) for state in states]
        self.bits: list[int] = []
        self.start()

    def start(self) -> None:
        """Initialises the engine; the contexts stay as they are."""
        self.low, self.range = 0, 510
        self.first_bit, self.num_outstanding = True, 0

    def put_bit(self, bit: int) -> None:
        if self.first_bit:
            self.first_bit = False
        else:
            self.bits.append(bit)
        self.bits += [1 - bit] * self.num_outstanding
        self.num_outstanding = 0

    def renorm(self) -> None:
        while self.range < 256:
            if self.low < 256:
                self.put_bit(0)
            elif self.low >= 512:
                self.low -= 512
                self.put_bit(1)
            else:
                self.low -= 256
                self.num_outstanding += 1
            self.range <<= 1
            self.low <<= 1

    def decision(self, ctx: int, bin_val: int) -> None:
        p_state_idx, val_mps = self.states[ctx]
        range_lps = self.range_tab_lps[p_state_idx][self.range >> 6 & 3]
        self.range -= range_lps
        if bin_val != val_mps:
            self.low += self.range
            self.range = range_lps
            if p_state_idx == 0:
                val_mps = 1 - val_mps
            p_state_idx = self.trans_idx_lps[p_state_idx]
        else:
            p_state_idx = self.trans_idx_mps[p_state_idx]
        self.states[ctx] = [p_state_idx, val_mps]
        self.renorm()

    def bypass(self, bin_val: int) -> None:
        self.low <<= 1
        if bin_val:
            self.low += self.range
        if self.low >= 1024:
            self.put_bit(1)
            self.low -= 1024
        elif self.low < 512:
            self.put_bit(0)
        else:
            self.low -= 512
            self.num_outstanding += 1

    def terminate(self, bin_val: int) -> None:
        self.range -= 2
        if not bin_val:
            self.renorm()
            return
        self.low += self.range
        self.range = 2
        self.renorm()
        self.put_bit(self.low >> 9 & 1)
        self.bits += [self.low >> 8 & 1, 1]  # the last bit is rbsp_stop_one_bit

    def encode(self, operation: int, bin_val: int) -> None:
        if operation == BYPASS:
            self.bypass(bin_val)
        elif operation == TERMINATE:
            self.terminate(bin_val)
        else:
            self.decision(operation, bin_val)

    def data(self) -> bytes:
        bits = "".join(map(str, self.bits))
        return bytes(int(bits[i : i + 8].ljust(8, "0"), 2) for i in range(0, len(bits), 8))
