"""Writes what was folded: current state, closed versions, and whom the load touched.

Belongs here: bringing a table's two relations from what they hold to temp table `versions`. Does
not belong here: making the versions (`versions_sql`), the relations' form (`tables`).
"""

from typing import Any

import psycopg
from psycopg import sql

from ingestion.cdc.scd.tables import FoldTarget, definitions, names, text
from ingestion.cdc.scd.touched import note_touched

_OWN = ("_extra", "_valid_from", "_committed_at", "_received_at", "_load_id")
_CLOSE = """
insert into {closed} as closed (_key, {own}, {columns}, _valid_to, _is_deleted)
select current._key, {current_own}, {current_columns}, versions._valid_to, versions._is_deleted
from versions
inner join {current} as current on current._key = versions._key
where versions._op = 'seed' and versions._valid_to is not null
returning closed._tenant_id, closed._user_id
"""
_END = """
insert into {closed} as closed (_key, {own}, {columns}, _valid_to, _is_deleted)
select _key, {own}, {values}, _valid_to, _is_deleted
from versions{typed}
where _op <> 'seed' and _valid_to is not null
returning closed._tenant_id, closed._user_id
"""
_CHANGE = """
update {current} as current
set ({own}, {columns}) = row({new_own}, {new_columns})
from (
    select versions._key, {own}, {values}
    from versions
    inner join affected on affected._key = versions._key{typed}
    where affected.is_held and _op <> 'seed' and _valid_to is null
) as new
where current._key = new._key
returning current._tenant_id, current._user_id
"""
_ADD = """
insert into {current} as current (_key, {own}, {columns})
select versions._key, {own}, {values}
from versions
inner join affected on affected._key = versions._key{typed}
where not affected.is_held and _op <> 'seed' and _valid_to is null
returning current._tenant_id, current._user_id
"""
_REMOVE = """
delete from {current} as current
where current._key = any(
    array(
        select affected._key
        from affected
        left join versions on versions._key = affected._key and versions._valid_to is null
        where affected.is_held and versions._key is null
    )
)
returning current._tenant_id, current._user_id
"""
_WRITE = """
with former as (
    select current._tenant_id, current._user_id
    from {current} as current
    inner join affected on affected._key = current._key
    where affected.is_late
),
forgotten as (
    delete from {closed} as closed
    using affected
    where affected.is_late and closed._key = affected._key
    returning closed._tenant_id, closed._user_id
),
closing as ({closing}),
ended as ({ended}),
changed as ({changed}),
added as ({added}),
removed as ({removed}),
people as (
    select _tenant_id, _user_id from former
    union
    select _tenant_id, _user_id from forgotten
    union
    select _tenant_id, _user_id from closing
    union
    select _tenant_id, _user_id from ended
    union
    select _tenant_id, _user_id from changed
    union
    select _tenant_id, _user_id from added
    union
    select _tenant_id, _user_id from removed
)
{note_touched}
"""


def write(
    conn: psycopg.Connection[Any], target: FoldTarget, load_id: int, carried: list[str]
) -> None:
    """Bring current state and closed versions of the affected keys to `versions`. `carried` are the
    columns that stand typed in it; the others are in its JSON."""
    types = target.typed_columns()
    arrays = {n: kind for n, kind in types.items() if kind.endswith("[]") and n not in carried}
    typed = text(" cross join lateral jsonb_to_record(versions.after) as typed ({})")
    parts = {
        "current": target.current,
        "closed": target.closed,
        "own": names(_OWN),
        "current_own": names(_OWN, "current"),
        "new_own": names(_OWN, "new"),
        "columns": names(types),
        "current_columns": names(types, "current"),
        "new_columns": names(types, "new"),
        "values": sql.SQL(", ").join(_value(n, kind, carried) for n, kind in types.items()),
        "typed": typed.format(definitions(arrays)) if arrays else text(""),
    }
    steps = {"closing": _CLOSE, "ended": _END, "changed": _CHANGE, "added": _ADD,
             "removed": _REMOVE}  # fmt: skip
    conn.execute(
        text(_WRITE).format(
            **{name: text(step).format(**parts) for name, step in steps.items()},
            current=target.current,
            closed=target.closed,
            note_touched=note_touched(target, load_id),
        )
    )


def _value(name: str, kind: str, carried: list[str]) -> sql.Composable:
    """A column of a version: carried, or taken from its JSON (for one value at a time, a cast is
    cheaper than a record)."""
    if name in carried:
        return sql.Identifier("versions", name)
    if kind.endswith("[]"):
        return sql.Identifier("typed", name)
    if kind == "jsonb":
        found = "nullif(versions.after -> {name}, 'null') as {column}"
    else:
        found = f"cast(versions.after ->> {{name}} as {kind}) as {{column}}"
    return text(found).format(name=sql.Literal(name), column=sql.Identifier(name))
