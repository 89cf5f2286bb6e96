"""The rows of ops.schema_drift: what sources sent that their contracts do not say, open or settled.

Belongs here: noting it, and settling what a changed contract answers. Does not belong here: counting it while
a file is read (`values.drift`), what each kind means and how it is told (`quality.drift`).
"""

from collections.abc import Iterable

import psycopg

from ingestion.privacy.scrub import without_values
from ingestion.values.drift import Drift, Sighting

_NOTE = """
insert into ops.schema_drift as held (
    source_kind, source_name, object_name, field_name, kind, first_load_id, last_load_id, record_count,
    schema_name, first_file, first_line, last_file, last_line
)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
on conflict (source_kind, source_name, object_name, field_name, kind) do update set
    last_load_id = excluded.last_load_id,
    record_count = held.record_count + excluded.record_count,
    schema_name = coalesce(held.schema_name, excluded.schema_name),
    first_file = coalesce(held.first_file, excluded.first_file),
    first_line = coalesce(held.first_line, excluded.first_line),
    last_file = coalesce(excluded.last_file, held.last_file),
    last_line = coalesce(excluded.last_line, held.last_line),
    last_seen_at = now(),
    settled_at = null
"""
_BY_LOAD = """
insert into ops.load_drift as held values (%s, %s, %s, %s, %s, %s, %s)
on conflict (load_id, object_name, field_name, kind) do update set
    record_count = held.record_count + excluded.record_count
"""
_AGAIN = """
insert into ops.schema_drift as held
    (source_kind, source_name, object_name, field_name, kind, first_load_id, last_load_id, record_count)
values (%s, %s, %s, %s, %s, %s, %s, %s)
on conflict (source_kind, source_name, object_name, field_name, kind) do update set
    last_load_id = excluded.last_load_id,
    settled_at = null
"""


def note(
    conn: psycopg.Connection, source: tuple[str, str], load_id: int, drift: Drift, path: str
) -> None:
    """Add what a file brought. `source` is its kind and name."""
    rows = []
    for found, count in sorted(drift.items()):
        seen = drift.sightings.get(found, Sighting())
        first = path if seen.first_line is not None else None
        rows.append((
            *source, *map(storable, found), load_id, load_id, count, seen.schema and storable(seen.schema), first,
            seen.first_line, first, seen.last_line,
        ))  # fmt: skip
    conn.cursor().executemany(_NOTE, rows)
    conn.cursor().executemany(
        _BY_LOAD,
        [
            (load_id, *source, *map(storable, found), count)
            for found, count in sorted(drift.items())
        ],
    )


def note_again(
    conn: psycopg.Connection, source: tuple[str, str], load_id: int, drift: Drift
) -> None:
    """Open again what is still so of records that were counted when they came."""
    rows = [
        (*source, *map(storable, found), load_id, load_id, count)
        for found, count in sorted(drift.items())
    ]
    conn.cursor().executemany(_AGAIN, rows)


def settle(
    conn: psycopg.Connection, source: tuple[str, str], object_name: str, kinds: Iterable[str]
) -> bool:
    """What these kinds say of an object is answered; a record that brings it again opens it again. Whether
    any of it was open."""
    found = conn.execute(
        "update ops.schema_drift set settled_at = now() where source_kind = %s and source_name = %s"
        " and object_name = %s and kind = any(%s) and settled_at is null",
        (*source, storable(object_name), list(kinds)),
    )
    return found.rowcount > 0


def storable(text: str) -> str:
    """A name as it may be kept: a value that stands where a name should is none."""
    return without_values(text).replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
