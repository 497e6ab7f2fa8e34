"""Configurations of the hybrid encoder: what keyframes and delta windows become, and how wide.

Holds shapes, counts and the transforms a model was made for; builds no module and loads no weights.
"""

# transformers annotates only part of its methods.
# mypy: disallow-untyped-calls=False
# No postponed annotations here: `@strict` checks values against the types it finds in them.

import math
from typing import Any, ClassVar

from huggingface_hub.dataclasses import strict
from transformers import AutoConfig, PreTrainedConfig

MOTION_CHANNELS = ("x", "y", "valid", "intra", "lost", "scaled")
"""Channels of `motion_values`: companded displacement, then four masks as area fractions."""

SAMPLES_PER_TOKEN = 4
"""Field samples along each side of one patch token.

The fields are sampled at a quarter of the luma grid (H.264's smallest motion block is 4x4, the
residual leaves the scaled inverse transform at 1/4), so a patch of 4x4 samples is the paper's 16x16
luma patch, and the stride left to the residual trunk is 4.
"""

_DELTA_PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},
    "small": {
        "hidden_size": 384,
        "intermediate_size": 1536,
        "num_attention_heads": 6,
        "grid_size": (14, 14),
        "residual_energy": True,
    },
}

# SigLIP-so400m/14@384 is the paper's tower; the small one keeps its form at a size a laptop runs.
_VISION_PRESETS: dict[str, dict[str, Any]] = {
    "paper": {
        "model_type": "siglip_vision_model",
        "hidden_size": 1152,
        "intermediate_size": 4304,
        "num_hidden_layers": 27,
        "num_attention_heads": 16,
        "image_size": 384,
        "patch_size": 14,
        "vision_use_head": False,
    },
    "small": {
        "model_type": "siglip_vision_model",
        "hidden_size": 384,
        "intermediate_size": 1536,
        "num_hidden_layers": 6,
        "num_attention_heads": 6,
        "image_size": 224,
        "patch_size": 16,
        "vision_use_head": False,
    },
}

PRESETS = tuple(_DELTA_PRESETS)
"""Names that [`CopeConfig.from_preset`] and [`CopeDeltaConfig.from_preset`] know."""


def _preset(table: dict[str, dict[str, Any]], name: str) -> dict[str, Any]:
    if name not in table:
        raise ValueError(f"unknown preset {name!r}; the presets are {', '.join(map(repr, table))}")
    return table[name]


def _pair(value: int | list[int] | tuple[int, int], name: str) -> tuple[int, int]:
    height, width = (value, value) if isinstance(value, int) else value
    if height < 1 or width < 1:
        raise ValueError(f"{name} must be positive, got {(height, width)}")
    return height, width


@strict
class CopeDeltaConfig(PreTrainedConfig):
    r"""Configuration of a [`DeltaEncoder`]; the defaults are the paper's (`paper` preset).

    Args:
        hidden_size (`int`, defaults to 1152):
            Width of both transformers.
        intermediate_size (`int`, defaults to 4608):
            Width of the feed-forward layers.
        num_hidden_layers (`int`, defaults to 4):
            Pre-norm layers of each branch.
        num_attention_heads (`int`, defaults to 9):
            Must divide `hidden_size`.
        num_motion_queries (`int`, defaults to 4):
            Delta-tokens that come from the motion branch.
        num_residual_queries (`int`, defaults to 4):
            Delta-tokens that come from the residual branch.
        output_size (`int`, defaults to 1152):
            Width D of the delta-tokens. A linear projection is added when it is not `hidden_size`.
        grid_size (`tuple[int, int]`, defaults to `(24, 24)`):
            Patch tokens `(height, width)` that every picture, of any size and aspect ratio, is
            resampled to. 24 is 384 / 16: the paper's 16x16 patches on its vision tower's input.
        cell (`int`, defaults to 16):
            Luma samples per side of the motion cells the encoder is fed with.
        residual_scale (`int`, defaults to 4):
            Luma samples per side of the residual samples the encoder is fed with.
        motion_companding (`float`, defaults to 255.0):
            `mu` of the mu-law applied to displacements, see [`~cope.models.compand`]; larger lifts
            slow motion more.
        residual_energy (`bool`, defaults to `False`):
            Adds a fourth residual channel, the root mean square of luma, which shrinking does not
            cancel out as it does the signed residual.
        hidden_act (`str`, defaults to `"gelu_pytorch_tanh"`):
            Activation of the feed-forward layers and of the motion MLP.
        layer_norm_eps (`float`, defaults to 1e-6):
            Epsilon of the layer norms.
        attention_dropout (`float`, defaults to 0.0):
            Dropout of the attention weights, in training.
        initializer_range (`float`, defaults to 0.02):
            Standard deviation of the random initial weights outside the convolutions.
        weights (`str`, defaults to `"random"`):
            Where the weights come from: `"random"`, or what trained them. Whoever trains sets it.

    Raises:
        StrictDataclassError: a field of another type, or sizes that do not fit each other.

    Source: arXiv 2602.13191, section on the Delta-encoder.
    """

    model_type = "cope_delta"
    base_config_key = "delta_config"

    hidden_size: int = 1152
    intermediate_size: int = 4608
    num_hidden_layers: int = 4
    num_attention_heads: int = 9
    num_motion_queries: int = 4
    num_residual_queries: int = 4
    output_size: int = 1152
    grid_size: int | list[int] | tuple[int, int] = (24, 24)
    cell: int = 16
    residual_scale: int = 4
    motion_companding: float | int = 255.0
    residual_energy: bool = False
    hidden_act: str = "gelu_pytorch_tanh"
    layer_norm_eps: float = 1e-6
    attention_dropout: float | int = 0.0
    initializer_range: float = 0.02
    weights: str = "random"

    def __post_init__(self, **kwargs: Any) -> None:
        self.grid_size = _pair(self.grid_size, "grid_size")
        super().__post_init__(**kwargs)

    def validate_architecture(self) -> None:
        """Checks that the sizes fit each other (called by `@strict`)."""
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"hidden_size {self.hidden_size} is no multiple of "
                f"num_attention_heads {self.num_attention_heads}"
            )
        if min(self.num_motion_queries, self.num_residual_queries) < 1:
            raise ValueError("num_motion_queries and num_residual_queries must be at least 1")
        if self.cell < 1 or self.residual_scale < 1 or self.cell % self.residual_scale:
            raise ValueError(
                f"cell {self.cell} is no multiple of residual_scale {self.residual_scale}"
            )
        if self.motion_companding <= 0:
            raise ValueError(f"motion_companding must be > 0, got {self.motion_companding}")

    @classmethod
    def from_preset(cls, name: str, **overrides: Any) -> "CopeDeltaConfig":
        r"""Make a configuration by name.

        Args:
            name (`str`):
                `"paper"` (133 M parameters) or `"small"` (18 M).
            overrides:
                Fields to set on top of the preset.

        Raises:
            ValueError: there is no such preset.
        """
        return cls(**{**_preset(_DELTA_PRESETS, name), **overrides})

    @property
    def num_delta_tokens(self) -> int:
        """`int`: tokens one delta window becomes."""
        return self.num_motion_queries + self.num_residual_queries

    @property
    def field_size(self) -> tuple[int, int]:
        """`tuple[int, int]`: height and width of `motion_values` and `residual_values`."""
        rows, columns = _pair(self.grid_size, "grid_size")
        return SAMPLES_PER_TOKEN * rows, SAMPLES_PER_TOKEN * columns

    @property
    def num_residual_channels(self) -> int:
        """`int`: channels of `residual_values`."""
        return 4 if self.residual_energy else 3


@strict
class CopeConfig(PreTrainedConfig):
    r"""Configuration of a [`CopeHybridEncoder`]; the defaults are the `paper` preset.

    Args:
        vision_config (`PreTrainedConfig` or `dict`, *optional*):
            Any Hugging Face vision tower that maps `pixel_values` to `last_hidden_state`; of a
            two-tower configuration (CLIP, SigLIP) the vision half is taken. Defaults to
            SigLIP-so400m/14@384.
        delta_config (`CopeDeltaConfig` or `dict`, *optional*):
            The Delta-encoder. Its `output_size` is the width D of all tokens.
        keyframe_grid_size (`tuple[int, int]`, *optional*, defaults to `(14, 14)`):
            Tokens `(height, width)` of one keyframe: the tower's patch grid averaged by area.
            `None` keeps the tower's own grid.
        image_size (`int` or `tuple[int, int]`, *optional*):
            Height and width keyframes are resized to, aspect ratio not kept. Defaults to the
            tower's, the only one that towers with fixed position embeddings take.
        image_mean (`tuple[float, float, float]`, defaults to `(0.5, 0.5, 0.5)`):
            Subtracted from RGB in 0..1.
        image_std (`tuple[float, float, float]`, defaults to `(0.5, 0.5, 0.5)`):
            Divides RGB after the mean is subtracted.
        vision_weights (`str`, defaults to `"random"`):
            Where the tower's weights come from: `"random"`, or the checkpoint or training that made
            them.

    Raises:
        ValueError: the tower has no `image_size` and none is given.
    """

    model_type = "cope"
    sub_configs: ClassVar[dict[str, type]] = {
        "vision_config": AutoConfig,
        "delta_config": CopeDeltaConfig,
    }

    vision_config: dict[str, Any] | PreTrainedConfig | None = None
    delta_config: dict[str, Any] | PreTrainedConfig | None = None
    keyframe_grid_size: int | list[int] | tuple[int, int] | None = (14, 14)
    image_size: int | list[int] | tuple[int, int] | None = None
    image_mean: list[float | int] | tuple[float | int, ...] = (0.5, 0.5, 0.5)
    image_std: list[float | int] | tuple[float | int, ...] = (0.5, 0.5, 0.5)
    vision_weights: str = "random"

    def __post_init__(self, **kwargs: Any) -> None:
        if not isinstance(self.vision_config, PreTrainedConfig):
            self.vision_config = AutoConfig.for_model(
                **(self.vision_config or _VISION_PRESETS["paper"])
            )
        self.vision_config = getattr(self.vision_config, "vision_config", self.vision_config)
        if not isinstance(self.delta_config, PreTrainedConfig):
            self.delta_config = CopeDeltaConfig(**(self.delta_config or {}))
        super().__post_init__(**kwargs)
        image_size = self.image_size or getattr(self.vision_config, "image_size", None)
        if image_size is None:
            name = type(self.vision_config).__name__
            raise ValueError(f"{name} has no image_size: give image_size= to CopeConfig")
        self.image_size = _pair(image_size, "image_size")
        if self.keyframe_grid_size is not None:
            self.keyframe_grid_size = _pair(self.keyframe_grid_size, "keyframe_grid_size")
        self.image_mean, self.image_std = tuple(self.image_mean), tuple(self.image_std)

    @classmethod
    def from_preset(cls, name: str, **overrides: Any) -> "CopeConfig":
        r"""Make a configuration by name.

        Args:
            name (`str`):
                `"paper"` (SigLIP-so400m shape, 546 M parameters in all) or `"small"` (29 M). Tokens
                are 1152 wide in both, so that either stands before the same language model.
            overrides:
                Fields to set on top of the preset.

        Raises:
            ValueError: there is no such preset.
        """
        parts = {
            "vision_config": _preset(_VISION_PRESETS, name),
            "delta_config": CopeDeltaConfig.from_preset(name),
        }
        return cls(**{**parts, **overrides})

    @property
    def hidden_size(self) -> int:
        """`int`: width D of the tokens."""
        return int(self.delta_config.output_size)  # type: ignore[union-attr]

    @property
    def vision_hidden_size(self) -> int:
        """`int`: width of the tower's features."""
        sizes = getattr(self.vision_config, "hidden_sizes", None)
        return int(sizes[-1] if sizes else self.vision_config.hidden_size)  # type: ignore[union-attr]

    @property
    def keyframe_grid(self) -> tuple[int, int]:
        """`tuple[int, int]`: tokens `(height, width)` of one keyframe."""
        if self.keyframe_grid_size is not None:
            return _pair(self.keyframe_grid_size, "keyframe_grid_size")
        if self.vision_grid_size is None:
            raise ValueError("the tower has no patch_size: set keyframe_grid_size in the config")
        return self.vision_grid_size

    @property
    def num_keyframe_tokens(self) -> int:
        """`int`: tokens one keyframe becomes."""
        return math.prod(self.keyframe_grid)

    @property
    def vision_grid_size(self) -> tuple[int, int] | None:
        """`tuple[int, int]`, *optional*: patches `(height, width)` of the tower, if it has any."""
        patch_size = getattr(self.vision_config, "patch_size", None)
        if patch_size is None:
            return None
        height, width = _pair(self.image_size, "image_size")  # type: ignore[arg-type]
        patch_height, patch_width = _pair(patch_size, "patch_size")
        return height // patch_height, width // patch_width

    @property
    def weights(self) -> str:
        """`str`: where the weights come from, in words."""
        delta_weights = self.delta_config.weights  # type: ignore[union-attr]
        if self.vision_weights == delta_weights:
            return self.vision_weights
        return f"{self.vision_weights} (keyframes), {delta_weights} (deltas)"


__all__ = ["CopeConfig", "CopeDeltaConfig"]
