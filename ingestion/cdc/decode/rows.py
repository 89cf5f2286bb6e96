"""Rows of raw_cdc.changes as Arrow columns, with the typed images of those that were read in bulk.

Belongs here: the columns' types, in the table's order (load_id comes after them), choosing among
rows. Does not belong here: how a line becomes a row (`parser`, `reader`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from ingestion.parsing.rows import Accepted, Mask, Rows, text_rows
from ingestion.values.arrow import BYTES_16, INSTANT, binary_copy, from_copy_text, of_load
from ingestion.values.outcomes import Row, Touch

JSON = frozenset({"key", "after", "extra"})
SCHEMA = pa.schema([
    ("event_date", pa.date32()), ("product", pa.string()), ("table_name", pa.string()),
    ("op", pa.string()), ("key", pa.string()), ("key_hash", BYTES_16), ("lsn", pa.int64()),
    ("transaction_id", pa.int64()), ("transaction_order", pa.int64()), ("position", pa.binary()),
    ("is_placed", pa.bool_()), ("stream_file", pa.string()), ("stream_offset", pa.int64()),
    ("committed_at", INSTANT), ("received_at", INSTANT), ("after", pa.string()),
    ("extra", pa.string()), ("unavailable", pa.list_(pa.string())), ("content_hash", pa.binary()),
])  # fmt: skip
COLUMNS = tuple(SCHEMA.names)
_FOLDED = [
    "table_name", "op", "key_hash", "position", "stream_file", "stream_offset", "committed_at",
    "received_at",
]  # fmt: skip


@dataclass(frozen=True)
class Image:
    """Typed images of one table's rows: row i of `arrow` is that of row `places[i]`; all null
    for a delete."""

    places: np.ndarray[Any, np.dtype[np.int64]]
    columns: pa.Table

    def only(self, kept: np.ndarray[Any, Any]) -> "Image":
        """The images of some rows, by position, ascending; with their new positions."""
        inside = np.isin(self.places, kept)
        return Image(
            np.searchsorted(kept, self.places[inside]), self.columns.filter(pa.array(inside))
        )


@dataclass(frozen=True)
class ChangeRows:
    """Rows of raw_cdc.changes as columns, see `rows.Rows`; `images` by table."""

    table: pa.Table
    images: Mapping[str, Image]
    copy_format = "binary"

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def only(self, wanted: Mask) -> "ChangeRows":
        kept = np.flatnonzero(wanted)
        return ChangeRows(
            self.table.filter(pa.array(wanted)),
            {name: image.only(kept) for name, image in self.images.items()},
        )

    @property
    def nbytes(self) -> int:
        images = sum(image.columns.nbytes for image in self.images.values())
        return int(self.table.nbytes + images)

    def touches(self) -> set[Touch]:
        return set()  # the fold knows what it touched

    def copy_data(self, load_id: int) -> Iterator[bytes]:
        return binary_copy(of_load(self.table, load_id), JSON)

    def for_lake(self, load_id: int) -> pa.Table | None:
        return None

    def for_after_file(self) -> Rows | None:
        return ChangeRows(self.table.select(_FOLDED), self.images)


def collect(plain: Accepted | None, rows: Sequence[tuple[int, Row]]) -> Accepted:
    """The rows read in bulk and rows of COPY text, together, in columns."""
    if plain is not None and not rows:
        return plain
    others = text_rows(rows)
    table = from_copy_text([row.copy for _, row in rows], SCHEMA)
    if plain is None:
        return others._replace(rows=ChangeRows(table, {}))
    assert isinstance(plain.rows, ChangeRows)
    parts = [plain.rows.table, table]
    return Accepted(
        plain.lines + others.lines,
        plain.keys + others.keys,
        _join(plain.dates, others.dates),
        _join(plain.received_us, others.received_us),
        _join(plain.hashes, others.hashes),
        ChangeRows(pa.concat_tables(parts), plain.rows.images),
    )


def _join(*parts: pa.Array | pa.ChunkedArray) -> pa.ChunkedArray:
    chunks = [c for part in parts
              for c in (part.chunks if isinstance(part, pa.ChunkedArray) else [part])]  # fmt: skip
    return pa.chunked_array(chunks)
