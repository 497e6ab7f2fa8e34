"""The Delta-encoder: shapes, gradients, equalities, and its parts against other implementations."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from transformers import ResNetConfig, ResNetModel

from cope.models import CopeDeltaConfig, DeltaEncoder
from cope.models.modeling_delta_encoder import DeltaLayer, ResidualTrunk


def inputs(config: CopeDeltaConfig, num_windows: int = 3) -> tuple[Tensor, Tensor]:
    motion_values = torch.randn(num_windows, 6, *config.field_size)
    return motion_values, torch.randn(num_windows, config.num_residual_channels, *config.field_size)


def encode(encoder: DeltaEncoder, *values: Tensor) -> Tensor:
    with torch.no_grad():
        return encoder(*values).last_hidden_state


@pytest.mark.parametrize("grid_size", [(1, 1), (3, 5), (7, 2)])
@pytest.mark.parametrize("queries", [(4, 4), (1, 3)])
@pytest.mark.parametrize("output_size", [32, 48])
def test_shapes(grid_size: tuple[int, int], queries: tuple[int, int], output_size: int) -> None:
    config = CopeDeltaConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_motion_queries=queries[0],
        num_residual_queries=queries[1],
        output_size=output_size,
        grid_size=grid_size,
    )
    encoder = DeltaEncoder(config).eval()
    for num_windows in (1, 3):
        tokens = encode(encoder, *inputs(config, num_windows))
        assert tokens.shape == (num_windows, sum(queries), output_size)
        assert tokens.isfinite().all()


def test_wrong_shapes_are_refused(delta_config: CopeDeltaConfig) -> None:
    encoder = DeltaEncoder(delta_config).eval()
    motion_values, residual_values = inputs(delta_config)
    with pytest.raises(ValueError, match="motion_values must be"):
        encoder(motion_values[:, :2], residual_values)
    with pytest.raises(ValueError, match="residual_values must be"):
        encoder(motion_values, residual_values[..., :-1])


def test_gradient_reaches_every_parameter(delta_config: CopeDeltaConfig) -> None:
    encoder = DeltaEncoder(delta_config).train()
    values = [v.requires_grad_() for v in inputs(delta_config)]
    encoder(*values).last_hidden_state.square().sum().backward()
    without = [n for n, p in encoder.named_parameters() if p.grad is None or not p.grad.any()]
    # A key's bias adds the same to all scores of a query, which softmax takes away again: rounding
    # decides whether it has a gradient.
    assert all(name.endswith("k_proj.bias") for name in without), without
    assert all(v.grad is not None and v.grad.any() for v in values)


def test_gradient_checkpointing_changes_nothing(delta_config: CopeDeltaConfig) -> None:
    encoder = DeltaEncoder(delta_config).train()
    values = inputs(delta_config)
    gradients = []
    for checkpointing in (False, True):
        encoder.zero_grad()
        if checkpointing:
            encoder.activation_checkpointing_enable()
        encoder(*values).last_hidden_state.square().sum().backward()
        gradients.append([p.grad.clone() for p in encoder.parameters()])
    for plain, checkpointed in zip(*gradients, strict=True):
        torch.testing.assert_close(plain, checkpointed)


def test_batch_equals_singles(delta_config: CopeDeltaConfig) -> None:
    encoder = DeltaEncoder(delta_config).eval()
    values = inputs(delta_config, 5)
    singles = [encode(encoder, *(v[i : i + 1] for v in values)) for i in range(5)]
    torch.testing.assert_close(encode(encoder, *values), torch.cat(singles), atol=1e-6, rtol=1e-5)


def test_eager_equals_sdpa(delta_config: CopeDeltaConfig) -> None:
    encoder = DeltaEncoder(delta_config).eval()
    values = inputs(delta_config)
    tokens = {}
    for implementation in ("eager", "sdpa"):
        encoder.set_attn_implementation(implementation)
        assert encoder.config._attn_implementation == implementation
        tokens[implementation] = encode(encoder, *values)
    torch.testing.assert_close(tokens["eager"], tokens["sdpa"], atol=1e-6, rtol=1e-5)


def test_branches_do_not_mix(delta_config: CopeDeltaConfig) -> None:
    encoder = DeltaEncoder(delta_config).eval()
    motion_values, residual_values = inputs(delta_config, 1)
    tokens = encode(encoder, motion_values, residual_values)
    other_motion = encode(encoder, motion_values + 1, residual_values)
    other_residual = encode(encoder, motion_values, -residual_values)
    changed = [
        (tokens - other).abs().amax((0, 2)) > 1e-4 for other in (other_motion, other_residual)
    ]
    assert changed[0].tolist() == [True] * 4 + [False] * 4
    assert changed[1].tolist() == [False] * 4 + [True] * 4


def test_place_matters(delta_config: CopeDeltaConfig) -> None:
    encoder = DeltaEncoder(delta_config).eval()
    motion_values, residual_values = inputs(delta_config, 1)
    flipped = encode(encoder, motion_values.flip(-1), residual_values.flip(-1))
    assert not torch.allclose(encode(encoder, motion_values, residual_values), flipped, atol=1e-4)


def test_save_and_load(delta_config: CopeDeltaConfig, tmp_path: Path) -> None:
    encoder = DeltaEncoder(delta_config).eval()
    encoder(*inputs(delta_config))
    encoder.residual_branch.trunk.bn1.running_mean.fill_(0.5)  # buffers count, too
    encoder.save_pretrained(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {"config.json", "model.safetensors"}
    loaded = DeltaEncoder.from_pretrained(tmp_path)
    values = inputs(delta_config)
    assert torch.equal(encode(encoder, *values), encode(loaded, *values))


def test_bfloat16_stays_close(delta_config: CopeDeltaConfig) -> None:
    encoder = DeltaEncoder(delta_config).eval()
    values = inputs(delta_config)
    exact = encode(encoder, *values)
    rough = encode(encoder.to(torch.bfloat16), *(v.bfloat16() for v in values))
    assert rough.dtype == torch.bfloat16
    assert (rough.float() - exact).abs().mean() < 0.05 * exact.abs().mean()


def test_trunk_equals_the_stages_of_transformers_resnet() -> None:
    """Stages 1 to 3 of an independent ResNet-18, with random norms, after the adapted stem."""
    trunk = ResidualTrunk(3).eval()
    config = ResNetConfig(
        embedding_size=64, hidden_sizes=[64, 128, 256, 512], depths=[2, 2, 2, 2], layer_type="basic"
    )
    resnet = ResNetModel(config).eval()
    for module in resnet.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.weight, module.bias, module.running_mean, module.running_var):
                nn.init.uniform_(tensor, 0.5, 1.5)
    with torch.no_grad():
        for i, layer in enumerate((trunk.layer1, trunk.layer2, trunk.layer3)):
            for block, other in zip(layer, resnet.encoder.stages[i].layers, strict=True):
                pairs = [
                    (block.conv1, other.layer[0].convolution),
                    (block.bn1, other.layer[0].normalization),
                    (block.conv2, other.layer[1].convolution),
                    (block.bn2, other.layer[1].normalization),
                ]
                if isinstance(block.downsample, nn.Sequential):
                    pairs.append((block.downsample[0], other.shortcut.convolution))
                    pairs.append((block.downsample[1], other.shortcut.normalization))
                for mine, theirs in pairs:
                    mine.load_state_dict(theirs.state_dict())
        trunk.conv1.weight.copy_(resnet.embedder.embedder.convolution.weight)
        trunk.bn1.load_state_dict(resnet.embedder.embedder.normalization.state_dict())

        residual_values = torch.randn(2, 3, 12, 20)
        stem = resnet.embedder.embedder
        stem.convolution.stride = (1, 1)  # the one change, with the pooling left out
        features = stem(residual_values)
        for stage in resnet.encoder.stages[:3]:
            features = stage(features)
        found = trunk(residual_values)
    assert found.shape == (2, 256, 3, 5)
    torch.testing.assert_close(found, features)


def test_layer_equals_torchs_encoder_layer(delta_config: CopeDeltaConfig) -> None:
    delta_config._attn_implementation = "sdpa"
    layer = DeltaLayer(delta_config).eval()
    theirs = nn.TransformerEncoderLayer(
        32,
        4,
        64,
        activation=nn.GELU("tanh"),
        layer_norm_eps=delta_config.layer_norm_eps,
        batch_first=True,
        norm_first=True,
    ).eval()
    attention = layer.self_attn
    qkv = (attention.q_proj, attention.k_proj, attention.v_proj)
    with torch.no_grad():
        theirs.self_attn.in_proj_weight.copy_(torch.cat([p.weight for p in qkv]))
        theirs.self_attn.in_proj_bias.copy_(torch.cat([p.bias for p in qkv]))
        for mine, other in (
            (attention.out_proj, theirs.self_attn.out_proj),
            (layer.layer_norm1, theirs.norm1),
            (layer.layer_norm2, theirs.norm2),
            (layer.mlp.fc1, theirs.linear1),
            (layer.mlp.fc2, theirs.linear2),
        ):
            other.load_state_dict(mine.state_dict())
    hidden_states = torch.randn(2, 9, 32)
    # With gradients, for without them torch takes a short cut that is not the tanh form of GELU.
    torch.testing.assert_close(layer(hidden_states), theirs(hidden_states))
