"""Processes that parse, fed through their own pipes.

Plain child processes rather than a pool of `multiprocessing`: they never import the caller's main
module, they own no lock, and when the loader dies, however hard, they read the end of their input
and leave. Belongs here: handing blocks out and taking batches back in order. Does not belong
here: what a batch is (`batches`).
"""

import contextlib
import gc
import pickle
import struct
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from typing import IO, Any, NamedTuple

from ingestion.batches import Batch, BatchParser
from ingestion.contracts import Contracts
from ingestion.reader import Block
from ingestion.sources import FileInfo, Shape
from tallyhouse.errors import TallyhouseError

_SIZE = struct.Struct("<Q")
SMALL = 4 << 20  # bytes up to which starting processes is not worth it


class Begin(NamedTuple):
    """A file starts. With `undeclared`, none of it can be parsed."""

    file: FileInfo
    undeclared: str | None = None


class Work(NamedTuple):
    file: FileInfo
    block: Block
    shape: Shape


class Finish(NamedTuple):
    """A file ends; `problem` says why it ended before its end. With `undo` nothing of it counts."""

    file: FileInfo
    problem: str | None = None
    undo: bool = False


Item = Begin | Work | Finish


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

    def run(self, items: Iterable[Item]) -> Iterator[Begin | Finish | Batch]:
        """The items with each Work replaced by its batch. Each process holds one block at a
        time, and reading runs ahead of the caller by no more than that."""
        waiting: deque[Begin | Finish | Batch | subprocess.Popen[bytes]] = deque()
        source = iter(items)
        ended = False
        while True:
            while not ended and len(waiting) <= 2 * self._count and self._may_take(waiting):
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
            if isinstance(first, subprocess.Popen):
                batch = _receive(first.stdout)
                if batch is None:
                    raise WorkerLost
                self._free.append(first)
                if not ended and self._may_take(waiting):  # before the caller is busy with this
                    waiting.appendleft(batch)
                    continue
                yield batch
            else:
                yield first

    def _may_take(self, waiting: deque[Any]) -> bool:
        if not self._all:
            return not waiting
        return bool(self._free)

    def _begin(self, work: Work) -> Batch | subprocess.Popen[bytes]:
        self._seen += len(work.block.data)
        if self._count < 2 or (self._seen <= SMALL and not self._all):
            self._here = self._here or BatchParser(*self._start)
            return self._here.parse(*work)
        if not self._all:
            self._all = [self._spawn() for _ in range(self._count)]
            self._free.extend(self._all)
        process = self._free.popleft()
        _send(process.stdin, tuple(work))
        return process

    def _spawn(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-c", "from ingestion.workers import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        _send(process.stdin, self._start)
        return process

    def close(self) -> None:
        """End the processes; whatever they still compute is not wanted."""
        for process in self._all:
            process.kill()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(BrokenPipeError):
                        pipe.close()
            process.wait()


def _send(pipe: IO[bytes] | None, message: Any) -> None:
    assert pipe is not None
    data = pickle.dumps(message, protocol=5)
    try:
        pipe.write(_SIZE.pack(len(data)))
        pipe.write(data)
        pipe.flush()
    except BrokenPipeError as error:
        raise WorkerLost from error


def _receive(pipe: IO[bytes] | None) -> Any:
    """The next message; None at the end of the input."""
    assert pipe is not None
    head = pipe.read(_SIZE.size)
    if len(head) < _SIZE.size:
        return None
    (size,) = _SIZE.unpack(head)
    data = pipe.read(size)
    return pickle.loads(data) if len(data) == size else None


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
            _send(sink, parser.parse(*task))
            gc.collect(0)
