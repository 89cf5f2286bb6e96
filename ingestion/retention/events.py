"""Lets raw events go that are past their time: whole partitions where nothing stays, else the rows.

The day of an event is its tenant's own. Some days of UTC are a transaction, in which the rows, the loads' counts, the
closed days, the log and the lake's list change together: a clean-up that ends early has done whole days.
Belongs here: raw_events.events. Does not belong here: the lake's files, other datasets (`records`).
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg import sql

from ingestion.retention import limits
from ingestion.retention.log import DELETED, DROPPED, HELD, Cleanup, Gone, merged
from tallyhouse.errors import TallyhouseError

DATASET = "raw_events"
DAYS_AT_ONCE = 31  # in a transaction, which locks each partition and its indexes
KNOWN = (
    "governance.retention_policies",
    "intermediate.int_core__tenant_days",
    "intermediate.int_core__tenant_timezones",
)
# Which days there is anything to do on, by what models know of days: nothing is read twice for nothing.
_DAYS = """
select distinct days.event_date
from intermediate.int_core__tenant_days as days
inner join retention_limits as limits on days.product = limits.product and days.tenant_id = limits.tenant_id
where
    days.event_date < limits.closed_before
    and not limits.held_days @> days.event_date
    and (
        limits.closed_days is null
        or not limits.closed_days @> days.event_date
        or limits.left_days @> days.event_date
        or days.event_date >= cast(limits.former_gone_before at time zone 'UTC' as date)
    )
order by days.event_date
"""
_CUT = "select max(cut_as_of) from ops.model_watermarks where history_columns is not null"
# Loads that models do not hold yet, in what is to go.
_UNBUILT = """
select count(*)
from ops.load_touched as touched
inner join retention_limits as limits
    on touched.product = limits.product and touched.tenant_id = limits.tenant_id
where
    touched.source_kind = 'events' and touched.entity_type = 'tenant_day'
    and touched.touched_on < limits.closed_before
    and touched.load_id > (
        select min(last_load_id) from ops.model_watermarks
        where history_columns is not null and history_columns ->> 'closed_days' is null
            and to_regclass(model_name) is not null
    )
"""
_UNRULED = """
select distinct product from intermediate.int_core__tenant_days
where product not in (
    select product from governance.retention_policies where dataset = 'raw_events' and bound = 'at_most'
)
order by product
"""
# Held rows are counted by what models know of their days.
_HELD = """
select limits.product, limits.tenant_id, limits.kept_from, limits.rule, sum(days.event_count)::bigint,
    min(days.event_date), max(days.event_date)
from retention_limits as limits
inner join intermediate.int_core__tenant_days as days
    on limits.product = days.product and limits.tenant_id = days.tenant_id
where days.event_date < limits.closed_before and limits.held_days @> days.event_date
    and not coalesce(limits.closed_days @> days.event_date, false)
group by limits.product, limits.tenant_id, limits.kept_from, limits.rule
order by limits.product, limits.tenant_id
"""
_GOES = "events.occurred_at < limits.gone_before and not limits.held_days @> events.event_date"
_COUNT = """
select events.product, events.tenant_id, events.load_id, limits.kept_from, limits.rule, count(*),
    count(*) filter (where {goes}),
    min(cast(events.occurred_at at time zone limits.timezone as date)) filter (where {goes}),
    max(cast(events.occurred_at at time zone limits.timezone as date)) filter (where {goes})
from {partition} as events
left join retention_limits as limits on events.product = limits.product and events.tenant_id = limits.tenant_id
group by events.product, events.tenant_id, events.load_id, limits.kept_from, limits.rule
"""
_DELETE = """
delete from {partition} as events using retention_limits as limits
where events.product = limits.product and events.tenant_id = limits.tenant_id and {goes}
"""
_COUNTED = "select product, tenant_id, event_count from intermediate.int_core__tenant_days where event_date = %s"
_EXPIRED = """
update ops.load_manifest as held set expired_count = held.expired_count + gone.row_count
from unnest(%s::bigint[], %s::bigint[]) as gone (load_id, row_count) where held.load_id = gone.load_id
"""
_LAKE = """
insert into ops.lake_due (event_date, tenant_id)
select * from unnest(%s::date[], %s::uuid[]) on conflict do nothing
"""
_CLOSE = """
insert into ops.closed_days as held (product, tenant_id, days, gone_before)
select
    limits.product, limits.tenant_id,
    datemultirange(daterange(null, least(gone.end_day, limits.closed_before))) - limits.held_days,
    least(limits.gone_before, cast(gone.end_day as timestamp) at time zone 'UTC')
from unnest(%s::text[], %s::uuid[], %s::date[]) as gone (product, tenant_id, end_day)
inner join retention_limits as limits on gone.product = limits.product and gone.tenant_id = limits.tenant_id
on conflict (product, tenant_id) do update set
    days = held.days + excluded.days,
    gone_before = greatest(held.gone_before, excluded.gone_before)
"""
# Days without events are closed too once a tenant's history has a closed part.
_CLOSE_ALL = """
update ops.closed_days as held
set
    days = held.days + (datemultirange(daterange(null, limits.closed_before)) - limits.held_days),
    held_days = held.days * limits.held_days,
    gone_before = greatest(held.gone_before, limits.gone_before)
from retention_limits as limits
where held.product = limits.product and held.tenant_id = limits.tenant_id
"""


class Unbuilt(TallyhouseError):
    """Models do not hold yet what is to go."""


class _Count(NamedTuple):
    product: str
    tenant_id: UUID
    load_id: int
    kept_from: date | None
    rule: str | None
    rows: int
    going: int
    first_day: date | None
    last_day: date | None


def clean_up(conn: psycopg.Connection[Any], cleanup: Cleanup) -> None:
    """Let go what is past its time at cleanup.as_of. Raises Unbuilt. Not in a transaction of the caller."""
    _must_be_built(conn, cleanup.as_of)
    cleanup.notes += [
        f"No rule says how long raw events of {product} are kept (seeds/governance/retention_rules.csv and products),"
        " so all of them stay."
        for (product,) in conn.execute(_UNRULED).fetchall()
    ]
    with conn.transaction():
        cleanup.note(conn, [
            Gone(product, tenant, DATASET, HELD, first, last, rows, kept_from, rule)
            for product, tenant, kept_from, rule, rows, first, last in conn.execute(_HELD).fetchall()
        ])  # fmt: skip
    days = [day for (day,) in conn.execute(_DAYS).fetchall()]
    for start in range(0, len(days), DAYS_AT_ONCE):
        with conn.transaction():
            limits.set_limits(conn, cleanup.as_of, DATASET)
            _clean_days(conn, cleanup, days[start : start + DAYS_AT_ONCE])
    if not cleanup.is_dry:
        with conn.transaction():
            limits.set_limits(conn, cleanup.as_of, DATASET)
            conn.execute(_CLOSE_ALL)


def _must_be_built(conn: psycopg.Connection[Any], as_of: datetime) -> None:
    missing = [
        name
        for name in KNOWN
        if conn.execute("select to_regclass(%s)", (name,)).fetchone() == (None,)
    ]
    keeps = conn.execute(
        "select exists (select from ops.model_watermarks where history_columns is not null)"
    ).fetchone()
    if missing or keeps != (True,):
        raise Unbuilt(
            "Marts have not been built from what was loaded, so nothing was let go: their history would be lost."
            " Run `tallyhouse run` first."
        )
    (moment,) = conn.execute(_CUT).fetchone() or (None,)
    if moment:
        raise Unbuilt(
            f"Marts speak as of {moment} and hold nothing of later, so nothing was let go: what they leave out would be"
            " lost. Run `tallyhouse run`, then this again."
        )
    with conn.transaction():
        limits.set_limits(conn, as_of, DATASET)
    (unbuilt,) = conn.execute(_UNBUILT).fetchone() or (0,)
    if unbuilt:
        raise Unbuilt(
            f"Events of {unbuilt:,} tenants' days that are past their time were loaded since the marts were built, so"
            " nothing was let go: marts would never count them. Run `tallyhouse run`, then this again."
        )


def _clean_days(conn: psycopg.Connection[Any], cleanup: Cleanup, days: Sequence[date]) -> None:
    """Let go what is past its time on some days, the oldest first, in the open transaction."""
    found: list[Gone] = []
    due: set[tuple[date, UUID]] = set()
    expired: dict[int, int] = defaultdict(int)
    ends: dict[tuple[str, UUID], date] = {}
    for day in days:
        for count, how, size in _clean_day(conn, day, is_dry=cleanup.is_dry):
            first, last = count.first_day or day, count.last_day or day
            whose = count.product, count.tenant_id, DATASET, how
            found.append(
                Gone(*whose, first, last, count.going, count.kept_from, count.rule or "", size)
            )
            due.add((day, count.tenant_id))
            expired[count.load_id] += count.going
            ends[count.product, count.tenant_id] = day + timedelta(days=1)
    cleanup.note(conn, merged(found))
    if cleanup.is_dry or not found:
        return
    conn.execute(_EXPIRED, (list(expired), list(expired.values())))
    conn.execute(_LAKE, ([day for day, _ in due], [tenant for _, tenant in due]))
    closed = [(product, tenant, end) for (product, tenant), end in ends.items()]
    conn.execute(_CLOSE, tuple(list(column) for column in zip(*closed, strict=True)))


def _clean_day(
    conn: psycopg.Connection[Any], day: date, *, is_dry: bool
) -> list[tuple[_Count, str, int]]:
    """What goes on a day, how, and its share of the bytes."""
    name = f"raw_events.events_{day:%Y%m%d}"
    partition, goes = sql.SQL(name), sql.SQL(_GOES)
    (size,) = conn.execute(
        "select pg_total_relation_size(to_regclass(%s))", (name,)
    ).fetchone() or (None,)
    if size is None:
        return []
    counted = conn.execute(sql.SQL(_COUNT).format(goes=goes, partition=partition))
    counts = [_Count(*row) for row in counted.fetchall()]
    going = [count for count in counts if count.going]
    if going:
        _must_be_counted(conn, day, counts)
    is_whole = all(count.rows == count.going for count in counts)
    if going and not is_dry:
        statement = "drop table {partition}" if is_whole else _DELETE
        conn.execute(sql.SQL(statement).format(goes=goes, partition=partition))
    if not is_whole:
        return [(count, DELETED, 0) for count in going]
    total = sum(count.rows for count in counts)
    return [(count, DROPPED, size * count.going // total) for count in going]


def _must_be_counted(conn: psycopg.Connection[Any], day: date, counts: Sequence[_Count]) -> None:
    """The last look: of whom something goes, models have counted at least as many events of the day as there are."""
    rows: dict[tuple[str, UUID], int] = defaultdict(int)
    for count in counts:
        rows[count.product, count.tenant_id] += count.rows
    known = {(product, tenant): held for product, tenant, held in conn.execute(_COUNTED, (day,))}
    for count in counts:
        whose = count.product, count.tenant_id
        if count.going and rows[whose] > known.get(whose, 0):
            raise Unbuilt(
                f"Of {count.product}'s tenant {count.tenant_id} {rows[whose]:,} events of {day} are stored and"
                f" marts have counted {known.get(whose, 0):,}, so that day was not let go."
                " Run `tallyhouse run`, then this again."
            )
