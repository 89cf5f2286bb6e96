"""The accepted rows of a batch in a form that COPY takes, and which of them to keep.

Belongs here: rows as COPY text, what every form of rows can do. Does not belong here: columns of
events (`columns`), keys and duplicates (`sink`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import NamedTuple, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.values.arrow import BYTES_16
from ingestion.values.outcomes import Arrival, Row, Touch

Line = tuple[int, bytes]  # its number in the file, and its text
Mask = np.ndarray  # of booleans, one per row


class Rows(Protocol):
    """Rows of one target, in the order of the batch's keys."""

    copy_format: str  # as COPY names it

    def __len__(self) -> int: ...

    def only(self, wanted: Mask) -> "Rows":
        """Some of the rows."""

    def touches(self) -> set[Touch]:
        """What the incremental models must rebuild because of these rows."""

    def copy_data(self, load_id: int) -> Iterator[bytes]:
        """What COPY reads: the target's columns, then load_id."""

    def for_lake(self, load_id: int) -> pa.Table | None:
        """The target's columns, then load_id, where the lake mirrors the target."""

    def for_after_file(self) -> "Rows | None":
        """What `Source.after_file` asks for of them, where it can use rows in columns."""

    @property
    def nbytes(self) -> int:
        """Their size in memory."""


@dataclass(frozen=True)
class TextRows:
    """Rows as lines of COPY text, with what each of them touches."""

    lines: Sequence[str]
    touched: Sequence[Touch | None]
    copy_format = "text"

    def __len__(self) -> int:
        return len(self.lines)

    def only(self, wanted: Mask) -> "TextRows":
        return TextRows(list(compress(self.lines, wanted)), list(compress(self.touched, wanted)))

    def touches(self) -> set[Touch]:
        return {touch for touch in self.touched if touch is not None}

    def copy_data(self, load_id: int) -> Iterator[bytes]:
        end = f"\t{load_id}\n"
        yield (end.join(self.lines) + end).encode()

    def for_lake(self, load_id: int) -> pa.Table | None:
        return None

    def for_after_file(self) -> "Rows | None":
        return None

    @property
    def nbytes(self) -> int:
        return sum(map(len, self.lines))


class Accepted(NamedTuple):
    """The accepted rows of a block; item i of each part is one record's."""

    lines: list[int]
    keys: list[bytes]
    dates: pa.Array | pa.ChunkedArray  # date32
    received_us: pa.Array | pa.ChunkedArray  # int64
    hashes: pa.Array | pa.ChunkedArray  # 16 bytes
    rows: Rows
    arrivals: Mask | None = None  # an Arrival each; None: all are told

    def newest_us(self, arrival: Arrival) -> int | None:
        """The newest received_at of the records whose arrival is of this kind."""
        of_kind = self.received_us
        if self.arrivals is not None:
            of_kind = of_kind.filter(pa.array(self.arrivals == arrival))
        elif arrival != Arrival.TOLD:
            return None
        newest: int | None = pc.max(of_kind).as_py()
        return newest

    def only(self, wanted: Mask) -> "Accepted":
        """Some of the rows."""
        mask = pa.array(wanted)
        return Accepted(
            list(compress(self.lines, wanted)),
            list(compress(self.keys, wanted)),
            self.dates.filter(mask),
            self.received_us.filter(mask),
            self.hashes.filter(mask),
            self.rows.only(wanted),
            None if self.arrivals is None else self.arrivals[wanted],
        )


def arrivals_of(rows: Sequence[tuple[int, Row]]) -> Mask | None:
    """The arrivals of rows; None where all are told."""
    found = np.array([row.arrival for _, row in rows], np.int8)
    return found if found.any() else None


def text_rows(rows: Sequence[tuple[int, Row]]) -> Accepted:
    """Rows that stay COPY text, each with its line's number."""
    return Accepted(
        [number for number, _ in rows],
        [bytes.fromhex(row.key) for _, row in rows],
        pa.array([row.event_date for _, row in rows], pa.string()).cast(pa.date32()),
        pa.array([row.received_us for _, row in rows], pa.int64()),
        pa.array([bytes.fromhex(row.content_hash) for _, row in rows], BYTES_16),
        TextRows([row.copy for _, row in rows], [row.touch for _, row in rows]),
        arrivals_of(rows),
    )
