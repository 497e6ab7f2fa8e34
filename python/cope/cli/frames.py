"""Frames decoded to pixels, each with the picture that was parsed from the same bits."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

import av

from cope.picture import Picture
from cope.reader import VideoReader

# A frame that is shown after others follows at most 16 of them in decoding order.
REORDER_DEPTH = 16


def shown(video: VideoReader, file: str) -> Iterator[tuple[Picture, av.VideoFrame]]:
    """Each frame that is shown, with the picture that was parsed from it, in presentation order.

    libavcodec may leave out frames that it cannot decode, so times tell which belongs to which;
    where there are none (elementary streams) the order does.
    """
    frames = _decode(file, video.info.stream_index)
    frame = next(frames, None)
    for picture in _in_presentation_order(video):
        if frame is None:
            return
        if frame.pts is not None and frame.pts > picture.info.pts:
            continue
        yield picture, frame
        frame = next(frames, None)
        while frame is not None and frame.pts is not None and frame.pts <= picture.info.pts:
            frame = next(frames, None)


def _in_presentation_order(video: VideoReader) -> Iterator[Picture]:
    waiting: list[tuple[float, int, Picture]] = []
    for picture in video.pictures():
        info = picture.info
        if info.is_discard or info.is_second_field:
            continue
        heapq.heappush(waiting, (info.timestamp, info.decode_index, picture))
        if len(waiting) > REORDER_DEPTH:
            yield heapq.heappop(waiting)[2]
    while waiting:
        yield heapq.heappop(waiting)[2]


def _decode(file: str, stream_index: int) -> Iterator[av.VideoFrame]:
    """The decoded frames of a stream, in presentation order."""
    with av.open(file) as container:
        stream = container.streams[stream_index]
        assert isinstance(stream, av.VideoStream)
        stream.thread_type = "AUTO"
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
                yield from packet.decode()
            except (
                av.error.FFmpegError
            ):  # damaged: the frame is missing, those after it may be there
                continue
