"""`encode_video`: a compressed video to tokens for a language model, in one call.

Streams keyframes and delta windows from the reader through a hybrid encoder. Parses nothing itself
and trains nothing; torch and transformers are imported on the first call.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .fields import DeltaWindow, Keyframe
from .reader import VideoReader
from .stream import ReadStats

if TYPE_CHECKING:
    import torch

    from .density import Density
    from .limits import Limits
    from .models import CopeHybridEncoder
    from .reader import OnError

_MODEL_ID = re.compile(r"[\w-][\w.-]*/[\w.-]+")
_KIND_NAMES = np.array(["keyframe", "delta"])  # indexed by cope.models.KEYFRAME and DELTA


@dataclass(frozen=True, eq=False, repr=False)
class VideoTokens:
    r"""Tokens of one video in time order, with what each stands for.

    The tokens of one keyframe or window are neighbours. At equal times a window comes before a
    keyframe.

    Args:
        embeddings (`torch.Tensor` of shape `(num_tokens, hidden_size)`):
            On the encoder's device, in its dtype.
        kinds (`numpy.ndarray` of shape `(num_tokens,)`):
            `"keyframe"` or `"delta"`.
        timestamps (`numpy.ndarray` of shape `(num_tokens,)`):
            float64 seconds: the keyframe's time, or that of the picture a window leads to. Never
            decreasing.
        frame_index (`numpy.ndarray` of shape `(num_tokens,)`):
            int64: the index of that picture in presentation order.
        positions (`numpy.ndarray` of shape `(num_tokens,)`):
            int64: place of the token within its keyframe (row by row) or window.
        duration_seconds (`float`, *optional*):
            Length of the video, as the file says it, or else the time between the first token and
            the last.
        weights (`str`):
            Where the encoder's weights come from; `"random (seed 0)"` and the like until some are
            trained.
        stats ([`ReadStats`]):
            What was parsed, decoded and concealed.
        seconds (`float`):
            Wall-clock time of reading and encoding, without loading the encoder.
        seconds_encode (`float`):
            The part of it spent in preparing the model's inputs and in the model.
    """

    embeddings: torch.Tensor
    kinds: npt.NDArray[np.str_]
    timestamps: npt.NDArray[np.float64]
    frame_index: npt.NDArray[np.int64]
    positions: npt.NDArray[np.int64]
    duration_seconds: float | None
    weights: str
    stats: ReadStats
    seconds: float
    seconds_encode: float

    def __len__(self) -> int:
        return len(self.kinds)

    @property
    def num_keyframes(self) -> int:
        """`int`: keyframes among the tokens."""
        return int(((self.kinds == "keyframe") & (self.positions == 0)).sum())

    @property
    def num_deltas(self) -> int:
        """`int`: delta windows among the tokens."""
        return int(((self.kinds == "delta") & (self.positions == 0)).sum())

    @property
    def tokens_per_second(self) -> float | None:
        """`float`, *optional*: tokens per second of video, where its length is known."""
        return len(self) / self.duration_seconds if self.duration_seconds else None

    def __repr__(self) -> str:
        dtype = str(self.embeddings.dtype).removeprefix("torch.")
        lines = [
            f"{len(self)} tokens of width {self.embeddings.shape[1]}: {self._items()}",
            f"{dtype} on {self.embeddings.device}, weights {self.weights}",
        ]
        if self.tokens_per_second is not None:
            length = f"{self.duration_seconds:.2f} s"
            lines.append(f"{self.tokens_per_second:.1f} tokens per second of video ({length})")
        lines.append(_share_of_pictures(self.stats))
        if self.stats.num_concealed_pictures:
            lines.append(f"{self.stats.num_concealed_pictures} damaged pictures concealed")
        reading, encoding = self.seconds - self.seconds_encode, self.seconds_encode
        lines.append(
            f"took {self.seconds:.2f} s: {reading:.2f} s reading, {encoding:.2f} s encoding"
        )
        return "VideoTokens(\n  " + "\n  ".join(lines) + "\n)"

    def _items(self) -> str:
        counts = []
        for name, number in (("keyframe", self.num_keyframes), ("delta", self.num_deltas)):
            each = f" x {int((self.kinds == name).sum()) // number}" if number else ""
            counts.append(f"{number} {name}{'s' * (number != 1)}{each}")
        return " + ".join(counts)


def _share_of_pictures(stats: ReadStats) -> str:
    total = stats.num_pictures
    if not total:
        return "no pictures"
    parsed, decoded = stats.num_parsed / total, stats.num_decoded / total
    return f"of {total} pictures {parsed:.1%} parsed, {decoded:.1%} decoded to pixels"


def encode_video(
    source: Any,
    *,
    encoder: str | os.PathLike[str] | CopeHybridEncoder | None = None,
    density: Density | None = None,
    device: str | torch.device | None = None,
    dtype: str | torch.dtype | None = None,
    threads: int | None = None,
    on_error: OnError = "conceal",
    limits: Limits | None = None,
    batch_size: int = 16,
) -> VideoTokens:
    r"""Turn a compressed video into tokens for a language model.

    Memory in use does not grow with the video's length, apart from the tokens themselves.

    Args:
        source (`str`, `os.PathLike`, `bytes` or file object):
            The video; whatever [`VideoReader`] takes.
        encoder (`str`, `os.PathLike` or [`~cope.models.CopeHybridEncoder`], *optional*):
            `"small"` (the default) or `"paper"`, both with seeded random weights; a directory that
            `save_pretrained` wrote or a Hugging Face model id (`owner/name`); or a model, which is
            used where it is.
        density ([`Density`], *optional*):
            How many keyframes and windows per second. Defaults to `Density()`.
        device (`str` or `torch.device`, *optional*):
            Where the encoder runs; a model given as `encoder` is moved there. Defaults to the
            model's own, else the CPU.
        dtype (`str` or `torch.dtype`, *optional*):
            Floating-point type the encoder is converted to. Defaults to its own, float32 for the
            named ones.
        threads (`int`, *optional*):
            Threads that parse, and that torch computes with on the CPU. Defaults to the CPUs this
            process may use, and to torch's own setting.
        on_error (`str`, defaults to `"conceal"`):
            `"raise"`, `"skip"` or `"conceal"`: what to do about damaged pictures.
        limits ([`Limits`], *optional*):
            What the stream may ask for.
        batch_size (`int`, defaults to 16):
            Keyframes or windows that go through the model at once. Bounds the memory; does not
            change the result beyond rounding.

    Returns:
        [`VideoTokens`]

    Raises:
        ImportError: torch or transformers is missing.
        ValueError: `encoder` names nothing, or `batch_size` < 1.
        TypeError: `encoder` is an object that is no hybrid encoder.
        CopeError: the video cannot be read, see [`VideoReader`].

    Gradients are not recorded. Deterministic on the CPU for given weights.

    Example:
        >>> tokens = cope.encode_video("clip.mp4")  # doctest: +SKIP
        >>> tokens.embeddings.shape, tokens.tokens_per_second  # doctest: +SKIP
        (torch.Size([748, 1152]), 37.4)
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    start = time.perf_counter()
    # First of all, so that a file that cannot be read does not wait for torch.
    with VideoReader(source, threads=threads, on_error=on_error, limits=limits) as video:
        seconds_open = time.perf_counter() - start
        from . import models  # before torch, for it says what to install

        import torch  # isort: skip

        model = _load_encoder(encoder, device, dtype)
        was_training, torch_threads = model.training, torch.get_num_threads()
        model.train(False)
        if threads is not None:
            torch.set_num_threads(threads)
        start = time.perf_counter() - seconds_open
        try:
            keyframes, deltas = _encode_steps(video, model, density, batch_size)
            tokens = models.interleave_tokens(*keyframes.finish(), *deltas.finish())
        finally:
            model.train(was_training)
            torch.set_num_threads(torch_threads)
        duration_seconds, stats = video.info.duration_seconds, video.stats

    kinds, items = tokens.kinds.cpu().numpy(), tokens.item_indices.cpu().numpy()
    frame_index = np.zeros(len(kinds), np.int64)
    for kind, branch in ((models.KEYFRAME, keyframes), (models.DELTA, deltas)):
        frame_index[kinds == kind] = np.array(branch.frame_index, np.int64)[items[kinds == kind]]
    timestamps = tokens.timestamps.cpu().numpy()
    if duration_seconds is None and len(timestamps):
        duration_seconds = float(timestamps[-1] - timestamps[0])
    return VideoTokens(
        embeddings=tokens.embeddings,
        kinds=_KIND_NAMES[kinds],
        timestamps=timestamps,
        frame_index=frame_index,
        positions=tokens.positions.cpu().numpy(),
        duration_seconds=duration_seconds,
        weights=model.config.weights,
        stats=stats,
        seconds=time.perf_counter() - start,
        seconds_encode=keyframes.seconds + deltas.seconds,
    )


def _encode_steps(
    video: VideoReader, model: CopeHybridEncoder, density: Density | None, batch_size: int
) -> tuple[_Branch, _Branch]:
    from .models import prepare_delta, prepare_keyframe

    config, delta_config = model.config, model.delta_encoder.config
    keyframes = _Branch(
        model,
        lambda step: (prepare_keyframe(step.image, config),),
        model.get_keyframe_features,
        config.num_keyframe_tokens,
        batch_size,
    )
    deltas = _Branch(
        model,
        lambda step: prepare_delta(step, delta_config),
        model.get_delta_features,
        delta_config.num_delta_tokens,
        batch_size,
    )
    for step in video.windows(
        density=density, cell=delta_config.cell, residual_scale=delta_config.residual_scale
    ):
        (keyframes if isinstance(step, Keyframe) else deltas).add(step)
    return keyframes, deltas


def _load_encoder(
    encoder: str | os.PathLike[str] | CopeHybridEncoder | None,
    device: str | torch.device | None,
    dtype: str | torch.dtype | None,
) -> CopeHybridEncoder:
    import torch

    from .models import PRESETS, CopeHybridEncoder

    if encoder is None:
        encoder = "small"
    if isinstance(encoder, CopeHybridEncoder):
        model = encoder
    elif not isinstance(encoder, (str, os.PathLike)):
        name = type(encoder).__name__
        raise TypeError(f"encoder must be a name, a path or a CopeHybridEncoder, got {name}")
    elif encoder in PRESETS:
        model = CopeHybridEncoder.from_random(str(encoder))
    elif os.path.isdir(encoder) or _MODEL_ID.fullmatch(os.fspath(encoder)):
        model = CopeHybridEncoder.from_pretrained(encoder)
    else:
        presets = ", ".join(map(repr, PRESETS))
        raise ValueError(
            f"unknown encoder {os.fspath(encoder)!r}: it is no preset ({presets}), no directory "
            "and no Hugging Face model id (owner/name)"
        )
    torch_dtype: torch.dtype | None = getattr(torch, dtype) if isinstance(dtype, str) else dtype
    torch.nn.Module.to(model, device=device, dtype=torch_dtype)
    return model


class _Branch:
    """Prepares the items of one kind, encodes them in batches and keeps their tokens."""

    def __init__(
        self,
        model: CopeHybridEncoder,
        prepare: Callable[[Any], tuple[torch.Tensor, ...]],
        encode: Callable[..., torch.Tensor],
        num_tokens: int,
        batch_size: int,
    ) -> None:
        self.timestamps: list[float] = []
        self.frame_index: list[int] = []
        self.seconds = 0.0
        self._model = model
        self._prepare = prepare
        self._encode = encode
        self._batch_size = batch_size
        self._pending: list[tuple[torch.Tensor, ...]] = []
        self._tokens: list[torch.Tensor] = []
        self._empty_shape = (0, num_tokens, model.config.hidden_size)

    def add(self, step: Keyframe | DeltaWindow) -> None:
        start = time.perf_counter()
        self.timestamps.append(step.timestamp)
        self.frame_index.append(step.frame_index)
        self._pending.append(self._prepare(step))
        if len(self._pending) == self._batch_size:
            self._flush()
        self.seconds += time.perf_counter() - start

    def finish(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns tokens `[items, tokens, D]` and timestamps `[items]` of all items added."""
        import torch

        start = time.perf_counter()
        if self._pending:
            self._flush()
        empty = torch.empty(self._empty_shape, device=self._model.device, dtype=self._model.dtype)
        tokens = torch.cat([empty, *self._tokens])
        self._tokens.clear()
        if tokens.is_cuda:
            torch.cuda.synchronize(tokens.device)  # so that the time below is the model's, too
        self.seconds += time.perf_counter() - start
        return tokens, torch.tensor(self.timestamps, dtype=torch.float64)

    def _flush(self) -> None:
        import torch

        batch = [
            torch.stack(values).to(self._model.device, self._model.dtype)
            for values in zip(*self._pending, strict=True)
        ]
        self._pending.clear()
        with torch.no_grad():
            self._tokens.append(self._encode(*batch))
