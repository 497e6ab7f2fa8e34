"""The exceptions of cope.

Every one is a [`CopeError`] and, besides, the builtin that fits, so that `except ValueError` or
`except OSError` work too. Types and attributes are an interface, texts are not.
"""

from __future__ import annotations

__all__ = [
    "ConcealedDamageWarning",
    "CopeError",
    "InvalidBitstreamError",
    "LimitExceededError",
    "MediaOpenError",
    "UnsupportedStreamError",
]


class CopeError(Exception):
    """Base of all errors of cope.

    Attributes:
        element (`str`, *optional*): Syntax element, coding tool or limit concerned.
        clause (`str`, *optional*): Clause of the standard, such as `"H.264 7.4.2.1.1"`.
        bit_pos (`int`, *optional*): Position in the payload of the NAL unit, bits.
        nal_index (`int`, *optional*): NAL units before this one in the stream.
    """

    def __init__(
        self,
        message: str = "",
        *,
        element: str | None = None,
        clause: str | None = None,
        bit_pos: int | None = None,
        nal_index: int | None = None,
    ) -> None:
        super().__init__(message)
        self.element = element
        self.clause = clause
        self.bit_pos = bit_pos
        self.nal_index = nal_index


class InvalidBitstreamError(CopeError, ValueError):
    """The stream breaks its standard, or ends early."""


class UnsupportedStreamError(CopeError, NotImplementedError):
    """The stream may be fine, but uses a codec or coding tool, named in `element`, that cope does
    not read.
    """


class LimitExceededError(CopeError, ValueError):
    """The stream asks for more than [`Limits`] or memory admit; `element` names what."""


class MediaOpenError(CopeError, OSError):
    """The source cannot be opened or read, or holds no video.

    `errno` and `filename` are set where they are known, as in any `OSError`.
    """

    def __init__(
        self,
        message: str = "",
        *,
        element: str | None = None,
        clause: str | None = None,
        bit_pos: int | None = None,
        nal_index: int | None = None,
        errno: int | None = None,
        filename: str | None = None,
    ) -> None:
        super().__init__(
            message, element=element, clause=clause, bit_pos=bit_pos, nal_index=nal_index
        )
        if errno is not None:
            OSError.__init__(self, errno, message, filename)
        self.filename = filename

    def __str__(self) -> str:
        text = str(self.strerror if self.strerror is not None else self.args[0])
        return f"{text}: {self.filename!r}" if self.filename else text


class ConcealedDamageWarning(RuntimeWarning):
    """Part of a video was damaged; the rest was read. `VideoReader.stats` has the counts."""
