"""The Delta-encoder: motion and residual of a window of pictures to a handful of tokens.

Takes fields already on its grid (see `video_processing_cope`); knows nothing of time, video files
or keyframes.
"""

# transformers annotates only part of its methods.
# mypy: disallow-untyped-calls=False

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import PreTrainedModel
from transformers import initialization as init
from transformers.activations import ACT2FN
from transformers.modeling_layers import GradientCheckpointingLayer
from transformers.modeling_outputs import BaseModelOutput
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from .configuration_cope import MOTION_CHANNELS, SAMPLES_PER_TOKEN, CopeDeltaConfig


def eager_attention_forward(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float,
    dropout: float = 0.0,
    **kwargs: Any,
) -> tuple[Tensor, Tensor]:
    """Plain attention, in the calling convention of transformers' attention functions."""
    scores = query @ key.mT * scaling  # [B, heads, tokens, tokens]
    if attention_mask is not None:
        scores = scores + attention_mask
    weights = scores.softmax(-1, dtype=torch.float32).to(query.dtype)
    weights = F.dropout(weights, p=dropout, training=module.training)
    return (weights @ value).transpose(1, 2).contiguous(), weights


class DeltaAttention(nn.Module):
    """Multi-head self-attention without a mask."""

    def __init__(self, config: CopeDeltaConfig) -> None:
        super().__init__()
        self.config = config
        self.head_dim = config.hidden_size // config.num_attention_heads
        self.is_causal = False  # read by the attention functions
        self.q_proj = nn.Linear(config.hidden_size, config.hidden_size)
        self.k_proj = nn.Linear(config.hidden_size, config.hidden_size)
        self.v_proj = nn.Linear(config.hidden_size, config.hidden_size)
        self.out_proj = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, hidden_states: Tensor) -> Tensor:
        heads = (*hidden_states.shape[:-1], -1, self.head_dim)
        attend = ALL_ATTENTION_FUNCTIONS.get_interface(
            self.config._attn_implementation, eager_attention_forward
        )
        mixed, _ = attend(
            self,
            self.q_proj(hidden_states).view(heads).transpose(1, 2),
            self.k_proj(hidden_states).view(heads).transpose(1, 2),
            self.v_proj(hidden_states).view(heads).transpose(1, 2),
            None,
            is_causal=self.is_causal,
            scaling=self.head_dim**-0.5,
            dropout=float(self.config.attention_dropout) if self.training else 0.0,
        )
        return self.out_proj(mixed.reshape(hidden_states.shape))  # type: ignore[no-any-return]


class DeltaMLP(nn.Module):
    """Two linear layers with an activation between them."""

    def __init__(self, config: CopeDeltaConfig, input_size: int, intermediate_size: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(input_size, intermediate_size)
        self.activation_fn = ACT2FN[config.hidden_act]
        self.fc2 = nn.Linear(intermediate_size, config.hidden_size)

    def forward(self, hidden_states: Tensor) -> Tensor:
        return self.fc2(self.activation_fn(self.fc1(hidden_states)))  # type: ignore[no-any-return]


class DeltaLayer(GradientCheckpointingLayer):
    """A pre-norm transformer layer."""

    def __init__(self, config: CopeDeltaConfig) -> None:
        super().__init__()
        self.layer_norm1 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.self_attn = DeltaAttention(config)
        self.layer_norm2 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.mlp = DeltaMLP(config, config.hidden_size, config.intermediate_size)

    def forward(self, hidden_states: Tensor) -> Tensor:
        hidden_states = hidden_states + self.self_attn(self.layer_norm1(hidden_states))
        return hidden_states + self.mlp(self.layer_norm2(hidden_states))  # type: ignore[no-any-return]


class QueryTransformer(nn.Module):
    """Sums up patch tokens: learnable queries join the sequence and their outputs are kept."""

    def __init__(self, config: CopeDeltaConfig, num_queries: int) -> None:
        super().__init__()
        rows, columns = (
            config.field_size[0] // SAMPLES_PER_TOKEN,
            config.field_size[1] // SAMPLES_PER_TOKEN,
        )
        self.num_queries = num_queries
        self.queries = nn.Parameter(torch.empty(num_queries, config.hidden_size))
        self.position_embeddings = nn.Parameter(torch.empty(rows * columns, config.hidden_size))
        self.layers = nn.ModuleList(DeltaLayer(config) for _ in range(config.num_hidden_layers))
        self.layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, patches: Tensor) -> Tensor:
        queries = self.queries.expand(len(patches), -1, -1)
        hidden_states = torch.cat(
            [queries, patches + self.position_embeddings], dim=1
        )  # [B, queries + patches, d]
        for layer in self.layers:
            hidden_states = layer(hidden_states)
        return self.layer_norm(hidden_states[:, : self.num_queries])  # type: ignore[no-any-return]


class MotionBranch(nn.Module):
    """Patches of the motion field through a shared two-layer MLP, then a [`QueryTransformer`]."""

    def __init__(self, config: CopeDeltaConfig) -> None:
        super().__init__()
        self.patch_embedding = DeltaMLP(
            config, len(MOTION_CHANNELS) * SAMPLES_PER_TOKEN**2, config.hidden_size
        )
        self.transformer = QueryTransformer(config, config.num_motion_queries)

    def forward(self, motion_values: Tensor) -> Tensor:
        patches = F.pixel_unshuffle(motion_values, SAMPLES_PER_TOKEN)  # [B, 6 * 16, rows, columns]
        return self.transformer(self.patch_embedding(patches.flatten(2).mT))  # type: ignore[no-any-return]


class ResNetBlock(nn.Module):
    """Two 3x3 convolutions around a shortcut (ResNet's basic block)."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.downsample = (
            nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride, bias=False),
                nn.BatchNorm2d(out_channels),
            )
            if stride != 1 or in_channels != out_channels
            else nn.Identity()
        )

    def forward(self, features: Tensor) -> Tensor:
        hidden = F.relu(self.bn1(self.conv1(features)))
        return F.relu(self.bn2(self.conv2(hidden)) + self.downsample(features))


class ResidualTrunk(nn.Module):
    """ResNet-18 up to `layer3`, with stride 4.

    The original cut there has stride 16 on full-size samples. Residual samples are already averages
    over 4x4 luma samples, so the first convolution does not stride and the max pooling after it is
    left out: the features stay on the grid of 16 luma samples, aligned with the motion patches, at
    the same cost as the original on pictures of 16 luma samples per token. Parameter names and
    shapes are those of the common ResNet-18 checkpoints (with three residual channels all of them,
    `conv1` included), so that these can be loaded with `strict=False`.
    """

    out_channels = 256

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, 64, 7, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = nn.Sequential(ResNetBlock(64, 64, 1), ResNetBlock(64, 64, 1))
        self.layer2 = nn.Sequential(ResNetBlock(64, 128, 2), ResNetBlock(128, 128, 1))
        self.layer3 = nn.Sequential(ResNetBlock(128, 256, 2), ResNetBlock(256, 256, 1))

    def forward(self, residual_values: Tensor) -> Tensor:
        features = F.relu(self.bn1(self.conv1(residual_values)))
        return self.layer3(self.layer2(self.layer1(features)))  # type: ignore[no-any-return]


class ResidualBranch(nn.Module):
    """The residual through a [`ResidualTrunk`], then a [`QueryTransformer`]."""

    def __init__(self, config: CopeDeltaConfig) -> None:
        super().__init__()
        self.trunk = ResidualTrunk(config.num_residual_channels)
        self.projection = nn.Linear(self.trunk.out_channels, config.hidden_size)
        self.transformer = QueryTransformer(config, config.num_residual_queries)

    def forward(self, residual_values: Tensor) -> Tensor:
        features = self.trunk(residual_values)  # [B, 256, rows, columns]
        return self.transformer(self.projection(features.flatten(2).mT))  # type: ignore[no-any-return]


class CopePreTrainedModel(PreTrainedModel):
    """Weight initialisation, saving and loading for the models of this package."""

    base_model_prefix = "cope"
    supports_gradient_checkpointing = True
    _no_split_modules = ["DeltaLayer", "ResNetBlock"]  # noqa: RUF012
    _supports_sdpa = True
    _supports_flash_attn = True
    _supports_flex_attn = True
    _supports_attention_backend = True

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, nn.Conv2d):
            init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, QueryTransformer):
            init.normal_(module.queries, std=self.config.initializer_range)
            init.normal_(module.position_embeddings, std=self.config.initializer_range)


class DeltaEncoder(CopePreTrainedModel):
    r"""Motion and residual of a delta window to `config.num_delta_tokens` tokens.

    Two branches that do not see each other: displacements through an MLP, residuals through a cut
    ResNet-18, each followed by a transformer in which a few learnable queries read the patches. The
    queries' outputs, motion first, are the delta-tokens.

    Source: arXiv 2602.13191, section on the Delta-encoder.
    """

    config: CopeDeltaConfig
    config_class = CopeDeltaConfig
    base_model_prefix = "delta_encoder"
    main_input_name = "motion_values"

    def __init__(self, config: CopeDeltaConfig) -> None:
        super().__init__(config)
        self.motion_branch = MotionBranch(config)
        self.residual_branch = ResidualBranch(config)
        self.projection = (
            nn.Identity()
            if config.output_size == config.hidden_size
            else nn.Linear(config.hidden_size, config.output_size)
        )
        self.post_init()

    def forward(self, motion_values: Tensor, residual_values: Tensor) -> BaseModelOutput:
        r"""Encode a batch of windows.

        Args:
            motion_values (`torch.Tensor` of shape `(num_windows, 6, *config.field_size)`):
                Companded displacements and masks, as [`~cope.models.prepare_delta`] makes them.
            residual_values (`torch.Tensor` of shape `(num_windows, channels, *config.field_size)`):
                Y, Cb, Cr in units of the full sample range, and luma energy where
                `config.residual_energy` asks for it.

        Returns:
            `BaseModelOutput`: `last_hidden_state` of shape
            `(num_windows, config.num_delta_tokens, config.output_size)`.

        Raises:
            ValueError: a field has another shape.
        """
        config = self.config
        for name, values, channels in (
            ("motion_values", motion_values, len(MOTION_CHANNELS)),
            ("residual_values", residual_values, config.num_residual_channels),
        ):
            if values.shape[1:] != (channels, *config.field_size):
                expected = ", ".join(map(str, ("num_windows", channels, *config.field_size)))
                raise ValueError(f"{name} must be ({expected}), got {tuple(values.shape)}")
        tokens = torch.cat(
            [self.motion_branch(motion_values), self.residual_branch(residual_values)], dim=1
        )
        return BaseModelOutput(last_hidden_state=self.projection(tokens))


__all__ = ["CopePreTrainedModel", "DeltaEncoder"]
