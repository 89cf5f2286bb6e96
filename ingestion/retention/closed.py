"""Which days are closed: a small table in memory that the door asks, whole batches at a time.

A day of UTC is closed for a tenant once some of its raw events are gone. What comes for it later is counted: marts
could not count it with the others. Belongs here: reading and judging. Does not belong here: closing (`events`).
"""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.events.columns import EventRows
from ingestion.parsing.batches import Batch
from ingestion.parsing.rows import Mask, Rows

EXPIRED = "expired"  # why a record was counted and not stored
_HELD = """
select closed.product, closed.tenant_id::text, lower(piece), upper(piece)
from ops.closed_days as closed cross join unnest(closed.days) as piece
"""
_WHOSE = ("product", "tenant_id", "event_date")


class Closed(NamedTuple):
    """Closed days of a tenant: the first (included) and the one after the last."""

    product: str
    tenant_id: bytes
    first: date
    end: date


class ClosedDays:
    """All closed days of a warehouse."""

    def __init__(self, closed: Iterable[Closed] = ()) -> None:
        self._ranges: dict[tuple[str, bytes], list[tuple[date, date]]] = {}
        for found in closed:
            whose = found.product, found.tenant_id
            self._ranges.setdefault(whose, []).append((found.first, found.end))
        ends = [end for ranges in self._ranges.values() for _, end in ranges]
        self._end = max(ends, default=date.min)

    def mask(self, rows: Rows) -> Mask | None:
        """Which of the rows are events of closed days; None where none is."""
        if not self._ranges or not isinstance(rows, EventRows) or not len(rows):
            return None
        places = pc.indices_nonzero(pc.less(rows.table["event_date"], pa.scalar(self._end)))
        if not len(places):
            return None
        product, tenant, day = (rows.table[name].take(places).to_pylist() for name in _WHOSE)
        is_closed = [
            any(first <= on < end for first, end in self._ranges.get((of, whose), ()))
            for of, whose, on in zip(product, tenant, day, strict=True)
        ]
        if not any(is_closed):
            return None
        found = np.zeros(len(rows), np.bool_)
        found[places.to_numpy()[is_closed]] = True
        return found

    def let_in(self, batch: Batch) -> tuple[Batch, int]:
        """The batch without events of closed days, and how many these are."""
        closed = self.mask(batch.rows)
        if closed is None:
            return batch, 0
        return batch.split(closed)[0], int(closed.sum())


def closed_days(conn: psycopg.Connection) -> ClosedDays:
    """The days by which the door goes."""
    return ClosedDays(
        Closed(product, bytes.fromhex(tenant.replace("-", "")), first or date.min, end)
        for product, tenant, first, end in conn.execute(_HELD)
    )


def kept_by_models(conn: psycopg.Connection) -> list[str]:
    """What no reading of files can make anew: a sentence where models keep rows of closed days."""
    (newest,) = conn.execute("select max(upper(days)) - 1 from ops.closed_days").fetchone() or (
        None,
    )
    if newest is None:
        return []
    return [
        f"Marts keep rows of days until {newest} of which raw events are gone by their retention."
    ]
