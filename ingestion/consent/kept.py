"""Takes people who refused out of the rows that models keep of closed days, for the time that they refused.

A row of one event goes by its instant. A row of many (a day of a user, a session) goes whole when any of them may lie
in that time: nobody can split it. Rows that name nobody stay. Belongs here: which rows these are. Does not belong here:
which models keep rows (`ingestion.retention.kept`), events that are stored (`stored`).
"""

from collections.abc import Callable
from typing import Any

import psycopg
from psycopg import sql

from ingestion.retention.kept import FACTS, KeptModel, kept_models, remove

_INSTANTS = ("occurred_at", "first_occurred_at", "scanned_at")
_SPAN = ("started_at", "ended_at")
# The days of UTC on which events of theirs were taken out of core.fact_events: of the others nothing was refused.
_DAYS = """
create temporary table refused_fact_days (product text, tenant_id uuid, user_id uuid, day date) on commit drop
"""
_NOTE_DAYS = """
insert into refused_fact_days
select distinct taken.product, taken.tenant_id, held.user_id, held.event_date
from taken_out_of_history as taken inner join core.fact_events as held on held.ctid = taken.place
"""
_REFUSED = """
create temporary table taken_out_of_history on commit drop as
select distinct held.ctid as place, closed.product, {columns}
from {table} as held
inner join refused_anew as refused
    on {product} = refused.product and held.tenant_id = refused.tenant_id and held.user_id = refused.user_id
inner join ops.closed_days as closed on {product} = closed.product and held.tenant_id = closed.tenant_id
left join intermediate.int_core__tenant_timezones as zones on held.tenant_id = zones.tenant_id
where {is_closed} and {is_refused}
"""
_AT = "held.{at} >= refused.from_at and held.{at} < refused.until_at"
_CLOSED_DAY = "closed.{days} @> held.{day}"
# Of a session id that reaches a closed day all rows are kept.
_CLOSED_SPAN = """
exists (
    select from {table} as other
    where
        other.session_id = held.session_id and other.tenant_id = held.tenant_id
        and other.product = held.product and other.is_derived = held.is_derived
        and closed.{days} && daterange(
            cast(other.started_at at time zone 'UTC' as date), cast(other.ended_at at time zone 'UTC' as date), '[]'
        )
)
"""
_DURING = "held.started_at < refused.until_at and held.ended_at >= refused.from_at"
_DAY = """
tstzrange(
    cast(held.{day} as timestamp) at time zone {zone}, cast(held.{day} + 1 as timestamp) at time zone {zone}
)
"""
_ON_DAY = "tstzrange(refused.from_at, refused.until_at) && {range}"
# Of a day that was refused in part core.fact_events knows better, while it has the day.
_WITH_FACTS = """
tstzrange(refused.from_at, refused.until_at) && {range} and (
    tstzrange(refused.from_at, refused.until_at) @> {range}
    or closed.fact_days @> held.{day}
    or exists (
        select from refused_fact_days as known
        where known.product = closed.product and known.tenant_id = held.tenant_id
            and known.user_id = held.user_id and known.day = held.{day}
    )
)
"""


def take_out(conn: psycopg.Connection[Any], next_load_id: Callable[[], int]) -> int:
    """Remove the rows of pg_temp.refused_anew's people, in the open transaction; how many there were."""
    if conn.execute("select exists (select from refused_anew)").fetchone() != (True,):
        return 0
    conn.execute("drop table if exists pg_temp.refused_fact_days")
    conn.execute(_DAYS)
    count, load_id = 0, None
    for kept in sorted(kept_models(conn), key=lambda found: found.model != FACTS):
        if "user_id" not in kept.columns:
            continue
        conn.execute("drop table if exists pg_temp.taken_out_of_history")
        if not conn.execute(_found(kept)).rowcount:
            continue
        load_id = load_id or next_load_id()
        if kept.model == FACTS:
            conn.execute(_NOTE_DAYS)
        count += remove(conn, kept, load_id)
    conn.execute("drop table if exists pg_temp.taken_out_of_history")
    return count


def _found(kept: KeptModel) -> sql.Composed:
    """The rows of a model, as pg_temp.taken_out_of_history."""
    day = sql.Identifier(kept.day)
    is_closed = sql.SQL(_CLOSED_DAY).format(days=sql.Identifier(kept.days), day=day)
    at = next((name for name in _INSTANTS if name in kept.columns), None)
    if at is not None:
        is_refused: sql.Composable = sql.SQL(_AT).format(at=sql.Identifier(at))
    elif set(_SPAN) <= set(kept.columns):
        is_closed = sql.SQL(_CLOSED_SPAN).format(days=sql.Identifier(kept.days), table=kept.table)
        is_refused = sql.SQL(_DURING)
    else:
        is_local = kept.days == "fact_local_days"
        zone = sql.SQL("zones.timezone" if is_local else "'UTC'")
        form = _WITH_FACTS if kept.days == "days" else _ON_DAY
        of_day = sql.SQL(_DAY).format(day=day, zone=zone)
        is_refused = sql.SQL(form).format(range=of_day, day=day)
    return sql.SQL(_REFUSED).format(
        table=kept.table,
        product=kept.product,
        is_closed=is_closed,
        is_refused=is_refused,
        columns=kept.noted,
    )
