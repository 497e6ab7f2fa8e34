"""The commands, each in a module of its own. Heavy packages are imported when a command runs."""

from __future__ import annotations

from typing import Annotated

import typer

import cope
from cope.cli.digest import digest
from cope.cli.encode import encode
from cope.cli.extract import extract
from cope.cli.probe import probe
from cope.cli.view import view

app = typer.Typer(
    help="Reads motion, residuals and a few keyframes out of compressed video.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (probe, digest, extract, encode, view):
    app.command()(command)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"cope {cope.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    pass
