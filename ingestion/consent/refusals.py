"""Who refused, and from when until when: a small table in memory that the door asks, whole batches at a time.

A refusal holds from an instant (included) until another (excluded). Pure. Belongs here: judging events.
Does not belong here: where the intervals come from (`answers`).
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.events.columns import EventRows
from ingestion.parsing.rows import Mask, Rows
from ingestion.values.arrow import BYTES_16

BEGINNING, END = -(2**62), 2**62  # of time, in microseconds
_WHOSE = ("product", "tenant_id", "user_id", "occurred_at")


class Refusal(NamedTuple):
    """That somebody of a tenant refused, in microseconds since 1970: from (included), until (excluded)."""

    product: str
    tenant_id: bytes
    user_id: bytes
    from_us: int
    until_us: int


class Refusals:
    """All refusals of a warehouse."""

    def __init__(self, refusals: Iterable[Refusal] = ()) -> None:
        self._intervals: dict[tuple[str, bytes, bytes], list[tuple[int, int]]] = {}
        for found in refusals:
            whose = found.product, found.tenant_id, found.user_id
            self._intervals.setdefault(whose, []).append((found.from_us, found.until_us))
        users = sorted({user for _, _, user in self._intervals})
        self._users = pa.array(users, BYTES_16)

    def __bool__(self) -> bool:
        return bool(self._intervals)

    def mask(self, rows: Rows) -> Mask | None:
        """Which of the rows are events of somebody who refused just then; None where none is."""
        if not self._intervals or not isinstance(rows, EventRows) or not len(rows):
            return None
        may_be = pc.is_in(rows.table["user_id"], self._users)
        places = pc.indices_nonzero(may_be)
        if not len(places):
            return None
        product, tenant, user, at = (
            rows.table[name].take(places) if name != "occurred_at"
            else rows.table[name].take(places).cast(pa.int64())
            for name in _WHOSE
        )  # fmt: skip
        whose = zip(product.to_pylist(), tenant.to_pylist(), user.to_pylist(), strict=True)
        refused = [
            any(first <= moment < end for first, end in self._intervals.get(who, ()))
            for who, moment in zip(whose, at.to_pylist(), strict=True)
        ]
        if not any(refused):
            return None
        found = np.zeros(len(rows), np.bool_)
        found[places.to_numpy()[refused]] = True
        return found
