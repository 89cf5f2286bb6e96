"""Change records as the Debezium Postgres connector writes them, one `{"topic","key","value"}` a line.

What belongs here: the envelope, commit positions, snapshot, tombstones, markers, encodings of
decimals. What does not: which rows exist (the product's tables) and what is broken on purpose.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

from simulator.chance import Chance
from simulator.files import Folder, Plant, encode
from simulator.timeline import HOUR, Window

UNAVAILABLE = "__debezium_unavailable_value"


def decimal(units: int | None) -> str | None:
    """An unscaled whole number as Debezium's base64 (two's complement, big endian)."""
    if units is None:
        return None
    size = max(1, (units.bit_length() + 8) // 8)
    return base64.b64encode(units.to_bytes(size, "big", signed=True)).decode()


@dataclass
class Change:
    """One committed change of one row. `row` is the row after it (before it, for a delete)."""

    at: int
    table: str
    op: str
    key: dict[str, Any]
    row: dict[str, Any]
    plant: Plant | None = None


@dataclass
class ChangeLog:
    """Everything one database committed; rows that exist before the window become its snapshot.

    `numbered`: its records carry Kafka's partition and offset.
    """

    product: str
    window: Window
    limit: int
    numbered: bool = False
    changes: list[Change] = field(default_factory=list)
    state: dict[str, dict[tuple, dict[str, Any]]] = field(default_factory=dict)

    def insert(self, at: int, table: str, key: dict[str, Any], row: dict[str, Any]) -> None:
        self._add(Change(at, table, "c", key, {**key, **row}))

    def update(
        self,
        at: int,
        table: str,
        key: dict[str, Any],
        row: dict[str, Any],
        plant: Plant | None = None,
    ) -> None:
        self._add(Change(at, table, "u", key, {**key, **row}, plant))

    def delete(self, at: int, table: str, key: dict[str, Any], row: dict[str, Any]) -> None:
        self._add(Change(at, table, "d", key, {**key, **row}))

    def _add(self, change: Change) -> None:
        if change.at < self.limit:
            self.changes.append(change)

    def settle(self) -> tuple[list[Change], list[Change]]:
        """Splits into the snapshot (newest row of each key at the start) and the changes after."""
        self.changes.sort(key=lambda change: change.at)
        before: dict[str, dict[tuple, Change]] = {}
        after: list[Change] = []
        for change in self.changes:
            identity = tuple(change.key.values())
            rows = self.state.setdefault(change.table, {})
            if change.op == "d":
                rows.pop(identity, None)
            else:
                rows[identity] = self._merged(rows.get(identity), change.row)
            if change.at >= self.window.start:
                after.append(change)
                continue
            held = before.setdefault(change.table, {})
            held.pop(identity, None)
            if change.op != "d":
                held[identity] = change
        snapshot = [change for table in sorted(before) for change in before[table].values()]
        return snapshot, after

    @staticmethod
    def _merged(old: dict[str, Any] | None, new: dict[str, Any]) -> dict[str, Any]:
        if old is None:
            return new
        return {n: (old.get(n) if v == UNAVAILABLE else v) for n, v in new.items()}


class Envelope:
    """Gives records their commit position, transaction and place in the stream."""

    def __init__(self, log: ChangeLog, folder: Folder, chance: Chance) -> None:
        self.log, self.folder, self.chance = log, folder, chance
        self.name = log.product
        self.lsn, self.tx, self.last = 24_000_000, 700, 0
        self.offsets: dict[str, int] = {}
        self.place = 0

    def write(self) -> dict[str, int]:
        """Writes snapshot, changes, markers and heartbeats; returns the count of each op."""
        snapshot, after = self.log.settle()
        counts: dict[str, int] = {}
        start = self.log.window.start
        for number, change in enumerate(snapshot):
            kind = "first" if number == 0 else "last" if number == len(snapshot) - 1 else "true"
            value = self._value(change, "r", start, kind, None)
            self._put(start + 200 + number // 4, change, value)
        counts["r"] = len(snapshot)
        heartbeat = start + 6 * HOUR
        self.lsn += 4096
        for change in after:
            while change.at >= heartbeat:
                self._marker(
                    f"__debezium-heartbeat.{self.name}",
                    {"serverName": self.name},
                    {"ts_ms": heartbeat},
                    heartbeat,
                )
                heartbeat += 6 * HOUR
            self._change(change)
            counts[change.op] = counts.get(change.op, 0) + 1
        return counts

    def _change(self, change: Change) -> None:
        self.tx += 1
        self.lsn += 120 + 8 * self.chance.integer(0, 60)
        transaction = None
        marked = self.tx % 40 == 0
        if marked:
            name = f"{self.tx}:{self.lsn}"
            transaction = {"id": name, "total_order": 1, "data_collection_order": 1}
            begin = {
                "status": "BEGIN",
                "id": name,
                "event_count": None,
                "data_collections": None,
                "ts_ms": change.at,
            }
            self._marker(f"{self.name}.transaction", {"id": name}, begin, change.at)
        value = self._value(change, change.op, change.at, "false", transaction)
        read_at = value["ts_ms"]
        self._put(read_at, change, value)
        if change.op == "d":
            self._line(read_at, {"topic": self._topic(change), "key": change.key, "value": None})
        if marked:
            collection = [{"data_collection": f"public.{change.table}", "event_count": 1}]
            end = {
                "status": "END",
                "id": name,
                "event_count": 1,
                "data_collections": collection,
                "ts_ms": change.at,
            }
            self._marker(f"{self.name}.transaction", {"id": name}, end, change.at)

    def _topic(self, change: Change) -> str:
        return f"{self.name}.public.{change.table}"

    def _value(
        self, change: Change, op: str, at: int, snapshot: str, transaction: dict[str, Any] | None
    ) -> dict[str, Any]:
        before, after = None, change.row
        if op == "d":
            before = {n: (v if n in change.key else None) for n, v in change.row.items()}
            after = None  # type: ignore[assignment]
        lag = 90 + self.chance.integer(0, 1400) if op != "r" else 150
        previous, self.last = self.last, self.lsn
        return {
            "before": before,
            "after": after,
            "source": {
                "version": "3.6.3.Final",
                "connector": "postgresql",
                "name": self.name,
                "ts_ms": at,
                "snapshot": snapshot,
                "db": self.name,
                "sequence": f'[{f"{chr(34)}{previous}{chr(34)}" if previous else "null"},"{self.lsn}"]',
                "ts_us": at * 1000,
                "ts_ns": at * 1_000_000,
                "schema": "public",
                "table": change.table,
                "txId": self.tx,
                "lsn": self.lsn,
                "xmin": None,
                "origin": None,
                "origin_lsn": None,
            },
            "transaction": transaction,
            "op": op,
            "ts_ms": at + lag,
            "ts_us": (at + lag) * 1000,
            "ts_ns": (at + lag) * 1_000_000,
        }

    def _put(self, place: int, change: Change, value: dict[str, Any]) -> None:
        self._line(place, {"topic": self._topic(change), "key": change.key, "value": value})
        if change.plant is not None:
            self.folder.mark(change.plant)

    def _marker(self, topic: str, key: dict[str, Any], value: dict[str, Any], place: int) -> None:
        self._line(place, {"topic": topic, "key": key, "value": value})

    def _line(self, place: int, record: dict[str, Any]) -> None:
        if self.log.numbered:
            topic = record["topic"]
            offset = self.offsets.get(topic, 0)
            self.offsets[topic] = offset + 1
            record = {
                "topic": topic,
                "partition": 0,
                "offset": offset,
                "key": record["key"],
                "headers": [],
                "value": record["value"],
            }
        # A stream is one queue: a record is never filed before the one read ahead of it.
        self.place = max(place, self.place)
        self.folder.add(self.place, encode(record))
