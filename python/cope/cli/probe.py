"""`cope probe`: what a video is made of, and whether cope reads it."""

from __future__ import annotations

import dataclasses
import json
from fractions import Fraction
from typing import Annotated, Any

import typer

import cope
from cope.cli.options import File
from cope.cli.output import amount, counted, print_facts
from cope.cli.progress import watched
from cope.stream import StreamReport

JsonFlag = Annotated[bool, typer.Option("--json", help="Print everything as one JSON object.")]


def probe(file: File, as_json: JsonFlag = False) -> None:
    """Tell codec, structure and coding tools, and whether cope reads them.

    Looks at the headers of every picture and parses no slice data.
    """
    with watched(file, "reading headers") as source:
        report = cope.probe(source)
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(report), default=_to_json))
    else:
        print_facts(_facts(report))


def _to_json(value: Any) -> Any:
    if isinstance(value, Fraction):
        return str(value)
    raise TypeError(f"{type(value).__name__} in a report")


def _facts(report: StreamReport) -> list[tuple[str, str]]:
    info = report.info
    level = f" level {report.level:g}" if report.level is not None else ""
    turned = f", turned by {info.rotation} degrees" if info.rotation else ""
    depth = f", {info.bit_depth} bits" if info.bit_depth else ""
    rate = f", {float(info.average_rate):.6g} frames/s" if info.average_rate else ""
    duration = report.duration_seconds
    bit_rate = f", {amount(report.size_bytes * 8 / duration, 'bit/s')}" if duration else ""
    types = ", ".join(f"{n} {name}" for name, n in report.num_by_type.items() if n)
    reading = "yes" if report.is_supported else f"pictures; no windows: {report.unsupported_reason}"
    return [
        ("video", f"{report.codec} {report.profile}{level}, {info.pix_fmt or 'unknown'}{depth}"),
        ("size", f"{report.width}x{report.height}{turned}{rate}{_changes(report)}"),
        ("container", info.container),
        ("duration", f"{duration:.2f} s{bit_rate}" if duration else "unknown"),
        ("pictures", f"{report.num_pictures}: {types}; {report.num_references} are references"),
        ("structure", _structure(report)),
        ("keyframes", _keyframes(report)),
        ("tools", ", ".join(report.features)),
        ("passed over", _skipped(report)),
        ("supported", reading),
        ("damage", _damage(report)),
    ]


def _changes(report: StreamReport) -> str:
    return "".join(f"; {w}x{h} from {seconds:.2f} s" for seconds, w, h in report.sizes[1:])


def _structure(report: StreamReport) -> str:
    if report.gop_pictures_min is None:
        return ""
    shortest, longest = report.gop_pictures_min, report.gop_pictures_max
    length = f"{shortest}" if shortest == longest else f"{shortest} to {longest}"
    kind = "open" if report.is_open_gop else "closed"
    return f"{kind} GOPs of {length} pictures, at most {report.max_consecutive_b} B in a row"


def _keyframes(report: StreamReport) -> str:
    text = f"{counted(report.num_random_access, 'random access point')}, {report.num_idr} IDR"
    if report.gop_seconds_mean is not None:
        text += f", every {report.gop_seconds_mean:.2f} s on average"
    times = report.keyframe_seconds
    if times:
        shown = ", ".join(f"{t:.2f}" for t in times[:6]) + (", ..." if len(times) > 6 else "")
        text += f": at {shown} s"
    return text


def _skipped(report: StreamReport) -> str:
    return counted(report.num_nal_units_skipped, "NAL unit") if report.num_nal_units_skipped else ""


def _damage(report: StreamReport) -> str:
    parts = []
    if report.num_frames_lost:
        parts.append(f"{counted(report.num_frames_lost, 'reference frame')} lost")
    if report.num_nal_units_damaged:
        dropped = counted(report.num_nal_units_damaged, "NAL unit")
        parts.append(f"{dropped} dropped; first: {report.first_error}")
    return ", ".join(parts)
