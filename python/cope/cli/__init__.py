"""The `cope` command. Everything it does is one call of the public Python interface away."""

from __future__ import annotations

import sys
import warnings
from typing import TextIO

from cope.errors import CopeError

_EXTRAS = {
    "typer": "cli",
    "rich": "cli",
    "av": "view",
    "PIL": "view",
    "torch": "models",
    "transformers": "models",
    "safetensors": "models",
}


def main() -> None:
    """Runs the command line; a failure is one line on standard error and exit status 1."""
    warnings.showwarning = _show_warning
    try:
        from cope.cli.app import app

        app()
    except CopeError as error:
        sys.exit(f"cope: {type(error).__name__}: {error}")
    except ImportError as error:
        cause = error if error.name else error.__cause__
        package = (getattr(cause, "name", None) or "").partition(".")[0]
        if package not in _EXTRAS:
            raise
        sys.exit(f"cope: this needs {package}: pip install 'cope[{_EXTRAS[package]}]'")
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        sys.exit(f"cope: {where}{error.strerror or error}")


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    print(f"cope: warning: {message}", file=sys.stderr)
