"""The lake's files: Parquet of one tenant's events of one day, ordered by time, then event.

Belongs here: columns, order and encoding of a file, its name. Does not belong here: where rows come
from (`mirror`, `new_days`), where files lie (`tallyhouse.storage`).
"""

from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from ingestion.events import columns as events
from ingestion.values.arrow import BYTES_16, uuid_texts

_NOT_KEPT = ["event_date", "content_hash"]  # the lake has neither: the day is its folder's name
_KEPT = [field for field in events.SCHEMA if field.name not in _NOT_KEPT]
_IDS = frozenset(field.name for field in _KEPT if field.type == BYTES_16)
SCHEMA = pa.schema([
    *(pa.field(field.name, pa.string() if field.name in _IDS else field.type) for field in _KEPT),
    ("load_id", pa.int64()),
])  # fmt: skip
_REPEATING = [
    "product", "source", "tenant_id", "tenant_source_id", "user_id", "user_source_id", "event_name",
    "event_domain", "country_code", "device_type", "browser", "ip_subnet",
]  # fmt: skip
_BOUNDED = ["occurred_at", "received_at", "event_name", "load_id"]  # readers skip files by these


def name_of(day: date, tenant: str) -> str:
    return f"date={day.isoformat()}/tenant={tenant}/events.parquet"


def as_in_lake(table: pa.Table) -> pa.Table:
    """Columns of raw_events.events as those of the lake: ids are text here."""
    columns = {name: table[name] for name in SCHEMA.names}
    for name in _IDS:
        ids = table[name].combine_chunks()
        if name in _REPEATING:
            coded = ids.dictionary_encode()
            columns[name] = uuid_texts(coded.dictionary).take(coded.indices)
        else:
            columns[name] = uuid_texts(ids)
    return pa.Table.from_arrays(list(columns.values()), schema=SCHEMA)


def by_tenant(table: pa.Table) -> list[tuple[str, pa.Table]]:
    """A day's rows, ordered by tenant already, tenant by tenant."""
    start = 0
    found: list[tuple[str, pa.Table]] = []
    for row in pc.value_counts(table["tenant_id"]).to_pylist():  # in the rows' order
        found.append((row["values"], table.slice(start, row["counts"])))
        start += row["counts"]
    return found


def parquet(table: pa.Table) -> pa.Buffer:
    buffer = pa.BufferOutputStream()
    pyarrow.parquet.write_table(
        table, buffer, compression="zstd", use_dictionary=_REPEATING,
        write_statistics=_BOUNDED, store_schema=False,
    )  # fmt: skip
    return buffer.getvalue()


def from_parquet(data: bytes) -> pa.Table:
    """What `parquet` wrote."""
    return pyarrow.parquet.read_table(pa.BufferReader(data), use_threads=False).cast(SCHEMA)
