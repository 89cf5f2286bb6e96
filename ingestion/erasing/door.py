"""The door of a load: records of erased people are counted and not stored, others lose their names.

Belongs here: batches of rows to rows and back. Does not belong here: what becomes of a record (`records`), storing.
"""

from collections import Counter
from functools import lru_cache
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa

from ingestion.cdc.contract import CdcContract
from ingestion.cdc.decode.rows import ChangeRows
from ingestion.erasing import records
from ingestion.erasing.people import People
from ingestion.events.columns import EventRows
from ingestion.parsing.batches import Batch, Rejection
from ingestion.parsing.rows import Rows, TextRows
from ingestion.values.arrow import unescape
from ingestion.values.outcomes import Touch, copy_line

_KINDS = (("user_source_id", "user"), ("anonymous_id", "anonymous"), ("session_id", "session"))
_WHO = ["product", "tenant_id", *(name for name, _ in _KINDS)]


class Door:
    """Judges the batches of one load. `is_altered` once a row was stored otherwise than it was read."""

    def __init__(self, people: People, cdc: dict[str, CdcContract]) -> None:
        self._people, self._cdc = people, cdc
        self.withheld: Counter[str] = Counter()
        self.is_altered = False

    def let_in(self, kind: str, columns: tuple[str, ...], batch: Batch) -> Batch:
        """The batch without the rows that nobody may keep, and without names of erased people."""
        if not self._people or not len(batch.rows):
            return batch
        rows = batch.rows
        if isinstance(rows, EventRows):
            found = self._events(rows)
        elif isinstance(rows, ChangeRows):
            found = self._changes(rows)
        else:
            assert isinstance(rows, TextRows)
            found = self._webhooks(rows, columns)
        if found is None:
            return batch
        kept, altered = found
        if altered is not None:
            self.is_altered = True
            batch = batch._replace(rows=altered)
        gone = len(kept) - int(kept.sum())
        if gone:
            self.withheld["erased"] += gone
            batch = batch.split(~kept)[0]
        return batch

    def unnamed(self, rejection: Rejection, product: str | None) -> Rejection:
        """A refused record, of which nothing is shown where it names somebody."""
        named = records.NAMED_ID.findall(rejection.record) if self._people and product else ()
        if any(self._people.know(product or "", None, "id", text) for text in named):
            return rejection._replace(record="")
        return rejection

    def _events(self, rows: EventRows) -> tuple[np.ndarray, Rows | None] | None:
        who = rows.table.select(_WHO).to_pylist()
        properties = rows.table["properties"].to_pylist()
        concerned = [
            place for place, row in enumerate(who) if self._names_somebody(row, properties[place])
        ]
        return self._judge(concerned, rows.table, lambda row: records.event(
            {**row, "tenant_id": _uuid_text(row["tenant_id"])}, self._people
        ), EventRows)  # fmt: skip

    def _names_somebody(self, row: dict[str, Any], properties: str) -> bool:
        product, tenant = row["product"], _uuid_text(row["tenant_id"])
        know = self._people.know
        return any(know(product, tenant, kind, row[name]) for name, kind in _KINDS) or any(
            know(product, tenant, "id", text) for text in records.NAMED_ID.findall(properties)
        )

    def _changes(self, rows: ChangeRows) -> tuple[np.ndarray, Rows | None] | None:
        columns = records.person_columns()
        names = zip(
            rows.table["product"].to_pylist(), rows.table["table_name"].to_pylist(), strict=True
        )
        concerned = [
            place for place, name in enumerate(names) if name in columns and name[0] in self._cdc
        ]
        return self._judge(
            concerned, rows.table,
            lambda row: records.change(row, self._people, self._cdc[row["product"]]),
            lambda table: ChangeRows(table, {}),
        )  # fmt: skip

    def _judge(
        self, concerned: list[int], table: pa.Table, judge: Any, made: Any
    ) -> tuple[np.ndarray, Rows | None] | None:
        if not concerned:
            return None
        kept = np.ones(table.num_rows, np.bool_)
        altered: dict[int, dict[str, Any]] = {}
        taken = table.take(pa.array(concerned)).to_pylist()
        for place, row in zip(concerned, taken, strict=True):
            outcome = judge(row)
            if outcome is None:
                kept[place] = False
                continue
            differing = {
                name: outcome[name]
                for name in row
                if name != "tenant_id" and outcome[name] != row[name]
            }
            if differing:
                altered[place] = differing
        if not altered:
            return (kept, None) if not kept.all() else None
        for name in {name for differing in altered.values() for name in differing}:
            values = table[name].to_pylist()
            for place, differing in altered.items():
                if name in differing:
                    value = differing[name]
                    values[place] = bytes.fromhex(value) if name == "key_hash" else value
            field = table.schema.get_field_index(name)
            table = table.set_column(
                field, table.schema.field(field), pa.array(values, table.schema.field(field).type)
            )
        return kept, made(table)

    def _webhooks(
        self, rows: TextRows, columns: tuple[str, ...]
    ) -> tuple[np.ndarray, Rows | None] | None:
        lines, touched = list(rows.lines), list(rows.touched)
        is_changed = False
        for place, line in enumerate(lines):
            row = dict(zip(columns, map(unescape, line.split("\t")), strict=True))
            outcome = records.webhook(row, self._people)
            if outcome is row:
                continue
            is_changed = True
            lines[place] = copy_line([outcome[name] for name in columns])
            touched[place] = _touch(touched[place], row, outcome)
        if not is_changed:
            return None
        return np.ones(len(lines), np.bool_), TextRows(lines, touched)


@lru_cache(10_000)
def _uuid_text(tenant_id: bytes) -> str:
    return str(UUID(bytes=tenant_id))


def _touch(touch: Touch | None, before: dict[str, Any], after: dict[str, Any]) -> Touch | None:
    """Whom the models rebuild: the stand-in of the customer."""
    if touch is None or touch.entity_id is None:
        return touch
    entity = touch.entity_id
    for name in ("customer_id", "app_user_id"):
        if before.get(name) and before[name] != after[name]:
            entity = entity.replace(before[name], after[name])
    return touch._replace(entity_id=entity)
