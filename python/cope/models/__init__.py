"""Models of `cope`: the Delta-encoder and the hybrid encoder. Needs `pip install cope[models]`."""

try:
    import torch as _torch  # noqa: F401
    import transformers as _transformers  # noqa: F401
except ImportError as error:
    raise ImportError(
        f"cope.models needs torch and transformers: pip install cope[models] ({error})"
    ) from error

from .configuration_cope import (
    MOTION_CHANNELS,
    PRESETS,
    SAMPLES_PER_TOKEN,
    CopeConfig,
    CopeDeltaConfig,
)
from .modeling_delta_encoder import CopePreTrainedModel, DeltaEncoder
from .modeling_hybrid_encoder import (
    DELTA,
    KEYFRAME,
    CopeHybridEncoder,
    CopeHybridEncoderOutput,
    interleave_tokens,
)
from .video_processing_cope import compand, prepare_delta, prepare_keyframe, resample_area

__all__ = [
    "DELTA",
    "KEYFRAME",
    "MOTION_CHANNELS",
    "PRESETS",
    "SAMPLES_PER_TOKEN",
    "CopeConfig",
    "CopeDeltaConfig",
    "CopeHybridEncoder",
    "CopeHybridEncoderOutput",
    "CopePreTrainedModel",
    "DeltaEncoder",
    "compand",
    "interleave_tokens",
    "prepare_delta",
    "prepare_keyframe",
    "resample_area",
]
