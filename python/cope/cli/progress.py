"""Progress bars for people: on standard error, and only when that is a terminal."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from typing_extensions import Buffer


def make_bar() -> Progress:
    """A progress display with a bar, a percentage and the time that is left."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )


class _WatchedFile(io.FileIO):
    """A file that moves a bar to where it was last read."""

    def __init__(self, path: str, progress: Progress, title: str) -> None:
        super().__init__(path)
        self._progress = progress
        self._task = progress.add_task(title, total=os.fstat(self.fileno()).st_size)

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(-1 if size is None else size)
        self._progress.update(self._task, completed=self.tell())
        return data

    def readinto(self, buffer: Buffer, /) -> int | None:
        count = super().readinto(buffer)
        self._progress.update(self._task, completed=self.tell())
        return count


@contextmanager
def watched(source: str, title: str) -> Iterator[str | io.FileIO]:
    """What to give `cope` instead of `source` to see how far its reading has come.

    The name itself where there is nobody to see it, and for anything but a regular file.
    """
    progress = make_bar()
    if not progress.console.is_terminal or not os.path.isfile(source):
        yield source
        return
    with progress, _WatchedFile(source, progress, title) as file:
        yield file
