"""What leaves cope leaves without a copy: NumPy views, DLPack, torch."""

from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import pytest

import cope


@pytest.fixture(scope="module")
def primitives(natural_clip: Path) -> cope.Primitives:
    return cope.extract(natural_clip, density=cope.Density(keyframes_per_second=0.25))


def test_extract_stacks_what_windows_yield(primitives: cope.Primitives, natural_clip: Path) -> None:
    with cope.VideoReader(natural_clip) as video:
        steps = list(video.windows(density=cope.Density(keyframes_per_second=0.25)))
    keyframes = [s for s in steps if isinstance(s, cope.Keyframe)]
    deltas = [s for s in steps if isinstance(s, cope.DeltaWindow)]
    assert primitives.keyframes.shape == (len(keyframes), 3, 272, 640)
    assert primitives.motion.shape == (len(deltas), 2, 17, 40)
    assert primitives.residual.shape == (len(deltas), 3, 68, 160)
    for i, keyframe in enumerate(keyframes):
        np.testing.assert_array_equal(primitives.keyframes.numpy()[i], keyframe.image)
        assert primitives.keyframe_timestamps.numpy()[i] == keyframe.timestamp
        assert primitives.keyframe_index.numpy()[i] == keyframe.frame_index
    for i, delta in enumerate(deltas):
        for name in ("motion", "valid", "intra", "lost", "scaled", "residual", "saliency"):
            np.testing.assert_array_equal(
                getattr(primitives, name).numpy()[i], getattr(delta, name), err_msg=name
            )
        assert primitives.timestamps.numpy()[i] == delta.timestamp
        assert primitives.starts.numpy()[i] == delta.start
        assert primitives.frame_index.numpy()[i] == delta.frame_index
    assert primitives.stats.num_pictures == 250
    assert primitives.info.codec == "h264"


def test_without_keyframes_or_deltas(natural_clip: Path) -> None:
    nothing = cope.extract(
        natural_clip, density=cope.Density(keyframes_per_second=0, deltas_per_second=0)
    )
    assert nothing.keyframes.shape == (0, 3, 272, 640)
    assert nothing.motion.shape == (0, 2, 17, 40)
    assert nothing.residual.shape == (0, 3, 68, 160)
    assert nothing.motion.dtype == np.float32
    assert nothing.stats.num_parsed == nothing.stats.num_decoded == 0


def test_other_devices_are_refused(natural_clip: Path) -> None:
    with pytest.raises(ValueError, match="device"):
        cope.extract(natural_clip, device="cuda")


def test_numpy_protocols() -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    field = cope.Field(array)
    assert np.asarray(field) is array
    assert np.from_dlpack(field).ctypes.data == array.ctypes.data
    assert np.array(field).ctypes.data != array.ctypes.data
    assert np.asarray(field, np.float64).dtype == np.float64
    with pytest.raises(ValueError, match="copy"):
        np.asarray(field, np.float64, copy=False)
    assert len(field) == 2
    assert repr(field) == "Field(shape=(2, 3), dtype=float32)"


def test_torch_shares_memory(primitives: cope.Primitives) -> None:
    torch = pytest.importorskip("torch")
    for name in ("keyframes", "motion", "residual", "timestamps", "frame_index"):
        field = getattr(primitives, name)
        tensor = field.torch()
        assert tensor.data_ptr() == field.numpy().ctypes.data
        assert tuple(tensor.shape) == field.shape
        assert tensor.device.type == "cpu"
        assert torch.from_dlpack(field).data_ptr() == tensor.data_ptr()


def test_torch_keeps_a_picture_alive(natural_clip: Path) -> None:
    """The tensor is the last holder of the parser's memory."""
    torch = pytest.importorskip("torch")

    def read() -> tuple[object, np.ndarray]:
        with cope.VideoReader(natural_clip) as video:
            pictures = video.pictures()
            next(pictures)
            picture = next(pictures)
            mv = picture.motion.mv
            tensor = torch.from_dlpack(mv)
            assert tensor.data_ptr() == mv.ctypes.data
            return tensor, mv.copy()

    tensor, expected = read()
    gc.collect()
    with cope.VideoReader(natural_clip) as other:  # would take the memory if it were free
        for _ in zip(other.pictures(), range(20), strict=False):
            pass
    np.testing.assert_array_equal(np.asarray(tensor), expected)


def test_arrays_of_windows_belong_to_their_holder(natural_clip: Path) -> None:
    with cope.VideoReader(natural_clip) as video:
        step = next(s for s in video.windows(keyframes=False))
    assert step.motion.flags.writeable
    step.motion[:] = 1  # nobody else's
    gc.collect()
    assert step.motion.sum() == step.motion.size


def test_arrays_of_a_picture_are_the_parsers_memory(natural_clip: Path) -> None:
    """Asking twice gives two views of the same bytes, whatever their size."""
    with cope.VideoReader(natural_clip) as video:
        pictures = video.pictures()
        next(pictures)
        picture = next(pictures)
    native = picture._native
    for array, name in (
        (picture.motion.mv, "mv"),
        (picture.motion.ref_idx, "ref_idx"),
        (picture.blocks.type, "type"),
        (picture.blocks.qp, "qp"),
        (picture.bits, "bits"),
        (picture.coefficients.records, "records"),
        (picture.coefficients.levels, "levels"),
        (picture.coefficients.positions, "positions"),
    ):
        again = getattr(native, name)
        assert array.ctypes.data == again.ctypes.data, name
        assert not array.flags.owndata, name
        assert not array.flags.writeable, name
