"""Presets, derived sizes, validation and JSON round trips of the configurations."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import CLIPConfig, ResNetConfig, SiglipConfig, SiglipVisionConfig

from cope.models import PRESETS, CopeConfig, CopeDeltaConfig, CopeHybridEncoder


def test_paper_preset_is_the_default_and_has_the_papers_numbers() -> None:
    config = CopeConfig.from_preset("paper")
    assert config.to_dict() == CopeConfig().to_dict()
    delta = config.delta_config
    assert (delta.hidden_size, delta.num_attention_heads, delta.num_hidden_layers) == (1152, 9, 4)
    assert (delta.num_motion_queries, delta.num_residual_queries) == (4, 4)
    assert delta.num_delta_tokens == 8
    assert delta.num_residual_channels == 3
    assert config.num_keyframe_tokens == 196
    assert config.vision_grid_size == (27, 27)
    assert config.hidden_size == config.vision_hidden_size == 1152


def parameters(config: CopeConfig) -> tuple[int, int]:
    with torch.device("meta"):
        encoder = CopeHybridEncoder(config)
    return encoder.num_parameters(), encoder.delta_encoder.num_parameters()


def transformer_parameters(width: int, feed_forward: int, layers: int = 4) -> int:
    attention = 4 * (width * width + width)
    mlp = 2 * width * feed_forward + feed_forward + width
    return layers * (attention + mlp + 4 * width) + 2 * width  # and the last norm


def trunk_parameters(channels: int) -> int:
    # Two 3x3 convolutions a block, two norms of two vectors each; a 1x1 shortcut to a new width.
    def stage(before: int, width: int) -> int:
        blocks = 9 * (before * width + 3 * width * width) + 8 * width
        return blocks + (before * width + 2 * width if before != width else 0)

    return 49 * channels * 64 + 2 * 64 + stage(64, 64) + stage(64, 128) + stage(128, 256)


@pytest.mark.parametrize(
    ("name", "width", "tokens", "channels", "head"),
    [("paper", 1152, 24 * 24, 3, 0), ("small", 384, 14 * 14, 4, 384 * 1152 + 1152)],
)
def test_parameter_counts(name: str, width: int, tokens: int, channels: int, head: int) -> None:
    expected = (
        2 * transformer_parameters(width, 4 * width)
        + 2 * (4 + tokens) * width  # queries and positions
        + 96 * width + width + width * width + width  # the motion MLP on 6 x 4 x 4 values
        + trunk_parameters(channels) + 256 * width + width
        + head
    )  # fmt: skip
    total, delta = parameters(CopeConfig.from_preset(name))
    assert delta == expected
    assert total > delta
    if name == "small":
        assert 15e6 < delta < 20e6


@pytest.mark.parametrize("name", PRESETS)
def test_json_round_trip(name: str, tmp_path: Path) -> None:
    config = CopeConfig.from_preset(name, keyframe_grid_size=[7, 9], image_mean=[0.1, 0.2, 0.3])
    config.save_pretrained(tmp_path)
    loaded = CopeConfig.from_pretrained(tmp_path)
    assert isinstance(loaded.delta_config, CopeDeltaConfig)
    assert isinstance(loaded.vision_config, SiglipVisionConfig)
    assert loaded.num_keyframe_tokens == 63
    assert loaded.to_json_string() == config.to_json_string()
    delta = CopeDeltaConfig.from_pretrained(tmp_path)  # out of the composite one
    assert delta.to_json_string() == config.delta_config.to_json_string()


def test_two_tower_configurations_give_their_vision_half() -> None:
    for both in (CLIPConfig(), SiglipConfig()):
        for given in (both, both.to_dict()):
            config = CopeConfig(vision_config=given)
            assert config.vision_config.model_type == both.vision_config.model_type
            assert config.image_size == (224, 224)


def test_a_tower_without_image_size_needs_one() -> None:
    with pytest.raises(ValueError, match="image_size"):
        CopeConfig(vision_config=ResNetConfig())
    config = CopeConfig(vision_config=ResNetConfig(), image_size=64, keyframe_grid_size=None)
    assert config.vision_hidden_size == 2048
    with pytest.raises(ValueError, match="keyframe_grid_size"):
        _ = config.num_keyframe_tokens


@pytest.mark.parametrize(
    "fields",
    [
        {"num_attention_heads": 7},
        {"num_motion_queries": 0},
        {"num_residual_queries": 0},
        {"cell": 6},
        {"motion_companding": 0},
        {"grid_size": (0, 3)},
        {"num_hidden_layers": "four"},
    ],
)
def test_sizes_that_do_not_fit_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(Exception, match=next(iter(fields))):
        CopeDeltaConfig(**fields)


def test_unknown_preset_names_the_known_ones() -> None:
    for config_class in (CopeConfig, CopeDeltaConfig):
        with pytest.raises(ValueError, match="'paper', 'small'"):
            config_class.from_preset("large")
