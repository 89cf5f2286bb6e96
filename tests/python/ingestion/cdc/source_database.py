"""A small database that knows its own contents and writes what Debezium would have written of it.

Transactions overlap in the log and commit in another order than their changes lie in it, clocks
stand still or jump back, large values that did not change are not sent, keys change, tables are
truncated, snapshots of single rows come in between without a position, and crashes repeat a part of
the stream. Belongs here: making such a stream, and the state at its end. No database, no loader.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

UNAVAILABLE = "__debezium_unavailable_value"
START_MS = 1_700_000_000_000
Row = dict[str, Any]


@dataclass
class Transaction:
    """What one transaction does: actions on `items` (keyed) and `log` (without a key)."""

    actions: list[tuple[Any, ...]]
    is_overlapping: bool = False  # its changes lie in the log before those of the one before it
    clock_step_ms: int = 0


@dataclass
class SourceDatabase:
    items: dict[int, Row] = field(default_factory=dict)
    log: Counter[int] = field(default_factory=Counter)
    records: list[dict[str, Any]] = field(default_factory=list)
    _last_commit: int = 1_000
    _commit_before: int = 900
    _transaction_id: int = 500
    _clock_ms: int = START_MS
    _written_ms: int = START_MS
    _keys_before: set[int] = field(default_factory=set)

    def start(self, items: dict[int, Row], log: list[int]) -> None:
        """The first contents, and the snapshot of them."""
        self.items.update({key: dict(row) for key, row in items.items()})
        self.log.update(log)
        self.snapshot()

    def snapshot(self) -> None:
        """Every row of every table, at one lsn. It may be taken again, say after a lost slot."""
        self._clock_ms += 1
        source = {"lsn": self._last_commit, "sequence": f'[null,"{self._last_commit}"]',
                  "txId": self._transaction_id, "snapshot": "true"}  # fmt: skip
        for key, row in self.items.items():
            self._write("items", {"id": key}, "r", None, {"id": key, **row}, source, None)
        for value in self.log.elements():
            self._write("log", None, "r", None, {"n": value}, source, None)
        self._keys_before = set(range(-100, 100))  # nothing in flight when it is taken

    def follow(self, steps: Iterable[Any]) -> None:
        """Run a history: transactions, and what else happens as (method, arguments …)."""
        for step in steps:
            if isinstance(step, Transaction):
                self.run(step)
            else:
                getattr(self, step[0])(*step[1:])

    def run(self, transaction: Transaction) -> None:
        """Run a transaction and write its changes as one committed unit."""
        touched: set[int] = set()
        for action in transaction.actions:
            touched.update(part for part in action[1:3] if isinstance(part, int))
        truncates = any(action[0].startswith("truncate") for action in transaction.actions)
        overlaps = transaction.is_overlapping and not truncates
        overlaps = overlaps and not touched & self._keys_before  # row locks
        self._transaction_id += 1
        self._clock_ms += transaction.clock_step_ms
        lsn = (self._commit_before if overlaps else self._last_commit) + 1
        order = 0
        for action in transaction.actions:
            for table, key, op, before, after in self._apply(action):
                order += 1
                source = {"lsn": lsn, "txId": self._transaction_id, "snapshot": "false",
                          "sequence": json.dumps([str(self._last_commit), str(lsn)])}  # fmt: skip
                self._write(table, key, op, before, after, source, order)
                if op == "d":
                    self._tombstone(table, key)
                    continue  # a key's change is d and c at one lsn
                lsn += 3
        self._commit_before, self._last_commit = self._last_commit, self._last_commit + 100
        self._keys_before = set(range(-100, 100)) if truncates else touched

    def _apply(self, action: tuple[Any, ...]) -> list[tuple[Any, ...]]:  # noqa: PLR0911
        """The changes an action makes, in Debezium's form; none where it does not apply."""
        name, *rest = action
        if name == "insert" and rest[0] not in self.items:
            key, row = rest
            self.items[key] = dict(row)
            return [("items", {"id": key}, "c", None, {"id": key, **row})]
        if name == "update" and rest[0] in self.items:
            key, changed = rest
            row = self.items[key]
            row.update(changed)
            after = {"id": key, **row}
            if "big" not in changed and row["big"] is not None:
                after["big"] = UNAVAILABLE
            if "tags" not in changed and row["tags"]:
                after["tags"] = [UNAVAILABLE]
            return [("items", {"id": key}, "u", None, after)]
        if name == "delete" and rest[0] in self.items:
            return [self._deletion(rest[0])]
        if name == "rekey" and rest[0] in self.items and rest[1] not in self.items:
            row = self.items[rest[0]]
            deletion = self._deletion(rest[0])
            self.items[rest[1]] = row
            return [deletion, ("items", {"id": rest[1]}, "c", None, {"id": rest[1], **row})]
        if name == "truncate":
            self.items.clear()
            return [("items", None, "t", None, None)]
        if name == "truncate_log":
            self.log.clear()
            return [("log", None, "t", None, None)]
        if name == "log":
            self.log[rest[0]] += 1
            return [("log", None, "c", None, {"n": rest[0]})]
        return []

    def _deletion(self, key: int) -> tuple[Any, ...]:
        del self.items[key]
        return ("items", {"id": key}, "d", {"id": key, "a": None, "big": None, "tags": None}, None)

    def snapshot_rows(self, keys: list[int]) -> None:
        """Rows of an incremental snapshot: as they are now, without a position."""
        for key in keys:
            if key in self.items:
                source = {"lsn": None, "txId": None, "sequence": None, "snapshot": "incremental"}
                self._write(
                    "items", {"id": key}, "r", None, {"id": key, **self.items[key]}, source, None
                )

    def crash(self, back: int) -> None:
        """The last records again, as written later. Snapshots are not continued: their rows are
        not repeated, and nothing before a snapshot is."""
        last = self.records[-back:]
        for place in range(len(last) - 1, -1, -1):
            value = last[place]["value"]
            if value is not None and value.get("source", {}).get("snapshot") == "true":
                last = last[place + 1 :]
                break
        for record in last:
            value = record["value"]
            if value is not None and value.get("source", {}).get("snapshot") != "false":
                continue
            again = json.loads(json.dumps(record))
            if value is not None:
                self._written_ms += 1
                again["value"]["ts_ms"] = self._written_ms
            self.records.append(again)

    def notices(self) -> None:
        """What is in every stream and is no row."""
        self.records.append({"topic": "__debezium-heartbeat.shop", "key": {"serverName": "shop"},
                             "value": {"ts_ms": self._written_ms}})  # fmt: skip

    def _write(
        self, table: str, key: Any, op: str, before: Any, after: Any, source: Row, order: int | None
    ) -> None:
        self._written_ms += 1
        value = {
            "before": before, "after": after, "op": op, "ts_ms": self._written_ms,
            "source": {**source, "schema": "public", "table": table, "ts_ms": self._clock_ms},
            "transaction": order and {"id": str(source["txId"]), "total_order": order},
        }  # fmt: skip
        topic = f"shop.public.{table}"
        self.records.append({"topic": topic, "key": key, "value": json.loads(json.dumps(value))})

    def _tombstone(self, table: str, key: Any) -> None:
        self.records.append({"topic": f"shop.public.{table}", "key": key, "value": None})

    def lines(self) -> list[bytes]:
        return [json.dumps(record).encode() for record in self.records]
