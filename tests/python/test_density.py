"""`Density`, and the keyframes and windows that it makes of a video."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

import cope


def test_defaults() -> None:
    density = cope.Density()
    assert density.keyframes_per_second == 0.125
    assert density.deltas_per_second == 1.0
    assert density.window is None
    assert density.window_seconds == 1.0
    assert cope.Density(deltas_per_second=4).window_seconds == 0.25
    assert cope.Density(window=3.0).window_seconds == 3.0
    assert cope.Density(deltas_per_second=0).window_seconds == 0.0


@pytest.mark.parametrize(
    "wrong",
    [
        {"keyframes_per_second": -1},
        {"keyframes_per_second": math.inf},
        {"keyframes_per_second": math.nan},
        {"keyframes_per_second": "some"},
        {"deltas_per_second": -0.5},
        {"deltas_per_second": math.inf},
        {"deltas_per_second": math.nan},
        {"window": 0},
        {"window": -1},
        {"window": math.nan},
    ],
    ids=str,
)
def test_wrong_values(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        cope.Density(**wrong)


def test_is_a_value() -> None:
    assert cope.Density() == cope.Density(0.125, 1.0)
    assert len({cope.Density(), cope.Density(), cope.Density(window=2.0)}) == 2
    with pytest.raises(AttributeError):
        cope.Density().window = 1.0  # type: ignore[misc]


@pytest.mark.parametrize("keyframes_per_second", [0.05, 0.125, 0.5, 2.0])
def test_keyframes_are_nearest_to_the_asked_times(
    keyframes_per_second: float, natural_clip: Path
) -> None:
    possible = cope.probe(natural_clip).keyframe_seconds
    with cope.VideoReader(natural_clip) as video:
        density = cope.Density(keyframes_per_second, 0)
        chosen = [step.timestamp for step in video.windows(density=density)]
        assert video.stats.num_decoded == len(chosen)
        assert video.stats.num_parsed == 0
        assert video.stats.num_pictures == 250
    period = 1 / keyframes_per_second
    expected = set()
    for n in range(int(10 / period) + 2):
        near = [t for t in possible if n - 0.5 <= t / period < n + 0.5]
        if near:
            expected.add(min(near, key=lambda t: abs(t - n * period)))
    assert chosen == pytest.approx(sorted(expected))


def test_all_keyframes(natural_clip: Path) -> None:
    with cope.VideoReader(natural_clip) as video:
        steps = list(video.windows(density=cope.Density("all", 0)))
    assert [s.timestamp for s in steps] == list(cope.probe(natural_clip).keyframe_seconds)


@pytest.mark.parametrize("deltas_per_second", [0.2, 1, 4, 25, 60])
def test_deltas_follow_one_another(deltas_per_second: float, natural_clip: Path) -> None:
    """Every change between keyframes is in one window and no more."""
    with cope.VideoReader(natural_clip) as video:
        steps = list(video.windows(density=cope.Density(0.01, deltas_per_second)))
    assert isinstance(steps[0], cope.Keyframe)
    place = 0.0
    for step in steps[1:]:
        assert isinstance(step, cope.DeltaWindow)
        assert step.start == place
        assert step.start < step.timestamp
        place = step.timestamp
    assert place > 9.8
    assert len(steps) - 1 <= math.ceil(10 * deltas_per_second)


def test_sparse_deltas_parse_less(portrait_clip: Path) -> None:
    """Pictures that no other is predicted from are left alone, unless they are asked for."""
    with cope.VideoReader(portrait_clip) as video:
        for _ in video.windows(keyframes=False):
            pass
        stats = video.stats
    report = cope.probe(portrait_clip)
    assert stats.num_pictures == report.num_pictures
    assert stats.num_parsed <= report.num_references < report.num_pictures
