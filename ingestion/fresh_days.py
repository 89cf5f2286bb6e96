"""Events of days that begin with this load, kept aside for the lake.

A day whose partition this load makes holds nothing but what this load stores, so the lake's files
of it can be written from memory instead of being read out of the table again. Bounded: what is too
much for memory lies in a temporary folder. Whatever speaks against a day (rows that left it again)
sends the lake to the table. Belongs here: keeping rows by day. Does not belong here: writing the
lake (`lake`).
"""

import tempfile
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from pathlib import Path
from threading import Lock

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.columns import halves

_BEHIND = 2  # tables that wait to be kept
NOT_KEPT = ["event_date", "content_hash"]  # the lake has neither: the day is its folder's name
IN_MEMORY = 32 << 20  # bytes kept before they are written to the temporary folder


class FreshDays:
    """Stored events by day, for the days that are wholly known here."""

    def __init__(self, in_memory: int = IN_MEMORY) -> None:
        self._limit = in_memory
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._held: dict[date, list[pa.Table]] = {}
        self._held_bytes = 0
        self._written: dict[date, list[Path]] = {}
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
        self._wait(upto=_BEHIND)
        self._keeping.append(self._keeper.submit(self._keep, table))

    def _wait(self, upto: int) -> None:
        while len(self._keeping) > upto:
            self._keeping.popleft().result()

    def _keep(self, table: pa.Table) -> None:
        for day, found in _by_day(table):
            if day in self._begun:
                rows = found.drop_columns(NOT_KEPT)
                self._held.setdefault(day, []).append(rows)
                self._held_bytes += rows.nbytes
        if self._held_bytes > self._limit:
            self._write()

    def rows(self, day: date) -> pa.Table | None:
        """All rows of a day in the order of tenants and time, without the columns NOT_KEPT; None
        where only the table knows.

        May be called from several threads, once everything was kept."""
        with self._turn:
            self._wait(upto=0)
        if day not in self._begun:
            return None
        parts = list(self._held.get(day, ()))
        for path in self._written.get(day, ()):
            with pa.OSFile(str(path), "rb") as file, pa.ipc.open_stream(file) as stream:
                parts.append(stream.read_all())
        if not parts:
            return None
        table = pa.concat_tables(parts).combine_chunks()
        if self._undone:
            undone = pa.array(list(self._undone), pa.int64())
            table = table.filter(pc.invert(pc.is_in(table["load_id"], undone)))
        return table.take(pa.array(_order(table)))

    def close(self) -> None:
        self._keeper.shutdown(cancel_futures=True)
        if self._folder is not None:
            self._folder.cleanup()

    def _write(self) -> None:
        """Move what is in memory to the temporary folder; without room there, the tables know."""
        try:
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="tallyhouse-load-")
            options = pa.ipc.IpcWriteOptions(compression="lz4")
            for day, parts in self._held.items():
                paths = self._written.setdefault(day, [])
                path = Path(self._folder.name) / f"{day}-{len(paths)}.arrow"
                with (
                    pa.OSFile(str(path), "wb") as file,
                    pa.ipc.new_stream(file, parts[0].schema, options=options) as stream,
                ):
                    stream.write_table(pa.concat_tables(parts).combine_chunks())
                paths.append(path)
        except OSError:
            self.spoil(self._held)
        self._held, self._held_bytes = {}, 0


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


def _order(table: pa.Table) -> np.ndarray:
    """By tenant, then time, then event."""
    occurred = table["occurred_at"].cast(pa.int64()).to_numpy()
    events, tenants = halves(table["event_id"]), halves(table["tenant_id"])
    return np.lexsort((*events[::-1], occurred, *tenants[::-1]))
