"""PCM coding units of H.265, which no encoder at hand writes: streams made here, which libavcodec
decodes to the samples that went in, are parsed to the coding units that went in.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cabac_encoder import CabacEncoder
from data import require_command

import cope
from cope.picture import BlockType

WIDTH, HEIGHT, CTB, MIN_CB = 80, 48, 16, 8
QP = 26
PCM_DEPTH, PCM_DEPTH_C = 5, 7
ELEMENTS = (
    "split_cu_flag",
    "part_mode",
    "prev_intra_luma_pred_flag",
    "intra_chroma_pred_mode",
    "cbf_luma",
    "cbf_cb_cbf_cr",
)


class Bits:
    """Syntax elements as text of 0 and 1."""

    def __init__(self) -> None:
        self.text = ""

    def u(self, n: int, value: int) -> Bits:
        self.text += f"{value:0{n}b}" if n else ""
        return self

    def ue(self, *values: int) -> Bits:
        for value in values:
            code = f"{value + 1:b}"
            self.text += "0" * (len(code) - 1) + code
        return self

    def nal(self, nal_unit_type: int, data: bytes = b"") -> bytes:
        """The NAL unit behind a start code, byte_alignment() or trailing bits at its end."""
        text = self.text + "1"
        text += "0" * (-len(text) % 8)
        payload = int(text, 2).to_bytes(len(text) // 8, "big") + data
        out = bytearray()
        for byte in payload:
            if out[-2:] == b"\0\0" and byte <= 3:
                out.append(3)
            out.append(byte)
        return b"\0\0\1" + bytes([nal_unit_type << 1, 1]) + bytes(out)


def profile_tier_level(bits: Bits) -> Bits:
    bits.u(8, 1).u(32, 0x60000000).u(4, 0b1001).u(32, 0).u(12, 0)
    return bits.u(8, 60)


def parameter_sets() -> bytes:
    vps = Bits().u(4, 0).u(2, 3).u(6, 0).u(3, 0).u(1, 1).u(16, 0xFFFF)
    profile_tier_level(vps).u(1, 1).ue(0, 0, 0).u(6, 0).ue(0).u(1, 0).u(1, 0)
    sps = Bits().u(4, 0).u(3, 0).u(1, 1)
    profile_tier_level(sps).ue(0, 1, WIDTH, HEIGHT).u(1, 0).ue(0, 0, 0).u(1, 1).ue(0, 0, 0)
    sps.ue(0, 1)  # coding blocks of 8 to 16
    sps.ue(0, 2, 0, 0)  # transform blocks of 4 to 16, none is split
    sps.u(1, 0).u(1, 0).u(1, 0)  # scaling lists, AMP, SAO
    sps.u(1, 1).u(4, PCM_DEPTH - 1).u(4, PCM_DEPTH_C - 1).ue(0, 1).u(1, 1)
    sps.ue(0).u(1, 0).u(1, 0).u(1, 0).u(1, 0).u(1, 0)
    pps = Bits().ue(0, 0).u(1, 0).u(1, 0).u(3, 0).u(1, 0).u(1, 0).ue(0, 0, 0)
    pps.u(1, 0).u(1, 0).u(1, 0).ue(0, 0).u(1, 0).u(1, 0).u(1, 0).u(1, 0).u(1, 0).u(1, 0)
    pps.u(1, 0).u(1, 1).u(1, 0).u(1, 1)  # deblocking off
    pps.u(1, 0).u(1, 0).ue(0).u(1, 0).u(1, 0)
    return vps.nal(32) + sps.nal(33) + pps.nal(34)


class SliceWriter:
    """slice_segment_data() of an I slice: coding units of PCM, or of intra without residual."""

    def __init__(
        self, spec: dict[str, Any], engine: dict[str, Any], random: np.random.Generator
    ) -> None:
        self.random = random
        self.ctx: dict[str, int] = {}
        states = []
        for name in ELEMENTS:
            self.ctx[name] = len(states)
            states += [self.initial_state(v) for v in self.init_values(spec, name)]
        self.cabac = CabacEncoder(engine, states)
        self.depth = np.full((HEIGHT // MIN_CB, WIDTH // MIN_CB), -1)  # of each 8x8 block
        self.is_pcm = np.zeros(self.depth.shape, bool)
        self.planes = [
            np.full((HEIGHT // s, WIDTH // s), -1, np.int64) for s in (1, 2, 2)
        ]  # what PCM says, -1 elsewhere

    @staticmethod
    def init_values(spec: dict[str, Any], name: str) -> list[int]:
        values = spec["context_init"]["elements"][name]["initType"][0]
        return [v if v is not None else 154 for v in values]

    @staticmethod
    def initial_state(init_value: int) -> tuple[int, int]:
        """9.3.2.2."""
        slope, offset = (init_value >> 4) * 5 - 45, ((init_value & 15) << 3) - 16
        state = min(max(((slope * QP) >> 4) + offset, 1), 126)
        return (state - 64, 1) if state > 63 else (63 - state, 0)

    def decision(self, name: str, inc: int, value: int) -> None:
        self.cabac.decision(self.ctx[name] + inc, value)

    def write(self) -> bytes:
        corners = [(x, y) for y in range(0, HEIGHT, CTB) for x in range(0, WIDTH, CTB)]
        for x, y in corners:
            self.coding_tree(x, y)
            self.cabac.terminate(int((x, y) == corners[-1]))  # end_of_slice_segment_flag
        return self.cabac.data()

    def coding_tree(self, x: int, y: int) -> None:
        is_split = int(self.random.integers(2))
        left = x > 0 and self.depth[y // MIN_CB, x // MIN_CB - 1] > 0
        above = y > 0 and self.depth[y // MIN_CB - 1, x // MIN_CB] > 0
        self.decision("split_cu_flag", int(left) + int(above), is_split)
        self.depth[y // MIN_CB : (y + CTB) // MIN_CB, x // MIN_CB : (x + CTB) // MIN_CB] = is_split
        if not is_split:
            self.coding_unit(x, y, CTB)
            return
        for dy in (0, MIN_CB):
            for dx in (0, MIN_CB):
                self.coding_unit(x + dx, y + dy, MIN_CB)

    def coding_unit(self, x: int, y: int, size: int) -> None:
        if size == MIN_CB:
            self.decision("part_mode", 0, 1)  # 2Nx2N
        pcm_flag = int(self.random.integers(2))
        self.cabac.terminate(pcm_flag)
        if pcm_flag:
            self.is_pcm[y // MIN_CB : (y + size) // MIN_CB, x // MIN_CB : (x + size) // MIN_CB] = 1
            self.pcm_sample(x, y, size)
            self.cabac.start()
            return
        self.decision("prev_intra_luma_pred_flag", 0, 1)
        self.cabac.bypass(0)  # mpm_idx 0
        self.decision("intra_chroma_pred_mode", 0, 0)  # 4
        self.decision("cbf_cb_cbf_cr", 0, 0)
        self.decision("cbf_cb_cbf_cr", 0, 0)
        self.decision("cbf_luma", 1, 0)

    def pcm_sample(self, x: int, y: int, size: int) -> None:
        bits = self.cabac.bits
        # A slice segment begins at a byte: what CABAC wrote so far is all that counts.
        bits += [0] * (-len(bits) % 8)
        for plane, depth in zip(self.planes, (PCM_DEPTH, PCM_DEPTH_C, PCM_DEPTH_C), strict=True):
            scale = WIDTH // plane.shape[1]
            samples = self.random.integers(1 << depth, size=(size // scale, size // scale))
            for value in samples.flat:
                bits += [int(b) for b in f"{value:0{depth}b}"]
            at = np.s_[y // scale : (y + size) // scale, x // scale : (x + size) // scale]
            plane[at] = samples << (8 - depth)


@pytest.mark.parametrize("seed", range(8))
def test_pcm_units_are_what_went_in(
    seed: int, h264_spec: dict[str, Any], h265_spec: dict[str, Any], tmp_path: Path
) -> None:
    # The engine is the same in both standards.
    writer = SliceWriter(h265_spec, h264_spec, np.random.default_rng(seed))
    data = writer.write()
    # first_slice_segment_in_pic_flag, no_output_of_prior_pics_flag, PPS 0, I, slice_qp_delta 0
    idr = Bits().u(1, 1).u(1, 0).ue(0, 2, 0).nal(19, data)
    path = tmp_path / "pcm.265"
    path.write_bytes(parameter_sets() + idr)

    command = [require_command("ffmpeg"), "-v", "error", "-xerror", "-i", str(path)]
    command += ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-"]
    decoded = np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, "u1")
    start = 0
    for plane in writer.planes:
        theirs = decoded[start : start + plane.size].reshape(plane.shape)
        assert (theirs == plane)[plane >= 0].all()
        start += plane.size
    assert start == len(decoded)

    with cope.VideoReader(path, on_error="raise") as video:
        (picture,) = video.pictures()
    is_pcm = picture.blocks.type == BlockType.I_PCM
    np.testing.assert_array_equal(is_pcm, writer.is_pcm)
    assert (picture.blocks.qp == QP).all()
    assert picture.info.num_blocks_lost == 0
    (record,) = cope.digest(path)
    assert record["counts"]["pcm"] == writer.is_pcm.sum()
    assert record["counts"]["intra"] == writer.is_pcm.size
