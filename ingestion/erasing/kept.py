"""Takes erased people out of the rows that models keep of closed days, which no raw event can make again.

Belongs here: those rows, and saying which keys changed, as a build does (`macros/incremental`). Does not belong here:
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
}
_MODELS = """
select model_name, history_columns from ops.model_watermarks
where history_columns is not null and to_regclass(model_name) is not null
    and exists (select from ops.closed_days)
order by model_name
"""
_COLUMNS = """
select attname::text from pg_attribute
where attrelid = %s::regclass and attnum > 0 and not attisdropped order by attnum
"""
_CLOSED = """
create temporary table taken_out_of_history on commit drop as
select held.ctid as place, held.product, {columns}
from {table} as held
inner join ops.closed_days as closed
    on held.product = closed.product and held.tenant_id = closed.tenant_id and closed.days @> held.{day}
where held.ctid = any(%(places)s::tid[])
    and (%(is_kept)s::boolean is null or %(is_kept)s = (held.product = any(%(kept)s)))
"""
# As a build says it: what changed, under a number that no build had before.
_NUMBER = """
update ops.model_watermarks
set build_id = build_id + 1
where model_name = %s
returning build_id
"""
_CHANGED = """
insert into ops.replaced_keys (model_name, build_id, {names})
select distinct %(model)s, %(build)s::bigint, {columns} from taken_out_of_history
"""
# And as a load does: the model is due, and all that read it.
_TOUCHED = """
insert into ops.load_touched (load_id, source_kind, product, entity_type, tenant_id, touched_on)
select distinct %(load)s::bigint, 'events', product, 'tenant_day', tenant_id, {day} from taken_out_of_history
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
    for model, notes in conn.execute(_MODELS).fetchall():
        columns = [name for (name,) in conn.execute(_COLUMNS, (model,)).fetchall()]
        own = [name for name in columns if name != _PROPERTIES]
        places = search.rows_of(conn, model, wanted, own)
        unnamed = _collect(conn, model, notes, places, is_kept=True) if model in _UNNAMED else 0
        if unnamed:
            _say(conn, model, notes, load_id)
            conn.execute(_UNNAMED[model].encode())
        # the others of these rows are where they were
        is_kept = False if model in _UNNAMED else None
        removed = _collect(conn, model, notes, places, is_kept=is_kept)
        if removed:
            _say(conn, model, notes, load_id)
            conn.execute(
                sql.SQL(
                    "delete from {} where ctid in (select place from taken_out_of_history)"
                ).format(_table(model))
            )
            counts[f"{model} removed"] += removed
        naming = 0
        if _PROPERTIES in columns:
            naming = _collect(conn, model, notes, search.rows_of(conn, model, wanted, columns))
        if naming:
            _say(conn, model, notes, load_id)
            _unname(conn, model, people, subjects)
        if unnamed or naming:
            counts[f"{model} without the person"] += unnamed + naming
    conn.execute("drop table if exists pg_temp.taken_out_of_history")
    return counts


def _table(model: str) -> sql.Identifier:
    return sql.Identifier(*model.split(".", 1))


def _collect(
    conn: psycopg.Connection[Any],
    model: str,
    notes: dict[str, str],
    places: list[str],
    *,
    is_kept: bool | None = None,
) -> int:
    """Note which of the rows lie on closed days, perhaps only of products that keep their events; how many do."""
    conn.execute("drop table if exists pg_temp.taken_out_of_history")
    if not places:
        return 0
    names = dict.fromkeys(["tenant_id", *notes.values()])
    return conn.execute(
        sql.SQL(_CLOSED).format(
            table=_table(model), day=sql.Identifier(notes["utc_day"]),
            columns=sql.SQL(", ").join(sql.Identifier("held", name) for name in names),
        ),
        {"places": places, "is_kept": is_kept, "kept": sorted(KEPT_EVENTS)},
    ).rowcount  # fmt: skip


def _say(conn: psycopg.Connection[Any], model: str, notes: dict[str, str], load_id: int) -> None:
    (build,) = conn.execute(_NUMBER, (model,)).fetchone() or (0,)
    conn.execute(
        sql.SQL(_CHANGED).format(
            names=sql.SQL(", ").join(map(sql.Identifier, notes)),
            columns=sql.SQL(", ").join(map(sql.Identifier, notes.values())),
        ),
        {"model": model, "build": build},
    )
    conn.execute(sql.SQL(_TOUCHED).format(day=sql.Identifier(notes["utc_day"])), {"load": load_id})


def _unname(
    conn: psycopg.Connection[Any], model: str, people: People, subjects: Sequence[Subject]
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
                ).format(table=_table(model), column=sql.Identifier(_PROPERTIES)),
                {
                    "name": name,
                    "other": people.stand_in(subject.product, "id", name),
                    "product": subject.product,
                },
            )
