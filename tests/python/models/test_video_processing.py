"""Resampling, companding, keyframes and windows, against slow or foreign code."""

from __future__ import annotations

import itertools
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cope.models import (
    CopeConfig,
    CopeDeltaConfig,
    compand,
    prepare_delta,
    prepare_keyframe,
    resample_area,
)

lengths = st.integers(1, 9)


def overlap(a: Fraction, b: Fraction, c: int) -> Fraction:
    return max(Fraction(0), min(b, Fraction(c + 1)) - max(a, Fraction(c)))


def area_average(
    values: np.ndarray, size: tuple[int, int], extent: tuple[Fraction, Fraction]
) -> Any:
    """The definition in exact arithmetic: the integral of a piecewise constant field."""
    result = np.zeros(size)
    for i, j in np.ndindex(*size):
        top, bottom = extent[0] * i / size[0], extent[0] * (i + 1) / size[0]
        left, right = extent[1] * j / size[1], extent[1] * (j + 1) / size[1]
        total = Fraction(0)
        for y, x in np.ndindex(*values.shape):
            area = overlap(top, bottom, y) * overlap(left, right, x)
            total += area * Fraction(float(values[y, x]))
        result[i, j] = total / ((bottom - top) * (right - left))
    return result


@settings(max_examples=60, deadline=None)
@given(height=lengths, width=lengths, rows=lengths, columns=lengths, data=st.data())
def test_resample_area_is_the_integral(
    height: int, width: int, rows: int, columns: int, data: st.DataObject
) -> None:
    values = np.random.default_rng(data.draw(st.integers(0, 99))).normal(size=(height, width))
    extent = tuple(n - Fraction(data.draw(st.integers(0, 3)), 4) for n in (height, width))
    found = resample_area(
        torch.tensor(values), (rows, columns), (float(extent[0]), float(extent[1]))
    )
    np.testing.assert_allclose(found, area_average(values, (rows, columns), extent), atol=1e-12)


@settings(max_examples=50, deadline=None)
@given(height=st.integers(1, 140), width=st.integers(1, 260), rows=lengths, columns=lengths)
def test_resample_area_keeps_the_mean_and_constants(
    height: int, width: int, rows: int, columns: int
) -> None:
    values = torch.rand(2, height, width, dtype=torch.float64)
    found = resample_area(values, (rows, columns))
    torch.testing.assert_close(found.mean((1, 2)), values.mean((1, 2)))
    ones = resample_area(torch.ones(height, width), (rows, columns))
    torch.testing.assert_close(ones, torch.ones(rows, columns))


def test_resample_area_equals_pooling_where_sizes_divide() -> None:
    values = torch.rand(3, 12, 20)
    expected = torch.nn.functional.avg_pool2d(values, (4, 5))
    torch.testing.assert_close(resample_area(values, (3, 4)), expected)


def test_compand() -> None:
    v = torch.tensor([-3.0, -1.0, -0.1, 0.0, 0.001, 0.1, 1.0], dtype=torch.float64)
    found = compand(v, 255)
    inverse = found.sign() * (256 ** found.abs() - 1) / 255
    torch.testing.assert_close(inverse, v)
    assert found[[1, 3, 6]].tolist() == [-1, 0, 1]
    assert found[4] == pytest.approx(0.0410, abs=1e-4)


@pytest.mark.parametrize("size", [(272, 640), (101, 57), (16, 16), (1080, 1920)])
def test_prepare_keyframe_agrees_with_siglips_processor(size: tuple[int, int]) -> None:
    pytest.importorskip("PIL")
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

    low = np.random.default_rng(0).integers(0, 256, (3, 5, 7), dtype=np.uint8)
    rows, columns = (np.arange(n) * low.shape[i + 1] // n for i, n in enumerate(size))
    image = low[:, rows][:, :, columns]  # blocks with hard edges
    config = CopeConfig.from_preset("small")
    found = prepare_keyframe(image, config)
    processor = SiglipImageProcessorPil()
    expected = processor(image.transpose(1, 2, 0), return_tensors="pt")["pixel_values"][0]
    assert found.shape == expected.shape == (3, 224, 224)
    difference = (found - expected).abs() * 127.5
    assert difference.max() <= 2.01  # levels of 255; each rounds in its own way
    assert difference.mean() < 0.5


def test_prepare_keyframe_uses_the_configs_statistics_and_size() -> None:
    config = CopeConfig(image_size=(6, 10), image_mean=(0.0, 0.5, 0.25), image_std=(1, 0.5, 0.25))
    image = np.full((3, 31, 17), 255, np.uint8)
    image.setflags(write=False)
    found = prepare_keyframe(image, config)
    assert found.shape == (3, 6, 10)
    torch.testing.assert_close(found[:, 0, 0], torch.tensor([1.0, 1.0, 3.0]))


@pytest.mark.parametrize(
    "image",
    [np.zeros((3, 4, 4), np.float32), np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.uint8)],
)
def test_prepare_keyframe_refuses_other_layouts(image: np.ndarray) -> None:
    with pytest.raises(ValueError, match="uint8"):
        prepare_keyframe(image, CopeConfig.from_preset("small"))


def window(width: int, height: int, cell: int = 16, scale: int = 4) -> SimpleNamespace:
    """The fields of a DeltaWindow for a picture of this size: nothing moves, all is valid."""
    cells = (-(-height // cell), -(-width // cell))
    return SimpleNamespace(
        motion=np.zeros((2, *cells), np.float32),
        valid=np.ones(cells, bool),
        intra=np.zeros(cells, bool),
        lost=np.zeros(cells, bool),
        scaled=np.zeros(cells, bool),
        residual=np.zeros((3, -(-height // scale), -(-width // scale)), np.float32),
    )


@pytest.mark.parametrize(
    ("width", "height"),
    [(1, 1), (16, 16), (17, 15), (176, 144), (570, 321), (1920, 1080), (64, 4096)],
)
def test_prepare_delta_shapes(width: int, height: int, delta_config: CopeDeltaConfig) -> None:
    motion_values, residual_values = prepare_delta(window(width, height), delta_config)
    assert motion_values.shape == (6, 12, 20)
    assert residual_values.shape == (4, 12, 20)
    assert motion_values.dtype == residual_values.dtype == torch.float32
    torch.testing.assert_close(motion_values[2], torch.ones(12, 20))
    assert not motion_values[[0, 1, 3, 4, 5]].any() and not residual_values.any()


def test_prepare_delta_averages_valid_motion_only(delta_config: CopeDeltaConfig) -> None:
    fields = window(320, 192)  # 12 x 20 cells: one cell per sample, so pairs of cells share none
    delta_config.grid_size = (3, 5)
    fields.motion[0], fields.motion[1] = 0.3, -0.2
    fields.valid[:, ::2] = False
    fields.motion[:, :, ::2] = 0
    coarse = CopeDeltaConfig(grid_size=(1, 1), residual_energy=True)
    motion_values, _ = prepare_delta(fields, coarse)  # 5 columns of cells to a sample
    expected = compand(torch.tensor([0.3, -0.2]), coarse.motion_companding)
    torch.testing.assert_close(motion_values[:2], expected[:, None, None].expand(2, 4, 4))
    torch.testing.assert_close(
        motion_values[2], torch.tensor([0.4, 0.6, 0.4, 0.6])[None].expand(4, 4)
    )
    exact, _ = prepare_delta(fields, delta_config)
    assert not exact[:3, :, ::2].any()
    torch.testing.assert_close(exact[0, :, 1::2], expected[0].expand(12, 10))


def test_prepare_delta_masks_are_fractions_in_their_channels() -> None:
    config = CopeDeltaConfig(grid_size=(1, 1))
    for channel, name in enumerate(("valid", "intra", "lost", "scaled"), start=2):
        fields = window(128, 128)
        fields.valid[:] = False
        getattr(fields, name)[:, 1] = (
            True  # one of the two columns of cells under the first samples
        )
        motion_values, _ = prepare_delta(fields, config)
        expected = torch.zeros(6, 4, 4)
        expected[channel, :, 0] = 0.5
        torch.testing.assert_close(motion_values, expected)


def test_cells_over_the_edge_count_for_the_part_inside() -> None:
    config = CopeDeltaConfig(grid_size=(1, 1))
    fields = window(16 * 4 + 8, 64)  # 4.5 cells wide
    fields.intra[:, 4] = True
    motion_values, _ = prepare_delta(fields, config)
    # A sample is 18 luma samples wide; the last covers 54..72 of them, of which 64..72 are intra.
    torch.testing.assert_close(motion_values[3, 0], torch.tensor([0.0, 0.0, 0.0, 8 / 18]))


def test_residual_energy_survives_cancelling() -> None:
    fields = window(128, 128)
    checker = np.indices((32, 32)).sum(0) % 2 * 2.0 - 1
    fields.residual[0], fields.residual[1] = 0.25 * checker, 0.5
    config = CopeDeltaConfig(grid_size=(2, 2), residual_energy=True)
    _, residual_values = prepare_delta(fields, config)
    for channel, value in enumerate((0, 0.5, 0, 0.25)):
        torch.testing.assert_close(residual_values[channel], torch.full((8, 8), float(value)))
    _, plain = prepare_delta(fields, CopeDeltaConfig(grid_size=(2, 2)))
    torch.testing.assert_close(plain, residual_values[:3])


def test_fields_of_different_pictures_are_refused(delta_config: CopeDeltaConfig) -> None:
    for name, other in itertools.product(("motion", "intra", "residual"), ((64, 80), (80, 64))):
        fields = window(64, 64)
        setattr(fields, name, getattr(window(*other), name))
        with pytest.raises((ValueError, RuntimeError)):
            prepare_delta(fields, delta_config)
    with pytest.raises(ValueError, match="16 luma samples per cell"):
        prepare_delta(window(64, 64, cell=8), delta_config)
