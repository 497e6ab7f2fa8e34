"""`python -m cope.cli` is the same as `cope`."""

from cope.cli import main

main()
