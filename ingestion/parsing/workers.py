"""Processes that parse, fed through their own pipes.

Plain child processes rather than a pool of `multiprocessing`: they never import the caller's main
module, they own no lock, and when the loader dies, however hard, they read the end of their input
and leave. Belongs here: handing blocks out and taking batches back in order. Does not belong
here: what a batch is (`batches`).
"""

import contextlib
import fcntl
import gc
import os
import pickle
import struct
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import IO, Any, NamedTuple

from ingestion.contracts.model import Contracts
from ingestion.landing.blocks import Block
from ingestion.landing.byte_ranges import ByteRange
from ingestion.landing.file_info import FileInfo, Shape
from ingestion.parsing.batches import Batch, BatchParser
from tallyhouse.errors import TallyhouseError

_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}  # numpy's threads, which would wait for work in vain
_HEAD = struct.Struct("<QQ")
SMALL = 12 << 20  # bytes up to which starting processes is not worth it
_PIPE = 1 << 20  # bytes
AHEAD = 3  # items per process, of some 6 MiB each, that may be parsed or wait to be


class Begin(NamedTuple):
    """A file starts. With `undeclared`, none of it can be parsed."""

    file: FileInfo
    undeclared: str | None = None


class Work(NamedTuple):
    file: FileInfo
    block: Block | ByteRange
    shape: Shape


class Finish(NamedTuple):
    """A file ends; `problem` says why it ended before its end. With `changed`, which says how it
    changed while it was read, nothing of it counts."""

    file: FileInfo
    problem: str | None = None
    changed: str | None = None


class Unread(NamedTuple):
    """What becomes of a block that could not be read any more."""

    reason: str


Item = Begin | Work | Finish
Parsed = Batch | Unread


class WorkerLost(TallyhouseError):
    """A parsing process ended by itself."""

    def __init__(self) -> None:
        super().__init__(
            "A process that parses files ended unexpectedly (out of memory?). What was finished is"
            " loaded; run the load again for the rest."
        )


class Parsing:
    """Turns blocks into batches, in order: here while there is little, then in processes."""

    def __init__(self, contracts: Contracts, master_key: bytes, processes: int) -> None:
        self._start = (contracts, master_key)
        self._count = processes
        self._here: BatchParser | None = None
        self._seen = 0
        self._free: deque[subprocess.Popen[bytes]] = deque()
        self._all: list[subprocess.Popen[bytes]] = []
        self._waiters: ThreadPoolExecutor | None = None

    def run(self, items: Iterable[Item]) -> Iterator[Begin | Finish | Parsed]:
        """The items with each Work replaced by its batch. Parsing runs ahead of the caller by a few
        blocks per process, so that it goes on while the caller finishes a file."""
        waiting: deque[Begin | Finish | Parsed | Future[Parsed]] = deque()
        source = iter(items)
        ended = False
        while True:
            while not ended and len(waiting) < self._ahead():
                item = next(source, None)
                if item is None:
                    ended = True
                elif isinstance(item, Work):
                    waiting.append(self._begin(item))
                else:
                    waiting.append(item)
            if not waiting:
                return
            first = waiting.popleft()
            yield first.result() if isinstance(first, Future) else first

    def _ahead(self) -> int:
        return AHEAD * self._count if self._all else 1

    def _begin(self, work: Work) -> Parsed | Future[Parsed]:
        self._seen += work.block.size
        seen = max(self._seen, work.file.size_bytes)
        if self._count < 2 or (seen <= SMALL and not self._all):
            self._here = self._here or BatchParser(*self._start)
            return _parsed(self._here, work)
        if self._waiters is None:
            self._all = [self._spawn() for _ in range(self._count)]
            self._free.extend(self._all)
            self._waiters = ThreadPoolExecutor(self._count)
        return self._waiters.submit(self._parse, work)

    def _parse(self, work: Work) -> Parsed:
        """In a thread of its own, of which there are as many as processes: wait for one's answer."""
        process = self._free.popleft()
        if isinstance(work.block, Block):
            data: Any = pickle.PickleBuffer(work.block.data)  # goes as it lies, without a copy
            work = work._replace(block=work.block._replace(data=data))
        _send(process.stdin, work)
        parsed = _receive(process.stdout)
        if not isinstance(parsed, Parsed):
            raise WorkerLost
        self._free.append(process)
        return parsed

    def _spawn(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-c", "from ingestion.parsing.workers import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | _ONE_THREAD,
        )
        for pipe in (process.stdin, process.stdout):
            _widen(pipe)
        _send(process.stdin, self._start)
        return process

    def close(self) -> None:
        """End the processes; whatever they still compute is not wanted."""
        for process in self._all:
            process.kill()
        if self._waiters is not None:
            self._waiters.shutdown(cancel_futures=True)
        for process in self._all:
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(BrokenPipeError):
                        pipe.close()
            process.wait()


def _widen(pipe: IO[bytes] | None) -> None:
    """Let a pipe hold more, so that both ends wake up less often; where that cannot be, let it be."""
    assert pipe is not None
    with contextlib.suppress(OSError, AttributeError):
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE)


def _send(pipe: IO[bytes] | None, message: Any) -> None:
    """A message: how long it is, how long each of its buffers is, itself, its buffers."""
    assert pipe is not None
    buffers: list[memoryview] = []
    data = pickle.dumps(
        message, protocol=5, buffer_callback=lambda part: buffers.append(part.raw())
    )
    sizes = [part.nbytes for part in buffers]
    try:
        pipe.write(_HEAD.pack(len(data), len(sizes)))
        pipe.write(struct.pack(f"<{len(sizes)}Q", *sizes))
        for part in (data, *buffers):
            pipe.write(part)
        pipe.flush()
    except BrokenPipeError as error:
        raise WorkerLost from error


def _receive(pipe: IO[bytes] | None) -> Any:
    """The next message; None at the end of the input."""
    assert pipe is not None
    head = pipe.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    size, count = _HEAD.unpack(head)
    sizes = pipe.read(8 * count)
    if len(sizes) < 8 * count:
        return None
    wanted = [size, *struct.unpack(f"<{count}Q", sizes)]
    data, *buffers = map(pipe.read, wanted)
    is_whole = len(data) == size and list(map(len, buffers)) == wanted[1:]
    return pickle.loads(data, buffers=buffers) if is_whole else None


def _parsed(parser: BatchParser, work: Work) -> Parsed:
    try:
        block = work.block.read() if isinstance(work.block, ByteRange) else work.block
    except OSError as error:
        return Unread(error.strerror or str(error))
    return parser.parse(work.file, block, work.shape)


def main() -> None:
    """The life of a worker: contracts first, then blocks until the input ends."""
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    start = _receive(source)
    if start is None:
        return
    parser = BatchParser(*start)
    gc.disable()  # rows hold no cycles, and walking through millions of them is not free
    with contextlib.suppress(KeyboardInterrupt, WorkerLost):  # the loader says what happened
        while (task := _receive(source)) is not None:
            _send(sink, _parsed(parser, task))
            gc.collect(0)
