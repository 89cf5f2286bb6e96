"""A file's rows in columns, buffered for what its source does with them after the file.

Belongs here: how many stay in memory. Does not belong here: what becomes of them
(`Source.after_file`).
"""

from collections.abc import Sequence

from ingestion.parsing.rows import Rows

LIMIT_BYTES = 64 << 20  # of one file's rows; beyond it they are read back from the database


class RowBuffer:
    """Filled batch by batch, emptied for good once it would grow too large."""

    def __init__(self) -> None:
        self._parts: list[Rows] = []
        self._bytes = 0

    def keep(self, rows: Rows) -> None:
        """Keep what of the rows is asked for after the file."""
        part = rows.for_after_file()
        if part is None:
            return
        if self._bytes < LIMIT_BYTES:
            self._parts.append(part)
            self._bytes += part.nbytes
        if self._bytes >= LIMIT_BYTES:
            self._parts = []

    def all_of(self, count: int) -> Sequence[Rows] | None:
        """The rows, if they are all that were stored."""
        return self._parts if sum(map(len, self._parts)) == count else None
