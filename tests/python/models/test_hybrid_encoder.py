"""The hybrid encoder: any tower, time order, seeds, saving and loading."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from transformers import (
    AutoModel,
    CLIPConfig,
    CLIPModel,
    CLIPVisionConfig,
    ConvNextConfig,
    Dinov2WithRegistersConfig,
    PreTrainedConfig,
    ResNetConfig,
    SiglipVisionConfig,
    SwinConfig,
)

from cope.models import (
    DELTA,
    KEYFRAME,
    CopeConfig,
    CopeDeltaConfig,
    CopeHybridEncoder,
    interleave_tokens,
    resample_area,
)


def inputs(config: CopeConfig, num_keyframes: int = 2, num_windows: int = 3) -> dict[str, Tensor]:
    delta = config.delta_config
    return {
        "pixel_values_videos": torch.randn(num_keyframes, 3, *config.image_size),
        "keyframe_timestamps": torch.arange(num_keyframes) * 2.0,
        "motion_values": torch.randn(num_windows, 6, *delta.field_size),
        "residual_values": torch.randn(num_windows, delta.num_residual_channels, *delta.field_size),
        "delta_timestamps": torch.arange(num_windows) + 1.0,
    }


def states_equal(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    a, b = one.state_dict(), other.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


times = st.lists(st.sampled_from([0.0, 0.04, 1.0, 1.0000001, 2.5, 8.0, 3600.0]), max_size=7)


@settings(max_examples=200, deadline=None)
@given(
    keyframe_times=times, delta_times=times, sizes=st.tuples(st.integers(1, 4), st.integers(1, 4))
)
def test_interleave_is_a_stable_sort_with_windows_first(
    keyframe_times: list[float], delta_times: list[float], sizes: tuple[int, int]
) -> None:
    items = [(t, DELTA, i, sizes[1]) for i, t in enumerate(delta_times)]
    items += [(t, KEYFRAME, i, sizes[0]) for i, t in enumerate(keyframe_times)]
    items.sort(key=lambda item: (item[0], item[1] == KEYFRAME))
    expected = [(t, kind, i, p) for t, kind, i, length in items for p in range(length)]

    def labelled(kind: int, count: int, size: int) -> Tensor:
        token = torch.cartesian_prod(torch.arange(count), torch.arange(size)).view(count, size, 2)
        return torch.cat([torch.full((count, size, 1), kind), token], 2).double()

    found = interleave_tokens(
        labelled(KEYFRAME, len(keyframe_times), sizes[0]),
        torch.tensor(keyframe_times, dtype=torch.float64),
        labelled(DELTA, len(delta_times), sizes[1]),
        torch.tensor(delta_times, dtype=torch.float64),
    )
    labels = (found.timestamps, found.kinds, found.item_indices, found.positions)
    assert list(zip(*(label.tolist() for label in labels), strict=True)) == expected
    assert [tuple(e) for e in found.embeddings.tolist()] == [(k, i, p) for _, k, i, p in expected]


def test_interleave_refuses_missing_timestamps() -> None:
    with pytest.raises(ValueError, match="2 items"):
        interleave_tokens(
            torch.zeros(2, 1, 4), torch.zeros(1), torch.zeros(0, 1, 4), torch.zeros(0)
        )


@pytest.mark.parametrize(("num_keyframes", "num_windows"), [(2, 3), (1, 0), (0, 4)])
def test_token_counts(config: CopeConfig, num_keyframes: int, num_windows: int) -> None:
    encoder = CopeHybridEncoder(config).eval()
    output = encoder(**inputs(config, num_keyframes, num_windows))
    assert config.num_keyframe_tokens == 4
    assert output.embeddings.shape == (4 * num_keyframes + 8 * num_windows, 48)
    assert (output.kinds == KEYFRAME).sum() == 4 * num_keyframes
    assert (output.timestamps.diff() >= 0).all()


def test_forward_places_each_branchs_features(config: CopeConfig) -> None:
    encoder = CopeHybridEncoder(config).eval()
    values = inputs(config)
    output = encoder(**values)
    keyframes = encoder.get_keyframe_features(values["pixel_values_videos"])
    deltas = encoder.get_delta_features(values["motion_values"], values["residual_values"])
    expected = [keyframes[0], deltas[0], deltas[1], keyframes[1], deltas[2]]
    torch.testing.assert_close(output.embeddings, torch.cat(expected))


def test_gradient_reaches_every_branch(config: CopeConfig) -> None:
    encoder = CopeHybridEncoder(config).train()
    encoder(**inputs(config)).embeddings.square().sum().backward()
    without = [n for n, p in encoder.named_parameters() if p.grad is None or not p.grad.any()]
    # See the test of the same name for the Delta-encoder.
    assert all(name.endswith("k_proj.bias") for name in without), without


def test_seeds_decide_the_weights_and_leave_the_global_state(config: CopeConfig) -> None:
    state = torch.get_rng_state()
    one, same, other = (CopeHybridEncoder.from_random(config, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), state)
    assert states_equal(one, same) and not states_equal(one, other)
    assert one.config.weights == "random (seed 1)" and not one.training
    assert config.weights == "random"


def test_initial_weights_keep_the_signal(config: CopeConfig) -> None:
    """Neither branch starts out dead or exploding, and different inputs give different tokens."""
    for preset in (config, "small"):
        encoder = CopeHybridEncoder.from_random(preset)
        with torch.no_grad():
            tokens = encoder.get_delta_features(*list(inputs(encoder.config).values())[2:4])
        assert 0.05 < tokens.std() < 5
        assert (tokens[0] - tokens[1]).abs().amax(-1).min() > 1e-3


def test_save_and_load(config: CopeConfig, tmp_path: Path) -> None:
    encoder = CopeHybridEncoder.from_random(config, seed=3)
    encoder.save_pretrained(tmp_path)
    loaded = CopeHybridEncoder.from_pretrained(tmp_path)
    assert states_equal(encoder, loaded)
    assert loaded.config.delta_config.to_diff_dict() == {
        **encoder.config.delta_config.to_diff_dict(),
        "dtype": "float32",
    }
    assert loaded.config.weights == "random (seed 3)"  # a file does not train them
    values = inputs(config)
    with torch.no_grad():
        assert torch.equal(encoder(**values).embeddings, loaded(**values).embeddings)


def test_eager_equals_sdpa_in_both_branches(config: CopeConfig) -> None:
    encoder = CopeHybridEncoder(config).eval()
    values = inputs(config)
    tokens = {}
    for implementation in ("eager", "sdpa"):
        encoder.set_attn_implementation(implementation)
        assert encoder.delta_encoder.config._attn_implementation == implementation
        assert encoder.vision_tower.config._attn_implementation == implementation
        with torch.no_grad():
            tokens[implementation] = encoder(**values).embeddings
    torch.testing.assert_close(tokens["eager"], tokens["sdpa"], atol=1e-5, rtol=1e-5)


VIT = {"hidden_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2}
PATCHES = {"image_size": 32, "patch_size": 8}
TOWERS: list[tuple[PreTrainedConfig, int, tuple[int, int]]] = [
    # configuration, leading tokens that are no patches, patch grid
    (SiglipVisionConfig(**VIT, **PATCHES, intermediate_size=32), 0, (4, 4)),
    (CLIPVisionConfig(**VIT, **PATCHES, intermediate_size=32), 1, (4, 4)),
    (Dinov2WithRegistersConfig(**VIT, **PATCHES, num_register_tokens=4), 5, (4, 4)),
    (ConvNextConfig(image_size=64, hidden_sizes=[8, 8, 16, 24], depths=[1] * 4), 0, (2, 2)),
    (
        SwinConfig(image_size=64, embed_dim=6, depths=[1] * 3, num_heads=[1] * 3, window_size=2),
        0,
        (4, 4),
    ),
]


@pytest.mark.parametrize(
    ("vision_config", "prefix", "grid"), TOWERS, ids=lambda v: getattr(v, "model_type", "")
)
def test_any_tower(
    vision_config: PreTrainedConfig,
    prefix: int,
    grid: tuple[int, int],
    delta_config: CopeDeltaConfig,
) -> None:
    tower = AutoModel.from_config(vision_config).eval()
    delta_config.output_size = 24
    for size in (grid, (1, 3)):
        encoder = CopeHybridEncoder.from_vision_tower(
            tower, delta_config=delta_config, keyframe_grid_size=size
        )
        pixel_values = torch.randn(2, 3, *encoder.config.image_size)
        with torch.no_grad():
            features = tower(pixel_values).last_hidden_state
            if features.ndim == 3:
                features = features[:, prefix:].transpose(1, 2).reshape(2, 24, *grid)
            found = encoder.get_keyframe_features(pixel_values)
        expected = resample_area(features, size).flatten(2).transpose(1, 2)
        assert found.shape == (2, size[0] * size[1], 24)
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


def test_a_tower_without_image_size(delta_config: CopeDeltaConfig) -> None:
    vision_config = ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 24], depths=[1, 1], layer_type="basic"
    )
    tower = AutoModel.from_config(vision_config).eval()
    encoder = CopeHybridEncoder.from_vision_tower(
        tower, delta_config=delta_config, image_size=(32, 64), keyframe_grid_size=(2, 4)
    )
    with torch.no_grad():
        found = encoder.get_keyframe_features(torch.randn(1, 3, 32, 64))
    assert found.shape == (1, 8, 48)  # 24 channels, projected


def test_a_given_tower_keeps_its_weights(tmp_path: Path) -> None:
    sizes = {**VIT, "intermediate_size": 32}
    clip = CLIPModel(
        CLIPConfig(text_config={**sizes, "vocab_size": 50}, vision_config={**sizes, **PATCHES})
    )
    for parameter in clip.parameters():
        torch.nn.init.normal_(parameter)
    clip.save_pretrained(tmp_path / "clip")
    loaded = CLIPModel.from_pretrained(tmp_path / "clip")
    before = {key: value.clone() for key, value in loaded.vision_model.state_dict().items()}

    encoders = [CopeHybridEncoder.from_vision_tower(loaded, seed=5) for _ in range(2)]
    assert states_equal(*encoders)
    for encoder in encoders:
        state = encoder.vision_tower.state_dict()
        assert state.keys() == before.keys() and all(
            torch.equal(state[k], before[k]) for k in before
        )
        assert encoder.config.hidden_size == 24 and encoder.config.num_keyframe_tokens == 196
    weights = encoders[0].config.weights
    assert str(tmp_path / "clip") in weights and "random (seed 5) (deltas)" in weights

    encoders[0].save_pretrained(tmp_path / "hybrid")
    again = CopeHybridEncoder.from_pretrained(tmp_path / "hybrid")
    assert states_equal(encoders[0], again)
    assert again.config.weights == weights


def test_tower_and_configuration_must_agree(config: CopeConfig) -> None:
    tower = AutoModel.from_config(TOWERS[1][0])
    with pytest.raises(ValueError, match="CLIPVisionConfig"):
        CopeHybridEncoder(config, tower)
