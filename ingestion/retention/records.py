"""Lets other records go that are past their time: what is shown of refused events, and what runs noted of themselves.

A refused event names neither a tenant nor, for certain, a day: it is as old as its arrival. Belongs here: both, in
one transaction each. Does not belong here: events (`events`).
"""

from typing import Any

import psycopg

from ingestion.retention.log import DELETED, EMPTIED, HELD, Cleanup, Gone
from ingestion.retention.rules import LENGTH, WORDS

_UTC_DAY = "cast({} at time zone 'UTC' as date)"
# The clean-up's own day, in UTC, less the shortest rule; days under a hold apart.
_RULES = f"""
select
    rules.product,
    {WORDS} as rule,
    cast(cast(%(as_of)s::timestamptz at time zone 'UTC' as date) - {LENGTH} as date) as kept_from
from governance.retention_policies as rules
where rules.dataset = %(dataset)s and rules.bound = 'at_most'
"""
# What is of all products (runs) is held by a hold on any.
_HOLDS = """
exists (
    select from ops.legal_holds as holds
    where holds.lifted_at is null and holds.dataset in ('*', %(dataset)s)
        and (holds.product in ('*', %(product)s) or %(product)s = '*')
        and {day} between coalesce(holds.first_day, '-infinity') and coalesce(holds.last_day, 'infinity')
)
"""
_REJECTED = """
with past as (
    select ctid as place, {day} as day, {held} as is_held
    from ops.rejected_records
    where source_kind = 'events' and source_name = %(product)s and record is not null and {day} < %(kept_from)s
),
emptied as (
    update ops.rejected_records as held set record = null
    from past where held.ctid = past.place and not past.is_held and not %(dry)s
)
select is_held, count(*), min(day), max(day) from past group by is_held
"""
# The newest of each job stays: it says how the warehouse stands.
_RUNS = """
with past as (
    select run_id, {day} as day, {held} as is_held
    from ops.run_log
    where {day} < %(kept_from)s and run_id not in (select max(run_id) from ops.run_log group by job_name, status)
),
deleted as (
    delete from ops.run_log as held using past where held.run_id = past.run_id and not past.is_held and not %(dry)s
)
select is_held, count(*), min(day), max(day) from past group by is_held
"""


def clean_up(conn: psycopg.Connection[Any], cleanup: Cleanup) -> None:
    """Let go what is past its time at cleanup.as_of."""
    for product, rule, kept_from in _rules(conn, cleanup, "raw_events"):
        _apply(conn, cleanup, _REJECTED, "rejected_at", ("raw_events", "rejected_records"), product, rule, kept_from,
               EMPTIED)  # fmt: skip
    rules = sorted(_rules(conn, cleanup, "job_runs"), key=lambda found: found[2], reverse=True)
    # runs are of all products: the shortest rule of any is theirs
    for _, rule, kept_from in rules[:1]:
        _apply(
            conn,
            cleanup,
            _RUNS,
            "started_at",
            ("job_runs", "job_runs"),
            "*",
            rule,
            kept_from,
            DELETED,
        )


def _rules(conn: psycopg.Connection[Any], cleanup: Cleanup, dataset: str) -> list[tuple[Any, ...]]:
    return conn.execute(_RULES.encode(), {"as_of": cleanup.as_of, "dataset": dataset}).fetchall()


def _apply(
    conn: psycopg.Connection[Any], cleanup: Cleanup, statement: str, column: str, datasets: tuple[str, str],
    product: str, rule: str, kept_from: Any, how: str,
) -> None:  # fmt: skip
    day = _UTC_DAY.format(column)
    values = {
        "dataset": datasets[0],
        "product": product,
        "kept_from": kept_from,
        "dry": cleanup.is_dry,
    }
    with conn.transaction():
        query = statement.format(day=day, held=_HOLDS.format(day=day))
        cleanup.note(conn, [
            Gone(product, None, datasets[1], HELD if is_held else how, first, last, rows, kept_from, rule)
            for is_held, rows, first, last in conn.execute(query.encode(), values).fetchall()
        ])  # fmt: skip
