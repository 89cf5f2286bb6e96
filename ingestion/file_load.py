"""One file's load: a transaction that holds its rows, its rejections and its ledger entry.

Where several files are one transaction, each is a savepoint in it. Belongs here: what happens
between a file's beginning and its commit. Does not belong here: which files are loaded (`load`),
the statements themselves (`sink`, `ledger`).
"""

from collections import Counter
from collections.abc import Callable, Collection
from typing import NamedTuple

import psycopg

from ingestion import drift_log
from ingestion.consent.refusals import Refusals
from ingestion.consent.stored import NO_CONSENT
from ingestion.erasing import ledger as erasures
from ingestion.erasing.door import Door
from ingestion.lake.new_days import NewDays
from ingestion.landing.file_info import FileInfo
from ingestion.parsing.batches import Batch, Rejection
from ingestion.parsing.rows import Rows
from ingestion.parsing.source import LoadedFile, Source
from ingestion.report import LoadReport
from ingestion.retention.closed import EXPIRED, ClosedDays
from ingestion.storing.bloom_filter import BloomFilters
from ingestion.storing.ledger import Entry, Ledger
from ingestion.storing.row_buffer import RowBuffer
from ingestion.storing.sink import Sink, Stored
from ingestion.storing.withdrawal import withdraw
from ingestion.values.drift import Drift
from tallyhouse.errors import TallyhouseError

# What the database refuses because of the row itself, not because of its own state.
REFUSED = (
    psycopg.DataError,
    psycopg.errors.ProgramLimitExceeded,
    psycopg.errors.StatementTooComplex,
    psycopg.errors.CheckViolation,
    psycopg.errors.NotNullViolation,
)

_HELD = 20_000  # rows kept in memory until their keys are looked up


class Bounds(NamedTuple):
    """The statements that begin, keep and undo what a file brings."""

    begin: str
    keep: str
    undo: str


OWN = Bounds("begin", "commit", "rollback")
SHARED = Bounds(
    "savepoint loaded_file", "release savepoint loaded_file", "rollback to savepoint loaded_file"
)


class FileChanged(TallyhouseError):
    """A file changed under a load of which all files are one transaction."""


class FileLoad:
    """Takes a file's batches and ends with a commit; the caller rolls back on any exception."""

    def __init__(self, conn: psycopg.Connection, ledger: Ledger, file: FileInfo,
                 source: Source, new_days: NewDays, filters: BloomFilters,
                 outdated: Collection[int], bounds: Bounds, door: Door,
                 refusals: Refusals, closed: ClosedDays) -> None:  # fmt: skip
        self.file = file
        self._conn = conn
        self._ledger = ledger
        self._source = source
        self._new_days = new_days
        self._counts: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._drift = Drift()
        self._buffer = RowBuffer()
        self._bounds = bounds
        self._door = door
        self._closed = closed
        self._expired = 0
        self._withdrawn = 0
        conn.execute(bounds.begin)
        self.load_id = ledger.next_load_id()
        refused = refusals.mask if file.kind == "events" and refusals else None
        self._sink = Sink(conn, source.target, file, self.load_id, outdated, refused)
        self._withdraw_unfinished()
        self._filter = filters.of(conn, source.target.key_table)
        self._lost: str | None = None  # why a part of the file could not be read
        self._held: list[Batch] = []  # rows whose keys may have been seen before
        self._in_stream = source.stream_of(file)

    def _withdraw_unfinished(self) -> None:
        """What the file brought while it could not be read to its end is read again with it."""
        earlier = self._ledger.unfinished(self.file)
        if not earlier:
            return
        gone = withdraw(self._conn, self.file.kind, self._source.target, earlier, self.load_id)
        self._withdrawn = gone.rows
        if gone.rows:
            self._sink.result.days_thinned |= gone.days
            self._source.after_withdrawal(self._conn, gone.parts, self.load_id)

    def take(self, batch: Batch) -> None:
        """Store a batch; rows that the database itself refuses become rejections."""
        self._counts["records"] += batch.records
        self._counts["ignored"] += batch.ignored
        self._drift.take(batch.drift)
        batch = self._in_stream(batch)
        self._refuse(batch.rejected)
        batch = self._door.let_in(self.file.kind, self._source.target.columns, batch)
        batch, expired = self._closed.let_in(batch)
        self._expired += expired
        if self._filter is None:
            self._store(batch, self._sink.store)
            return
        is_known = self._filter.add(batch.keys["key"].combine_chunks())
        if is_known.any():
            batch, known = batch.split(is_known)
            self._held.append(known)
        self._store(batch, self._sink.store_new)
        if sum(len(held.rows) for held in self._held) > _HELD:
            self._settle()

    def _settle(self) -> None:
        """Look those keys up that may have been seen before."""
        self._sink.keys.flush()
        for batch in self._held:
            self._store(batch, self._sink.store)
        self._held = []

    def _store(self, batch: Batch, store: Callable[[Batch], Rows | None]) -> None:
        before = self._sink.result.copy()
        try:
            with self._conn.transaction():
                rows = store(batch)
        except REFUSED as error:
            self._sink.result = before
            if len(batch.rows) > 1:
                for half in batch.halves():
                    self._store(half, store)
                return
            fault = type(error).__name__  # its own words would repeat the value
            reason = f"The database refuses a value of the record ({fault}, {error.sqlstate})."
            self._refuse([Rejection(batch.lines[0], "refused_by_database", reason, "")])
        else:
            if store == self._sink.store_new:
                self._sink.keys.defer(batch.keys)
            if rows is not None:
                self._keep(rows)

    def _keep(self, rows: Rows) -> None:
        """Keep stored rows for the lake and for the source's own part."""
        mirrored = rows.for_lake(self.load_id)
        if mirrored is not None:
            self._new_days.begin(self._sink.result.days_begun)
            self._new_days.keep(mirrored)
        self._buffer.keep(rows)

    def _refuse(self, rejected: list[Rejection]) -> None:
        product = self._source.product(self.file.name)
        rejected = [self._door.unnamed(item, product) for item in rejected]
        self._counts["rejected"] += len(rejected)
        self._reasons.update(item.reason_code for item in rejected)
        self._ledger.reject(self.file, self.load_id, rejected)

    @property
    def _withheld(self) -> Counter[str]:
        """Records that are counted and not stored, by reason."""
        return self._door.withheld + Counter(
            {NO_CONSENT: self._sink.result.withheld, EXPIRED: self._expired}
        )

    def lose(self, reason: str) -> None:
        """A part of the file could not be read, so that nothing of it can be kept."""
        self._lost = reason

    def finish(self, report: LoadReport, problem: str | None, changed: str | None) -> None:
        """Run the source's own part, write the ledger entry, commit, report; or undo all of it."""
        if changed or self._lost:
            self._undo(report, changed or self._lost)
            return
        self._settle()
        stored = self._sink.result
        kept = self._buffer.all_of(stored.stored)
        if stored.replaced or self._door.is_altered:
            kept = None
        loaded = LoadedFile(self.file, self.load_id, stored.dates, kept, self._drift)
        self._source.after_file(self._conn, loaded)
        is_complete = problem is None
        self._counts["ignored"] += self._withheld.total()
        erasures.withheld(self._conn, self.load_id, self.file.kind, self.file.name, self._withheld)
        drift_log.note(
            self._conn, (self.file.kind, self.file.name), self.load_id, self._drift, self.file.path
        )
        form = self._source.form(self.file)
        self._ledger.finish(self.file, self.load_id, is_complete, self._counts, stored, form)
        self._conn.execute(self._bounds.keep)
        self._new_days.spoil(stored.days_thinned)
        self._new_days.end_of_file()
        self._ledger.remember(self.file, Entry(self.load_id, is_complete, self.file.path))
        self._report(report)

    def _undo(self, report: LoadReport, reason: str | None) -> None:
        self._conn.execute(self._bounds.undo)
        self._new_days.undo(self.load_id)
        if self._bounds is SHARED:
            raise FileChanged(
                f"{self.file.path} changed or broke off while it was read ({reason}). Nothing was"
                " replaced; run the command again once the file is whole."
            )
        report.unreadable.append(
            f"{self.file.path} changed or broke off while it was read ({reason}); nothing of it was"
            " kept. The next load reads it anew. Upload under a name ending in .tmp, then rename."
        )

    def _report(self, report: LoadReport) -> None:
        stored = self._sink.result
        counts = report.source(self.file.kind, self.file.name)
        counts.files += 1
        counts.records += self._counts["records"]
        counts.stored += stored.stored
        counts.duplicates += stored.duplicates
        counts.rejected += self._counts["rejected"]
        counts.ignored += self._counts["ignored"]
        counts.conflicts += stored.conflicts
        counts.withheld.update(self._withheld)
        counts.reasons.update(self._reasons)
        for found, count in self._drift.items():
            name, field_name, kind = map(drift_log.storable, found)
            report.drift[self.file.kind, self.file.name, name, field_name, kind] += count
        report.files_loaded += 1
        report.withdrawn += self._withdrawn


def note_undeclared(
    conn: psycopg.Connection, ledger: Ledger, file: FileInfo, reason: str, report: LoadReport
) -> None:
    """Note a file whose source nobody declared; it is loaded once somebody does."""
    code = "undeclared_source"
    with conn.transaction():
        load_id = ledger.next_load_id()
        ledger.reject(file, load_id, [Rejection(0, code, reason, "")])
        counts = Counter({"records": 1, "rejected": 1})
        ledger.finish(file, load_id, False, counts, Stored())
    ledger.remember(file, Entry(load_id, is_complete=False, path=file.path))
    told = report.source(file.kind, file.name)
    told.records += 1
    told.rejected += 1
    told.reasons[code] += 1
