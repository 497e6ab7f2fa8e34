"""`encode_video` on real clips, against the reader and the encoder called one item at a time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import cope
from cope.models import CopeConfig, CopeHybridEncoder, prepare_delta, prepare_keyframe

DENSE = cope.Density(keyframes_per_second="all", deltas_per_second=4.0)


@pytest.fixture
def encoder(config: CopeConfig) -> CopeHybridEncoder:
    return CopeHybridEncoder.from_random(config)


def one_by_one(
    clip: Path, encoder: CopeHybridEncoder, density: cope.Density
) -> list[tuple[float, bool, int, Tensor]]:
    """Timestamp, is it a keyframe, frame index and tokens of each item, sorted as promised."""
    items = []
    with cope.VideoReader(clip) as video, torch.no_grad():
        for step in video.windows(density=density):
            is_keyframe = isinstance(step, cope.Keyframe)
            if is_keyframe:
                pixel_values = prepare_keyframe(step.image, encoder.config)
                tokens = encoder.get_keyframe_features(pixel_values[None])[0]
            else:
                values = prepare_delta(step, encoder.config.delta_config)
                tokens = encoder.get_delta_features(*(v[None] for v in values))[0]
            items.append((step.timestamp, is_keyframe, step.frame_index, tokens))
    return sorted(items, key=lambda item: item[:2])


@pytest.mark.parametrize("clip", ["natural_clip", "small_clip", "portrait_clip", "hevc_clip"])
def test_tokens_are_those_of_the_items_in_time_order(
    clip: str, encoder: CopeHybridEncoder, request: pytest.FixtureRequest
) -> None:
    path = request.getfixturevalue(clip)
    expected = one_by_one(path, encoder, DENSE)
    tokens = cope.encode_video(path, encoder=encoder, density=DENSE, batch_size=3)

    assert tokens.num_keyframes == sum(is_keyframe for _, is_keyframe, _, _ in expected) > 0
    assert tokens.num_deltas == len(expected) - tokens.num_keyframes > 0
    sizes = [4 if is_keyframe else 8 for _, is_keyframe, _, _ in expected]
    assert len(tokens) == tokens.embeddings.shape[0] == sum(sizes)
    torch.testing.assert_close(
        tokens.embeddings, torch.cat([item[3] for item in expected]), atol=1e-5, rtol=1e-4
    )
    kinds = ["keyframe" if is_keyframe else "delta" for _, is_keyframe, _, _ in expected]
    assert tokens.kinds.tolist() == np.repeat(kinds, sizes).tolist()
    assert tokens.timestamps.tolist() == np.repeat([e[0] for e in expected], sizes).tolist()
    assert tokens.frame_index.tolist() == np.repeat([e[2] for e in expected], sizes).tolist()
    assert tokens.positions.tolist() == [p for size in sizes for p in range(size)]
    assert tokens.timestamps.dtype == np.float64
    assert tokens.frame_index.dtype == tokens.positions.dtype == np.int64
    assert tokens.stats.num_decoded == tokens.num_keyframes
    assert 0 < tokens.stats.num_parsed <= tokens.stats.num_pictures
    assert tokens.stats.num_concealed_pictures == tokens.stats.num_blocks_lost == 0


def test_frames_and_their_times_agree(small_clip: Path, encoder: CopeHybridEncoder) -> None:
    av = pytest.importorskip("av")
    with av.open(str(small_clip)) as container:
        stream = container.streams.video[0]
        start = stream.start_time or 0
        times = sorted(
            float((frame.pts - start) * stream.time_base) for frame in container.decode(stream)
        )
    tokens = cope.encode_video(small_clip, encoder=encoder, density=DENSE)
    np.testing.assert_allclose(np.array(times)[tokens.frame_index], tokens.timestamps, atol=1e-6)


def test_batches_bound_the_work_and_do_not_change_the_tokens(
    natural_clip: Path, config: CopeConfig
) -> None:
    sizes = []

    class Recorder(CopeHybridEncoder):
        def get_delta_features(self, motion_values: Tensor, residual_values: Tensor) -> Tensor:
            sizes.append(len(motion_values))
            return super().get_delta_features(motion_values, residual_values)

    recorder = Recorder.from_random(config)
    tokens = {
        size: cope.encode_video(natural_clip, encoder=recorder, density=DENSE, batch_size=size)
        for size in (1, 4)
    }
    assert max(sizes) == 4 and sizes.count(1) >= tokens[1].num_deltas
    torch.testing.assert_close(tokens[1].embeddings, tokens[4].embeddings, atol=1e-5, rtol=1e-4)


def test_either_kind_may_be_left_out(small_clip: Path, encoder: CopeHybridEncoder) -> None:
    only_deltas = cope.encode_video(
        small_clip, encoder=encoder, density=cope.Density(keyframes_per_second=0)
    )
    assert set(only_deltas.kinds) == {"delta"} and only_deltas.stats.num_decoded == 0
    only_keyframes = cope.encode_video(
        small_clip, encoder=encoder, density=cope.Density(deltas_per_second=0)
    )
    assert set(only_keyframes.kinds) == {"keyframe"} and only_keyframes.stats.num_parsed == 0
    nothing = cope.encode_video(small_clip, encoder=encoder, density=cope.Density(0, 0))
    assert len(nothing) == 0 and nothing.embeddings.shape == (0, 48)
    assert "0 keyframes + 0 deltas" in repr(nothing)


def test_the_default_encoder(small_clip: Path) -> None:
    density = cope.Density(deltas_per_second=0.5)
    tokens = cope.encode_video(small_clip, density=density, threads=1)
    assert tokens.embeddings.shape == (196 * tokens.num_keyframes + 8 * tokens.num_deltas, 1152)
    assert tokens.embeddings.isfinite().all()
    assert tokens.weights == "random (seed 0)"
    again = cope.encode_video(small_clip, encoder="small", density=density, threads=1)
    assert torch.equal(tokens.embeddings, again.embeddings)


def test_a_saved_encoder_gives_the_same_tokens(
    small_clip: Path, encoder: CopeHybridEncoder, tmp_path: Path
) -> None:
    encoder.save_pretrained(tmp_path)
    expected = cope.encode_video(small_clip, encoder=encoder)
    for path in (tmp_path, str(tmp_path)):
        tokens = cope.encode_video(small_clip, encoder=path)
        assert torch.equal(tokens.embeddings, expected.embeddings)
        assert tokens.weights == "random (seed 0)"


def test_dtype_and_the_state_of_the_model(small_clip: Path, encoder: CopeHybridEncoder) -> None:
    encoder.train()
    threads = torch.get_num_threads()
    norm = encoder.delta_encoder.residual_branch.trunk.bn1
    before = norm.running_mean.clone()
    tokens = cope.encode_video(small_clip, encoder=encoder, threads=2)
    assert encoder.training and torch.equal(norm.running_mean, before)
    assert torch.get_num_threads() == threads
    assert not tokens.embeddings.requires_grad and not tokens.embeddings.is_inference()
    half = cope.encode_video(small_clip, encoder=encoder, dtype="bfloat16")
    assert half.embeddings.dtype == encoder.dtype == torch.bfloat16


def test_repr_says_what_happened(natural_clip: Path, encoder: CopeHybridEncoder) -> None:
    tokens = cope.encode_video(natural_clip, encoder=encoder)
    text = repr(tokens)
    stats = tokens.stats
    with cope.VideoReader(natural_clip) as video:
        duration = video.info.duration_seconds
    assert duration is not None
    assert f"{len(tokens)} tokens of width 48" in text
    assert f"{len(tokens) / duration:.1f} tokens per second of video" in text
    assert f"{stats.num_parsed / stats.num_pictures:.1%} parsed" in text
    assert f"{stats.num_decoded / stats.num_pictures:.1%} decoded" in text
    assert f"took {tokens.seconds:.2f} s" in text
    assert "weights random (seed 0)" in text
    assert 0 < tokens.seconds_encode < tokens.seconds


def test_bad_arguments(small_clip: Path, tmp_path: Path, encoder: CopeHybridEncoder) -> None:
    with pytest.raises(ValueError, match=r"unknown encoder 'smal'.*'paper', 'small'"):
        cope.encode_video(small_clip, encoder="smal")
    with pytest.raises(ValueError, match="unknown encoder"):
        cope.encode_video(small_clip, encoder=tmp_path / "absent")
    with pytest.raises(TypeError, match="got Linear"):
        cope.encode_video(small_clip, encoder=torch.nn.Linear(1, 1))
    with pytest.raises(ValueError, match="batch_size"):
        cope.encode_video(small_clip, encoder=encoder, batch_size=0)
    with pytest.raises(cope.MediaOpenError):
        cope.encode_video(tmp_path / "absent.mp4", encoder=encoder)


def test_a_missing_file_is_reported_before_torch_is_loaded(tmp_path: Path) -> None:
    script = (
        "import sys, cope\n"
        "try:\n    cope.encode_video(sys.argv[1])\n"
        "except cope.MediaOpenError:\n    print('torch' in sys.modules)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "absent.mp4")]
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert run.stdout.strip() == "False"


def test_without_torch_the_error_says_what_to_install(small_clip: Path) -> None:
    script = (
        "import sys; sys.modules['torch'] = None\n"
        "import cope\n"
        "try:\n    cope.encode_video(sys.argv[1])\n"
        "except ImportError as error:\n    print(error)\n"
    )
    command = [sys.executable, "-c", script, str(small_clip)]
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert "pip install cope[models]" in run.stdout
