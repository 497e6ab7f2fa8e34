"""The `cope` command. Everything it does is one call of the public Python interface away."""

from __future__ import annotations

import sys

from cope.errors import CopeError

_NEEDS = {
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
    try:
        from cope.cli.app import app

        app()
    except CopeError as error:
        sys.exit(f"cope: {type(error).__name__}: {error}")
    except ModuleNotFoundError as error:
        extra = _NEEDS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        sys.exit(
            f"cope: this needs {error.name}, which is not installed: pip install 'cope[{extra}]'"
        )
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        sys.exit(f"cope: {where}{error.strerror or error}")
