"""One pool per process: forks, DataLoader workers, the GIL, limits on threads and on memory."""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import socket
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data import require_command

import cope


def digest_of(path: str) -> list[dict[str, Any]]:
    return list(cope.digest(path, threads=2))


def digest_into(path: str, queue: Any) -> None:
    queue.put(digest_of(path))


def in_child(context: str, path: Path) -> list[dict[str, Any]]:
    """What a child process reads."""
    processes = multiprocessing.get_context(context)
    queue = processes.Queue()
    child = processes.Process(target=digest_into, args=(str(path), queue))
    child.start()
    digests: list[dict[str, Any]] = queue.get(timeout=60)
    child.join(timeout=60)
    assert child.exitcode == 0
    return digests


def run_python(code: str, *args: str, **environment: str) -> str:
    """The output of a fresh interpreter."""
    process = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *args],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


@pytest.fixture(scope="module")
def long_clips(tmp_path_factory: pytest.TempPathFactory, natural_clip: Path) -> tuple[Path, Path]:
    """The same clip many times over, and more often still."""
    folder = tmp_path_factory.mktemp("long")
    paths = []
    for repeats in (20, 60):
        path = folder / f"{repeats}.mp4"
        command = [require_command("ffmpeg"), "-nostdin", "-v", "error", "-y"]
        command += ["-stream_loop", str(repeats - 1), "-i", str(natural_clip), "-c", "copy"]
        subprocess.run([*command, str(path)], check=True)
        paths.append(path)
    return paths[0], paths[1]


class TestProcesses:
    @pytest.mark.parametrize("context", ["fork", "spawn", "forkserver"])
    def test_a_child_after_use(self, context: str, small_clip: Path) -> None:
        expected = digest_of(str(small_clip))
        assert in_child(context, small_clip) == expected

    def test_a_fork_before_use(self, natural_clip: Path) -> None:
        code = """
            import os, sys
            import cope
            child = os.fork()
            count = sum(1 for _ in cope.digest(sys.argv[1], threads=4))
            if child == 0:
                os._exit(0 if count == 250 else 1)
            print(count, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        """
        assert run_python(code, str(natural_clip)).split() == ["250", "0"]

    def test_a_fork_amid_a_pass(self, natural_clip: Path) -> None:
        """The child lets go of a reader whose threads it does not have, and reads on its own."""
        code = """
            import gc, os, sys
            import cope
            for start in ("pictures", "windows"):
                video = cope.VideoReader(sys.argv[1], threads=4)
                items = getattr(video, start)()
                next(items)
                for _ in range(8):
                    child = os.fork()
                    if child == 0:
                        video.close()
                        del video, items
                        gc.collect()
                        ok = sum(1 for _ in cope.digest(sys.argv[1], threads=4)) == 250
                        os._exit(0 if ok else 1)
                    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
                    next(items)
                print(sum(1 for _ in items))
        """
        left = run_python(code, str(natural_clip), COPE_NUM_THREADS="4").split()
        assert int(left[0]) == 250 - 9

    @pytest.mark.parametrize("context", ["fork", "spawn"])
    def test_data_loader_workers(self, context: str, small_clip: Path, natural_clip: Path) -> None:
        data = pytest.importorskip("torch.utils.data")
        expected = [cope.extract(path).motion.torch() for path in (small_clip, natural_clip)]
        loader = data.DataLoader(
            _Clips([str(small_clip), str(natural_clip)] * 3),
            batch_size=None,
            num_workers=2,
            multiprocessing_context=context,
        )
        motions = list(loader)
        assert len(motions) == 6
        for i, motion in enumerate(motions):
            assert motion.equal(expected[i % 2])


class _Clips:
    """A map-style data set."""

    def __init__(self, paths: list[str]) -> None:
        self.paths = paths

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Any:
        if index >= len(self.paths):
            raise IndexError(index)
        return cope.extract(self.paths[index]).motion.torch()


class TestThreads:
    def test_many_readers_at_once(self, natural_clip: Path, small_clip: Path) -> None:
        """More readers than threads, in Python threads and interleaved in one."""
        paths = [str(natural_clip), str(small_clip)] * 6
        expected = [[d["mv"] for d in digest_of(path)] for path in paths[:2]]
        found: list[Any] = [None] * len(paths)

        def read(i: int) -> None:
            found[i] = [d["mv"] for d in cope.digest(paths[i])]

        threads = [threading.Thread(target=read, args=(i,)) for i in range(len(paths))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for i, digests in enumerate(found):
            assert digests == expected[i % 2]

        readers = [cope.digest(path) for path in paths]
        interleaved: list[list[Any]] = [[] for _ in paths]
        while readers:
            for i, reader in enumerate(readers):
                if (record := next(reader, None)) is not None:
                    interleaved[i].append(record["mv"])
            if len(interleaved[0]) == len(expected[0]):
                break
        assert interleaved[0] == expected[0]
        assert interleaved[1] == expected[1]

    @pytest.mark.parametrize("limit", ["environment", "affinity"])
    def test_no_more_threads_than_allowed(self, limit: str, natural_clip: Path) -> None:
        """Eight Python threads read; those of cope's own are as many as the limit says."""
        code = """
            import os, sys, threading
            import cope
            if sys.argv[2] == "affinity":
                os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
            def read(threads):
                cope.extract(sys.argv[1], threads=threads)
            readers = [threading.Thread(target=read, args=(n,)) for n in (None, 1, 2, 8) * 2]
            for reader in readers:
                reader.start()
            for reader in readers:
                reader.join()
            def name(task):
                try:
                    return open(f"/proc/self/task/{task}/comm").read().strip()
                except FileNotFoundError:  # a reader's, which has just ended
                    return ""
            print(sum(name(task) == "cope" for task in os.listdir("/proc/self/task")))
        """
        environment = {"COPE_NUM_THREADS": "2"} if limit == "environment" else {}
        most = 2 if limit == "environment" else 1
        assert int(run_python(code, str(natural_clip), limit, **environment)) == most

    def test_one_thread_borrows_none(self, natural_clip: Path) -> None:
        code = """
            import os, sys
            import cope
            import numpy  # whose libraries may start threads
            before = len(os.listdir("/proc/self/task"))
            cope.extract(sys.argv[1], threads=1)
            print(len(os.listdir("/proc/self/task")) - before)
        """
        assert int(run_python(code, str(natural_clip))) == 0

    @pytest.mark.parametrize("threads", [1, 2])
    def test_the_gil_is_free_while_parsing(
        self, threads: int, long_clips: tuple[Path, Path]
    ) -> None:
        """Another Python thread goes on while one long call reads the whole video."""
        ticks: list[float] = []
        stop = threading.Event()

        def tick() -> None:
            while not stop.is_set():
                ticks.append(time.perf_counter())
                time.sleep(0.0005)

        with cope.VideoReader(long_clips[0], threads=threads) as video:
            windows = video.windows(
                density=cope.Density(keyframes_per_second=0, deltas_per_second=0.01)
            )
            thread = threading.Thread(target=tick)
            thread.start()
            start = time.perf_counter()
            next(windows)  # one call, 100 seconds of video
            end = time.perf_counter()
            stop.set()
            thread.join()
        during = [start, *(t for t in ticks if start < t < end), end]
        assert len(during) > 5  # few on a machine that is busy
        # Holding the GIL would show as one gap of the whole length.
        assert np.diff(during).max() < 0.5 * (end - start)


class TestClosing:
    def test_does_not_wait_for_a_server(self, natural_clip: Path, tmp_path: Path) -> None:
        """What is read ahead is given up when the server has stopped answering."""
        path = tmp_path / "fast.mp4"
        command = [require_command("ffmpeg"), "-nostdin", "-v", "error", "-stream_loop", "19", "-i"]
        command += [str(natural_clip), "-c", "copy", "-movflags", "+faststart", str(path)]
        subprocess.run(command, check=True)
        data = path.read_bytes()
        with cope.VideoReader(path) as video:
            sizes = [p.info.size_bytes for p, _ in zip(video.pictures(), range(130), strict=False)]
        end = data.index(b"mdat") + sum(sizes)  # 100 are asked for, the others wait in queues
        done = threading.Event()

        def serve(server: socket.socket) -> None:
            while not done.is_set():
                connection, _ = server.accept()
                with connection, contextlib.suppress(OSError):
                    connection.recv(4096)
                    head = f"HTTP/1.0 200 OK\r\nContent-Length: {len(data)}\r\n\r\n"
                    connection.sendall(head.encode() + data[:end])
                    done.wait()

        with socket.create_server(("127.0.0.1", 0)) as server:
            threading.Thread(target=serve, args=(server,), daemon=True).start()
            video = cope.VideoReader(f"http://127.0.0.1:{server.getsockname()[1]}/", threads=2)
            pictures = video.pictures()
            for _ in range(100):
                next(pictures)
            time.sleep(0.2)  # reading ahead stands still
            start = time.perf_counter()
            video.close()
            seconds = time.perf_counter() - start
            done.set()
        assert seconds < 5  # the server has 30


class _CountingFile(io.BytesIO):
    """A file that knows how far it was read."""

    num_read = 0

    def readinto(self, buffer: Any) -> int:
        count = super().readinto(buffer)
        self.num_read += count
        return count


class TestMemory:
    def test_a_slow_consumer_holds_reading_back(self, long_clips: tuple[Path, Path]) -> None:
        file = _CountingFile(long_clips[0].read_bytes())
        size = len(file.getvalue())
        with cope.VideoReader(file, threads=2) as video:
            pictures = video.pictures()
            next(pictures)
            time.sleep(0.2)
            read = file.num_read
            time.sleep(0.2)
            assert file.num_read == read
            assert read < size / 20
            for _ in range(10):
                next(pictures)
            assert file.num_read < size / 20

    @pytest.mark.parametrize("how", ["pictures", "windows", "slow"])
    def test_peak_is_flat_in_the_length(self, how: str, long_clips: tuple[Path, Path]) -> None:
        code = """
            import sys, time
            import cope
            with cope.VideoReader(sys.argv[1], threads=4) as video:
                items = video.windows() if sys.argv[2] == "windows" else video.pictures()
                for n, item in enumerate(items):
                    if sys.argv[2] == "slow":
                        time.sleep(0.05)
                        if n == 20:
                            break
            with open("/proc/self/status") as status:
                print(*(line.split()[1] for line in status if line.startswith("VmHWM")))
        """
        short, long = (
            int(run_python(code, str(path), how, COPE_NUM_THREADS="4", MALLOC_ARENA_MAX="2"))
            for path in long_clips
        )
        # Buffers have met large pictures by then. The container's index of samples grows.
        assert long < short * 1.15 + 8192, (short, long)
