"""Tiny configurations: every part of the real ones, at a size a test can afford."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch

from cope.models import CopeConfig, CopeDeltaConfig

TINY_DELTA = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "output_size": 48,
    "grid_size": (3, 5),
    "residual_energy": True,
}
TINY_VISION = {
    "model_type": "siglip_vision_model",
    "hidden_size": 24,
    "intermediate_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "image_size": 32,
    "patch_size": 8,
    "vision_use_head": False,
}


@pytest.fixture(autouse=True)
def _one_seed_one_thread() -> Iterator[None]:
    """Tiny tensors: waiting for other threads on a busy machine would take longer than the work."""
    torch.manual_seed(0)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def delta_config() -> CopeDeltaConfig:
    return CopeDeltaConfig(**TINY_DELTA)


@pytest.fixture
def config() -> CopeConfig:
    return CopeConfig(
        vision_config=dict(TINY_VISION), delta_config=dict(TINY_DELTA), keyframe_grid_size=(2, 2)
    )
