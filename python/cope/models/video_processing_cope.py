"""Turns keyframes and delta windows of any size into the fixed-size tensors the encoders take.

Plain tensor functions; reads no file and holds no state.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from .configuration_cope import CopeConfig, CopeDeltaConfig

if TYPE_CHECKING:
    from cope.fields import DeltaWindow


def resample_area(
    values: Tensor, size: tuple[int, int], extent: tuple[float, float] | None = None
) -> Tensor:
    r"""Resample a field so that each output sample is the area average of the input under it.

    Args:
        values (`torch.Tensor` of shape `(..., height, width)`):
            Floating point.
        size (`tuple[int, int]`):
            Height and width of the result; smaller, larger or of another aspect ratio.
        extent (`tuple[float, float]`, *optional*):
            Height and width of the part of `values`, from its top left corner, that `size` covers.
            Not whole where the last cell hangs over the picture's edge. Defaults to all of it.

    Returns:
        `torch.Tensor` of shape `(..., *size)`: the mean over the area is kept exactly.
    """
    height, width = extent if extent is not None else values.shape[-2:]
    rows = _overlaps(values.shape[-2], size[0], height).to(values)
    columns = _overlaps(values.shape[-1], size[1], width).to(values)
    return rows @ values @ columns.mT


def _overlaps(length: int, size: int, extent: float) -> Tensor:
    edges = torch.linspace(0, extent, size + 1, dtype=torch.float64)[:, None]
    cells = torch.arange(length, dtype=torch.float64)
    shared = (edges[1:].minimum(cells + 1) - edges[:-1].maximum(cells)).clamp(min=0)
    return shared / shared.sum(1, keepdim=True)


def compand(displacement: Tensor, mu: float) -> Tensor:
    r"""Compress the range of displacements: `sign(v) * log(1 + mu |v|) / log(1 + mu)`.

    Maps 0 to 0 and 1 (one picture width or height per second) to 1, is odd and invertible, and
    depends on no other picture, where min-max scaling would. With `mu` = 255, 1/1000 becomes 0.04
    and 1/10 becomes 0.59.

    Args:
        displacement (`torch.Tensor`):
            Per second, in picture widths and heights.
        mu (`float`):
            Positive.

    Returns:
        `torch.Tensor` of the same shape.
    """
    return displacement.sign() * (mu * displacement.abs()).log1p() / math.log1p(mu)


def prepare_keyframe(image: Any, config: CopeConfig) -> Tensor:
    r"""Resize and normalise a picture for the vision tower (antialiased bicubic, as SigLIP's
    processor does).

    The whole picture is squeezed into the tower's input, so that tokens of keyframes and deltas
    cover the same area.

    Args:
        image (array or `torch.Tensor` of shape `(3, height, width)`):
            uint8 RGB.
        config ([`CopeConfig`]):
            Gives the size, the mean and the standard deviation.

    Returns:
        `torch.Tensor` of shape `(3, *config.image_size)`: float32 `pixel_values` on the image's
        device.

    Raises:
        ValueError: `image` has another shape or dtype.
    """
    pixels = _as_tensor(image)
    if pixels.ndim != 3 or pixels.shape[0] != 3 or pixels.dtype != torch.uint8:
        raise ValueError(
            f"expected uint8 (3, height, width), got {pixels.dtype} {tuple(pixels.shape)}"
        )
    if pixels.device.type != "cpu":
        pixels = pixels.float()  # only the CPU resizes bytes
    resized = F.interpolate(pixels[None], size=config.image_size, mode="bicubic", antialias=True)[0]
    mean, std = (
        torch.tensor(v, device=pixels.device)[:, None, None]
        for v in (config.image_mean, config.image_std)
    )
    return (resized.float().clamp(0, 255) / 255 - mean) / std


def prepare_delta(window: DeltaWindow, config: CopeDeltaConfig) -> tuple[Tensor, Tensor]:
    r"""Resample the fields of a window onto the Delta-encoder's grid.

    Both fields are area averaged to `config.field_size`. Displacements are averaged over valid
    cells only, then companded; masks become the fraction of the area they cover. Motion cells that
    hang over the right or bottom edge count for the part inside the picture, which the residual's
    size gives. (Of pictures turned for display they may hang over the left or top edge instead;
    there the motion is off by the part of a cell outside.)

    Args:
        window ([`~cope.DeltaWindow`]):
            With `motion` and masks at `config.cell` and `residual` at `config.residual_scale` luma
            samples.
        config ([`CopeDeltaConfig`]):
            Gives the sizes and the companding.

    Returns:
        `tuple(torch.Tensor, torch.Tensor)`: float32 `motion_values` of shape
        `(6, *config.field_size)`, channels x, y, valid, intra, lost, scaled; and `residual_values`
        of shape `(config.num_residual_channels, *config.field_size)`.

    Raises:
        ValueError: the fields are not of one picture at the config's `cell` and `residual_scale`.
    """
    motion = _as_tensor(window.motion).float()
    residual = _as_tensor(window.residual).float()
    masks = torch.stack(
        [_as_tensor(m).to(motion) for m in (window.valid, window.intra, window.lost, window.scaled)]
    )
    samples = config.cell // config.residual_scale
    extent = (residual.shape[-2] / samples, residual.shape[-1] / samples)
    cells = (math.ceil(extent[0]), math.ceil(extent[1]))
    if motion.shape != (2, *cells) or masks.shape[1:] != cells:
        raise ValueError(
            f"motion {tuple(motion.shape)}, masks {tuple(masks.shape[1:])} and residual "
            f"{tuple(residual.shape)} are not of one picture at {config.cell} luma samples per "
            f"cell and {config.residual_scale} per residual sample"
        )

    valid = masks[:1]
    fields = resample_area(torch.cat([motion * valid, masks]), config.field_size, extent)
    covered = fields[2:3].clamp(min=torch.finfo(torch.float32).tiny)
    motion_values = torch.cat([compand(fields[:2] / covered, config.motion_companding), fields[2:]])

    if config.residual_energy:
        residual = torch.cat([residual, residual[:1].square()])
    residual_values = resample_area(residual, config.field_size)
    if config.residual_energy:
        residual_values[3:] = residual_values[3:].sqrt()
    return motion_values, residual_values


def _as_tensor(array: Any) -> Tensor:
    if isinstance(array, Tensor):
        return array
    array = np.asarray(array)
    # torch has no read-only tensors and warns of the hole; the reader's views are read-only.
    return torch.from_numpy(array if array.flags.writeable else array.copy())
