"""Lets rows of core.fact_events go that are past their time: the single events that marts hold, by their own rule.

They go after the raw events of their day, or a build would make them again, and once all that is computed from them
holds them: these models keep the rows that they have of such days (`macros/incremental/history.sql`). Some days are a
transaction. Belongs here: core.fact_events. Does not belong here: raw events (`events`).
"""

from typing import Any

import psycopg

from ingestion.retention import limits
from ingestion.retention.events import DATASET as RAW
from ingestion.retention.events import DAYS_AT_ONCE, Unbuilt
from ingestion.retention.kept import FACTS
from ingestion.retention.log import DELETED, HELD, Cleanup, Gone

DATASET = "event_facts"
_MISSING = "select to_regclass(%s) is null"
# Days that are closed to raw events, or would be: a dry run has closed none.
_CLOSED = """
create temporary table retention_closed on commit preserve rows as
select
    product, tenant_id,
    coalesce(closed_days, '{}') + case
        when %s then datemultirange(daterange(null, closed_before)) - held_days else '{}'
    end as days
from retention_limits
"""
_GOES = """
facts.product = limits.product and facts.tenant_id = limits.tenant_id
    and facts.product = closed.product and facts.tenant_id = closed.tenant_id
    and facts.date_key < limits.kept_from and closed.days @> facts.event_date
    and not limits.held_days @> facts.event_date
"""
_DAYS = f"""
select distinct facts.date_key
from core.fact_events as facts, retention_limits as limits, retention_closed as closed
where {_GOES} order by facts.date_key
"""
_HELD = """
select limits.product, limits.tenant_id, limits.kept_from, limits.rule, count(*),
    min(facts.event_date), max(facts.event_date)
from core.fact_events as facts
inner join retention_limits as limits on facts.product = limits.product and facts.tenant_id = limits.tenant_id
where facts.date_key < limits.kept_from and limits.held_days @> facts.event_date
group by limits.product, limits.tenant_id, limits.kept_from, limits.rule
order by limits.product, limits.tenant_id
"""
_COUNT = f"""
select limits.product, limits.tenant_id, limits.kept_from, limits.rule, count(*),
    min(facts.date_key), max(facts.date_key)
from core.fact_events as facts, retention_limits as limits, retention_closed as closed
where {_GOES} and facts.date_key between %(first)s and %(last)s
group by limits.product, limits.tenant_id, limits.kept_from, limits.rule
"""
# The days from which anything went are closed, and no others: nothing comes for a day that is closed to raw events.
_DELETE = f"""
with gone as (
    delete from core.fact_events as facts using retention_limits as limits, retention_closed as closed
    where {_GOES} and facts.date_key between %(first)s and %(last)s
    returning facts.product, facts.tenant_id, facts.date_key, facts.event_date
),
days as (
    select product, tenant_id,
        range_agg(daterange(event_date, event_date, '[]')) as fact_days,
        range_agg(daterange(date_key, date_key, '[]')) as fact_local_days
    from (select distinct product, tenant_id, date_key, event_date from gone) as found
    group by product, tenant_id
)
update ops.closed_days as held set
    fact_days = held.fact_days + days.fact_days, fact_local_days = held.fact_local_days + days.fact_local_days
from days where held.product = days.product and held.tenant_id = days.tenant_id
"""
# Models that read the table and do not hold all of it yet, or keep no rows of days of which it is gone.
_READERS = """
select reads.model_name,
    coalesce(own.history_columns ->> 'closed_days', 'days') <> 'days' as keeps,
    reads.build_id < facts.build_id as is_behind
from ops.model_reads as reads
inner join ops.model_watermarks as facts on facts.model_name = reads.upstream_name
inner join ops.model_watermarks as own on own.model_name = reads.model_name
where reads.upstream_name = 'core.fact_events' and to_regclass(reads.model_name) is not null
order by reads.model_name
"""


def clean_up(conn: psycopg.Connection[Any], cleanup: Cleanup) -> None:
    """Let go what is past its time at cleanup.as_of. Raises Unbuilt. Not in a transaction of the caller."""
    if conn.execute(_MISSING, (FACTS,)).fetchone() == (True,):
        return
    with conn.transaction():
        limits.set_limits(conn, cleanup.as_of, RAW)
        conn.execute("drop table if exists pg_temp.retention_closed")
        conn.execute(_CLOSED, (cleanup.is_dry,))
        limits.set_limits(conn, cleanup.as_of, DATASET)
        cleanup.note(conn, [
            Gone(product, tenant, DATASET, HELD, first, last, rows, kept_from, rule)
            for product, tenant, kept_from, rule, rows, first, last in conn.execute(_HELD).fetchall()
        ])  # fmt: skip
        days = [day for (day,) in conn.execute(_DAYS).fetchall()]
    if days:
        _must_be_taken_over(conn)
    for start in range(0, len(days), DAYS_AT_ONCE):
        some = days[start : start + DAYS_AT_ONCE]
        with conn.transaction():
            limits.set_limits(conn, cleanup.as_of, DATASET)
            between = {"first": some[0], "last": some[-1]}
            cleanup.note(conn, [
                Gone(product, tenant, DATASET, DELETED, first, last, rows, kept_from, rule)
                for product, tenant, kept_from, rule, rows, first, last in conn.execute(_COUNT, between).fetchall()
            ])  # fmt: skip
            if not cleanup.is_dry:
                conn.execute(_DELETE, between)


def _must_be_taken_over(conn: psycopg.Connection[Any]) -> None:
    readers = conn.execute(_READERS).fetchall()
    careless = [name for name, keeps, _ in readers if not keeps]
    if careless:
        raise Unbuilt(
            f"{', '.join(careless)} would lose days with the events of {FACTS}, so none of these were let go. Run"
            " `tallyhouse run`; a model of your own that reads it keeps such days by the macro open_and_closed_days"
            " (docs/governance.md), and the table of a model that is no more is to be dropped."
        )
    behind = [name for name, _, is_behind in readers if is_behind]
    if behind:
        raise Unbuilt(
            f"{', '.join(behind[:3])}{', …' if len(behind) > 3 else ''} did not follow the newest build of {FACTS}, so"
            " none of its events were let go: they would never be counted there. Run `tallyhouse run`, then this again."
        )
