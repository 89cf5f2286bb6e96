"""Stores batches of one file: exactly once in effect, set by set, inside the file's transaction.

The keys go first, into the one key table that spans all days; what it already knows is a duplicate
or a conflict (rule 40). The other rows are then copied straight into their partitions, so that
each row is written once. Belongs here: SQL over any `Target`. Does not belong here: files, ledger.
"""

from collections import Counter
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import psycopg
import pyarrow as pa
from psycopg import sql

from ingestion.batches import KEYS, Batch, Conflict, by_key
from ingestion.columns import binary_copy
from ingestion.rows import Rows
from ingestion.sources import FileInfo, Target, Touch

_DEFERRED = 200_000  # keys, of some 60 bytes each
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Stored:
    """What became of a file's accepted rows so far."""

    stored: int = 0
    duplicates: int = 0
    conflicts: int = 0
    replaced: int = 0
    withdrawn: Counter[int] = field(default_factory=Counter)  # the replaced rows' loads
    newest_us: int | None = None
    dates: set[date] = field(default_factory=set)
    days_begun: set[date] = field(default_factory=set)  # their partitions were made here
    days_thinned: set[date] = field(default_factory=set)  # rows left them again
    touches: set[Touch] = field(default_factory=set)

    def copy(self) -> "Stored":
        """As it stands, for a return to here."""
        return Stored(**{name: copy(value) for name, value in vars(self).items()})


class _Known(NamedTuple):
    """A key of this batch that was stored before."""

    position: int
    key: str
    hash_now: bytes
    us_now: int
    hash_before: bytes
    us_before: int
    date_before: date


class Sink:
    """Stores one file's batches into one target."""

    def __init__(self, conn: psycopg.Connection, target: Target, file: FileInfo,
                 load_id: int) -> None:  # fmt: skip
        self._conn = conn
        self._target = target
        self._kind, self._name, self._load_id = file.kind, file.name, load_id
        self._table = sql.SQL(target.table)
        self._keys = sql.SQL(target.key_table)
        self._chunk = 0
        self._deferred: list[pa.Table] = []
        self.result = Stored()
        conn.execute(
            "create temporary table if not exists stage_keys (key uuid, event_date date,"
            " received_us bigint, content_hash bytea, position integer)"
        )
        self._columns = sql.SQL(", ").join(map(sql.Identifier, (*target.columns, "load_id")))

    def store(self, batch: Batch) -> Rows | None:
        """Store one batch; everything of it is in the open transaction afterwards. The rows that
        were new."""
        dropped, lost = self._claim_keys(batch) if len(batch.rows) else (set(), [])
        rows = batch.rows
        if dropped:
            rows = rows.only([place for place in range(len(rows)) if place not in dropped])
        self.result.duplicates += len(dropped)
        return self._store_rows(batch, rows, lost)

    def store_new(self, batch: Batch) -> Rows | None:
        """Store a batch whose keys nobody stored before; they follow with `defer` and `flush`."""
        return self._store_rows(batch, batch.rows, [])

    def _store_rows(self, batch: Batch, rows: Rows, lost: list[Conflict]) -> Rows | None:
        result = self.result
        result.duplicates += batch.duplicates
        result.conflicts += len(batch.conflicts)
        if batch.newest_us is not None:
            result.newest_us = max(batch.newest_us, result.newest_us or batch.newest_us)
        self._log_conflicts([*batch.conflicts, *lost])
        if not len(rows):
            return None
        self._make_partitions(batch.dates)
        self._copy(self._table, self._columns, rows.copy_format, rows.copy_data(self._load_id))
        result.stored += len(rows)
        result.touches |= rows.touches()
        result.dates.update(batch.dates)
        return rows

    def defer(self, keys: pa.Table) -> None:
        """Keys of stored rows, which are entered together: an index takes many at once best."""
        self._deferred.append(keys)
        if sum(map(len, self._deferred)) >= _DEFERRED:
            self.flush()

    def flush(self) -> None:
        """Enter the deferred keys."""
        if not self._deferred:
            return
        self._chunk += 1
        keys = by_key(pa.concat_tables(self._deferred))
        self._deferred = []
        same = {"chunk": pa.scalar(self._chunk, pa.int32()), "load_id": pa.scalar(self._load_id)}
        for name, value in same.items():
            keys = keys.append_column(name, pa.repeat(value, len(keys)))
        columns = ["key", "event_date", "chunk", "received_us", "load_id", "content_hash"]
        names = sql.SQL(", ").join(map(sql.Identifier, columns))
        self._copy(self._keys, names, "binary", binary_copy(keys.select(columns)))

    def _copy(self, table: sql.Composable, columns: sql.Composable, form: str,
              data: Iterable[bytes]) -> None:  # fmt: skip
        statement = sql.SQL("copy {} ({}) from stdin with (format {})").format(
            table, columns, sql.SQL(form)
        )
        with self._conn.cursor().copy(statement) as copy:
            for piece in data:
                copy.write(piece)

    def _claim_keys(self, batch: Batch) -> tuple[set[int], list[Conflict]]:
        """Enter the batch's keys; the positions of rows not to store, and bodies that lost."""
        self._chunk += 1
        self._conn.execute("truncate stage_keys")
        columns = sql.SQL(", ").join(map(sql.Identifier, KEYS.names))
        self._copy(sql.SQL("stage_keys"), columns, "binary", binary_copy(batch.keys))
        claimed = self._conn.execute(
            sql.SQL(
                "insert into {} (key, event_date, chunk, received_us, load_id, content_hash)"
                " select key, event_date, %s, received_us, %s, content_hash from stage_keys"
                " on conflict (key) do nothing"
            ).format(self._keys),
            (self._chunk, self._load_id),
        ).rowcount
        return (set(), []) if claimed == len(batch.rows) else self._settle(self._known())

    def _known(self) -> list[_Known]:
        # the lateral keeps this a look-up per staged key, whatever the planner thinks of the tables
        found = self._conn.execute(
            sql.SQL(
                "select s.position, s.key::text, s.content_hash, s.received_us, k.content_hash,"
                " k.received_us, k.event_date from stage_keys as s cross join lateral ("
                "select * from {} as held where held.key = s.key limit 1) as k"
                " where k.load_id <> %s or k.chunk <> %s"
            ).format(self._keys),
            (self._load_id, self._chunk),
        )
        return [_Known(*row) for row in found]

    def _settle(self, known: list[_Known]) -> tuple[set[int], list[Conflict]]:
        """Rule 40: the earliest body stays, whichever came first."""
        losers: list[Conflict] = []
        dropped: set[int] = set()
        winners: list[_Known] = []
        for row in known:
            wins = (row.us_now, row.hash_now) < (row.us_before, row.hash_before)
            if row.hash_now != row.hash_before:
                lost = (row.hash_before, row.us_before) if wins else (row.hash_now, row.us_now)
                losers.append(Conflict(row.key, lost[0].hex(), lost[1]))
            if wins:
                winners.append(row)
            else:
                dropped.add(row.position)
        self.result.conflicts += len(losers)
        return dropped | self._replace(winners), losers

    def _replace(self, winners: list[_Known]) -> set[int]:
        """Take earlier-loaded bodies out; positions whose row is gone for good (erased)."""
        if not winners:
            return set()
        returning = self._target.touch_sql or ("null", "null", "null", "null", "null")
        gone: set[bytes] = set()
        for day in sorted({row.date_before for row in winners}):
            hashes = [row.hash_before for row in winners if row.date_before == day]
            removed = self._conn.execute(
                sql.SQL(
                    "delete from {} where event_date = %s and content_hash = any(%s)"
                    " returning content_hash, load_id, {}"
                ).format(self._table, sql.SQL(", ").join(map(sql.SQL, returning))),
                (day, hashes),
            ).fetchall()
            for content_hash, load_id, kind, product, tenant, entity, touched_on in removed:
                gone.add(content_hash)
                self.result.days_thinned.add(day)
                self.result.withdrawn[load_id] += 1
                if kind is not None:
                    text = [None if v is None else str(v) for v in (tenant, entity, touched_on)]
                    self.result.touches.add(Touch(kind, product, *text))
        # a key without its row belongs to something erased: it does not come back (rule 45)
        replacing = [row for row in winners if row.hash_before in gone]
        self._conn.execute(
            sql.SQL(
                "update {} as k set event_date = s.event_date, received_us = s.received_us,"
                " content_hash = s.content_hash, load_id = %s, chunk = %s from stage_keys as s"
                " where k.key = s.key and s.key = any(%s::uuid[])"
            ).format(self._keys),
            (self._load_id, self._chunk, [row.key for row in replacing]),
        )
        self.result.replaced += len(replacing)
        return {row.position for row in winners if row.hash_before not in gone}

    def _log_conflicts(self, conflicts: Iterable[Conflict]) -> None:
        """One row per body that lost; a body that wins in the end has not lost."""
        lost = [
            (self._kind, c.key, bytes.fromhex(c.content_hash),
             _EPOCH + timedelta(microseconds=c.received_us), self._name, self._load_id)
            for c in conflicts
        ]  # fmt: skip
        if not lost:
            return
        self._conn.cursor().executemany(
            "insert into ops.record_conflicts (source_kind, record_key, dropped_content_hash,"
            " dropped_received_at, source_name, load_id) values (%s, %s, %s, %s, %s, %s)"
            " on conflict do nothing",
            lost,
        )
        self._conn.execute(
            sql.SQL(
                "delete from ops.record_conflicts as lost using {} as held"
                " where lost.source_kind = %s and lost.record_key = any(%s::uuid[])"
                " and held.key = lost.record_key and held.content_hash = lost.dropped_content_hash"
            ).format(self._keys),
            (self._kind, [row[1] for row in lost]),
        )

    def _make_partitions(self, days: list[date]) -> None:
        missing = self._conn.execute(
            "select day from unnest(%s::date[]) as day"
            " where to_regclass(%s || '_' || to_char(day, 'YYYYMMDD')) is null",
            (days, self._target.table),
        ).fetchall()
        for (day,) in missing:
            make_partition(self._conn, self._target.table, day)
            self.result.days_begun.add(day)


def make_partition(conn: psycopg.Connection, table: str, day: date) -> None:
    """One day's partition, attached under a lock that lets readers and writers go on."""
    names = {
        "table": sql.SQL(table),
        "partition": sql.SQL(f"{table}_{day.isoformat().replace('-', '')}"),
        "day": sql.Literal(day.isoformat()),
        "next": sql.Literal((day + timedelta(days=1)).isoformat()),
    }
    conn.execute(
        sql.SQL(
            "create table {partition} (like {table} including defaults including constraints)"
        ).format(**names)
    )
    conn.execute(
        sql.SQL(
            "alter table {table} attach partition {partition} for values from ({day}) to ({next})"
        ).format(**names)
    )
