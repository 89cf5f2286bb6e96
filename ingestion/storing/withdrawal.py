"""Takes back what loads brought, in the open transaction, so that their files can be read again.

Rows go with their keys; a key whose row is gone already belongs to something erased and stays, so
that it does not come back (rule 45). What is left on a closed day (`ingestion.retention`) stays with
its load: read again, it would be refused. Whom the rows touched is noted: models must see what left
as well as what comes. Belongs here: every statement that takes back. Does not belong here: which loads
(`ingestion.rereading`), what a source makes of its rows (`Source.after_withdrawal`).
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import psycopg
from psycopg import sql

from ingestion.parsing.source import Target

_NO_TOUCH = ("null", "null", "null", "null", "null")
_TOUCH_TYPES = ("text", "text", "text", "text", "date")
_COLLECT = """
create temporary table withdrawn (
    load_id bigint, event_date date, content_hash bytea, product text, part text,
    entity_type text, touched_product text, tenant_id text, entity_id text, touched_on date
) on commit drop
"""
_ROWS = """
with gone as (
    delete from {table}
    where load_id = any(%(loads)s) and (%(days)s::date[] is null or event_date = any(%(days)s))
        and {is_open}
    returning load_id, event_date, content_hash, product, {part} as part, {touch}
)
insert into withdrawn select * from gone
"""
_KEYS = """
delete from {keys} as known
using (select distinct load_id, event_date, content_hash from withdrawn) as gone
where known.load_id = gone.load_id and known.event_date = gone.event_date
    and known.content_hash = gone.content_hash
"""
# of records that were counted and not stored
_WITHHELD = """
with gone as (
    delete from {keys} as known using {withheld} as withheld
    where known.key = withheld.key and known.load_id = any(%(loads)s)
    returning known.key
)
delete from {withheld} where key in (select key from gone)
"""
_TOUCHED = """
insert into ops.load_touched
    (load_id, source_kind, product, entity_type, tenant_id, entity_id, touched_on)
select distinct
    %(load_id)s, %(kind)s, touched_product, entity_type, cast(tenant_id as uuid), entity_id, touched_on
from withdrawn
where entity_type is not null and coalesce(tenant_id, entity_id) is not null
"""
_WATERMARKS = """
update ops.source_watermarks as held
set max_received_at = others.newest_received_at, max_claimed_at = others.newest_claimed_at
from (
    select
        sources.source_kind, sources.source_name,
        max(others.newest_received_at) as newest_received_at,
        max(others.newest_claimed_at) as newest_claimed_at,
        coalesce(bool_or(others.contract is null and others.is_complete), false) as is_unknown
    from (
        select distinct source_kind, source_name from ops.load_manifest where load_id = any(%(loads)s)
    ) as sources
    left join ops.load_manifest as others
        on others.source_kind = sources.source_kind and others.source_name = sources.source_name
        and others.superseded_by is null and others.load_id <> all(%(loads)s)
    group by sources.source_kind, sources.source_name
) as others
where held.source_kind = others.source_kind and held.source_name = others.source_name
    and not others.is_unknown
"""
_DRIFT = """
with gone as (
    delete from ops.load_drift where load_id = any(%(loads)s)
    returning source_kind, source_name, object_name, field_name, kind, record_count
),
counted as (
    select source_kind, source_name, object_name, field_name, kind, sum(record_count) as record_count
    from gone
    group by source_kind, source_name, object_name, field_name, kind
)
update ops.schema_drift as held
set record_count = held.record_count - counted.record_count
from counted
where (held.source_kind, held.source_name, held.object_name, held.field_name, held.kind)
    = (counted.source_kind, counted.source_name, counted.object_name, counted.field_name, counted.kind)
"""
_DRIFT_GONE = """
delete from ops.schema_drift as held
using (
    select source_kind, source_name,
        bool_and(superseded_by is not null or load_id = any(%(loads)s)) as is_all
    from ops.load_manifest
    group by source_kind, source_name
    having bool_or(load_id = any(%(loads)s))
) as sources
where held.source_kind = sources.source_kind and held.source_name = sources.source_name
    and (sources.is_all or held.record_count <= 0)
"""
# What stays is counted as stored as ever.
_WITHDRAWN = """
with remaining as (
    select load_id, count(*) as row_count from {table}
    where load_id = any(%(loads)s) and (%(days)s::date[] is null or event_date = any(%(days)s))
        and not {is_open}
    group by load_id
)
update ops.load_manifest as held
set
    expired_count = 0,
    withdrawn_count = held.stored_count
        - coalesce((select row_count from remaining where remaining.load_id = held.load_id), 0)
where held.load_id = any(%(loads)s)
"""


class Withdrawn(NamedTuple):
    """What left: how many rows, of which days, of which (product, part)."""

    rows: int
    days: frozenset[date]
    parts: frozenset[tuple[str, str]]


def withdraw(
    conn: psycopg.Connection, kind: str, target: Target, loads: Sequence[int], load_id: int
) -> Withdrawn:
    """Take back what loads of a kind of source stored and noted. `load_id` names this withdrawal."""
    values = {"loads": list(loads), "kind": kind, "load_id": load_id}
    days = _days(conn, loads)
    conn.execute("drop table if exists withdrawn")
    conn.execute(_COLLECT)
    touch = sql.SQL(", ").join(
        sql.SQL("cast({} as {})").format(sql.SQL(expression), sql.SQL(kind))
        for expression, kind in zip(target.touch_sql or _NO_TOUCH, _TOUCH_TYPES, strict=True)
    )
    names = {"table": sql.SQL(target.table), "keys": sql.SQL(target.key_table),
             "part": sql.Identifier(target.part), "touch": touch, "is_open": sql.SQL(target.is_open_sql)}  # fmt: skip
    conn.execute(sql.SQL(_ROWS).format(**names), {**values, "days": days})
    conn.execute("analyze withdrawn")
    conn.execute(sql.SQL(_KEYS).format(**names))
    if target.withheld_keys is not None:
        withheld = sql.SQL(target.withheld_keys)
        conn.execute(
            sql.SQL(_WITHHELD).format(keys=names["keys"], withheld=withheld), {"loads": list(loads)}
        )
    conn.execute(_TOUCHED, values)
    conn.execute(
        "delete from ops.record_conflicts where source_kind = %(kind)s"
        " and load_id = any(%(loads)s)",
        values,
    )
    for table in target.noted:
        conn.execute(
            sql.SQL("delete from {} where load_id = any(%(loads)s)").format(sql.SQL(table)), values
        )
    for statement in (_DRIFT, _DRIFT_GONE, _WATERMARKS):
        conn.execute(statement, values)
    conn.execute(sql.SQL(_WITHDRAWN).format(**names), {**values, "days": days})
    row = conn.execute("select count(*), array_agg(distinct event_date) from withdrawn").fetchone()
    parts = conn.execute("select distinct product, part from withdrawn").fetchall()
    conn.execute("drop table withdrawn")
    count, found = row or (0, None)
    return Withdrawn(int(count), frozenset(found or ()), frozenset(parts))


def _days(conn: psycopg.Connection, loads: Sequence[int]) -> list[date] | None:
    """The days on which rows of these loads lie; None where a load did not note its own."""
    row = conn.execute(
        "select bool_and(event_dates is not null) from ops.load_manifest where load_id = any(%s)",
        (list(loads),),
    ).fetchone()
    if not row or not row[0]:
        return None
    found = conn.execute(
        "select distinct unnest(event_dates) from ops.load_manifest where load_id = any(%s)",
        (list(loads),),
    )
    return [day for (day,) in found]
