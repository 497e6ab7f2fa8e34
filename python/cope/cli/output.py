"""What the commands print: facts, one a line, the names in a column of their own."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text


def print_facts(facts: Sequence[tuple[str, str]]) -> None:
    """Print names and values side by side, one pair a line; pairs without a value are left out."""
    console = Console(highlight=False)
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        if value:
            console.print(
                Text(f"{name:<{width}}  ", style="dim").append(value, style="not dim"),
                soft_wrap=True,
            )


def counted(number: int, noun: str) -> str:
    """A number and its noun, in the plural where it is one: `1 window`, `7 windows`."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def share(part: int, whole: int) -> str:
    """How many pictures of how many, and the percentage."""
    return f"{part} of {counted(whole, 'picture')}" + (f" ({part / whole:.1%})" if whole else "")


def amount(value: float, unit: str) -> str:
    """A value to three digits with the prefix that fits: `12.3 kbit`."""
    for prefix in ("", "k", "M"):
        if value < 999.5:
            return f"{value:.3g} {prefix}{unit}"
        value /= 1000
    return f"{value:.3g} G{unit}"
