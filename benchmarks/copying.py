"""The reference of all loading: what COPY of ready-made rows or lines takes.

Belongs here: making such a file once, copying it into a bare table. Does not belong here: anything
that looks at the rows.
"""

import time
from collections.abc import Iterable
from pathlib import Path

from benchmarks.stores import Store

BLOCK = 1 << 20
# JSON lines as they lie: no control character stands in JSON unescaped.
RAW_LINES = "(format csv, quote e'\\x01', delimiter e'\\x02')"


def write_rows(store: Store, path: Path) -> None:
    """The stored events as CSV: every column, every row."""
    with (
        path.open("wb") as file,
        store.warehouse.connect() as connection,
        connection.cursor() as cursor,
        cursor.copy("copy (select * from raw_events.events) to stdout (format csv)") as out,
    ):
        for block in out:
            file.write(block)


def copy_rows(store: Store, path: Path) -> float:
    """Seconds of COPY of such a CSV into an unlogged table of the same columns, without an index."""
    make = "create unlogged table copied as select * from raw_events.events with no data"
    return _copy(store, make, "copy copied from stdin (format csv)", [path])


def copy_lines(store: Store, paths: Iterable[Path]) -> float:
    """Seconds of COPY of JSON lines into one jsonb column of an unlogged table."""
    make = "create unlogged table copied (record jsonb)"
    return _copy(store, make, f"copy copied from stdin {RAW_LINES}", paths)


def _copy(store: Store, make: str, copy: str, paths: Iterable[Path]) -> float:
    store.site.settle()
    with store.warehouse.connect(autocommit=True) as connection:
        connection.execute("drop table if exists copied")
        connection.execute(make)
        started = time.perf_counter()
        with connection.cursor() as cursor, cursor.copy(copy) as into:
            for path in paths:
                with path.open("rb") as file:
                    while block := file.read(BLOCK):
                        into.write(block)
        seconds = time.perf_counter() - started
        connection.execute("drop table copied")
    return seconds
