"""Takes erased people out of the raw tables, in the open transaction.

Rows are judged as the door judges them (`records`). What leaves is counted to the load that brought it and named
in ops.load_touched, so that models follow; the key of an event stays, so that it does not come back (rule 45).
Tables of change data are folded anew. Belongs here: reading rows, writing them back. Does not belong here: who is
meant (`subjects`).
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any

import psycopg
from psycopg import sql

from ingestion.cdc.contract import CdcContract
from ingestion.erasing import records
from ingestion.erasing.ledger import Subject
from ingestion.erasing.people import People
from ingestion.parsing.batches import SourceMaker
from ingestion.storing.ledger import Ledger

_AT_ONCE = 2_000
_EVENT = (
    "event_date", "product", "tenant_id::text as tenant_id", "user_id::text as user_id", "user_source_id",
    "anonymous_id", "session_id", "ip_subnet::text as ip_subnet", "properties::text as properties", "load_id",
)  # fmt: skip
_CHANGE = (
    "event_date", "product", "table_name", "key::text as key", "key_hash::text as key_hash",
    "after::text as after", "extra::text as extra", "load_id",
)  # fmt: skip
_STRIPE = (
    "event_date", "product", "account as owner", "object_id", "customer_id", "payload::text as payload", "load_id",
)  # fmt: skip
_REVENUECAT = (
    "event_date", "product", "project as owner", "app_user_id", "original_app_user_id", "aliases::text as aliases",
    "payload::text as payload", "load_id",
)  # fmt: skip
_MARKED = "properties::text ~ 'tok_|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-'"


class Erasing:
    """One erasure of some people from all raw tables. `removed` and `altered` count rows by relation."""

    def __init__(self, conn: psycopg.Connection[Any], people: People, subjects: Sequence[Subject],
                 sources: SourceMaker, cdc: Mapping[str, CdcContract]) -> None:  # fmt: skip
        self._conn, self._people, self._sources, self._cdc = conn, people, sources, cdc
        self._products = sorted({subject.product for subject in subjects})
        self._subjects = subjects
        self.counts: Counter[str] = Counter()
        self._touched: set[tuple[str, str, str, str | None, str | None, date | None]] = set()

    def run(self) -> int:
        """Take them out; the number under which that is noted."""
        load_id = Ledger(self._conn).next_load_id()
        self._events()
        self._webhooks("stripe", _STRIPE, "customer_id")
        self._webhooks("revenuecat", _REVENUECAT, "app_user_id")
        self._changes(load_id)
        self._rejections()
        self._answers()
        self._conn.cursor().executemany(
            "insert into ops.load_touched"
            " (load_id, source_kind, product, entity_type, tenant_id, entity_id, touched_on)"
            " values (%s, %s, %s, %s, %s, %s, %s)",
            [(load_id, *touch) for touch in sorted(self._touched, key=str)],
        )
        return load_id

    def _events(self) -> None:
        ids = sorted({source_id for subject in self._subjects for _, source_id in subject.ids})
        condition = (
            f"product = any(%(products)s) and (user_source_id = any(%(ids)s) or anonymous_id = any(%(ids)s)"
            f" or session_id = any(%(ids)s) or {_MARKED})"
        )
        values = {"products": self._products, "ids": ids}
        for rows in self._read("raw_events.events", _EVENT, condition, values):
            judge = partial(records.event, people=self._people)
            self._judge("raw_events.events", rows, judge, _tenant_day)

    def _webhooks(self, kind: str, columns: Sequence[str], customer: str) -> None:
        table = f"raw_{kind}.events"

        def touch(row: Mapping[str, Any]) -> tuple[Any, ...]:
            entity = f"{kind}:{row['owner']}:{row[customer] or ''}"
            return kind, row["product"], "customer", None, entity, None

        for rows in self._read(
            table, columns, "product = any(%(products)s)", {"products": self._products}
        ):
            self._judge(table, rows, lambda row: records.webhook(row, self._people), touch)

    def _changes(self, load_id: int) -> None:
        parts: set[tuple[str, str]] = set()
        for product in self._products:
            contract = self._cdc.get(product)
            if contract is None:
                continue
            for (of, table), _ in records.person_columns().items():
                if of != product or table not in contract.tables:
                    continue
                before = self.counts.total()
                named = {"product": product, "table": table}
                condition = "product = %(product)s and table_name = %(table)s"
                judge = partial(self._change, contract)
                for rows in self._read("raw_cdc.changes", _CHANGE, condition, named):
                    self._judge("raw_cdc.changes", rows, judge, None)
                if self.counts.total() > before:
                    parts.add((product, table))
        if parts:
            self._sources("cdc").after_withdrawal(self._conn, parts, load_id)

    def _change(self, contract: CdcContract, row: dict[str, Any]) -> dict[str, Any] | None:
        return records.change(row, self._people, contract)

    def _read(
        self, table: str, columns: Sequence[str], condition: str, values: Mapping[str, Any]
    ) -> Iterator[list[dict[str, Any]]]:
        query = sql.SQL(
            "select tableoid::regclass::text as _table, ctid::text as _place, {} from {} where {}"
        ).format(
            sql.SQL(", ").join(map(sql.SQL, columns)),
            sql.SQL(table),
            sql.SQL(condition),
        )
        with self._conn.cursor(name="erasing") as cursor:
            cursor.execute(query, values)
            names = [column.name for column in cursor.description or ()]
            while rows := cursor.fetchmany(_AT_ONCE):
                yield [dict(zip(names, row, strict=True)) for row in rows]

    def _judge(self, table: str, rows: list[dict[str, Any]], judge: Any, touch: Any) -> None:
        gone: dict[str, list[str]] = {}
        loads: Counter[int] = Counter()
        for row in rows:
            outcome = judge(row)
            if outcome is row:
                continue
            if touch is not None:
                self._touched.add(touch(row))
            if outcome is None:
                gone.setdefault(row["_table"], []).append(row["_place"])
                loads[row["load_id"]] += 1
                self.counts[f"{table} removed"] += 1
                continue
            if touch is not None:
                self._touched.add(touch(outcome))
            self.counts[f"{table} without the person"] += 1
            self._write(row, outcome)
        for partition, places in gone.items():
            self._conn.execute(
                sql.SQL("delete from {} where ctid = any(%s::tid[])").format(sql.SQL(partition)),
                (places,),
            )
        self._conn.cursor().executemany(
            "update ops.load_manifest set withdrawn_count = withdrawn_count + %s where load_id = %s",
            [(count, load_id) for load_id, count in loads.items()],
        )

    def _write(self, row: Mapping[str, Any], outcome: Mapping[str, Any]) -> None:
        differing = [name for name in outcome if outcome[name] != row[name]]
        types = {"user_id": "uuid", "key_hash": "uuid", "properties": "jsonb", "payload": "jsonb", "aliases": "jsonb",
                 "key": "jsonb", "after": "jsonb", "extra": "jsonb"}  # fmt: skip
        settings = sql.SQL(", ").join(
            sql.SQL("{} = cast({} as {})").format(
                sql.Identifier(name), sql.Placeholder(name), sql.SQL(types.get(name, "text"))
            )
            for name in differing
        )
        self._conn.execute(
            sql.SQL("update {} set {} where ctid = %(_place)s::tid").format(
                sql.SQL(row["_table"]), settings
            ),
            {**{name: outcome[name] for name in differing}, "_place": row["_place"]},
        )

    def _rejections(self) -> None:
        """What of a refused record is shown goes; that there was one, and why, stays."""
        ids = sorted(
            {i for s in self._subjects for _, i in s.ids if not i.isdigit()}
            | {u for s in self._subjects for u in s.uuids}
        )
        changed = self._conn.execute(
            "update ops.rejected_records as held set record = null from unnest(%s::text[]) as named (id)"
            " where strpos(held.record, named.id) > 0",
            (ids,),
        ).rowcount
        if changed:
            self.counts["ops.rejected_records without the person"] += changed

    def _answers(self) -> None:
        """What they said of being counted is nobody's any more: their events are kept out as those of erased people."""
        uuids = sorted({uuid for subject in self._subjects for uuid in subject.uuids})
        self._conn.execute(
            "delete from ops.consent_refusals where product = any(%s) and user_id = any(%s::uuid[])",
            (self._products, uuids),
        )


def _tenant_day(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return "events", row["product"], "tenant_day", row["tenant_id"], None, row["event_date"]
