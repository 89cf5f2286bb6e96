"""A target's key table: one unique key over all days (rule 40), entered set by set.

Two ways in. `claim` asks for every key, tells which were there and enters the others; `defer` takes
keys that are surely new and enters many at once. The loader's lock keeps others from entering the
same keys meanwhile.
A claimed key goes to `<table>_recent`, which inherits from the table, so that whoever asks the table
asks both. `merge_recent` moves these keys over in their order: single keys cost a large index a
page each, half a million share its pages.
Belongs here: statements over key tables, staged keys. Does not belong here: what a known key means
(`sink`), which keys are surely new (`bloom_filter`).
"""

from contextlib import suppress
from datetime import date
from typing import NamedTuple

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql

from ingestion.values.arrow import halves, of_load
from ingestion.values.postgres_copy import copy_table

_DEFERRED = 200_000  # keys, of some 60 bytes each
_RECENT_BYTES = 48 << 20  # half a million recent keys are not worth merging
_RECENT_SHARE = 16  # nor is less than this part of all the others
_COLUMNS = ("key", "event_date", "received_us", "load_id", "content_hash")


class KnownKey(NamedTuple):
    """A key of this batch that was stored before."""

    position: int
    key: str
    hash_now: bytes
    us_now: int
    hash_before: bytes
    us_before: int
    date_before: date
    load_before: int


class KeyTable:
    """The keys of one file's rows."""

    def __init__(self, conn: psycopg.Connection, table: str, load_id: int) -> None:
        self.table = sql.SQL(table)
        self._recent = sql.SQL(recent_of(table))
        self._conn = conn
        self._load_id = load_id
        self._deferred: list[pa.Table] = []
        conn.execute(
            "create temporary table if not exists stage_keys (key uuid, event_date date,"
            " received_us bigint, content_hash bytea, position integer)"
        )

    def claim(self, keys: pa.Table) -> list[KnownKey]:
        """Enter keys (see `batches.KEYS`), all different; those that somebody stored before."""
        if not len(keys):
            return []
        self._conn.execute("truncate stage_keys")
        positions = pa.array(np.arange(len(keys), dtype=np.int32))
        keys = _sorted(keys.append_column("position", positions))
        copy_table(self._conn, sql.SQL("stage_keys"), keys)
        known = self._known()
        if known:
            places = pa.array([key.position for key in known], pa.int32())
            keys = keys.filter(pc.invert(pc.is_in(keys["position"], places)))
        self._enter(self._recent, keys)
        return known

    def _known(self) -> list[KnownKey]:
        # The lateral keeps this a look-up per staged key, whatever the planner thinks of the tables.
        # A plan made for a handful of recent keys must not be kept until there are many.
        found = self._conn.execute(
            sql.SQL(
                "select s.position, s.key::text, s.content_hash, s.received_us, k.content_hash,"
                " k.received_us, k.event_date, k.load_id from stage_keys as s cross join lateral ("
                "select * from {} as held where held.key = s.key limit 1) as k"
            ).format(self.table),
            prepare=False,
        )
        return [KnownKey(*row) for row in found]

    def _enter(self, table: sql.SQL, keys: pa.Table) -> None:
        """Enter keys in their order."""
        copy_table(self._conn, table, of_load(keys, self._load_id).select(_COLUMNS))

    def defer(self, keys: pa.Table) -> None:
        """Keys of stored rows, which are entered together: an index takes many at once best."""
        self._deferred.append(keys)
        if sum(map(len, self._deferred)) >= _DEFERRED:
            self.flush()

    def flush(self) -> None:
        """Enter the deferred keys."""
        if not self._deferred:
            return
        keys = _sorted(pa.concat_tables(self._deferred))
        self._deferred = []
        self._enter(self.table, keys)

    def hand_over(self, keys: list[str]) -> None:
        """Give keys of the last claim that others held to this load, with what it said of them."""
        self._conn.execute(
            sql.SQL(
                "update {} as k set event_date = s.event_date, received_us = s.received_us,"
                " content_hash = s.content_hash, load_id = %s from stage_keys as s"
                " where k.key = s.key and s.key = any(%s::uuid[])"
            ).format(self.table),
            (self._load_id, keys),
        )


def recent_of(table: str) -> str:
    """The table of a key table's recent keys."""
    return f"{table}_recent"


def merge_recent(conn: psycopg.Connection, table: str) -> None:
    """Move the recent keys to the others once they are many; where somebody reads them, another
    time. Needs the loader's lock."""
    names = {"table": sql.SQL(table), "recent": sql.SQL(recent_of(table)),
             "columns": sql.SQL(", ").join(map(sql.Identifier, _COLUMNS))}  # fmt: skip
    found = conn.execute(
        "select pg_relation_size(%s) > greatest(%s, pg_relation_size(%s) / %s)",
        (recent_of(table), _RECENT_BYTES, table, _RECENT_SHARE),
    )
    if found.fetchone() != (True,):
        return
    with suppress(psycopg.errors.LockNotAvailable), conn.transaction():
        for statement in (
            "lock table {recent} in access exclusive mode nowait",
            "insert into {table} ({columns}) select {columns} from {recent} order by key",
            "truncate {recent}",
        ):
            conn.execute(sql.SQL(statement).format(**names))


def _sorted(keys: pa.Table) -> pa.Table:
    """Keys in their order, in which an index takes them best."""
    starts, _ = halves(keys["key"])
    return keys.take(pa.array(np.argsort(starts)))
