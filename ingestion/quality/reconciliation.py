"""The ledger held against itself, against the rejections and against the rows of the raw tables.

Per source and day of loading: records in files = stored + duplicates + rejected + ignored, and what
the ledger calls stored lies in the tables. Only loads since the last time that all was well are
counted, on the days their rows lie on, so the cost follows the batch. Belongs here: counting and
the sentences. Does not belong here: the ledger (`ingestion.storing.ledger`), the marks (`progress`).
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from ingestion.landing.listing import KINDS
from ingestion.parsing.registry import target_of
from ingestion.quality.progress import last_good, mark, newest_load, prepare_marks

MARK = "ops.source_reconciliation"
_LEDGER = """
select
    load_id, source_kind, source_name, cast(loaded_at at time zone 'UTC' as date), file_path,
    record_count, stored_count, withdrawn_count + expired_count, rejected_count,
    record_count - stored_count - duplicate_count - rejected_count - ignored_count,
    coalesce(event_dates, '{}'), event_dates is not null
from ops.load_manifest
where load_id > %s
order by load_id
"""
_REJECTED = "select load_id, count(*) from ops.rejected_records where load_id > %s group by load_id"


class _Load(NamedTuple):
    load_id: int
    kind: str
    name: str
    day: date
    path: str
    records: int
    stored: int
    withdrawn: int  # whatever the reason
    rejected: int
    unaccounted: int
    event_dates: list[date]
    knows_its_dates: bool  # a load of before they were noted does not


@dataclass(frozen=True)
class Reconciliation:
    """How many loads and rows were counted, and a sentence per source and day that is amiss."""

    loads: int
    rows: int
    differences: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What was found, for people."""
        if self.differences:
            return "\n".join(self.differences)
        return (
            f"The ledger adds up: {self.loads:,} loads and their {self.rows:,} rows in the raw"
            " tables were counted."
        )


class _Difference(NamedTuple):
    """`excess` is what there is less what there should be."""

    load: _Load
    what: str
    excess: int


def reconcile(
    connect: Callable[[], psycopg.Connection[Any]],
    *,
    everything: bool = False,
    count_rows: bool = True,
) -> Reconciliation:
    """Look at the loads since the last time that all was well, or at `everything`.

    The mark moves on only when the rows were counted and nothing is amiss: a difference stays
    until it is mended. Without `count_rows` it is the ledger's own sums and the rejections alone,
    which costs next to nothing.
    """
    with connect() as conn:
        prepare_marks(conn)
        conn.commit()
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ  # a load may be under way
        newest = newest_load(conn)
        since = 0 if everything else last_good(conn, MARK)
        loads = [_Load(*row) for row in conn.execute(_LEDGER, [since]).fetchall()]
        rows = _rows(conn, loads, since) if count_rows else None
        rejected = dict(conn.execute(_REJECTED, [since]).fetchall())
    found = _books(loads, rejected)
    if rows is not None:
        found += [*_rows_judged(loads, rows), *_strangers(loads, rows)]
        if not found:
            with connect() as conn:
                mark(conn, MARK, newest)
    counted = sum(count for held in (rows or {}).values() for count in held.values())
    return Reconciliation(len(loads), counted, tuple(_sentences(found)))


def _rows(
    conn: psycopg.Connection[Any], loads: list[_Load], since: int
) -> dict[str, dict[int, int]]:
    """Source kind → {load: rows its table holds}, looking at the days of these loads alone."""
    found: dict[str, dict[int, int]] = {}
    for kind in KINDS:
        days = sorted({day for load in loads if load.kind == kind for day in load.event_dates})
        if not days:
            continue
        query = sql.SQL(
            "select load_id, count(*) from {} where event_date = any({}::date[])"
            " and load_id > {} group by load_id"
        ).format(sql.SQL(target_of(kind).table), sql.Literal(days), sql.Literal(since))
        found[kind] = dict(conn.execute(query).fetchall())
    return found


def _books(loads: list[_Load], rejected: dict[int, int]) -> list[_Difference]:
    """The ledger against itself and against the rejections."""
    found = []
    for load in loads:
        if load.unaccounted:
            what = "records in files than were stored, duplicate, rejected or ignored"
            found.append(_Difference(load, what, load.unaccounted))
        if over := rejected.get(load.load_id, 0) - load.rejected:
            what = "rows in ops.rejected_records than the ledger counts as rejected"
            found.append(_Difference(load, what, over))
    return found


def _rows_judged(loads: list[_Load], rows: dict[str, dict[int, int]]) -> list[_Difference]:
    """The ledger against the rows of the tables."""
    found = []
    for load in loads:
        held = rows.get(load.kind, {}).get(load.load_id, 0)
        if load.knows_its_dates and (over := held - load.stored + load.withdrawn):
            what = f"rows in {target_of(load.kind).table} than the ledger says were stored"
            found.append(_Difference(load, what, over))
    return found


def _strangers(loads: list[_Load], rows: dict[str, dict[int, int]]) -> list[_Difference]:
    """Rows of loads that the ledger does not know, or knows as another source's."""
    known = {(load.kind, load.load_id) for load in loads}
    found = []
    for kind, held in rows.items():
        example = next(load for load in loads if load.kind == kind)
        for load_id, count in held.items():
            if (kind, load_id) not in known:
                stranger = example._replace(name="(unknown)", path=f"load {load_id}")
                what = f"rows in {target_of(kind).table} of a load that the ledger does not know"
                found.append(_Difference(stranger, what, count))
    return found


def _sentences(found: list[_Difference]) -> list[str]:
    """One sentence per source, day and kind of difference."""
    groups: dict[tuple[str, str, date, str, bool], list[_Difference]] = defaultdict(list)
    for item in found:
        load = item.load
        groups[load.kind, load.name, load.day, item.what, item.excess > 0].append(item)
    return [
        f"{kind} {name}, loaded on {day}: {abs(sum(item.excess for item in items)):,}"
        f" {'more' if is_more else 'fewer'} {what} (in {len(items)} files, first"
        f" {items[0].load.path})."
        for (kind, name, day, what, is_more), items in sorted(groups.items())
    ]
