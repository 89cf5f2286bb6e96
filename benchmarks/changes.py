"""Change records as Debezium writes them, in bulk, with the number of rows that live at the end.

Belongs here: a long stream over two tables, equal in every run. Does not belong here: sources that
behave like people (`simulator`), the ways a stream can be broken (tests).
"""

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

FILES = 20
PRODUCT = "upcoach"
START_MS = 1_767_571_200_000  # 2026-01-05
SHAPE = (
    "two tables (one of them with a key of two columns), full envelopes with key and topic; 10 %"
    " snapshot rows, then 45 % inserts, 48 % updates (most of them of the same few rows), 4 % deletes"
    " and 3 % changes of a key, each with its tombstone; several changes a transaction"
)
Row = dict[str, Any]


@dataclass
class _Table:
    name: str
    rows: list[Row] = field(default_factory=list)
    made: int = 0


class ChangeStream:
    """The source database and what its connector says, line by line."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._goals, self._checkins = _Table("goals"), _Table("habit_checkins")
        self._lsn, self._commit, self._transaction = 24_000_000, 0, 700
        self._left = 0  # changes that the running transaction still makes
        self._clock = START_MS

    def write(self, folder: Path, lines: int) -> int:
        """Write about so many lines into numbered files; returns how many."""
        place = folder / "cdc" / PRODUCT
        place.mkdir(parents=True)
        written = 0
        for number in range(FILES):
            with (place / f"part-{number:04}.jsonl").open("wb") as file:
                while written < (number + 1) * lines // FILES:
                    records = self._snapshot() if written < lines // 10 else self._next()
                    file.writelines(orjson.dumps(record) + b"\n" for record in records)
                    written += len(records)
        return written

    @property
    def living(self) -> dict[str, int]:
        """Rows of each table at the end of the stream."""
        return {table.name: len(table.rows) for table in (self._goals, self._checkins)}

    def _snapshot(self) -> list[Row]:
        table = self._table()
        row = self._new(table)
        return [self._record(table, "r", row, _key(table, row))]

    def _next(self) -> list[Row]:
        self._step()
        table, draw = self._table(), self._chance.random()
        if draw < 0.45 or not table.rows:
            row = self._new(table)
            return [self._record(table, "c", row, _key(table, row))]
        place = int(len(table.rows) * self._chance.random() ** 3)
        if draw < 0.93:
            row = self._changed(table, place)
            return [self._record(table, "u", row, _key(table, row))]
        old = table.rows[place]
        gone = [
            self._record(table, "d", old, _key(table, old)),
            {"topic": _topic(table), "key": _key(table, old), "value": None},
        ]
        if draw < 0.97 or table is self._goals:
            table.rows[place] = table.rows[-1]
            table.rows.pop()
            return gone
        table.made += 1
        row = table.rows[place] = {**old, "habit_id": table.made}
        return [*gone, self._record(table, "c", row, _key(table, row))]

    def _table(self) -> _Table:
        return self._goals if self._chance.random() < 0.5 else self._checkins

    def _new(self, table: _Table) -> Row:
        table.made += 1
        user = self._chance.randrange(20_000)
        who = {
            "user_id": f"10000000-0000-4000-8000-{user:012x}",
            "organization_id": f"00000000-0000-4000-8000-{user % 2:012x}",
        }
        if table is self._goals:
            row = {
                "id": table.made,
                **who,
                "title": "walk to work three times a week",
                "status": "open",
                "created_at": _instant(self._clock),
                "target_date": 20_500 + user % 90,
                "completed_at": None,
                "deleted_at": None,
            }
        else:
            row = {
                "habit_id": table.made,
                "day": 20_458 + user % 180,
                **who,
                "count": 1,
                "checked_at": _instant(self._clock),
            }
        table.rows.append(row)
        return row

    def _changed(self, table: _Table, place: int) -> Row:
        old = table.rows[place]
        if table is self._goals:
            done = self._chance.random() < 0.3
            new = {"status": "done" if done else "paused", "completed_at": None}
            new["completed_at"] = _instant(self._clock) if done else None
        else:
            new = {"count": old["count"] + 1, "checked_at": _instant(self._clock)}
        row = table.rows[place] = {**old, **new}
        return row

    def _step(self) -> None:
        self._lsn += 152
        if self._left == 0:
            self._commit = self._lsn - 100
            self._transaction += 1
            self._left = 1 + int(4 * self._chance.random() ** 2)
            self._clock += 40
        self._left -= 1

    def _record(self, table: _Table, op: str, row: Row, key: Row) -> Row:
        commit = f'"{self._commit}"' if self._commit else "null"
        source = {
            "version": "3.6.3.Final",
            "connector": "postgresql",
            "name": PRODUCT,
            "ts_ms": self._clock,
            "snapshot": "true" if op == "r" else "false",
            "db": PRODUCT,
            "sequence": f'[{commit},"{self._lsn}"]',
            "schema": "public",
            "table": table.name,
            "txId": self._transaction,
            "lsn": self._lsn,
            "xmin": None,
        }
        before = {name: key.get(name) for name in row} if op == "d" else None
        value = {
            "before": before,
            "after": None if op == "d" else row,
            "source": source,
            "transaction": None,
            "op": op,
            "ts_ms": self._clock + 120,
        }
        return {"topic": _topic(table), "key": key, "value": value}


def _key(table: _Table, row: Row) -> Row:
    return {name: row[name] for name in (("id",) if "id" in row else ("habit_id", "day"))}


def _topic(table: _Table) -> str:
    return f"{PRODUCT}.public.{table.name}"


def _instant(ms: int) -> str:
    seconds, rest = divmod(ms - START_MS, 1000)
    days, seconds = divmod(seconds, 86_400)
    hours, seconds = divmod(seconds, 3_600)
    day = 5 + days
    month, day = (1, day) if day <= 31 else (2, day - 31)
    return f"2026-{month:02}-{day:02}T{hours:02}:{seconds // 60:02}:{seconds % 60:02}.{rest:03}Z"
