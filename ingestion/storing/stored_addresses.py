"""Finds, once for each warehouse, ids of people that an earlier version stored as they came though they hold an
address (`auth0|ann@…`): drift of the loads that brought them, until these are read again.

Belongs here: that search, and what is still found. Does not belong here: which ids are keyed (`privacy.tokens`),
what drift means (`values.drift_words`).
"""

from operator import itemgetter

import psycopg

from ingestion import drift_log
from ingestion.privacy.tokens import holds_person, looks_personal
from ingestion.values.drift import Drift
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
            drifts: dict[tuple[int, str], Drift] = {}
            for load_id, of, source_id, count in rows:
                if holds_person(source_id) or looks_personal(source_id):
                    drifts.setdefault((load_id, of), Drift())[thing, field, KIND] += count
            for (load_id, of), drift in sorted(drifts.items(), key=itemgetter(0)):
                drift_log.note(conn, (kind, drift_log.storable(of)), load_id, drift, "")


def still_stored(conn: psycopg.Connection) -> list[str]:
    """A sentence for each source of which such ids are stored yet, with the way out."""
    rows = conn.execute(
        "select source_kind, source_name, object_name, field_name, kind, record_count from ops.schema_drift"
        " where kind = %s and settled_at is null and record_count > 0",
        (KIND,),
    ).fetchall()
    return list(sentences(Difference(*row) for row in rows))
