"""A coded picture as parsed: plain records of NumPy arrays.

Arrays of a [`Picture`] are read-only views of the parser's memory: nothing is copied, and the
memory lives as long as any array of it, whatever becomes of the reader. They export DLPack, so
`torch.from_dlpack(picture.motion.mv)` shares the memory too.

Axes. Vectors are `(x, y)`, arrays are `[..., height, width]`. H.264 block rows of an MBAFF frame
follow macroblock addresses: in a field macroblock pair the top field's macroblock lies above the
bottom field's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from cope import _native

__all__ = [
    "BlockType",
    "Blocks",
    "Coefficients",
    "MotionField",
    "Picture",
    "PictureInfo",
]

# What a coefficient record holds: names and types as NumPy writes them.
_COEFF_RECORD_FIELDS = [
    ("first", "<u4"),
    ("mb_addr", "<u4"),
    ("x", "<u2"),
    ("y", "<u2"),
    ("count", "<u2"),
    ("plane", "u1"),
    ("kind", "u1"),
    ("block_idx", "u1"),
    ("flags", "u1"),
    ("qp", "u1"),
    ("scaling_idx", "u1"),
]


@cache
def _coeff_record_dtype() -> np.dtype[np.void]:
    import numpy as np

    return np.dtype(_COEFF_RECORD_FIELDS)


class BlockType:
    """Values of `Blocks.type`."""

    I_4x4 = 0  #: I_NxN with 4x4 transform
    I_8x8 = 1  #: I_NxN with 8x8 transform
    I_16x16 = 2
    I_PCM = 3
    INTER = 4  #: B_Direct_16x16 included
    SKIP = 5
    LOST = 6  #: not parsed: its slice is missing or damaged


@dataclass(frozen=True)
class PictureInfo:
    """What is known of a coded picture besides its blocks. Each field of a field pair is a picture.

    Args:
        decode_index (`int`): Coded pictures before this one in decoding order; identifies the
            picture.
        pts (`int`): Presentation time in `time_base` units, made up where the container has none.
        dts (`int`, *optional*): Decoding time in `time_base` units.
        time_base (`tuple` of two `int`): Seconds per unit of time, numerator and denominator.
        timestamp (`float`): Presentation time in seconds since the start of the video.
        is_discard (`bool`): Outside the container's edit list: coded, but not presented.
        size_bytes (`int`): Of its slices as stored.
        poc (`int`): Picture order count; of a frame, the smaller one of its fields.
        structure (`str`): `"frame"`, `"top"` or `"bottom"`.
        is_second_field (`bool`): Of a field pair.
        mbaff (`bool`): Macroblock-adaptive frame/field coding.
        is_idr (`bool`): Instantaneous decoding refresh.
        is_random_access (`bool`): Decoding may start here.
        recovery_frame_cnt (`int`, *optional*): Decoding may start here too, and all is right so
            many reference frames later (gradual refresh); 0 where at once.
        pic_struct (`int`, *optional*): What is shown of it, where the stream tells (Table D-1): 0
            the frame, 1 top field, 2 bottom field, 3 top then bottom, 4 bottom then top, 5 top,
            bottom, top again, 6 bottom, top, bottom again, 7 the frame twice, 8 three times.
        frame_packing (`int`, *optional*): How two views share the frame (D.2.26): 0 checkerboard, 1
            columns, 2 rows, 3 side by side, 4 top and bottom, 5 alternating frames, 6 not at all, 7
            tiles.
        is_reference (`bool`): Other pictures may be predicted from it.
        is_leading (`bool`): Shown before the random access point that it follows.
        nal_ref_idc (`int`): 0..3; 0 in H.265.
        nal_unit_type (`int`): Of its slices, in H.265; 0 in H.264.
        temporal_id (`int`): Temporal layer.
        slice_types (`str`): Which slice types it contains, in the order `"BIPip"` (i: SI, p: SP).
        num_slices (`int`): Slice NAL units; independent slice segments in H.265.
        num_slice_segments (`int`): Slice segments, in H.265; 0 in H.264.
        num_frames_lost (`int`): Reference frames that should have come right before it.
        width (`int`): Coded luma samples.
        height (`int`): Coded luma samples; of the field for a field picture.
        crop (`tuple` of four `int`): Luma samples of a frame that are not shown: left, top, right,
            bottom.
        chroma_format_idc (`int`): 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4.
        separate_colour_planes (`bool`): The planes are coded as three monochrome pictures.
        bit_depth_luma (`int`): 8..14; up to 16 in H.265.
        bit_depth_chroma (`int`): 8..14; up to 16 in H.265.
        qp_sum (`int`): Sum of QP over all blocks but PCM and lost ones.
        qp_min (`int`): Smallest QP.
        qp_max (`int`): Largest QP.
        num_blocks_lost (`int`): Blocks that could not be parsed.
        num_motion_lost (`int`): Blocks that were parsed but have no vectors, for these depend on
            a loss in another picture.
    """

    decode_index: int
    pts: int
    dts: int | None
    time_base: tuple[int, int]
    timestamp: float
    is_discard: bool
    size_bytes: int
    poc: int
    structure: Literal["frame", "top", "bottom"]
    is_second_field: bool
    mbaff: bool
    is_idr: bool
    is_random_access: bool
    recovery_frame_cnt: int | None
    pic_struct: int | None
    frame_packing: int | None
    is_reference: bool
    is_leading: bool
    nal_ref_idc: int
    nal_unit_type: int
    temporal_id: int
    slice_types: str
    num_slices: int
    num_slice_segments: int
    num_frames_lost: int
    width: int
    height: int
    crop: tuple[int, int, int, int]
    chroma_format_idc: int
    separate_colour_planes: bool
    bit_depth_luma: int
    bit_depth_chroma: int
    qp_sum: int
    qp_min: int
    qp_max: int
    num_blocks_lost: int
    num_motion_lost: int


class MotionField:
    """Motion vectors on the lattice of 4x4 luma blocks, as finally derived. List 0 and 1 come
    first.

    A vector says: predict `x` from the reference at `x + mv`.
    """

    def __init__(self, native: _native.Picture) -> None:
        self._native = native

    @property
    def mv(self) -> npt.NDArray[np.int16]:
        """int16 `[2, height_4x4, width_4x4, 2]`: `(x, y)` in quarter luma samples, else 0."""
        return self._native.mv

    @property
    def ref_idx(self) -> npt.NDArray[np.int8]:
        """int8 `[2, height_4x4, width_4x4]`: index into the slice's list, -1 where unused."""
        return self._native.ref_idx

    @cached_property
    def ref_poc(self) -> npt.NDArray[np.int32]:
        """int32 `[2, height_4x4, width_4x4]`: POC of the reference, 0 where unused. A copy."""
        return self._native.ref_poc


class Blocks:
    """What is known of each block, `[height / size, width / size]` of the coded picture.

    Blocks are the macroblocks of H.264. Of H.265 they are as large as its smallest coding blocks,
    and a coding unit says the same in all that it covers.
    """

    def __init__(self, native: _native.Picture) -> None:
        self._native = native

    @property
    def size(self) -> int:
        """`int`: side of a block, luma samples."""
        return self._native.block_size

    @property
    def type(self) -> npt.NDArray[np.uint8]:
        """uint8: values of [`BlockType`]."""
        return self._native.type

    @property
    def flags(self) -> npt.NDArray[np.uint8]:
        """uint8, bits: 1 8x8 transform, 2 lossless, 4 field macroblock, 8 all direct, 16 vectors
        not known: they depend on a loss in another picture.
        """
        return self._native.flags

    @property
    def partition_shape(self) -> npt.NDArray[np.uint8]:
        """uint8: 0 16x16, 1 16x8, 2 8x16, 3 8x8; of inter blocks. H.265: PartMode, 0..7."""
        return self._native.partition_shape

    @property
    def partition(self) -> npt.NDArray[np.uint8]:
        """uint8: 2 bits per 8x8 quarter, lowest first: 0 8x8, 1 8x4, 2 4x8, 3 4x4; shape 3 only.
        H.265: log2 of the size of the coding block, 3..6.
        """
        return self._native.partition

    @property
    def qp(self) -> npt.NDArray[np.int8]:
        """int8: QP_Y; below 0 with more than 8 bits per sample."""
        return self._native.qp

    @property
    def slice_idx(self) -> npt.NDArray[np.uint16]:
        """uint16: slice of the picture, in decoding order; 0xffff where lost."""
        return self._native.slice_idx


class Coefficients:
    """Every non-zero transform coefficient level, exactly as parsed: nothing is scaled."""

    def __init__(self, native: _native.Picture) -> None:
        self._native = native

    @property
    def records(self) -> npt.NDArray[np.void]:
        """Structured `[num_records]`, a transform block with a level
        other than 0.

        Its levels are `levels[first : first + count]` at scan positions `positions[first : first +
        count]`. `x`, `y` are samples of its plane; `plane` 0 Y, 1 Cb, 2 Cr; `kind` 0 4x4, 1 8x8, 2
        Intra16x16 DC, 3 chroma DC; `qp` is that of the scaling process; `flags`, bits: 1 intra, 2
        lossless, 4 field scan, 8 the DC comes from a record of its own, 16 and 32 lossless with
        vertical, horizontal prediction.

        H.265: `kind` is 2 plus the log2 of the block's size; `block_idx` is ResScaleVal of
        cross-component prediction, two's complement, and with it a record may have no level;
        `flags`, bits: 1 intra, 2 cu_transquant_bypass_flag, 4 transform_skip_flag, 8 DST, 16 and 32
        accumulated down, rightwards (RDPCM), 64 rotated.
        """
        import numpy as np

        records, dtype = self._native.records, _coeff_record_dtype()
        return np.ndarray(records.size // dtype.itemsize, dtype, records)

    @property
    def positions(self) -> npt.NDArray[np.uint16]:
        """uint16 `[num_levels]`: scan position in the block, ascending within a record.
        H.265: row * size + column.
        """
        return self._native.positions

    @property
    def levels(self) -> npt.NDArray[np.int32]:
        """int32 `[num_levels]`: the levels."""
        return self._native.levels


class Picture:
    """Everything parsed from one coded picture.

    Arrays are made when they are asked for, and cost next to nothing.

    Attributes:
        motion ([`MotionField`]): Vectors and references.
        blocks ([`Blocks`]): Types, partitions, QP.
        coefficients ([`Coefficients`]): Levels; empty when the reader was told to leave them.
    """

    def __init__(self, native: _native.Picture) -> None:
        self._native = native
        self.motion = MotionField(native)
        self.blocks = Blocks(native)
        self.coefficients = Coefficients(native)

    @cached_property
    def info(self) -> PictureInfo:
        """[`PictureInfo`]: what the headers say, and statistics."""
        # What a frozen dataclass does for so many fields costs as much as all arrays together.
        info = PictureInfo.__new__(PictureInfo)
        info.__dict__.update(self._native.info)
        return info

    @property
    def bits(self) -> npt.NDArray[np.uint32]:
        """uint32, as [`Blocks`]: bits spent on each block. Those of an H.265 coding unit are shared
        out evenly among its blocks.
        """
        return self._native.bits

    @cached_property
    def references(self) -> list[tuple[tuple[tuple[int, int, bool], ...], ...]]:
        """What `ref_idx` means: `references[slice_idx][list][ref_idx]`.

        Each entry is `(decode_index, poc, is_long_term)`; decode_index is -1 for a missing picture.
        """
        return self._native.references

    def __repr__(self) -> str:
        info = self.info
        return (
            f"Picture({info.decode_index}, {info.slice_types}, poc {info.poc}, "
            f"{info.timestamp:.3f} s, {info.width}x{info.height})"
        )
