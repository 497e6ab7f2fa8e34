"""`cope digest`: what was parsed, picture by picture, as hashes to hold other decoders to."""

from __future__ import annotations

import json

import typer

import cope
from cope.cli.options import File


def digest(file: File) -> None:
    """Print one JSON line per coded picture, in decoding order.

    Counts and order-independent hashes of the motion vectors and coefficient levels, exactly as
    parsed: equal digests mean equal parses.
    """
    for record in cope.digest(file):
        typer.echo(json.dumps(record, separators=(",", ":")))
