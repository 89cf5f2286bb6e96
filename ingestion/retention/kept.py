"""The rows that models keep of closed days, which no raw event can make again, and of days without rows of fact_events.

Belongs here: which models keep rows, of which days, removing some and saying which of them changed, as a build does
(`macros/incremental`). Does not belong here: who is taken out of them (`ingestion.erasing.kept`,
`ingestion.consent.kept`).
"""

from typing import Any, NamedTuple

import psycopg
from psycopg import sql

_MODELS = """
select model_name, history_columns from ops.model_watermarks
where history_columns is not null and to_regclass(model_name) is not null
    and exists (select from ops.closed_days)
order by model_name
"""
FACTS = "core.fact_events"
SESSIONS = "core.fact_sessions"
_COLUMNS = """
select attname::text from pg_attribute
where attrelid = %s::regclass and attnum > 0 and not attisdropped order by attnum
"""
_ON_CLOSED_DAY = "closed.days @> held.{day}"
# What is made of fact_events would become the same on open days, so that nobody asks which these are.
_OF_CLOSED_FACTS = "not isempty(closed.fact_days)"
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
_GONE_SESSIONS = """
create temporary table gone_sessions on commit drop as
select held.product, held.tenant_id, held.user_id, held.session_id, held.is_derived, held.started_at, held.ended_at
from core.fact_sessions as held inner join taken_out_of_history as taken on held.ctid = taken.place
"""
# Events on open days that these sessions had counted, or kept from being counted under their id.
_UNCOUNTED = """
create temporary table taken_out_of_history on commit drop as
select held.ctid as place, held.product, {columns}
from core.fact_events as held
inner join gone_sessions as gone on held.product = gone.product and held.tenant_id = gone.tenant_id
where case
    when gone.is_derived
        then held.session_id is null and held.user_id = gone.user_id
            and held.occurred_at between gone.started_at and gone.ended_at
    else held.session_id = gone.session_id
end
"""


class KeptModel(NamedTuple):
    """A model that keeps rows (`held`): its columns, those of the changes in ops.replaced_keys, the day of a row, whose
    product it is; when a row may be kept, beside ops.closed_days (`closed`), and by which of its days."""

    model: str
    columns: tuple[str, ...]
    notes: dict[str, str]
    day: str
    product: sql.Composable
    is_closed: sql.Composable
    days: str

    @property
    def table(self) -> sql.Identifier:
        return sql.Identifier(*self.model.split(".", 1))

    @property
    def noted(self) -> sql.Composed:
        """What pg_temp.taken_out_of_history holds of a row for its note, as columns of `held`."""
        names = dict.fromkeys(["tenant_id", *self.notes.values()])
        return sql.SQL(", ").join(sql.Identifier("held", name) for name in names)


def kept_models(conn: psycopg.Connection[Any]) -> list[KeptModel]:
    """All of them, by name; none before a day is closed."""
    found = []
    for model, remembered in conn.execute(_MODELS).fetchall():
        columns = [name for (name,) in conn.execute(_COLUMNS, (model,)).fetchall()]
        days = remembered.pop("closed_days", None) or "days"
        product = remembered.pop("closed_product", None)
        day = remembered.get("utc_day") or remembered["local_day"]
        on_closed_day = sql.SQL(_ON_CLOSED_DAY).format(day=sql.Identifier(day))
        found.append(
            KeptModel(
                model, tuple(columns), remembered, day,
                sql.Literal(product) if product else sql.Identifier("held", "product"),
                on_closed_day if days == "days" else sql.SQL(_OF_CLOSED_FACTS), days,
            )
        )  # fmt: skip
    return found


def say(conn: psycopg.Connection[Any], kept: KeptModel, load_id: int) -> None:
    """Note the rows in pg_temp.taken_out_of_history, which are about to change, under a load's number."""
    (build,) = conn.execute(_NUMBER, (kept.model,)).fetchone() or (0,)
    conn.execute(
        sql.SQL(_CHANGED).format(
            names=sql.SQL(", ").join(map(sql.Identifier, kept.notes)),
            columns=sql.SQL(", ").join(map(sql.Identifier, kept.notes.values())),
        ),
        {"model": kept.model, "build": build},
    )
    conn.execute(sql.SQL(_TOUCHED).format(day=sql.Identifier(kept.day)), {"load": load_id})


def remove(conn: psycopg.Connection[Any], kept: KeptModel, load_id: int) -> int:
    """Remove the rows in pg_temp.taken_out_of_history and note them; how many there were.

    Sessions take their keys from core.fact_events alone: what they leave there is noted as changed, to be counted anew.
    """
    say(conn, kept, load_id)
    facts = None
    if kept.model == SESSIONS:
        facts = next((other for other in kept_models(conn) if other.model == FACTS), None)
        conn.execute("drop table if exists pg_temp.gone_sessions")
        conn.execute(_GONE_SESSIONS)
    count = conn.execute(
        sql.SQL("delete from {} where ctid in (select place from taken_out_of_history)").format(
            kept.table
        )
    ).rowcount
    if facts is not None:
        conn.execute("drop table if exists pg_temp.taken_out_of_history")
        if conn.execute(sql.SQL(_UNCOUNTED).format(columns=facts.noted)).rowcount:
            say(conn, facts, load_id)
    return count
