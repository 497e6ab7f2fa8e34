"""Parameter sets and slice headers of H.264 and H.265 as FFmpeg's `trace_headers` prints them.

An independent reading of the headers, for tests that must not lean on our own parser.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from data import require_command

_TITLES = {
    "Video Parameter Set": "vps",
    "Sequence Parameter Set": "sps",
    "Picture Parameter Set": "pps",
    "Slice Header": "slice",
    "Slice Segment Header": "slice",
    "Supplemental Enhancement Information": "sei",
    "Access Unit Delimiter": "aud",
}
_LINE = re.compile(r"^\[trace_headers @ [^\]]*\] (.*)$")
_ELEMENT = re.compile(r"^\d+ +(\S+) +[01]* *= (-?\d+)$")


@dataclass
class Unit:
    """One parsed NAL unit."""

    kind: str  # vps | sps | pps | slice | sei | aud
    values: dict[str, int] = field(
        default_factory=dict
    )  # syntax element, with subscripts -> last value
    elements: list[tuple[str, int]] = field(default_factory=list)  # every element, in coded order

    def get(self, name: str, default: int = 0) -> int:
        return self.values.get(name, default)


def trace_headers(path: Path, max_packets: int | None = None) -> Iterator[Unit]:
    """Yields the NAL units of the first video stream, extradata's first, in coded order."""
    command = [
        require_command("ffmpeg"),
        "-nostdin",
        "-hide_banner",
        "-nostats",
        "-loglevel",
        "trace",
    ]
    command += ["-i", str(path), "-map", "0:v:0", "-c", "copy"]
    command += ["-frames:v", str(max_packets)] if max_packets is not None else []
    command += ["-bsf:v", "trace_headers", "-f", "null", "-"]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, errors="replace"
    ) as p:
        assert p.stderr is not None
        unit: Unit | None = None
        for line in p.stderr:
            match = _LINE.match(line.rstrip())
            if match is None:
                continue
            text = match.group(1)
            element = _ELEMENT.match(text)
            if element is None:
                if text in _TITLES:
                    if unit is not None:
                        yield unit
                    unit = Unit(_TITLES[text])
            elif unit is not None:
                unit.values[element.group(1)] = int(element.group(2))
                unit.elements.append((element.group(1), int(element.group(2))))
        if unit is not None:
            yield unit


def named_flags(unit: Unit, **elements: str) -> set[str]:
    """Names of the syntax elements that are there and not 0."""
    return {name for name, element in elements.items() if unit.get(element)}
