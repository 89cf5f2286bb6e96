"""Finds, once for each warehouse, ids of people that an earlier version stored as they came though they hold an
address (`auth0|ann@…`): drift of the loads that brought them, until these are read again.

Belongs here: that search, and what is still found. Does not belong here: which ids are keyed (`privacy.tokens`),
what drift means (`values.drift_words`).
"""

import psycopg

from ingestion.privacy.scrub import without_values
from ingestion.privacy.tokens import holds_person, looks_personal
from ingestion.values.drift_words import Difference, sentences

KIND = "stored_address"
_SEARCH = "ids that hold an address"
_MAY_HOLD = r"'@|%40|[+][0-9]'"
# (kind of source, its name, field, the ids there) of each table
_PLACES = (
    *(
        ("events", "product", "envelope", column, column, "raw_events.events")
        for column in ("tenant_source_id", "user_source_id", "anonymous_id", "session_id")
    ),
    *(
        ("revenuecat", "project", "envelope", column, column, "raw_revenuecat.events")
        for column in ("app_user_id", "original_app_user_id")
    ),
    *(
        (
            "stripe", "account", "metadata", field, f"payload #>> '{{data,object,metadata,{field}}}'",
            "raw_stripe.events",
        )
        for field in ("tenant_id", "user_id")
    ),
)  # fmt: skip
_NOTE = """
with found as (
    insert into ops.load_drift values (%(load_id)s, %(kind)s, %(name)s, %(object)s, %(field)s, %(drift)s, %(count)s)
    on conflict do nothing
    returning *
)
insert into ops.schema_drift as held (
    source_kind, source_name, object_name, field_name, kind, first_load_id, last_load_id, record_count
)
select source_kind, source_name, object_name, field_name, kind, load_id, load_id, record_count from found
on conflict (source_kind, source_name, object_name, field_name, kind) do update set
    last_load_id = excluded.last_load_id,
    record_count = held.record_count + excluded.record_count,
    settled_at = null
"""


def search_once(conn: psycopg.Connection) -> None:
    """Note such ids of all that was loaded so far, unless that was done before."""
    with conn.transaction():
        done = conn.execute(
            "insert into ops.searches_done (name) values (%s) on conflict do nothing", (_SEARCH,)
        )
        if not done.rowcount:
            return
        for kind, name, thing, field, ids, table in _PLACES:
            rows = conn.execute(
                f"select load_id, {name}, {ids} as id, count(*) from {table}"
                f" where {ids} ~ {_MAY_HOLD} group by 1, 2, 3".encode()
            ).fetchall()
            counts: dict[tuple[int, str], int] = {}
            for load_id, of, source_id, count in rows:
                if holds_person(source_id) or looks_personal(source_id):
                    counts[load_id, of] = counts.get((load_id, of), 0) + count
            for (load_id, of), count in sorted(counts.items()):
                conn.execute(_NOTE, {
                    "load_id": load_id, "kind": kind, "name": without_values(of), "object": thing, "field": field,
                    "drift": KIND, "count": count,
                })  # fmt: skip


def still_stored(conn: psycopg.Connection) -> list[str]:
    """A sentence for each source of which such ids are stored yet, with the way out."""
    rows = conn.execute(
        "select source_kind, source_name, object_name, field_name, kind, record_count from ops.schema_drift"
        " where kind = %s and settled_at is null and record_count > 0",
        (KIND,),
    ).fetchall()
    return list(sentences(Difference(*row) for row in rows))
