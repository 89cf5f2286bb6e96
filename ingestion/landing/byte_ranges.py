"""Blocks of plain files on disk that are read where they are parsed, not before.

A block's bytes would otherwise be read by the loader, written to a pipe and read out of it again.
Belongs here: which files can be read so, reading a block. Does not belong here: compressed files,
buckets, quoted records (`blocks`).
"""

import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ingestion.landing.blocks import Block
from ingestion.landing.containers import is_packed
from ingestion.landing.digest import Digest, Start
from ingestion.landing.enclosed import BOM, SAMPLE, are_lines
from ingestion.landing.file_info import Shape
from tallyhouse.storage import Storage
from tallyhouse.storage.sealed import is_opened

_Version = tuple[int, int, int, int]


class ByteRange(NamedTuple):
    """A block that is still in its file."""

    path: Path
    version: _Version
    start: Start
    size: int

    def read(self) -> Block:
        """The block; OSError where the file is not what it was."""
        with self.path.open("rb", buffering=0) as raw:
            raw.seek(self.start.offset)
            data = raw.read(self.size)
            if len(data) != self.size or _version(raw) != self.version:
                raise OSError(None, "it is another file now")
        return Block(self.start.line, data.removeprefix(BOM) if self.start.line == 1 else data)


def byte_ranges(
    storage: Storage, path: str, found: Digest, shape: Shape
) -> Iterator[ByteRange] | None:
    """The blocks of a file that was hashed; None where they cannot be read so."""
    is_whole = found.problem is None and found.starts
    if not (storage.is_local and is_whole) or shape.is_quoted or shape.has_header:
        return None
    with storage.open(path) as raw:
        start = raw.read(SAMPLE)
        if is_opened(raw) or is_packed(start) or not are_lines(start, shape):
            return None
        version = _version(raw)
        ends = [*found.starts, Start(version[2], 0)]
        place = Path(raw.name).absolute()
    return (
        ByteRange(place, version, start, following.offset - start.offset)
        for start, following in pairwise(ends)
        if following.offset > start.offset
    )


def _version(raw: BinaryIO) -> _Version:
    found = os.fstat(raw.fileno())
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
