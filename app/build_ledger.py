"""What each node of dbt holds, as `ops.node_builds` remembers it, and what the database holds beside it.

A row is written as soon as a node's success is known, so a build that was killed goes on where it
stopped. When dbt begins, by hand too, it forgets what the nodes that it selected hold
(macros/engine/forget_builds.sql): only a build that ended well is remembered.

Belongs here: reading and writing that ledger, the versions of sources. Does not belong here: what
follows from it (`build_plan`).
"""

import threading
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

from app.build_plan import (
    INSTANT,
    TENANT_DATES,
    TENANTS,
    UTC_DATE,
    Held,
    Plan,
    Project,
    State,
    fingerprint,
)

PASSED = ("success", "pass", "warn")
LEDGERS = ("load_manifest", "source_watermarks", "rejected_records", "load_touched", "run_log")
HISTORY = "_history"  # ends the name of a table with the closed versions of a source's table
ABSENT = "absent"
TRAINING = "training."  # begins the ids of what is learned, beside dbt's own


def is_whole(connection: psycopg.Connection[Any]) -> bool:
    """Whether every node that was ever built ended its last build well."""
    row = connection.execute(
        "select not exists (select from ops.node_builds where inputs is null)"
    ).fetchone()
    return bool(row and row[0])


def newest_load(connection: psycopg.Connection[Any]) -> int:
    """The newest load, of files or of stored changes that a changed contract decoded; 0 when nothing
    was loaded yet. As macros/incremental/memory.sql has it."""
    row = connection.execute(
        "select coalesce(greatest((select max(load_id) from ops.load_manifest),"
        " (select max(load_id) from ops.load_touched)), 0)"
    ).fetchone()
    return int(row[0]) if row else 0


def cut_as_of(connection: psycopg.Connection[Any], as_of: datetime | None) -> str:
    """An `as_of` that was given, where something that was loaded lies after it, else empty: by it
    staging leaves that out (macros/engine/source.sql), so every node is another one."""
    row = connection.execute(
        "select exists (select from ops.source_watermarks"
        " where max_received_at > %(moment)s or max_claimed_at > %(moment)s)"
        " or exists (select from raw_events.events where occurred_at > %(moment)s"
        " and event_date >= cast(%(moment)s::timestamptz at time zone 'UTC' as date))",
        {"moment": as_of},
    ).fetchone()
    return f"as_of {as_of}" if row and row[0] else ""


def read_state(
    connection: psycopg.Connection[Any], project: Project, as_of: datetime | None
) -> State:
    """What is there now, read as one picture. Rows of nodes that the project has no more go."""
    connection.execute(
        "delete from ops.node_builds where node_id <> all(%s) and node_id not like %s",
        [list(project.nodes), f"{TRAINING}%"],
    )
    connection.commit()
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read")
        moment = moments(connection, as_of)
        relations = _relations(connection)
        return State(
            versions=_versions(connection, project, moment[INSTANT], relations),
            as_of=moment,
            held=held(connection),
            relations=relations,
        )


def record(connection: psycopg.Connection[Any], node_id: str, now: Held) -> None:
    """Remember what a node holds."""
    connection.execute(
        "insert into ops.node_builds as held (node_id, code, inputs, rows_digest)"
        " values (%s, %s, %s, %s) on conflict (node_id) do update set code = excluded.code,"
        " inputs = excluded.inputs, rows_digest = excluded.rows_digest,"
        " built_at = excluded.built_at",
        [node_id, now.code, now.inputs, now.rows],
    )


def carry_forward(
    connection: psycopg.Connection[Any], project: Project, due: Collection[str], load_id: int
) -> None:
    """Let the incremental models that are not due claim the loads that brought nothing for them.

    Without it they would hold back the models after them, which claim no load that a model before
    them does not hold.
    """
    connection.execute(
        "update ops.model_watermarks set last_load_id = %s"
        " where last_load_id < %s and model_name = any(%s)",
        [
            load_id,
            load_id,
            [
                node.relation
                for node in project.nodes.values()
                if node.materialized == "incremental" and node.node_id not in due
            ],
        ],
    )


class Recorder:
    """Takes dbt's events and remembers every node that ended well: `passed`, the others `failed`."""

    def __init__(self, connection: psycopg.Connection[Any], plan: Plan, *, in_full: bool) -> None:
        self._connection, self._plan, self._in_full = connection, plan, in_full
        self._lock = threading.Lock()  # dbt's threads tell of their nodes
        self.passed: set[str] = set()
        self.failed: set[str] = set()

    def __call__(self, event: Any) -> None:
        if event.info.name != "NodeFinished":
            return
        node_id = str(event.data.node_info.unique_id)
        node = self._plan.project.nodes.get(node_id)
        if node is None:
            return
        if event.data.node_info.node_status not in PASSED:
            self.failed.add(node_id)
            return
        with self._lock:
            self.passed.add(node_id)
            is_compared = node_id in self._plan.project.compared
            rows = rows_digest(self._connection, node.relation) if is_compared else None
            if node.name == TENANTS:  # there may be other time zones now
                as_of = self._plan.state.as_of
                as_of[TENANT_DATES] = tenant_dates(self._connection, as_of[INSTANT])
            now = self._plan.record(node_id, rows=rows, in_full=self._in_full)
            if now is not None:
                record(self._connection, node_id, now)


def rows_digest(connection: psycopg.Connection[Any], relation: str) -> str:
    """A digest of a table's rows as a set; the same rows in another order give the same."""
    table = sql.Identifier(*relation.split(".", 1))
    row = connection.execute(
        sql.SQL(
            "select count(*), sum(hash_record_extended(t, 0)), sum(hash_record_extended(t, 1))"
            " from {} as t"
        ).format(table)
    ).fetchone()
    return fingerprint(*(row or ()))


def moments(connection: psycopg.Connection[Any], as_of: datetime | None) -> dict[str, str]:
    """`as_of`, else the newest receipt: as an instant, as the date in UTC, as dates of tenants."""
    row = connection.execute(
        "select moment, (moment at time zone 'UTC')::date from (select coalesce(%s::timestamptz,"
        " (select max(coalesce(max_received_at, max_claimed_at)) from ops.source_watermarks))"
        " as moment) as moments",
        [as_of],
    ).fetchone()
    instant, utc_date = row or (None, None)
    return {
        INSTANT: str(instant),
        UTC_DATE: str(utc_date),
        TENANT_DATES: tenant_dates(connection, str(instant)),
    }


def tenant_dates(connection: psycopg.Connection[Any], instant: str) -> str:
    """The dates at an instant in all time zones that tenants live in, as one text."""
    there = connection.execute("select to_regclass('core.dim_tenant') is not null").fetchone()
    if instant == str(None) or not (there and there[0]):
        return ABSENT
    dates = connection.execute(
        "select timezone, (%s::timestamptz at time zone timezone)::date::text"
        " from (select distinct timezone from core.dim_tenant) as zones order by zones.timezone",
        [instant],
    ).fetchall()
    return fingerprint(*dates)


def _versions(
    connection: psycopg.Connection[Any], project: Project, instant: str, relations: Collection[str]
) -> dict[str, str]:
    """Source → its version: the newest load that changed it, for what the ledger of loads tells of.

    The log of runs has the version of the newest load, because every run adds to it: it is brought
    up to date with the rest and is no reason for a build. Any other source is compared by its rows.
    """
    kinds = dict(
        connection.execute(
            "select source_kind, concat_ws(' ', max(load_id), sum(withdrawn_count),"
            # rows that were changed where they lie: somebody's name was taken out
            " (select max(load_id) from ops.load_touched as touched"
            " where touched.source_kind = ops.load_manifest.source_kind))"
            " from ops.load_manifest where stored_count + replaced_count + withdrawn_count > 0"
            " group by source_kind"
        ).fetchall()
    )
    tables = dict(
        connection.execute(
            "select entity_id, max(load_id)::text from ops.load_touched"
            " where entity_type = 'cdc_table' group by entity_id"
        ).fetchall()
    )
    newest = f"{newest_load(connection)} {instant}"
    versions = {}
    for source_id, source in project.sources.items():
        schema, name = source["schema"], source["identifier"]
        if source_id not in project.readers:
            versions[source_id] = ""
        elif schema == "ops" and name in LEDGERS:
            versions[source_id] = newest
        elif schema == "raw_cdc":
            versions[source_id] = tables.get(name) or tables.get(name.removesuffix(HISTORY), "")
        elif schema.startswith("raw_"):
            versions[source_id] = kinds.get(schema.removeprefix("raw_"), "")
        elif f"{schema}.{name}" in relations:
            versions[source_id] = rows_digest(connection, f"{schema}.{name}")
        else:
            versions[source_id] = ABSENT
    return versions


def held(connection: psycopg.Connection[Any]) -> dict[str, Held]:
    """Node → what it holds."""
    rows: Iterable[Any] = connection.execute(
        "select node_id, code, inputs, rows_digest from ops.node_builds"
    ).fetchall()
    return {node_id: Held(code, inputs, digest) for node_id, code, inputs, digest in rows}


def _relations(connection: psycopg.Connection[Any]) -> set[str]:
    rows = connection.execute(
        "select n.nspname || '.' || c.relname from pg_class as c"
        " inner join pg_namespace as n on n.oid = c.relnamespace"
        " where c.relkind in ('r', 'p', 'v', 'm')"
    ).fetchall()
    return {str(name) for (name,) in rows}
