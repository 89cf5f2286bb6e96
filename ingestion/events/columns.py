"""Rows of raw_events.events as Arrow columns.

Belongs here: the columns' types, in the table's order (load_id comes after them). Does not belong
here: how a line becomes a row (`parser`, `reader`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import pyarrow as pa

from ingestion.parsing.rows import Accepted, Mask, Rows, arrivals_of
from ingestion.values.arrow import BYTES_16, INSTANT, binary_copy, from_copy_text, of_load, only
from ingestion.values.outcomes import Row, Touch

JSON = frozenset({"properties"})

SCHEMA = pa.schema([
    ("event_date", pa.date32()), ("product", pa.string()), ("source", pa.string()),
    ("source_event_id", pa.string()), ("event_id", BYTES_16), ("tenant_id", BYTES_16),
    ("tenant_source_id", pa.string()), ("user_id", BYTES_16), ("user_source_id", pa.string()),
    ("anonymous_id", pa.string()), ("session_id", pa.string()), ("event_name", pa.string()),
    ("event_domain", pa.string()), ("occurred_at", INSTANT), ("is_time_corrected", pa.bool_()),
    ("received_at", INSTANT), ("country_code", pa.string()), ("device_type", pa.string()),
    ("browser", pa.string()), ("page_load_time_ms", pa.int32()), ("ip_subnet", pa.string()),
    ("schema_version", pa.int32()), ("properties", pa.string()), ("content_hash", BYTES_16),
])  # fmt: skip
_PARTS = {  # columns whose text is made, and interned, together
    "who": ("tenant_id", "tenant_source_id", "user_id", "user_source_id"),
    "kind": ("event_name", "event_domain"),
    "place": ("country_code", "device_type", "browser"),
}
_PART_OF = {column: part for part, columns in _PARTS.items() for column in columns}
# A row's COPY text, part by part and joined by tabs. What its hash covers is the same text with an
# empty part for each of UNHASHED: an event that arrives again is the same event.
TEXT_PARTS = tuple(dict.fromkeys(_PART_OF.get(name, name) for name in SCHEMA.names))
UNHASHED = ("received_at", "content_hash")


@dataclass(frozen=True)
class EventRows:
    """Rows of raw_events.events as columns, see `rows.Rows`."""

    table: pa.Table
    copy_format = "binary"

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def only(self, wanted: Mask) -> "EventRows":
        return EventRows(only(self.table, wanted))

    def touches(self) -> set[Touch]:
        keys = ["product", "tenant_id", "event_date"]
        found = self.table.group_by(keys, use_threads=False).aggregate([]).to_pylist()
        return {
            Touch("tenant_day", row["product"], str(UUID(bytes=row["tenant_id"])), None,
                  row["event_date"].isoformat())
            for row in found
        }  # fmt: skip

    def copy_data(self, load_id: int) -> Iterator[bytes]:
        return binary_copy(of_load(self.table, load_id), JSON)

    def for_lake(self, load_id: int) -> pa.Table | None:
        return of_load(self.table, load_id)

    def for_after_file(self) -> Rows | None:
        return None

    @property
    def nbytes(self) -> int:
        return int(self.table.nbytes)


def accepted(
    lines: list[int], keys: list[bytes], table: pa.Table, arrivals: Mask | None
) -> Accepted:
    """Rows in columns, with their lines, keys and arrivals."""
    received_us = table["received_at"].cast(pa.int64())
    found = EventRows(table)
    return Accepted(
        lines, keys, table["event_date"], received_us, table["content_hash"], found, arrivals
    )


def collect(plain: Accepted | None, rows: Sequence[tuple[int, Row]]) -> Accepted:
    """Rows in columns and rows of COPY text, together."""
    if plain is not None and not rows:
        return plain
    lines, keys = [number for number, _ in rows], [bytes.fromhex(row.key) for _, row in rows]
    table = from_copy_text([row.copy for _, row in rows], SCHEMA)
    arrivals = arrivals_of(rows)
    if plain is not None:
        assert isinstance(plain.rows, EventRows)
        lines, keys = plain.lines + lines, plain.keys + keys
        table = pa.concat_tables([plain.rows.table, table])
        arrivals = _joined(plain.arrivals, len(plain.lines), arrivals, len(rows))
    return accepted(lines, keys, table, arrivals)


def _joined(first: Mask | None, count: int, second: Mask | None, rest: int) -> Mask | None:
    if first is None and second is None:
        return None
    return np.concatenate([
        np.zeros(count, np.int8) if first is None else first,
        np.zeros(rest, np.int8) if second is None else second,
    ])  # fmt: skip
