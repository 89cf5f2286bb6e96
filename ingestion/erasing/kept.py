"""Takes erased people out of the rows that models keep of closed days, which no raw event can make again; and of days
of which rows of core.fact_events are gone.

Belongs here: what becomes of these rows. Does not belong here: which models keep rows (`ingestion.retention.kept`),
what a build makes again by itself (`stored` says which), who is meant (`subjects`).
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql

from ingestion.erasing import search
from ingestion.erasing.ledger import Subject
from ingestion.erasing.people import People
from ingestion.erasing.records import KEPT_EVENTS
from ingestion.retention.kept import KeptModel, kept_models, remove, say

_PROPERTIES = "properties"  # of an event of somebody else the person may be a part
# What becomes of rows of events that stay without the person (`records.KEPT_EVENTS`), as the model makes them of such
# events: nobody's, of no visit. People of a day whom nothing names are counted in one row.
_UNNAMED = {
    "core.fact_events": """
update core.fact_events set user_id = null, session_id = null, is_anonymous = true
where ctid in (select place from taken_out_of_history)
""",
    "intermediate.int_customers__use_days": """
with gone as (
    delete from intermediate.int_customers__use_days as held
    using (
        select distinct days.product, days.tenant_id, days.event_date, days.date_key, days.known_date
        from intermediate.int_customers__use_days as days
        where days.ctid in (select place from taken_out_of_history)
    ) as days
    where
        held.product = days.product and held.tenant_id = days.tenant_id and held.event_date = days.event_date
        and held.date_key = days.date_key and held.known_date = days.known_date
        and (held.user_id is null or held.ctid in (select place from taken_out_of_history))
    returning held.*
)
insert into intermediate.int_customers__use_days (
    product, tenant_id, user_id, event_count, visit_count, friction_count, roster_count, override_count,
    event_date, date_key, known_date
)
select
    product, tenant_id, null, sum(event_count), sum(case when user_id is null then visit_count else 0 end),
    sum(friction_count), sum(roster_count), sum(override_count), event_date, date_key, known_date
from gone
group by product, tenant_id, event_date, date_key, known_date
""",
    "intermediate.int_fulfilment__events": """
update intermediate.int_fulfilment__events as held set
    user_id = case when held.user_id = any(%(ids)s::uuid[]) then null else held.user_id end,
    reader_id = coalesce(
        (select people.other from unnest(%(ids)s::uuid[], %(others)s::uuid[]) as people (id, other)
        where people.id = held.reader_id limit 1),
        held.reader_id
    )
where held.ctid in (select place from taken_out_of_history)
""",
    "intermediate.int_customers__survey_events": """
update intermediate.int_customers__survey_events set user_id = null
where ctid in (select place from taken_out_of_history)
""",
    "intermediate.int_experiments__events": """
update intermediate.int_experiments__events set user_id = null
where ctid in (select place from taken_out_of_history)
""",
}
_CLOSED = """
create temporary table taken_out_of_history on commit drop as
select held.ctid as place, closed.product, {columns}
from {table} as held
inner join ops.closed_days as closed
    on {product} = closed.product and held.tenant_id = closed.tenant_id and {is_closed}
where held.ctid = any(%(places)s::tid[])
    and (%(is_kept)s::boolean is null or %(is_kept)s = (closed.product = any(%(kept)s)))
"""


def take_out(
    conn: psycopg.Connection[Any],
    people: People,
    subjects: Sequence[Subject],
    wanted: search.Wanted,
    load_id: int,
) -> Counter[str]:
    """Remove their rows and their names from rows of others, in the open transaction; rows by model."""
    counts: Counter[str] = Counter()
    names = _stand_ins(people, subjects)
    for kept in kept_models(conn):
        model, columns = kept.model, kept.columns
        own = [name for name in columns if name != _PROPERTIES]
        rows = search.rows_of(conn, model, wanted, own)
        unnamed = _collect(conn, kept, rows, is_kept=True) if model in _UNNAMED else 0
        if unnamed:
            say(conn, kept, load_id)
            conn.execute(_UNNAMED[model].encode(), names)
        # the others of these rows are where they were
        is_kept = False if model in _UNNAMED else None
        removed = _collect(conn, kept, rows, is_kept=is_kept)
        if removed:
            remove(conn, kept, load_id)
            counts[f"{model} removed"] += removed
        naming = 0
        if _PROPERTIES in columns:
            naming = _collect(conn, kept, search.rows_of(conn, model, wanted, columns))
        if naming:
            say(conn, kept, load_id)
            _unname(conn, kept, people, subjects)
        if unnamed or naming:
            counts[f"{model} without the person"] += unnamed + naming
    conn.execute("drop table if exists pg_temp.taken_out_of_history")
    return counts


def _stand_ins(people: People, subjects: Sequence[Subject]) -> dict[str, list[str]]:
    """The ids that models have of people whose events stay, and what takes their place in what others did."""
    found = {
        name: people.stand_in(subject.product, "id", name)
        for subject in subjects
        if subject.product in KEPT_EVENTS
        for name in subject.uuids
    }
    return {"ids": list(found), "others": list(found.values())}


def _collect(
    conn: psycopg.Connection[Any],
    kept: KeptModel,
    rows: list[str],
    *,
    is_kept: bool | None = None,
) -> int:
    """Note which of the rows lie on closed days, perhaps only of products that keep their events; how many do."""
    conn.execute("drop table if exists pg_temp.taken_out_of_history")
    if not rows:
        return 0
    return conn.execute(
        sql.SQL(_CLOSED).format(
            table=kept.table, product=kept.product, is_closed=kept.is_closed, columns=kept.noted
        ),
        {"places": rows, "is_kept": is_kept, "kept": sorted(KEPT_EVENTS)},
    ).rowcount


def _unname(
    conn: psycopg.Connection[Any], kept: KeptModel, people: People, subjects: Sequence[Subject]
) -> None:
    """Stand-ins for the ids of the people in what others did."""
    for subject in subjects:
        names = {name for _, name in subject.ids if not name.isdigit()} | subject.uuids
        for name in sorted(names):
            conn.execute(
                sql.SQL(
                    "update {table} set {column} = cast(replace(cast({column} as text), %(name)s, %(other)s) as jsonb)"
                    " where ctid in (select place from taken_out_of_history where product = %(product)s)"
                    " and strpos(cast({column} as text), %(name)s) > 0"
                ).format(table=kept.table, column=sql.Identifier(_PROPERTIES)),
                {
                    "name": name,
                    "other": people.stand_in(subject.product, "id", name),
                    "product": subject.product,
                },
            )
