"""Where sources and contracts differ, open or settled: ops.schema_drift, told.

Belongs here: reading it, in sentences with time, schema, first and last record. Does not belong here: its rows
(`drift_log`), what each kind means (`values.drift_words`).
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

import psycopg

from ingestion.values.drift_words import Difference, sentences

_ROWS = """
select
    source_kind, source_name, object_name, field_name, kind, record_count, schema_name, first_seen_at,
    last_seen_at, first_file, first_line, last_file, last_line, settled_at
from ops.schema_drift
where settled_at is null or %(settled)s
order by 1, 2, 3, 5, 4
"""


class Drift(NamedTuple):
    """One row: what differs, since when, and from which record to which."""

    difference: Difference
    schema: str | None
    first_seen_at: datetime
    last_seen_at: datetime
    first_file: str | None
    first_line: int | None
    last_file: str | None
    last_line: int | None
    settled_at: datetime | None

    @property
    def is_open(self) -> bool:
        return self.settled_at is None

    @property
    def where(self) -> str:
        """Of which schema, when and in which records."""
        first = _record(self.first_file, self.first_line)
        last = _record(self.last_file, self.last_line)
        schema = f"schema {self.schema}, " if self.schema else ""
        records = "" if first is None else f", {first}" + ("" if last == first else f" to {last}")
        seen = _minute(self.first_seen_at)
        if _minute(self.last_seen_at) != seen:
            seen += f" to {_minute(self.last_seen_at)}"
        return f"{schema}loaded {seen} UTC{records}"


def drift(connect: Callable[..., psycopg.Connection], *, settled: bool = False) -> list[Drift]:
    """What is open; with `settled`, what was answered too."""
    with connect() as conn:
        conn.execute("set timezone = 'UTC'")
        rows = conn.execute(_ROWS, {"settled": settled}).fetchall()
    return [Drift(Difference(*row[:6]), *row[6:]) for row in rows]


def told(found: Iterable[Drift]) -> list[str]:
    """A sentence for each kind of difference of each object, with where it was first seen."""
    groups: dict[tuple[str, ...], list[Drift]] = {}
    for item in found:
        name = item.difference
        key = (name.source_kind, name.source_name, name.object_name, name.kind)
        groups.setdefault(key, []).append(item)
    lines = []
    for members in groups.values():
        (sentence,) = sentences(item.difference for item in members)
        earliest = min(members, key=lambda item: item.first_seen_at)
        lines.append(f"{sentence} ({earliest.where})")
    return lines


def _record(file: str | None, line: int | None) -> str | None:
    return None if file is None else f"{file} line {line}"


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
