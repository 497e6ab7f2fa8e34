"""How densely a video is read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

__all__ = ["Density"]


@dataclass(frozen=True)
class Density:
    """How many keyframes and deltas stand for a second of video.

    A keyframe is the random access point nearest to the asked time, so a video with sparse ones
    gives fewer than asked for. A delta says how the picture changed over its window.

    Args:
        keyframes_per_second (`float` or `"all"`, *optional*, defaults to 0.125):
            Pictures decoded to pixels. `"all"`: every random access point. 0: none.
        deltas_per_second (`float`, *optional*, defaults to 1.0):
            Delta windows. 0: none, then nothing is parsed.
        window (`float`, *optional*):
            Seconds that one delta spans. The default is `1 / deltas_per_second`: each starts where
            the one before ends, or at the last keyframe.

    Raises:
        ValueError: A rate is negative or not finite, or `window` is not positive.

    Example:
        >>> Density(keyframes_per_second="all", deltas_per_second=2.0).window_seconds
        0.5
    """

    keyframes_per_second: float | Literal["all"] = 0.125
    deltas_per_second: float = 1.0
    window: float | None = None

    def __post_init__(self) -> None:
        keyframes = self.keyframes_per_second
        if isinstance(keyframes, str):
            if keyframes != "all":
                raise ValueError(
                    f"keyframes_per_second must be a number or 'all', not {keyframes!r}"
                )
        elif not (math.isfinite(keyframes) and keyframes >= 0):
            raise ValueError(f"keyframes_per_second must be at least 0 and finite, not {keyframes}")
        if not (math.isfinite(self.deltas_per_second) and self.deltas_per_second >= 0):
            raise ValueError(
                f"deltas_per_second must be at least 0 and finite, not {self.deltas_per_second}"
            )
        if self.window is not None and not (math.isfinite(self.window) and self.window > 0):
            raise ValueError(f"window must be positive and finite, not {self.window}")

    @property
    def window_seconds(self) -> float:
        """Seconds that one delta spans; 0 without deltas."""
        if self.window is not None:
            return self.window
        return 1.0 / self.deltas_per_second if self.deltas_per_second else 0.0
