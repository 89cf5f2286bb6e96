"""Events of days that begin with this load, made ready for the lake while it loads.

A day whose partition this load makes holds nothing but what this load stores, so the lake's files
of it can be made from memory instead of being read out of the table again. Rows gather in memory;
when they are too many, those of a day become its files, put aside at the lake (for one in a bucket:
in a file of our own). Most often that is all of the day, and the files need only their names. Where more of
the day follows it is spooled as it is, and all is put together in the end. Whatever speaks against a
day (rows that left it again) sends the lake to the table. Belongs here: which days are wholly known,
keeping their rows. Does not belong here: who shares a file (`layout`), Parquet (`files`),
writing the lake (`mirror`).
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from pathlib import Path
from threading import Lock
from typing import NamedTuple
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from ingestion.lake.files import (
    SCHEMA,
    as_in_lake,
    by_file,
    from_parquet,
    in_order,
    parquet,
    rows_of_tenants,
)
from ingestion.lake.layout import DayFiles, own_file, rewrite
from ingestion.lake.order import by_day
from ingestion.lake.spill_file import Extent, SpillFile
from ingestion.values.arrow import alike, joined
from tallyhouse.storage import StagedFiles, open_storage

_BEHIND = 3  # tables that wait to be kept
IN_MEMORY = 24 << 20  # bytes that may stay in memory from file to file
_WITHIN_FILE = 2  # times as many while a file is read, whose next line may be of any of its days
_WORTH_A_FILE = 1_000  # rows of a day; with fewer, more will follow
_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")

Made = Path | bytes  # a file put aside at the lake, or what is in it


class _File(NamedTuple):
    """A file as the lake has it."""

    tenants: frozenset[str]
    place: Path | Extent
    loads: frozenset[int]


class NewDays:
    """Stored events by day, for the days that are wholly known here."""

    def __init__(self, lake: str, in_memory: int = IN_MEMORY) -> None:
        self._limit = in_memory
        self._lake = lake
        self._spill: SpillFile | None = None
        self._staged: StagedFiles | None = None
        self._held: list[pa.Table] = []  # rows of any days
        self._held_bytes = 0
        self._last: dict[date, pa.Table] = {}  # the same by day and in order, in the end
        self._made: dict[date, dict[str, _File]] = {}  # by name
        self._more: dict[date, list[Extent]] = {}  # rows of days beside their files
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
        with self._lock:
            begun = pa.array(self._begun, pa.date32())
        is_fresh = pc.is_in(table["event_date"], begun)
        if not pc.all(is_fresh).as_py():
            table = table.filter(is_fresh)
        if len(table):
            self._hold(table.drop_columns(["content_hash"]))
        self._make_room(self._limit * _WITHIN_FILE)

    def _hold(self, rows: pa.Table) -> None:
        self._held.append(rows)
        self._held_bytes += rows.nbytes

    def _make_room(self, limit: int) -> None:
        """Spill what is in memory; without room there, the tables know."""
        if self._held_bytes <= limit:
            return
        days = self._by_day()
        day, newest = days[-1]
        if len(days) > 1 and newest.nbytes <= limit // 2:  # more of this day is likely to follow
            self._hold(_at_day(newest, day))
            days.pop()
        try:
            if self._spill is None:
                self._spill, self._staged = SpillFile(), open_storage(self._lake).staged_files()
            for day, rows in days:
                self._stage(self._spill, day, rows)
        except OSError:
            self.spoil([day for day, _ in days])

    def _by_day(self) -> list[tuple[date, pa.Table]]:
        """What is held, by day and in order; nothing is held then."""
        held, self._held, self._held_bytes = self._held, [], 0
        return by_day(pa.concat_tables(held)) if held else []

    def _stage(self, spill: SpillFile, day: date, rows: pa.Table) -> None:
        made = self._made.setdefault(day, {})
        if len(rows) < _WORTH_A_FILE or not _are_apart(day, made, rows):
            self._more.setdefault(day, []).append(spill.put(_arrow(rows)))
            return
        found = as_in_lake(rows)
        if _has_powers_of_ten(found):
            self.spoil([day])
            return
        for name, of_file in _by_file(day, found):
            tenants = frozenset(pc.unique(of_file["tenant_id"]).to_pylist())
            loads = frozenset(pc.unique(of_file["load_id"]).to_pylist())
            made[name] = _File(tenants, (self._staged or spill).put(parquet(of_file)), loads)

    def files(self, day: date) -> Iterator[tuple[str, Made]] | None:
        """Name and content of each file of a day; None where only the table knows the day.

        May be called from several threads, once everything was kept."""
        with self._turn:
            self._wait(upto=0)
            if self._held:
                self._last = dict(self._by_day())
        made, tables = self._made.get(day, {}), []
        if day in self._last:
            tables.append(self._last[day])
        if day not in self._begun or not (made or tables or day in self._more):
            return None
        tables += (_from_arrow(self._got(place)) for place in self._more.get(day, ()))
        if not tables:
            return self._files(day, made, SCHEMA.empty_table())
        rows = self._without_undone(pa.concat_tables(tables))
        if len(tables) > 1 and len(rows):
            ((_, rows),) = by_day(_at_day(rows, day))
        found = as_in_lake(rows)
        return None if _has_powers_of_ten(found) else self._files(day, made, found)

    def _files(
        self, day: date, made: dict[str, _File], more: pa.Table
    ) -> Iterator[tuple[str, Made]]:
        """The files of a day of which some are made; `more` are rows beside them, in order."""
        own = {name: file for name, file in made.items() if _is_own(day, name, file)}
        more_of = dict(by_file(more, {tenant: [tenant] for tenant in rows_of_tenants(more)}))
        for name, file in own.items():
            (tenant,) = file.tenants
            of_tenant = more_of.pop(tenant, None)
            if of_tenant is None and not file.loads & self._undone:
                yield name, self._as_made(file)
            elif len(rows := self._merged([file], filter(None, [of_tenant]))):
                yield name, parquet(rows).to_pybytes()
        shared = {name: file for name, file in made.items() if name not in own}
        if not more_of and not any(file.loads & self._undone for file in shared.values()):
            yield from ((name, self._as_made(file)) for name, file in shared.items())
            return
        for name, rows in _by_file(day, self._merged(shared.values(), more_of.values())):
            yield name, parquet(rows).to_pybytes()

    def _merged(self, files: Iterable[_File], tables: Iterable[pa.Table]) -> pa.Table:
        """The rows of some files and tables, which are in order, in their order."""
        made = [from_parquet(self._got(file.place)) for file in files]
        rows = self._without_undone(pa.concat_tables([*made, *tables]))
        return in_order(rows) if made else rows

    def _as_made(self, file: _File) -> Made:
        return file.place if isinstance(file.place, Path) else self._got(file.place)

    def _got(self, place: Path | Extent) -> bytes:
        if isinstance(place, Path):
            return place.read_bytes()
        assert self._spill is not None
        return self._spill.get(place)

    def _without_undone(self, rows: pa.Table) -> pa.Table:
        if not self._undone:
            return rows
        undone = pa.array(list(self._undone), pa.int64())
        return rows.filter(pc.invert(pc.is_in(rows["load_id"], undone)))

    def close(self) -> None:
        self._keeper.shutdown(cancel_futures=True)
        for opened in (self._spill, self._staged):
            if opened is not None:
                opened.close()


def _by_file(day: date, rows: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Rows of a day, in order, as files of a day that has none."""
    counts = rows_of_tenants(rows)
    return by_file(rows, rewrite(day, counts, counts, DayFiles()).written)


def _is_own(day: date, name: str, file: _File) -> bool:
    return name in {own_file(day, tenant) for tenant in file.tenants}


def _are_apart(day: date, made: dict[str, _File], rows: pa.Table) -> bool:
    """Whether these rows make files of their own, beside those of their day that are made."""
    tenants = {str(UUID(bytes=tenant)) for tenant in pc.unique(rows["tenant_id"]).to_pylist()}
    return all(
        _is_own(day, name, file) and not tenants & file.tenants for name, file in made.items()
    )


def _at_day(rows: pa.Table, day: date) -> pa.Table:
    days = pa.repeat(pa.scalar(day, pa.date32()), len(rows))
    return rows.add_column(0, "event_date", days)


def _has_powers_of_ten(table: pa.Table) -> bool:
    """Whether a number is written like 1e+17, which the database spells out."""
    properties = table["properties"].combine_chunks()
    texts = alike(joined(properties))
    if b"0e+" not in texts and b"0e0" not in texts:
        return False
    found = pc.match_substring_regex(properties, r"[:,\[]-?\d+(\.\d+)?e[+\d]")
    return bool(pc.any(found).as_py())


def _arrow(table: pa.Table) -> pa.Buffer:
    buffer = pa.BufferOutputStream()
    with pa.ipc.new_stream(buffer, table.schema, options=_OPTIONS) as stream:
        stream.write_table(table.combine_chunks())
    return buffer.getvalue()


def _from_arrow(data: bytes) -> pa.Table:
    with pa.ipc.open_stream(data) as stream:
        return stream.read_all()
