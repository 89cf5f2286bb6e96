"""Bytes put aside in a temporary file, which is gone with its process, however that ends.

Belongs here: putting and getting. Does not belong here: what the bytes are (`new_days`).
"""

import os
import tempfile
from typing import NamedTuple

from pyarrow import Buffer


class Extent(NamedTuple):
    offset: int
    size: int


class SpillFile:
    """Filled by one thread, read by several. Any call may raise OSError."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="tallyhouse-load-")  # noqa: SIM115
        self._end = 0

    def put(self, data: Buffer) -> Extent:
        """Without room for all of it, nothing is put."""
        place = Extent(self._end, data.size)
        left = memoryview(data)
        while left:
            done = os.pwrite(self._file.fileno(), left, place.offset + place.size - len(left))
            left = left[done:]
        self._end += place.size
        return place

    def get(self, place: Extent) -> bytes:
        return os.pread(self._file.fileno(), place.size, place.offset)

    def close(self) -> None:
        self._file.close()
