"""The hybrid encoder: keyframes through a vision tower, delta windows through the Delta-encoder,
one token sequence.

Takes tensors of one video; reads no file and holds no language model.
"""

# transformers annotates only part of its methods.
# mypy: disallow-untyped-calls=False

from __future__ import annotations

import copy
import math
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from transformers import AutoModel, PreTrainedModel

from .configuration_cope import CopeConfig, CopeDeltaConfig
from .modeling_delta_encoder import CopePreTrainedModel, DeltaEncoder
from .video_processing_cope import resample_area

KEYFRAME, DELTA = 0, 1
"""Values of [`CopeHybridEncoderOutput`] `kinds`."""


class CopeHybridEncoderOutput(NamedTuple):
    r"""Tokens of one video in time order.

    Args:
        embeddings (`torch.Tensor` of shape `(num_tokens, hidden_size)`):
            The tokens.
        kinds (`torch.LongTensor` of shape `(num_tokens,)`):
            `KEYFRAME` (0) or `DELTA` (1).
        timestamps (`torch.DoubleTensor` of shape `(num_tokens,)`):
            Seconds; never decreasing.
        item_indices (`torch.LongTensor` of shape `(num_tokens,)`):
            Which keyframe, or which window, the token belongs to.
        positions (`torch.LongTensor` of shape `(num_tokens,)`):
            Place within its keyframe (row by row) or window (motion queries, then residual
            queries).
    """

    embeddings: Tensor
    kinds: Tensor
    timestamps: Tensor
    item_indices: Tensor
    positions: Tensor


def interleave_tokens(
    keyframe_tokens: Tensor,
    keyframe_timestamps: Tensor,
    delta_tokens: Tensor,
    delta_timestamps: Tensor,
) -> CopeHybridEncoderOutput:
    r"""Put the tokens of keyframes and windows of one video in time order.

    At equal times a window comes before a keyframe: it tells the change that leads there. Otherwise
    ties keep the order of the input, and the tokens of one keyframe or window stay together.

    Args:
        keyframe_tokens (`torch.Tensor` of shape `(num_keyframes, num_tokens, hidden_size)`):
            May be empty along the first axis.
        keyframe_timestamps (`torch.Tensor` of shape `(num_keyframes,)`):
            Seconds, in any order.
        delta_tokens (`torch.Tensor` of shape `(num_windows, num_tokens, hidden_size)`):
            May be empty along the first axis.
        delta_timestamps (`torch.Tensor` of shape `(num_windows,)`):
            Seconds of each window's target picture, in any order.

    Returns:
        [`CopeHybridEncoderOutput`]

    Raises:
        ValueError: the number of timestamps is not the number of items.
    """
    for tokens, times in ((keyframe_tokens, keyframe_timestamps), (delta_tokens, delta_timestamps)):
        if times.shape != tokens.shape[:1]:
            raise ValueError(
                f"{len(tokens)} items need as many timestamps, got shape {tuple(times.shape)}"
            )
    device = keyframe_tokens.device
    groups = ((DELTA, delta_tokens), (KEYFRAME, keyframe_tokens))  # the order of ties
    timestamps = torch.cat([delta_timestamps, keyframe_timestamps]).to(device, torch.float64)
    kinds = torch.cat([torch.full((len(t),), kind, device=device) for kind, t in groups])
    item_indices = torch.cat([torch.arange(len(t), device=device) for _, t in groups])
    lengths = torch.cat([torch.full((len(t),), t.shape[1], device=device) for _, t in groups])

    starts = lengths.cumsum(0) - lengths
    order = timestamps.argsort(stable=True)
    item = order.repeat_interleave(lengths[order])  # [num_tokens]
    first = (lengths[order].cumsum(0) - lengths[order]).repeat_interleave(lengths[order])
    positions = torch.arange(len(item), device=device) - first
    tokens = torch.cat([t.flatten(0, 1) for _, t in groups])
    return CopeHybridEncoderOutput(
        embeddings=tokens[starts[item] + positions],
        kinds=kinds[item],
        timestamps=timestamps[item],
        item_indices=item_indices[item],
        positions=positions,
    )


class CopeHybridEncoder(CopePreTrainedModel):
    r"""Keyframes and delta windows of a video to one sequence of tokens of width
    `config.hidden_size`.

    The keyframe branch is any Hugging Face vision tower: its patch features are averaged to
    `config.keyframe_grid_size` and, where its width differs, projected. The delta branch is a
    [`DeltaEncoder`].

    Args:
        config ([`CopeConfig`]):
            The shapes.
        vision_tower (`PreTrainedModel`, *optional*):
            The tower itself, of `config.vision_config`. Built with random weights when absent.

    Raises:
        ValueError: `vision_tower` is of another configuration class than `config.vision_config`.

    Example:
        >>> encoder = CopeHybridEncoder.from_random("small", seed=0)
        >>> encoder.config.num_keyframe_tokens, encoder.config.hidden_size
        (196, 1152)
    """

    config: CopeConfig
    config_class = CopeConfig
    main_input_name = "pixel_values_videos"

    def __init__(self, config: CopeConfig, vision_tower: PreTrainedModel | None = None) -> None:
        super().__init__(config)
        if vision_tower is None:
            vision_tower = AutoModel.from_config(config.vision_config)
        elif not isinstance(vision_tower.config, type(config.vision_config)):
            raise ValueError(
                f"vision_tower has a {type(vision_tower.config).__name__}, "
                f"config.vision_config is a {type(config.vision_config).__name__}"
            )
        self.vision_tower = vision_tower
        self.delta_encoder = DeltaEncoder(_delta_config(config))
        self.keyframe_projection = (
            nn.Identity()
            if config.vision_hidden_size == config.hidden_size
            else nn.Linear(config.vision_hidden_size, config.hidden_size)
        )
        self.post_init()

    @classmethod
    def from_random(cls, config: CopeConfig | str = "small", *, seed: int = 0) -> CopeHybridEncoder:
        r"""Make an encoder with random weights that a seed decides.

        Args:
            config ([`CopeConfig`] or `str`, defaults to `"small"`):
                A configuration or the name of a preset.
            seed (`int`, defaults to 0):
                Same seed, same weights. The global random state is left as it was.

        Returns:
            [`CopeHybridEncoder`]: in evaluation mode.

        Raises:
            ValueError: there is no such preset.
        """
        config = (
            CopeConfig.from_preset(config) if isinstance(config, str) else copy.deepcopy(config)
        )
        config.vision_weights = _delta_config(config).weights = f"random (seed {seed})"
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            encoder = cls(config)
        encoder.eval()
        return encoder

    @classmethod
    def from_vision_tower(
        cls,
        vision_tower: PreTrainedModel,
        *,
        delta_config: CopeDeltaConfig | None = None,
        seed: int = 0,
        **overrides: Any,
    ) -> CopeHybridEncoder:
        r"""Put a random Delta-encoder beside an existing vision tower.

        Args:
            vision_tower (`PreTrainedModel`):
                A tower, or a two-tower model (CLIP, SigLIP) of which the vision half is taken.
                Shared, not copied.
            delta_config ([`CopeDeltaConfig`], *optional*):
                Defaults to the `small` preset with the tower's width as `output_size`.
            seed (`int`, defaults to 0):
                Decides the weights of everything but the tower.
            overrides:
                Other fields of [`CopeConfig`], such as `image_mean` and `image_std` of the tower's
                image processor.

        Returns:
            [`CopeHybridEncoder`]: in evaluation mode.
        """
        tower = getattr(vision_tower, "vision_model", vision_tower)
        config = CopeConfig(vision_config=tower.config, **overrides)
        config.delta_config = copy.deepcopy(delta_config) or CopeDeltaConfig.from_preset(
            "small", output_size=config.vision_hidden_size
        )
        config.vision_weights = vision_tower.config.name_or_path or "given"
        config.delta_config.weights = f"random (seed {seed})"
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            encoder = cls(config, tower)
        encoder.eval()
        return encoder

    def get_keyframe_features(self, pixel_values_videos: Tensor) -> Tensor:
        r"""Encode keyframes.

        Args:
            pixel_values_videos (`torch.Tensor` of shape `(num_keyframes, 3, *config.image_size)`):
                As [`~cope.models.prepare_keyframe`] makes them.

        Returns:
            `torch.Tensor` of shape
            `(num_keyframes, config.num_keyframe_tokens, config.hidden_size)`

        Raises:
            ValueError: the tower's tokens do not form a grid.
        """
        if not len(pixel_values_videos):  # most towers cannot take an empty batch
            size = (0, self.config.num_keyframe_tokens, self.config.hidden_size)
            return pixel_values_videos.new_empty(size)
        features = self.vision_tower(pixel_values=pixel_values_videos).last_hidden_state
        if features.ndim == 3:
            grid = self._tower_grid(features.shape[1])
            # Class and register tokens come first and are no patches.
            features = features[:, -math.prod(grid) :].mT.unflatten(2, grid)
        if features.shape[-2:] != self.config.keyframe_grid:
            features = resample_area(features, self.config.keyframe_grid)
        return self.keyframe_projection(features.flatten(2).mT)  # type: ignore[no-any-return]

    def _tower_grid(self, num_tokens: int) -> tuple[int, int]:
        grid = self.config.vision_grid_size
        if grid is not None and math.prod(grid) <= num_tokens:
            return grid
        # Towers that merge patches (Swin) leave fewer tokens than their patch size says.
        side = math.isqrt(num_tokens)
        if side * side != num_tokens:
            raise ValueError(
                f"{num_tokens} tokens of {type(self.vision_tower).__name__} form no grid"
            )
        return side, side

    def get_delta_features(self, motion_values: Tensor, residual_values: Tensor) -> Tensor:
        r"""Encode delta windows.

        Args:
            motion_values (`torch.Tensor` of shape `(num_windows, 6, height, width)`):
                As [`~cope.models.prepare_delta`] makes them.
            residual_values (`torch.Tensor` of shape `(num_windows, channels, height, width)`):
                Likewise.

        Returns:
            `torch.Tensor` of shape
            `(num_windows, config.delta_config.num_delta_tokens, config.hidden_size)`
        """
        if not len(motion_values):
            size = (0, self.delta_encoder.config.num_delta_tokens, self.config.hidden_size)
            return motion_values.new_empty(size)
        return self.delta_encoder(motion_values, residual_values).last_hidden_state  # type: ignore[no-any-return]

    def forward(
        self,
        pixel_values_videos: Tensor,
        keyframe_timestamps: Tensor,
        motion_values: Tensor,
        residual_values: Tensor,
        delta_timestamps: Tensor,
    ) -> CopeHybridEncoderOutput:
        r"""Encode one video.

        Args:
            pixel_values_videos (`torch.Tensor` of shape `(num_keyframes, 3, *config.image_size)`):
                See [`~CopeHybridEncoder.get_keyframe_features`].
            keyframe_timestamps (`torch.Tensor` of shape `(num_keyframes,)`):
                Seconds.
            motion_values (`torch.Tensor` of shape `(num_windows, 6, height, width)`):
                See [`~CopeHybridEncoder.get_delta_features`].
            residual_values (`torch.Tensor` of shape `(num_windows, channels, height, width)`):
                Likewise.
            delta_timestamps (`torch.Tensor` of shape `(num_windows,)`):
                Seconds of each window's target picture.

        Returns:
            [`CopeHybridEncoderOutput`]
        """
        return interleave_tokens(
            self.get_keyframe_features(pixel_values_videos),
            keyframe_timestamps,
            self.get_delta_features(motion_values, residual_values),
            delta_timestamps,
        )


def _delta_config(config: CopeConfig) -> CopeDeltaConfig:
    assert isinstance(config.delta_config, CopeDeltaConfig)  # CopeConfig has made it one
    return config.delta_config


__all__ = ["DELTA", "KEYFRAME", "CopeHybridEncoder", "CopeHybridEncoderOutput", "interleave_tokens"]
