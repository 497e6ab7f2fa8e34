"""Streams of H.264 written bit by bit: small ones that claim much."""

from __future__ import annotations


class BitWriter:
    """Bits and Exp-Golomb codes of a NAL unit."""

    def __init__(self) -> None:
        self.bits = ""

    def u(self, n: int, value: int) -> BitWriter:
        self.bits += f"{value:0{n}b}"
        return self

    def ue(self, value: int) -> BitWriter:
        code = f"{value + 1:b}"
        self.bits += "0" * (len(code) - 1) + code
        return self

    def nal(self, header: int) -> bytes:
        """The NAL unit with stop bit, emulation prevention and start code."""
        bits = self.bits + "1"
        bits += "0" * (-len(bits) % 8)
        payload = int(bits, 2).to_bytes(len(bits) // 8, "big")
        escaped = bytearray()
        zeros = 0
        for byte in payload:
            if zeros >= 2 and byte <= 3:
                escaped.append(3)
                zeros = 0
            escaped.append(byte)
            zeros = zeros + 1 if byte == 0 else 0
        return b"\0\0\0\1" + bytes([header]) + bytes(escaped)


def make_stream(width: int, height: int, profile_idc: int = 66) -> bytes:
    """SPS, PPS and one skipped P and I slice of the given size, Baseline."""
    sps = BitWriter().u(8, profile_idc).u(8, 0).u(8, 62).ue(0)
    sps.ue(0).ue(2).ue(1).u(1, 0)  # log2_max_frame_num 4, POC type 2, one reference
    sps.ue(width // 16 - 1).ue(height // 16 - 1).u(1, 1).u(1, 1).u(1, 0).u(1, 0)
    pps = BitWriter().ue(0).ue(0).u(1, 0).u(1, 0).ue(0).ue(0).ue(0).u(1, 0).u(2, 0)
    pps.ue(0).ue(0).ue(0).u(1, 0).u(1, 0).u(1, 0)
    i_slice = BitWriter().ue(0).ue(7).ue(0).u(4, 0).ue(0).u(1, 0).u(1, 0).ue(0)
    p_slice = BitWriter().ue(0).ue(5).ue(0).u(4, 1).u(1, 0).u(1, 0).u(1, 0).ue(0)
    p_slice.ue(width // 16 * (height // 16))  # mb_skip_run: the whole picture
    return sps.nal(0x67) + pps.nal(0x68) + i_slice.nal(0x65) + p_slice.nal(0x41)


def make_flv(units: list[bytes], *, parameter_sets: tuple[bytes, bytes]) -> bytes:
    """An flv of one sample that holds all `units` (without start codes)."""

    def tag(kind: int, payload: bytes) -> bytes:
        body = bytes([0x17, kind, 0, 0, 0]) + payload
        return bytes([9]) + len(body).to_bytes(3, "big") + bytes(7) + body

    sps, pps = parameter_sets
    avcc = b"\1" + sps[1:4] + b"\xff\xe1" + len(sps).to_bytes(2, "big") + sps
    avcc += b"\1" + len(pps).to_bytes(2, "big") + pps
    filler_data = b"\x0c" + b"\xff" * 128 + b"\x80"  # a file too short is not recognised
    sample = b"".join(len(unit).to_bytes(4, "big") + unit for unit in [*units, filler_data])
    out = b"FLV\1\1\0\0\0\x09" + bytes(4)
    for item in (tag(0, avcc), tag(1, sample)):
        out += item + len(item).to_bytes(4, "big")
    return out


def split(stream: bytes) -> list[bytes]:
    """NAL units of a byte stream."""
    return [unit.rstrip(b"\0") for unit in stream.split(b"\0\0\1")[1:]]
