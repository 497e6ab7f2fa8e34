"""Turns the loop filter of an H.264 stream off by rewriting its headers.

The rest of the stream stays bit for bit: its pictures then differ from what the encoder meant, but
every decoder shows the same, and what it shows is prediction plus residual.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from data import require_command

_LINE = re.compile(r"^\[trace_headers @ [^\]]*\] (\d+) +(\S+) +([01]+) = -?\d+$")
FILTER_ELEMENTS = (
    "disable_deblocking_filter_idc",
    "slice_alpha_c0_offset_div2",
    "slice_beta_offset_div2",
)


@dataclass
class Span:
    """Where the elements of a slice header stand in its NAL unit, bits without emulation."""

    places: dict[str, tuple[int, int]] = field(default_factory=dict)  # begin, end

    @property
    def end(self) -> int:
        return max(end for _, end in self.places.values())


def slice_spans(path: Path) -> Iterator[Span]:
    """Every slice header of a file, as FFmpeg reads it."""
    command = [require_command("ffmpeg"), "-nostdin", "-hide_banner", "-nostats"]
    command += ["-loglevel", "trace", "-i", str(path), "-c", "copy"]
    command += ["-bsf:v", "trace_headers", "-f", "null", "-"]
    text = subprocess.run(command, capture_output=True, text=True, errors="replace").stderr
    span: Span | None = None
    for line in text.splitlines():
        title = line.endswith(("Slice Header", "Parameter Set", "Information", "Delimiter"))
        if title and "trace_headers" in line:
            if span is not None:
                yield span
            span = Span() if line.endswith("Slice Header") else None
        elif span is not None and (match := _LINE.match(line)):
            if match[2] == "cabac_alignment_one_bit":
                continue
            begin = int(match[1])
            span.places[match[2]] = begin, begin + len(match[3])
    if span is not None:
        yield span


def to_bits(nal: bytes) -> str:
    """A NAL unit's bits without emulation prevention."""
    rbsp = re.sub(rb"\0\0\x03", b"\0\0", nal)
    return f"{int.from_bytes(rbsp, 'big'):0{8 * len(rbsp)}b}"


def to_nal(bits: str) -> bytes:
    """The NAL unit of some bits up to rbsp_stop_one_bit."""
    bits += "0" * (-len(bits) % 8)
    rbsp = int(bits, 2).to_bytes(len(bits) // 8, "big")
    out, zeros = bytearray(), 0
    for byte in rbsp:
        if zeros >= 2 and byte <= 3:
            out.append(3)
            zeros = 0
        out.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes(out)


class BitCursor:
    """Reads Exp-Golomb codes."""

    def __init__(self, bits: str, at: int) -> None:
        self.bits, self.at = bits, at

    def u(self, n: int) -> int:
        self.at += n
        return int(self.bits[self.at - n : self.at] or "0", 2)

    def ue(self) -> int:
        zeros = self.bits.index("1", self.at) - self.at
        self.at += zeros
        return self.u(zeros + 1) - 1


@dataclass(frozen=True)
class PpsFlags:
    is_cabac: bool
    has_filter_control: bool
    bits: str  # with deblocking_filter_control_present_flag 1


def read_pps(nal: bytes) -> tuple[int, PpsFlags]:
    """pic_parameter_set_id, and what rewriting needs (7.3.2.2)."""
    bits = to_bits(nal)
    r = BitCursor(bits, 8)
    pps_id = r.ue()
    r.ue()
    is_cabac = r.u(1) == 1
    r.u(1)
    assert r.ue() == 0, "slice groups are not rewritten"
    r.ue()
    r.ue()
    r.u(3)
    for _ in range(3):
        r.ue()
    flag = bits[r.at]
    changed = bits[: r.at] + "1" + bits[r.at + 1 :]
    return pps_id, PpsFlags(is_cabac, flag == "1", changed.rstrip("0"))


def without_loop_filter(path: Path, target: Path, max_slices: int) -> None:
    """Writes the first slices of a byte stream with disable_deblocking_filter_idc 1."""
    stream = path.read_bytes()
    starts = [m.end() for m in re.finditer(rb"\0\0\x01", stream)]
    ends = [start - 3 for start in starts[1:]] + [len(stream)]
    ppss: dict[int, PpsFlags] = {}
    spans = slice_spans(path)
    out = []
    num_slices = 0
    for begin, end in zip(starts, ends, strict=True):
        nal = stream[begin:end].rstrip(b"\0")
        nal_unit_type = nal[0] & 31
        if nal_unit_type == 8:
            pps_id, pps = read_pps(nal)
            ppss[pps_id] = pps
            nal = to_nal(pps.bits)
        elif nal_unit_type in (1, 5):
            bits = to_bits(nal)
            cursor = BitCursor(bits, 8)
            first_mb, _, pps_id = cursor.ue(), cursor.ue(), cursor.ue()
            span = next(spans)
            is_bottom = "1" in bits[slice(*span.places.get("bottom_field_flag", (0, 0)))]
            if num_slices >= max_slices and first_mb == 0 and not is_bottom:
                break
            num_slices += 1
            nal = rewrite_slice(bits, span, ppss[pps_id])
        out.append(nal)
    while out[-1][0] & 31 not in (1, 5):
        del out[-1]
    target.write_bytes(b"".join(b"\0\0\0\x01" + nal for nal in out))


def rewrite_slice(bits: str, span: Span, pps: PpsFlags) -> bytes:
    if pps.has_filter_control:
        cut = span.places[FILTER_ELEMENTS[0]][0]
        tail = max(span.places[name][1] for name in FILTER_ELEMENTS if name in span.places)
    else:
        cut = tail = span.places["slice_qp_delta"][1]
    header = bits[:cut] + "010" + bits[tail : span.end]
    end = span.end
    if pps.is_cabac:  # cabac_alignment_one_bit up to a byte, before and after
        header += "1" * (-len(header) % 8)
        end += -end % 8
    return to_nal(header + bits[end:].rstrip("0"))
