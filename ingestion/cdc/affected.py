"""What a load brought, and which keys must be folded because of it, from where on.

A key whose new changes all lie behind what was folded before goes on from its current row; any
other is late: all its changes are read again. Belongs here: temp tables `fresh` (the load's
changes) and `affected` (its keys). Does not belong here: the fold itself (`fold`).
"""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from ingestion.cdc.tables import FoldTarget, text

# Names begin with _ because the contract's columns stand beside them.
EVENT_OF_CHANGE = """
    changes.key_hash as _key, changes.op as _op, changes.position as _position,
    changes.stream_file as _stream_file, changes.stream_offset as _stream_offset,
    changes.committed_at as _instant, changes.committed_at as _committed_at,
    changes.received_at as _received_at, changes.load_id as _load_id,
    changes.unavailable as _unavailable, changes.extra as _extra
"""


@dataclass(frozen=True)
class Batch:
    """What of a load concerns one table."""

    load_id: int
    has_resets: bool  # a truncate, or a snapshot of a table without a key
    refold_all: bool  # a reset came late, or the whole table is rebuilt


def read_fresh(conn: psycopg.Connection[Any], condition: str, values: dict[str, Any]) -> None:
    """Make temp table `fresh` of the changes that meet a condition; the fold begins from it."""
    conn.execute("drop table if exists fresh")
    conn.execute(
        text(
            "create temp table fresh on commit drop as"
            " select table_name, key is null as is_keyless, is_placed, content_hash, after,"
            f" {EVENT_OF_CHANGE} from raw_cdc.changes where {condition}"
        ),
        values,
    )


def find_affected(conn: psycopg.Connection[Any], target: FoldTarget, batch: Batch) -> None:
    """Keys with a new change; is_late: their earlier changes must be read again."""
    conn.execute(
        """
        create temp table affected on commit drop as
        select
            fresh._key,
            min(fresh._instant) as first_instant,
            bool_or(
                %(all)s
                or not fresh.is_placed
                or coalesce(fresh._position < folded.max_position, false)
                or coalesce(fresh._position = folded.max_position, false) and fresh._op <> 'r'
            ) as is_late
        from fresh
        left join raw_cdc.folded_tables as folded
            on folded.product = %(product)s and folded.table_name = fresh.table_name
        where fresh.table_name = %(table)s and fresh._op <> 't'
        group by fresh._key
        """,
        {"all": batch.refold_all, "product": target.product, "table": target.name},
    )
    if batch.has_resets or batch.refold_all:
        conn.execute("create unique index on affected (_key)")
        statement = "insert into affected select _key, null::timestamptz, {late} from {current}"
        if batch.refold_all:
            statement += " union select _key, null, {late} from {closed}"
        conn.execute(
            text(statement + " on conflict do nothing").format(
                late=sql.Literal(batch.refold_all), current=target.current, closed=target.closed
            )
        )
    _find_stopped_clocks(conn, target, batch)
    conn.execute("analyze affected")


def _find_stopped_clocks(conn: psycopg.Connection[Any], target: FoldTarget, batch: Batch) -> None:
    """Keys whose new change happened, by the source's clock, no later than what is folded already:
    what an instant comes to is decided by all its changes together."""
    first_reset = conn.execute(
        "select min(committed_at) from raw_cdc.resets"
        " where product = %s and table_name = %s and load_id = %s",
        [target.product, target.name, batch.load_id],
    ).fetchone()
    conn.execute(
        sql.SQL(
            """
            update affected
            set is_late = true
            from {current} as current
            where not affected.is_late and current._key = affected._key
                and current._valid_from >= least(affected.first_instant, {first_reset})
            """
        ).format(
            current=target.current,
            first_reset=sql.Literal(first_reset[0] if first_reset else None),
        )
    )
    conn.execute(
        sql.SQL(
            """
            update affected
            set is_late = true
            from {closed} as closed
            where not affected.is_late and closed._key = affected._key
                and closed._valid_to >= affected.first_instant
            """
        ).format(closed=target.closed)
    )


def columns_with_gaps(conn: psycopg.Connection[Any], target: FoldTarget) -> list[str]:
    """Columns of which some change says nothing, so that earlier values must be carried on."""
    rows = conn.execute(
        """
        select distinct unnest(_unavailable) from fresh
        where table_name = %(table)s and _unavailable is not null
        union
        select distinct unnest(changes.unavailable)
        from raw_cdc.changes
        inner join affected on affected._key = changes.key_hash
        where affected.is_late and changes.unavailable is not null
        """,
        {"table": target.name},
    ).fetchall()
    columns = target.typed_columns()
    return sorted(name for (name,) in rows if name in columns)
