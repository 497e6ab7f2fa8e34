"""One measurement: reads a clip once in one way and prints what it cost, as a line of JSON.

    python benchmarks/peers.py NAME CLIP

Each way needs nothing but its own package, so that peers whose dependencies conflict can live in
environments of their own. Opening and closing the clip count; importing the package does not.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Peer:
    """A way to read a clip."""

    label: str  # as the table shows it
    package: str  # distribution that gives the version
    module: str  # imported before the clock starts
    read: Callable[[Any, str], int]  # (module, path) -> pictures or frames that came out
    codecs: tuple[str, ...] = ("h264", "hevc")  # in which it does what it says


def _cope_all(cope: Any, path: str) -> int:
    num_pictures = 0
    with cope.VideoReader(path, threads=1) as video:
        for picture in video.pictures(coefficients=True):
            # Touch everything that parsing gives, as a consumer would.
            _ = picture.motion.mv, picture.motion.ref_idx
            _ = picture.blocks.type, picture.blocks.qp, picture.bits
            _ = picture.coefficients.records, picture.coefficients.levels
            num_pictures += 1
    return num_pictures


def _cope_motion(cope: Any, path: str) -> int:
    num_pictures = 0
    with cope.VideoReader(path, threads=1) as video:
        for picture in video.pictures(coefficients=False):
            _ = picture.motion.mv, picture.motion.ref_idx
            num_pictures += 1
    return num_pictures


def _cope_density(cope: Any, path: str) -> int:
    """One window a second, no keyframe decoded: pictures off the reference chain are not parsed."""
    density = cope.Density(deltas_per_second=1.0)
    with cope.VideoReader(path, threads=1) as video:
        for _ in video.windows(density=density, keyframes=False):
            pass
    return _num_pictures(cope, path)


def _cope_extract(cope: Any, path: str) -> int:
    cope.extract(path, threads=1)
    return _num_pictures(cope, path)


def _num_pictures(cope: Any, path: str) -> int:
    with cope.VideoReader(path, threads=1) as video:
        return int(video.info.num_frames or 0)


def _av_frames(av: Any, path: str, read: Callable[[Any], object], **options: str) -> int:
    num_frames = 0
    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        stream.codec_context.thread_count = 1
        stream.codec_context.options = options
        for frame in container.decode(stream):
            read(frame)
            num_frames += 1
    return num_frames


def _av_decode(av: Any, path: str) -> int:
    return _av_frames(av, path, lambda frame: None)


def _av_vectors(av: Any, path: str) -> int:
    def read(frame: Any) -> object:
        vectors = frame.side_data.get("MOTION_VECTORS")
        return None if vectors is None else vectors.to_ndarray()

    return _av_frames(av, path, read, flags2="+export_mvs")


def _mv_extractor(mvextractor: Any, path: str, decode_frames: bool) -> int:
    capture = importlib.import_module("mvextractor.videocap").VideoCap()
    if not capture.open(path):
        raise OSError(f"cannot open {path}")
    capture.set_decode_frames(decode_frames)  # opening sets it back
    num_frames = 0
    while capture.read()[0]:
        num_frames += 1
    capture.release()
    return num_frames


def _mv_extractor_vectors(mvextractor: Any, path: str) -> int:
    return _mv_extractor(mvextractor, path, decode_frames=False)


def _mv_extractor_frames(mvextractor: Any, path: str) -> int:
    return _mv_extractor(mvextractor, path, decode_frames=True)


def _torchcodec(torchcodec: Any, path: str, **options: Any) -> int:
    importlib.import_module("torch").set_num_threads(1)
    decoders = importlib.import_module("torchcodec.decoders")
    decoder = decoders.VideoDecoder(path, num_ffmpeg_threads=1, seek_mode="approximate", **options)
    num_frames = 0
    for _ in decoder:
        num_frames += 1
    return num_frames


def _torchcodec_resized(torchcodec: Any, path: str) -> int:
    transforms = importlib.import_module("torchcodec.transforms")
    return _torchcodec(torchcodec, path, transforms=[transforms.Resize((384, 384))])


def _decord(decord: Any, path: str) -> int:
    reader = decord.VideoReader(path, num_threads=1)
    num_frames = len(reader)
    for _ in range(num_frames):
        reader.next().asnumpy()
    return num_frames


def _libde265(ctypes: Any, path: str) -> int:
    """The library by its C interface, on the calling thread, from an Annex B byte stream."""
    library = ctypes.CDLL("libde265.so.0")
    library.de265_new_decoder.restype = ctypes.c_void_p
    library.de265_get_next_picture.restype = ctypes.c_void_p
    decoder = ctypes.c_void_p(library.de265_new_decoder())
    with open(path, "rb") as file:
        data = file.read()
    library.de265_push_data(decoder, data, len(data), ctypes.c_int64(0), None)
    library.de265_flush_data(decoder)
    more = ctypes.c_int(1)
    num_frames = 0
    while more.value:
        library.de265_decode(decoder, ctypes.byref(more))
        while library.de265_get_next_picture(decoder):
            num_frames += 1
    library.de265_free_decoder(decoder)
    return num_frames


PEERS = {
    "cope": Peer("cope, all pictures, all fields", "cope", "cope", _cope_all),
    "cope-motion": Peer("cope, motion only", "cope", "cope", _cope_motion),
    "cope-density": Peer("cope, one window a second", "cope", "cope", _cope_density),
    "cope-extract": Peer("cope, extract() with keyframes", "cope", "cope", _cope_extract),
    "libavcodec": Peer("libavcodec decode alone (PyAV)", "av", "av", _av_decode),
    "libde265": Peer("libde265 decode alone", "libde265", "ctypes", _libde265, ("hevc",)),
    "pyav-vectors": Peer("PyAV, exported vectors to NumPy", "av", "av", _av_vectors, ("h264",)),
    "mv-extractor": Peer(
        "motion-vector-extractor, vectors",
        "motion-vector-extractor",
        "mvextractor",
        _mv_extractor_vectors,
        ("h264",),
    ),
    "mv-extractor-bgr": Peer(
        "motion-vector-extractor, with BGR",
        "motion-vector-extractor",
        "mvextractor",
        _mv_extractor_frames,
        ("h264",),
    ),
    "torchcodec": Peer("torchcodec to RGB", "torchcodec", "torchcodec", _torchcodec),
    "torchcodec-384": Peer(
        "torchcodec, resized to 384", "torchcodec", "torchcodec", _torchcodec_resized
    ),
    "decord": Peer("decord to RGB", "decord", "decord", _decord),
}


def _warm_up(module: Any) -> None:
    """Loads what the packages import lazily, so that it is not measured."""
    if importlib.util.find_spec("numpy"):
        importlib.import_module("numpy")
    for name in (
        "cope._native",
        "cope.reader",
        "torchcodec.decoders",
        "torchcodec.transforms",
        "mvextractor.videocap",
    ):
        if name.startswith(module.__name__):
            importlib.import_module(name)


def _version(module: Any, package: str) -> str:
    if package == "libde265":
        library = module.CDLL("libde265.so.0")
        library.de265_get_version.restype = module.c_char_p
        return str(library.de265_get_version().decode())
    return getattr(module, "__version__", None) or importlib.metadata.version(package)


def _byte_stream(path: str, folder: str) -> str:
    """The clip as an Annex B byte stream, for peers that know no containers."""
    out = os.path.join(folder, "stream.hevc")
    command = ["ffmpeg", "-v", "error", "-i", path, "-c", "copy", "-f", "hevc", out]
    subprocess.run(command, check=True)
    return out


def measure(peer: Peer, path: str) -> dict[str, Any]:
    """Reads the clip once."""
    module = importlib.import_module(peer.module)
    version = _version(module, peer.package)
    _warm_up(module)
    with tempfile.TemporaryDirectory() as folder:
        return _measure(peer, module, version, path, folder)


def _measure(peer: Peer, module: Any, version: str, path: str, folder: str) -> dict[str, Any]:
    if peer.package == "libde265":
        path = _byte_stream(path, folder)
    wall, cpu = time.perf_counter(), time.process_time()
    num_frames = peer.read(module, path)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {
        "frames": num_frames,
        "cpu_seconds": cpu,
        "wall_seconds": wall,
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "version": version,
    }


def main() -> int:
    name, path = sys.argv[1:]
    # One core: packages that size their thread pools by the machine get one thread as well.
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    try:
        result = measure(PEERS[name], path)
    except Exception as error:
        result = {
            "error": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        }
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
