"""The lake's files: Parquet of events of one day, ordered by tenant, then time, then event.

Belongs here: columns, order and encoding of a file. Does not belong here: which tenants are in it
(`layout`), where rows come from (`mirror`, `new_days`), where files lie (`tallyhouse.storage`).
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
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
# Readers skip files by these.
_BOUNDED = ["tenant_id", "occurred_at", "received_at", "event_name", "load_id"]
_ORDER = ["tenant_id", "occurred_at", "event_id"]


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


def in_order(table: pa.Table) -> pa.Table:
    return table.sort_by([(name, "ascending") for name in _ORDER])


def rows_of_tenants(table: pa.Table) -> dict[str, int]:
    """How many rows each tenant has, in the order of the rows."""
    counts = pc.value_counts(table["tenant_id"]).to_pylist()
    return {row["values"]: row["counts"] for row in counts}


def by_file(table: pa.Table, files: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, pa.Table]]:
    """Of rows in order, those of each file; `files` says whose they are."""
    places: dict[str, range] = {}
    start = 0
    for tenant, count in rows_of_tenants(table).items():
        places[tenant] = range(start, start + count)
        start += count
    for name, tenants in files.items():
        found = [places[tenant] for tenant in tenants if tenant in places]
        count = sum(map(len, found))
        if not found or found[-1].stop - found[0].start == count:  # nobody else lies between
            yield name, table.slice(found[0].start if found else 0, count)
        else:
            yield name, table.take(pa.array(np.concatenate(found)))


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
