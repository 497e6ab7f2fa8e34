"""`cope encode` prints what tokens cost, and writes them."""

from __future__ import annotations

import numpy as np
import pytest

load_file = pytest.importorskip("safetensors.numpy").load_file
pytest.importorskip("transformers")


def test_tokens_and_their_price(run, demo_clip, tmp_path):
    path = tmp_path / "tokens.safetensors"
    done = run("encode", demo_clip, "-o", path)
    assert done.returncode == 0, done.stderr
    facts = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())

    tensors = load_file(path)
    num_tokens, width = tensors["embeddings"].shape
    assert facts["tokens"].startswith(f"{num_tokens} of width {width}: ")
    assert facts["rate"] == f"{num_tokens / 14:.1f} tokens per second of video"
    parsed, total = (int(word) for word in facts["parsed"].split()[:3:2])
    assert total == 350 and 0 < parsed < total
    assert facts["decoded"].startswith("2 of 350 pictures (0.6%)")
    assert "random" in facts["weights"] and "not trained" in facts["weights"]
    assert "s reading" in facts["time"]

    assert (np.diff(tensors["timestamps"]) >= 0).all()
    times = np.unique(tensors["timestamps"][~tensors["is_delta"]])
    np.testing.assert_allclose(times, [0.0, 8.0], atol=0.05)  # the first picture and the scene cut
    for name in ("is_delta", "timestamps", "frame_index", "positions"):
        assert tensors[name].shape == (num_tokens,)


def test_unknown_encoder_is_wrong_usage(run, demo_clip):
    done = run("encode", demo_clip, "--encoder", "enormous")
    assert done.returncode == 2
    assert "enormous" in done.stderr
