"""Events of days that begin with this load, made ready for the lake while it loads.

A day whose partition this load makes holds nothing but what this load stores, so the lake's files
of it can be made from memory instead of being read out of the table again. Rows gather in memory;
when they are many, those of a tenant's day become its file in a spool. Most often that is all of
the day, and the file needs only to be copied; where more of the day follows, its parts are put
together in the end. Whatever speaks against a day (rows that left it again) sends the lake to the
table. Belongs here: which days are wholly known, keeping their rows. Does not belong here: Parquet
(`lake_files`), writing the lake (`lake`).
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from threading import Lock
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.columns import halves
from ingestion.lake_files import NOT_KEPT, as_in_lake, by_tenant, from_parquet, parquet
from ingestion.spool import Place, Spool

_BEHIND = 3  # tables that wait to be kept
IN_MEMORY = 24 << 20  # bytes that may stay in memory from file to file
_WITHIN_FILE = 4  # times as many while a file is read, of which the next line may be of any day
_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")


class _Part(NamedTuple):
    """Some of a tenant's rows of a day, in the lake's columns and order, in the spool."""

    place: Place
    loads: frozenset[int]
    is_file: bool  # Parquet as the lake has it; else Arrow's own form, which is cheaper


class FreshDays:
    """Stored events by day, for the days that are wholly known here."""

    def __init__(self, in_memory: int = IN_MEMORY) -> None:
        self._limit = in_memory
        self._spool: Spool | None = None
        self._held: dict[date, list[pa.Table]] = {}
        self._held_bytes = 0
        self._parts: dict[date, dict[str, list[_Part]]] = {}
        self._begun: set[date] = set()
        self._spoilt: set[date] = set()
        self._undone: set[int] = set()
        self._lock, self._turn = Lock(), Lock()
        self._keeper = ThreadPoolExecutor(1)
        self._keeping: deque[Future[None]] = deque()

    def begin(self, days: Iterable[date]) -> None:
        """The partitions of these days were made by the load at work; may be said repeatedly."""
        with self._lock:
            self._begun.update(set(days) - self._spoilt)

    def spoil(self, days: Iterable[date]) -> None:
        """Not all rows of these days are known here, and never will be."""
        with self._lock:
            self._spoilt.update(days)
            self._begun -= self._spoilt

    def undo(self, load_id: int) -> None:
        """What a load stored was rolled back."""
        self._undone.add(load_id)

    def keep(self, table: pa.Table) -> None:
        """Rows that were stored: the columns of raw_events.events. Done in the background."""
        self._do(lambda: self._keep(table))

    def end_of_file(self) -> None:
        """What is known of the days so far may be all there is. Done in the background."""
        self._do(lambda: self._make_room(self._limit))

    def _do(self, work: Callable[[], None]) -> None:
        self._wait(upto=_BEHIND)
        self._keeping.append(self._keeper.submit(work))

    def _wait(self, upto: int) -> None:
        while len(self._keeping) > upto:
            self._keeping.popleft().result()

    def _keep(self, table: pa.Table) -> None:
        for day, found in _by_day(table):
            if day in self._begun:
                rows = found.drop_columns(NOT_KEPT)
                self._held.setdefault(day, []).append(rows)
                self._held_bytes += rows.nbytes
        self._make_room(self._limit * _WITHIN_FILE)

    def _make_room(self, limit: int) -> None:
        """Move what is in memory to the spool; without room there, the tables know."""
        if self._held_bytes <= limit:
            return
        try:
            self._spool = self._spool or Spool()
            for day, tables in self._held.items():
                self._put_aside(self._spool, day, tables)
        except OSError:
            self.spoil(self._held)
        self._held, self._held_bytes = {}, 0

    def _put_aside(self, spool: Spool, day: date, tables: list[pa.Table]) -> None:
        found = _joined(tables)
        if _has_powers_of_ten(found):
            self.spoil([day])
            return
        tenants = self._parts.setdefault(day, {})
        for tenant, rows in by_tenant(found):
            parts = tenants.setdefault(tenant, [])
            is_file = not parts  # where more came once, more will come again
            place = spool.put(parquet(rows) if is_file else _arrow(rows))
            loads = frozenset(pc.unique(rows["load_id"]).to_pylist())
            parts.append(_Part(place, loads, is_file))

    def files(self, day: date) -> Iterator[tuple[str, bytes]] | None:
        """Each tenant's file of a day; None where only the table knows the day.

        May be called from several threads, once everything was kept."""
        with self._turn:
            self._wait(upto=0)
        if day not in self._begun:
            return None
        parts, held = self._parts.get(day, {}), self._held.get(day)
        if held is None:
            return self._files(parts, {}) if parts else None
        rows = _joined(held)
        return None if _has_powers_of_ten(rows) else self._files(parts, dict(by_tenant(rows)))

    def _files(
        self, parts: dict[str, list[_Part]], held: dict[str, pa.Table]
    ) -> Iterator[tuple[str, bytes]]:
        for tenant in {**parts, **held}:
            put_aside = parts.get(tenant, [])
            is_ready = len(put_aside) == 1 and tenant not in held
            if is_ready and not put_aside[0].loads & self._undone:
                yield tenant, self._got(put_aside[0])
                continue
            tables = [
                _from_arrow(data) if not part.is_file else from_parquet(data)
                for part, data in ((part, self._got(part)) for part in put_aside)
            ]
            if tenant in held:
                tables.append(held[tenant])
            rows = self._without_undone(pa.concat_tables(tables))
            if rows.num_rows:
                rows = rows.sort_by([("occurred_at", "ascending"), ("event_id", "ascending")])
                yield tenant, parquet(rows).to_pybytes()

    def _got(self, part: _Part) -> bytes:
        assert self._spool is not None
        return self._spool.get(part.place)

    def _without_undone(self, rows: pa.Table) -> pa.Table:
        if not self._undone:
            return rows
        undone = pa.array(list(self._undone), pa.int64())
        return rows.filter(pc.invert(pc.is_in(rows["load_id"], undone)))

    def close(self) -> None:
        self._keeper.shutdown(cancel_futures=True)
        if self._spool is not None:
            self._spool.close()


def _by_day(table: pa.Table) -> list[tuple[date, pa.Table]]:
    days = table["event_date"].combine_chunks().cast(pa.int32()).to_numpy()
    found = np.unique(days)
    if np.any(days[1:] < days[:-1]):
        order = np.argsort(days, kind="stable")
        table, days = table.combine_chunks().take(pa.array(order)), days[order]
    starts = np.searchsorted(days, found).tolist()
    stops = [*starts[1:], len(days)]
    return [
        (pa.scalar(int(day), pa.date32()).as_py(), table.slice(start, stop - start))
        for day, start, stop in zip(found, starts, stops, strict=True)
    ]


def _joined(tables: Iterable[pa.Table]) -> pa.Table:
    """A day's rows in the lake's columns, by tenant, then time, then event."""
    table = pa.concat_tables(tables).combine_chunks()
    occurred = table["occurred_at"].cast(pa.int64()).to_numpy()
    events, tenants = halves(table["event_id"]), halves(table["tenant_id"])
    order = np.lexsort((*events[::-1], occurred, *tenants[::-1]))
    return as_in_lake(table.take(pa.array(order)))


def _has_powers_of_ten(table: pa.Table) -> bool:
    """Whether a number is written like 1e+17, which the database spells out."""
    found = pc.match_substring_regex(table["properties"], r"[:,\[]-?\d+(\.\d+)?e[+\d]")
    return bool(pc.any(found).as_py())


def _arrow(table: pa.Table) -> pa.Buffer:
    buffer = pa.BufferOutputStream()
    with pa.ipc.new_stream(buffer, table.schema, options=_OPTIONS) as stream:
        stream.write_table(table)
    return buffer.getvalue()


def _from_arrow(data: bytes) -> pa.Table:
    with pa.ipc.open_stream(data) as stream:
        return stream.read_all()
