"""The Parquet lake: a mirror of raw_events.events, by day and tenant, small tenants sharing files.

A load names the days and tenants it touched; their files are written anew, from the table or, for
days that begin with the load, from what it has just stored; each in one atomic step. So the lake
holds exactly the accepted events, with no small files to tidy up, and a crash leaves the old file
or the new one and a watermark that makes the next load finish.
Belongs here: reading the table out and making Parquet of it. Does not belong here: which file an
event lies in (`layout`), where the files lie and how they are written (`tallyhouse.storage`),
anything on loading.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from functools import partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple, TypeVar

import psycopg
import pyarrow as pa
import pyarrow.csv
from psycopg import sql

from ingestion.lake.files import SCHEMA, by_file, parquet
from ingestion.lake.layout import DayFiles, Rewrite, day_files, day_folder, replaced, rewrite
from ingestion.lake.new_days import Made, NewDays
from ingestion.values.json_lines import decode_object, encode
from tallyhouse.errors import TallyhouseError
from tallyhouse.storage import Storage, Writing, open_storage

_CONVERT = pyarrow.csv.ConvertOptions(
    column_types=SCHEMA,
    strings_can_be_null=True,
    quoted_strings_can_be_null=False,
)
# Texts that sources choose freely; all others need no quotes.
_FREE = frozenset({
    "source", "source_event_id", "tenant_source_id", "user_source_id", "anonymous_id", "session_id",
    "event_name", "event_domain", "properties",
})  # fmt: skip
_ROWS_AT_ONCE = 2_000
_DAYS_AT_ONCE = 3  # in memory
_LISTED_AHEAD = 16  # days: in a bucket each listing waits for the line
T = TypeVar("T")
R = TypeVar("R")


class _Day(NamedTuple):
    """A day of which the loads touched some tenants."""

    day: date
    tenants: list[str]
    existing: DayFiles


class _Read(NamedTuple):
    """What of a day is due, with the rows of the files to be written."""

    day: date
    due: Rewrite
    rows: pa.Table


class LakeError(TallyhouseError):
    """The lake could not be brought up to date; the tables are unharmed."""


def mirror(conn: psycopg.Connection, place: str, say: Callable[[str], None],
           new_days: NewDays) -> int:  # fmt: skip
    """Bring the lake up to what is loaded; the number of files written. Raises LakeError.

    Runs under the loader's lock. `positions` is a folder or an object store's URL.
    """
    (newest,) = conn.execute(
        "select coalesce(greatest((select max(load_id) from ops.load_manifest), (select max(load_id)"
        " from ops.load_touched where source_kind = 'events')), 0)"  # of an erasure too
    ).fetchone() or (0,)
    held = conn.execute(
        "select last_load_id from ops.lake_watermarks where lake = %s", (place,)
    ).fetchone()
    since = held[0] if held else 0
    if since >= newest:
        return 0
    touched = conn.execute(
        "select distinct touched_on, tenant_id::text from ops.load_touched"
        " where load_id > %s and source_kind = 'events' and entity_type = 'tenant_day'"
        " order by touched_on",
        (since,),
    ).fetchall()
    with _in_words(place, "The events are loaded.", "load"):
        written = _write(conn, place, touched, say, new_days)
    conn.execute(
        "insert into ops.lake_watermarks values (%s, %s)"
        " on conflict (lake) do update set last_load_id = excluded.last_load_id",
        (place, newest),
    )
    return written


def write_due(
    conn: psycopg.Connection, place: str, say: Callable[[str], None], new_days: NewDays
) -> int:
    """Write the files anew of which rows went without a load (ops.lake_due); the number written. Raises LakeError.

    Runs under the loader's lock. What was written is due no more, so that it can be interrupted."""
    touched = conn.execute(
        "select event_date, tenant_id::text from ops.lake_due order by event_date"
    ).fetchall()
    if not touched:
        return 0
    with _in_words(place, "The tables are without the events.", "clean-up"):
        written = _write(conn, place, touched, say, new_days)
    conn.execute("delete from ops.lake_due")
    return written


@contextmanager
def _in_words(place: str, tables: str, again: str) -> Iterator[None]:
    """A failure of the lake as a sentence for whoever must act."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        reason = getattr(error, "strerror", None) or str(error)
        way_out = getattr(error, "way_out", "Free space or give permission there.")
        raise LakeError(
            f"The lake {place} could not be written ({reason}). {tables} {way_out}"
            f" The next {again} completes the lake."
        ) from error


def _write(
    conn: psycopg.Connection, place: str, touched: Iterable[tuple[date, str]],
    say: Callable[[str], None], new_days: NewDays,
) -> int:  # fmt: skip
    """Write the files of some days of tenants, the days in their order; the number written."""
    tenants: dict[date, list[str]] = {}
    for day, tenant in touched:
        tenants.setdefault(day, []).append(tenant)
    lake = open_storage(place)
    with lake.writing() as files:
        return _write_days(conn, lake, files, tenants, say, new_days)


def _write_days(
    conn: psycopg.Connection, lake: Storage, files: Writing, touched: dict[date, list[str]],
    say: Callable[[str], None], new_days: NewDays,
) -> int:  # fmt: skip
    written = 0
    unknown: list[_Day] = []
    with ThreadPoolExecutor(_LISTED_AHEAD) as listers, ThreadPoolExecutor(2) as writers:
        listed = _ahead(listers, partial(_list_day, lake), touched.items(), _LISTED_AHEAD)
        days = (day for _, day in listed)
        write_fresh = partial(_write_fresh_day, files, new_days)
        for day, count in _ahead(writers, write_fresh, days, _DAYS_AT_ONCE):
            say(f"lake {day.day}")
            if count is None:
                unknown.append(day)
            written += count or 0
        read = (_read_rewritten(conn, day) for day in unknown)
        for rewritten, count in _ahead(
            writers, partial(_write_read_day, files), read, _DAYS_AT_ONCE
        ):
            say(f"lake {rewritten.day}")
            written += count
    return written


def _ahead(
    pool: ThreadPoolExecutor, work: Callable[[T], R], items: Iterable[T], count: int
) -> Iterator[tuple[T, R]]:
    """Each item with what became of it, in order; so many are begun before they are asked for."""
    pending: deque[tuple[T, Future[R]]] = deque()
    for item in items:
        pending.append((item, pool.submit(work, item)))
        if len(pending) > count:
            done, job = pending.popleft()
            yield done, job.result()
    for done, job in pending:
        yield done, job.result()


def _list_day(lake: Storage, touched: tuple[date, list[str]]) -> _Day:
    day, tenants = touched
    return _Day(day, tenants, day_files(found.name for found in lake.files(day_folder(day))))


def _write_fresh_day(files: Writing, new_days: NewDays, day: _Day) -> int | None:
    """Write a day from what is known of it; None where the table must be asked."""
    known = new_days.files(day.day)
    if known is None:
        return None
    return _write_files(files, known, replaced(day.existing, day.day, day.tenants))


def _read_rewritten(conn: psycopg.Connection, day: _Day) -> _Read:
    """What of a day that was there before is written anew."""
    counts = conn.execute(
        sql.SQL(
            "select tenant_id::text, count(*) from raw_events.events where event_date = {}"
            " group by tenant_id"
        ).format(sql.Literal(day.day))
    )
    due = rewrite(day.day, dict(counts.fetchall()), day.tenants, day.existing)
    return _Read(day.day, due, _read_day(conn, day.day, list(chain(*due.written.values()))))


def _write_read_day(files: Writing, read: _Read) -> int:
    made = (
        (name, parquet(rows).to_pybytes())
        for name, rows in by_file(read.rows, read.due.written)
        if len(rows)
    )
    return _write_files(files, made, [*read.due.written, *read.due.removed])


def _write_files(files: Writing, made: Iterable[tuple[str, Made]], old: Iterable[str]) -> int:
    """Write files; old ones that are not among them go."""
    written: set[str] = set()
    for name, content in made:
        if isinstance(content, Path):
            files.move(content, name)
        else:
            files.put(name, content)
        written.add(name)
    for name in old:
        if name not in written:
            files.remove(name)
    return len(written)


def _csv_field(name: str) -> str:
    """SQL for a column as CSV: null is nothing at all, an empty text is a pair of quotes."""
    if name in _FREE:
        return f"""coalesce('"' || replace({name}::text, '"', '""') || '"', '')"""
    return f"coalesce({name}::text, '')"


def _read_day(conn: psycopg.Connection, day: date, tenants: list[str]) -> pa.Table:
    """The day's events of some tenants, ordered by tenant and time.

    The database joins the lines of some thousand rows: fetching row by row costs more than all
    the rest.
    """
    line = " || ',' || ".join(_csv_field(name) for name in SCHEMA.names)
    parts = conn.execute(
        sql.SQL(
            "select convert_to(string_agg(line, chr(10) order by place), 'UTF8') from ("
            "select {line} as line, row_number() over"
            " (order by tenant_id, occurred_at, event_id, source, product) as place"
            " from raw_events.events where event_date = {day} and tenant_id = any({tenants}::uuid[])"
            ") as lines group by place / {size} order by place / {size}"
        ).format(
            line=sql.SQL(line),
            day=sql.Literal(day),
            tenants=sql.Literal(tenants),
            size=sql.Literal(_ROWS_AT_ONCE),
        ),
        binary=True,
    ).fetchall()
    if not parts:
        return SCHEMA.empty_table()
    table = pyarrow.csv.read_csv(
        pa.BufferReader(b"\n".join(part for (part,) in parts)),
        read_options=pyarrow.csv.ReadOptions(column_names=SCHEMA.names, use_threads=False),
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
        convert_options=_CONVERT,
    )
    # as the loader wrote them, not as the database spells them
    properties = [encode(decode_object(text.encode())) for text in table["properties"].to_pylist()]
    place = SCHEMA.get_field_index("properties")
    return table.set_column(place, "properties", pa.array(properties, pa.string()))
