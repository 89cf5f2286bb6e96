"""Legal holds: what stays whatever its age, until somebody lifts it.

Belongs here: placing, lifting, listing. Does not belong here: what a hold keeps from going (`events`, `records`).
"""

from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import psycopg

from tallyhouse.errors import TallyhouseError

ANY = "*"
DATASETS = (ANY, "raw_events", "event_facts", "job_runs")
_COLUMNS = ", ".join((
    "hold_id", "product", "tenant_id", "dataset", "first_day", "last_day", "reason", "placed_by", "placed_at",
    "lifted_by", "lifted_at",
))  # fmt: skip


class Hold(NamedTuple):
    """A hold as it stands in ops.legal_holds."""

    hold_id: int
    product: str
    tenant_id: UUID | None
    dataset: str
    first_day: date | None
    last_day: date | None
    reason: str
    placed_by: str
    placed_at: datetime
    lifted_by: str | None
    lifted_at: datetime | None

    @property
    def sentence(self) -> str:
        """For people."""
        whose = f"tenant {self.tenant_id}" if self.tenant_id else "all tenants"
        of = "all products" if self.product == ANY else self.product
        what = "everything" if self.dataset == ANY else self.dataset
        days = f"{self.first_day or 'the beginning'} to {self.last_day or 'today and after'}"
        lifted = (
            f"; lifted by {self.lifted_by} on {self.lifted_at:%Y-%m-%d}" if self.lifted_at else ""
        )
        return (
            f"Hold {self.hold_id}: {what} of {of}, {whose}, {days}: {self.reason} (placed by {self.placed_by} on"
            f" {self.placed_at:%Y-%m-%d}{lifted})."
        )


def place(
    conn: psycopg.Connection, *, product: str, tenant_id: UUID | None, dataset: str, first_day: date | None,
    last_day: date | None, reason: str, by: str,
) -> Hold:  # fmt: skip
    """Hold days of a dataset from now on. Raises TallyhouseError."""
    if first_day and last_day and first_day > last_day:
        raise TallyhouseError(f"The hold would end ({last_day}) before it begins ({first_day}).")
    if not reason.strip():
        raise TallyhouseError("A hold needs its reason: --reason names the case that it is for.")
    row = conn.execute(
        "insert into ops.legal_holds (product, tenant_id, dataset, first_day, last_day, reason, placed_by)"
        f" values (%s, %s, %s, %s, %s, %s, %s) returning {_COLUMNS}",
        (product, tenant_id, dataset, first_day, last_day, reason.strip(), by),
    ).fetchone()
    assert row is not None
    return Hold(*row)


def lift(conn: psycopg.Connection, hold_id: int, by: str) -> Hold:
    """End a hold. Raises TallyhouseError where there is none to end."""
    row = conn.execute(
        "update ops.legal_holds set lifted_at = now(), lifted_by = %s"
        f" where hold_id = %s and lifted_at is null returning {_COLUMNS}",
        (by, hold_id),
    ).fetchone()
    if row is None:
        raise TallyhouseError(
            f"No hold {hold_id} stands, so nothing was lifted. `tallyhouse hold list` shows those that do."
        )
    return Hold(*row)


def standing(conn: psycopg.Connection, *, lifted_too: bool = False) -> list[Hold]:
    """The holds that stand, in the order of their placing."""
    found = conn.execute(
        f"select {_COLUMNS} from ops.legal_holds where %s or lifted_at is null order by hold_id",
        (lifted_too,),
    )
    return [Hold(*row) for row in found.fetchall()]
