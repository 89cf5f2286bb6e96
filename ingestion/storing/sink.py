"""Stores batches of one file: exactly once in effect, set by set, inside the file's transaction.

What the key table already knows is a duplicate or a conflict (rule 40); the other rows are copied
straight into their partitions, so that each row is written once. Belongs here: rows, partitions,
rule 40, over any `Target`. Does not belong here: keys (`key_table`), files, ledger.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from copy import copy
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import psycopg
import pyarrow as pa
from psycopg import sql

from ingestion.landing.file_info import FileInfo
from ingestion.parsing.batches import Batch, Conflict
from ingestion.parsing.rows import Mask, Rows
from ingestion.parsing.source import Target
from ingestion.storing.key_table import KeyTable, KnownKey
from ingestion.values.instants import EPOCH
from ingestion.values.outcomes import Touch
from ingestion.values.postgres_copy import copy_in, copy_table


@dataclass
class Stored:
    """What became of a file's accepted rows so far."""

    stored: int = 0
    duplicates: int = 0
    conflicts: int = 0
    replaced: int = 0
    withheld: int = 0  # counted and not stored
    withdrawn: Counter[int] = field(default_factory=Counter)  # the replaced rows' loads
    newest_us: int | None = None  # see `Batch`
    claimed_us: int | None = None
    dates: set[date] = field(default_factory=set)
    days_begun: set[date] = field(default_factory=set)  # their partitions were made here
    days_thinned: set[date] = field(default_factory=set)  # rows left them again
    touches: set[Touch] = field(default_factory=set)

    def copy(self) -> "Stored":
        """As it stands, for a return to here."""
        return Stored(**{name: copy(value) for name, value in vars(self).items()})


class Sink:
    """Stores one file's batches into one target."""

    def __init__(self, conn: psycopg.Connection, target: Target, file: FileInfo,
                 load_id: int, outdated: Collection[int] = (),
                 refused: Callable[[Rows], Mask | None] | None = None) -> None:  # fmt: skip
        """`outdated` are loads whose files another form of the contract would read today; `refused` says
        which of the rows that would stay are only counted."""
        self._conn = conn
        self._outdated = outdated
        self._target = target
        self._refused = refused
        self._kind, self._name, self._load_id = file.kind, file.name, load_id
        self._table = sql.SQL(target.table)
        self.keys = KeyTable(conn, target.key_table, load_id)
        self.result = Stored()
        self._columns = (*target.columns, "load_id")

    def store(self, batch: Batch) -> Rows | None:
        """Store one batch; everything of it is in the open transaction afterwards. The rows that
        were new."""
        dropped, lost = self._settle(self.keys.claim(batch.keys))
        rows, keys = batch.rows, batch.keys.select(["key"])
        if dropped:
            wanted = np.ones(len(rows), np.bool_)
            wanted[list(dropped)] = False
            rows, keys = rows.only(wanted), keys.filter(pa.array(wanted))
        self.result.duplicates += len(dropped)
        return self._store_rows(batch, rows, keys, lost)

    def store_new(self, batch: Batch) -> Rows | None:
        """Store a batch whose keys nobody stored before; they follow with `keys.defer`."""
        return self._store_rows(batch, batch.rows, batch.keys.select(["key"]), [])

    def _store_rows(
        self, batch: Batch, rows: Rows, keys: pa.Table, lost: list[Conflict]
    ) -> Rows | None:
        result = self.result
        result.duplicates += batch.duplicates
        result.conflicts += len(batch.conflicts)
        result.newest_us = _later(result.newest_us, batch.newest_us)
        result.claimed_us = _later(result.claimed_us, batch.claimed_us)
        self._log_conflicts([*batch.conflicts, *lost])
        rows = self._without_refused(rows, keys)
        if not len(rows):
            return None
        self._make_partitions(batch.dates)
        data = rows.copy_data(self._load_id)
        copy_in(self._conn, self._table, self._columns, rows.copy_format, data)
        result.stored += len(rows)
        result.touches |= rows.touches()
        result.dates.update(batch.dates)
        return rows

    def _without_refused(self, rows: Rows, keys: pa.Table) -> Rows:
        """The rows but for those that are only counted; their keys are kept, as those of such."""
        refused = self._refused(rows) if self._refused is not None else None
        if refused is None or self._target.withheld_keys is None:
            return rows
        copy_table(self._conn, sql.SQL(self._target.withheld_keys), keys.filter(pa.array(refused)))
        self.result.withheld += int(refused.sum())
        return rows.only(~refused)

    def _settle(self, known: list[KnownKey]) -> tuple[set[int], list[Conflict]]:
        """Rule 40: the earliest body stays, whichever came first. Of two that arrived at once the
        one that was read by a former contract goes: the record may be the same, and the same for
        all rows is what its next reading by today's contract gives."""
        losers: list[Conflict] = []
        dropped: set[int] = set()
        winners: list[KnownKey] = []
        for row in known:
            is_other = row.hash_now != row.hash_before
            is_renewed = (
                is_other and row.us_now == row.us_before and row.load_before in self._outdated
            )
            wins = is_renewed or (row.us_now, row.hash_now) < (row.us_before, row.hash_before)
            if is_other and not is_renewed:
                lost = (row.hash_before, row.us_before) if wins else (row.hash_now, row.us_now)
                losers.append(Conflict(row.key, lost[0].hex(), lost[1]))
            if wins:
                winners.append(row)
            else:
                dropped.add(row.position)
        self.result.conflicts += len(losers)
        return dropped | self._replace(winners), losers

    def _replace(self, winners: list[KnownKey]) -> set[int]:
        """Take earlier-loaded bodies out; positions whose row is gone for good (erased), or counted for good: on a
        closed day."""
        if not winners:
            return set()
        returning = self._target.touch_sql or ("null", "null", "null", "null", "null")
        gone: set[bytes] = set()
        for day in sorted({row.date_before for row in winners}):
            of_day = [row for row in winners if row.date_before == day]
            hashes = [row.hash_before for row in of_day]
            loads = [row.load_before for row in of_day]
            # with the load: another source may hold the same body of its own
            removed = self._conn.execute(
                sql.SQL(
                    "delete from {} where event_date = %s and (content_hash, load_id) in"
                    " (select * from unnest(%s::bytea[], %s::bigint[])) and {}"
                    " returning content_hash, load_id, {}"
                ).format(
                    self._table,
                    sql.SQL(self._target.is_open_sql),
                    sql.SQL(", ").join(map(sql.SQL, returning)),
                ),
                (day, hashes, loads),
            ).fetchall()
            for content_hash, load_id, kind, product, tenant, entity, touched_on in removed:
                gone.add(content_hash)
                self.result.days_thinned.add(day)
                self.result.withdrawn[load_id] += 1
                if kind is not None:
                    text = [None if v is None else str(v) for v in (tenant, entity, touched_on)]
                    self.result.touches.add(Touch(kind, product, *text))
        counted = self._give_way([row.key for row in winners])
        # a key without its row belongs to something erased: it does not come back (rule 45); nor does another body
        # of what is past its time
        lost = {
            row.position
            for row in winners
            if row.hash_before not in gone and row.key not in counted
        }
        replacing = [row.key for row in winners if row.position not in lost]
        self.keys.hand_over(replacing)
        self.result.replaced += len(replacing)
        return lost

    def _give_way(self, keys: list[str]) -> set[str]:
        """Those of the keys whose records were counted and not stored: an earlier body takes their place."""
        if self._target.withheld_keys is None:
            return set()
        found = self._conn.execute(
            sql.SQL("delete from {} where key = any(%s::uuid[]) returning key::text").format(
                sql.SQL(self._target.withheld_keys)
            ),
            (keys,),
        )
        return {key for (key,) in found}

    def _log_conflicts(self, conflicts: Iterable[Conflict]) -> None:
        """One row per body that lost; a body that wins in the end has not lost."""
        lost = [
            (self._kind, c.key, bytes.fromhex(c.content_hash),
             EPOCH + timedelta(microseconds=c.received_us), self._name, self._load_id)
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
            ).format(self.keys.table),
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


def _later(first: int | None, second: int | None) -> int | None:
    return max((moment for moment in (first, second) if moment is not None), default=None)


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
