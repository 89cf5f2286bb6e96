"""The log of clean-ups, ops.retention_log.

Belongs here: writing what went, or was held, and reading the last of it. Does not belong here: dropping.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import psycopg

DROPPED, DELETED, EMPTIED, HELD = "partition_dropped", "rows_deleted", "content_removed", "held"
_WORDS = {
    DROPPED: "dropped with their partitions", DELETED: "deleted", EMPTIED: "emptied", HELD: "kept by a legal hold",
}  # fmt: skip
_WRITE = """
insert into ops.retention_log as held
    (cleanup_id, as_of, product, tenant_id, dataset, how, first_day, last_day, row_count, freed_bytes,
        kept_from_date, rule)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
on conflict (cleanup_id, product, tenant_id, dataset, how) do update set
    first_day = least(held.first_day, excluded.first_day),
    last_day = greatest(held.last_day, excluded.last_day),
    row_count = held.row_count + excluded.row_count,
    freed_bytes = held.freed_bytes + excluded.freed_bytes
"""
_LAST = """
select product, dataset, how, sum(row_count)::bigint, min(first_day), max(last_day), max(as_of)
from ops.retention_log
where cleanup_id = (select cleanup_id from ops.retention_log order by log_id desc limit 1)
group by product, dataset, how
order by product, dataset, how
"""


class Gone(NamedTuple):
    """What went, or was held, of a dataset of a product, perhaps of one tenant."""

    product: str
    tenant_id: UUID | None
    dataset: str
    how: str
    first_day: date
    last_day: date
    rows: int
    kept_from: date | None
    rule: str
    freed_bytes: int = 0


@dataclass
class Cleanup:
    """One clean-up and all that it did."""

    as_of: datetime
    is_dry: bool = False
    cleanup_id: UUID = field(default_factory=uuid4)
    gone: list[Gone] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def note(self, conn: psycopg.Connection[Any], found: list[Gone]) -> None:
        """Write down what this transaction does."""
        self.gone += found
        if not self.is_dry:
            conn.cursor().executemany(
                _WRITE,
                [
                    (
                        self.cleanup_id,
                        self.as_of,
                        *item[:7],
                        item.freed_bytes,
                        item.kept_from,
                        item.rule,
                    )
                    for item in found
                ],
            )

    def count(self, how: str, dataset: str | None = None) -> int:
        """Rows that went so, or were held."""
        return sum(
            item.rows for item in self.gone if item.how == how and dataset in (None, item.dataset)
        )

    def sentences(self) -> list[str]:
        """For people: one per product, dataset and how."""
        told: dict[tuple[str, str, str], list[Gone]] = {}
        for item in self.gone:
            told.setdefault((item.product, item.dataset, item.how), []).append(item)
        would = "Nothing was changed; this would go. " if self.is_dry and told else ""
        lines = [
            sentence(
                product, dataset, how, sum(item.rows for item in items),
                min(item.first_day for item in items), max(item.last_day for item in items),
            )
            for (product, dataset, how), items in sorted(told.items())
        ]  # fmt: skip
        nothing = ["Nothing is past its time."] if not lines else []
        return [*([would.strip()] if would else []), *lines, *nothing, *self.notes]


def merged(found: list[Gone]) -> list[Gone]:
    """One of each product, tenant, dataset and how."""
    told: dict[tuple[Any, ...], Gone] = {}
    for item in found:
        held = told.get(item[:4])
        told[item[:4]] = (
            item
            if held is None
            else item._replace(
                first_day=min(held.first_day, item.first_day),
                last_day=max(held.last_day, item.last_day),
                rows=held.rows + item.rows,
                freed_bytes=held.freed_bytes + item.freed_bytes,
            )
        )
    return list(told.values())


def sentence(product: str, dataset: str, how: str, rows: int, first: date, last: date) -> str:
    """What went, for people."""
    return f"{product}: {rows:,} rows of {dataset} ({first} to {last}) {_WORDS[how]}."


def last(conn: psycopg.Connection[Any]) -> list[str]:
    """Sentences on the last clean-up that did anything."""
    found = conn.execute(_LAST).fetchall()
    if not found:
        return []
    return [
        f"Last clean-up, as of {found[0][6]:%Y-%m-%d}:",
        *(f"  {sentence(*row[:6])}" for row in found),
    ]
