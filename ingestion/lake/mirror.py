"""The Parquet lake: a mirror of raw_events.events, one file per day and tenant.

A load names the days and tenants it touched; their files are written anew, from the table or, for
days that begin with the load, from what it has just stored; each in one atomic step. So the lake
holds exactly the accepted events, with no small files to tidy up, and a crash leaves the old file
or the new one and a watermark that makes the next load finish.
Belongs here: reading the table out and making Parquet of it. Does not belong here: where the files
lie and how they are written (`tallyhouse.storage`), anything on loading.
"""

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.csv
from psycopg import sql

from ingestion.lake.files import SCHEMA, by_tenant, name_of, parquet
from ingestion.lake.new_days import Made, NewDays
from ingestion.values.json_lines import decode_object, encode
from tallyhouse.errors import TallyhouseError
from tallyhouse.storage import Writing, open_storage

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


class LakeError(TallyhouseError):
    """The lake could not be brought up to date; the tables are unharmed."""


def mirror(conn: psycopg.Connection, place: str, say: Callable[[str], None],
           new_days: NewDays) -> int:  # fmt: skip
    """Bring the lake up to what is loaded; the number of files written. Raises LakeError.

    Runs under the loader's lock. `positions` is a folder or an object store's URL.
    """
    (newest,) = conn.execute(
        "select coalesce(max(load_id), 0) from ops.load_manifest"
    ).fetchone() or (0,)
    held = conn.execute(
        "select last_load_id from ops.lake_watermarks where lake = %s", (place,)
    ).fetchone()
    since = held[0] if held else 0
    if since >= newest:
        return 0
    touched: dict[date, list[str]] = {}
    for day, tenant in conn.execute(
        "select distinct touched_on, tenant_id::text from ops.load_touched"
        " where load_id > %s and source_kind = 'events' and entity_type = 'tenant_day'"
        " order by touched_on",
        (since,),
    ):
        touched.setdefault(day, []).append(tenant)
    try:
        with open_storage(place).writing() as files:
            written = _write_days(conn, files, touched, say, new_days)
    except (OSError, pa.ArrowException) as error:
        reason = getattr(error, "strerror", None) or str(error)
        way_out = getattr(error, "way_out", "Free space or give permission there.")
        raise LakeError(
            f"The lake {place} could not be written ({reason}). The events are loaded. {way_out}"
            " The next load completes the lake."
        ) from error
    conn.execute(
        "insert into ops.lake_watermarks values (%s, %s)"
        " on conflict (lake) do update set last_load_id = excluded.last_load_id",
        (place, newest),
    )
    return written


def _write_days(
    conn: psycopg.Connection, files: Writing, touched: dict[date, list[str]],
    say: Callable[[str], None], new_days: NewDays,
) -> int:  # fmt: skip
    written = 0
    unknown: list[date] = []
    with ThreadPoolExecutor(2) as writers:
        pending: deque[tuple[date, Future[int | None]]] = deque()

        def finish(upto: int) -> None:
            nonlocal written
            while len(pending) > upto:
                day, job = pending.popleft()
                if (count := job.result()) is None:
                    unknown.append(day)
                written += count or 0

        for day, tenants in touched.items():
            say(f"lake {day}")
            pending.append((day, writers.submit(_write_fresh_day, files, day, tenants, new_days)))
            finish(upto=_DAYS_AT_ONCE)
        finish(upto=0)
        for day in unknown:
            say(f"lake {day}")
            read = by_tenant(_read_day(conn, day, touched[day]))
            made = ((tenant, parquet(rows).to_pybytes()) for tenant, rows in read)
            pending.append((day, writers.submit(_write_day, files, day, touched[day], made)))
            finish(upto=_DAYS_AT_ONCE)
        finish(upto=0)
    return written


def _write_fresh_day(
    files: Writing, day: date, tenants: list[str], new_days: NewDays
) -> int | None:
    """Write a day from what is known of it; None where the table must be asked."""
    known = new_days.files(day)
    return None if known is None else _write_day(files, day, tenants, known)


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


def _write_day(
    files: Writing, day: date, tenants: list[str], known: Iterable[tuple[str, Made]]
) -> int:
    """Write each tenant's file of a day; a tenant without events there loses its file."""
    empty = set(tenants)
    count = 0
    for tenant, made in known:
        name = name_of(day, tenant)
        if isinstance(made, Path):
            files.move(made, name)
        else:
            files.put(name, made)
        empty.discard(tenant)
        count += 1
    for tenant in empty:
        files.remove(name_of(day, tenant))
    return count
