"""What a load brought, and which keys must be folded because of it, from where on.

A key whose new changes all lie behind what was folded before goes on from its current row; any
other is late: all its changes are read again. So are those of a row that a snapshot shows again, for only
they say whether it shows anything new. Belongs here: temp tables `fresh` (the load's
changes) and `affected` (its keys). Does not belong here: the fold itself (`versions_sql`), when a
change is late (`lateness`).
"""

from dataclasses import dataclass
from typing import Any

import psycopg

from ingestion.cdc.scd.lateness import HAS_LATER_VERSION, LIES_BEFORE_FOLDED
from ingestion.cdc.scd.tables import FoldTarget, text

# Names begin with _ because the contract's columns stand beside them.
EVENT_OF_CHANGE = """
    changes.key_hash as _key, changes.op as _op, changes.position as _position,
    changes.stream_file as _stream_file, changes.stream_offset as _stream_offset,
    changes.committed_at as _instant, changes.received_at as _received_at, changes.load_id as _load_id,
    changes.unavailable as _unavailable, changes.extra as _extra
"""


_AFFECTED = (
    """
create temp table affected on commit drop as
select
    changed._key,
    changed.is_late
    or (changed.is_restated and current._key is not null)
    or"""
    + HAS_LATER_VERSION.format(
        key="changed._key",
        instant="changed.first_instant",
        since="least(changed.first_instant, %(first_reset)s::timestamptz)",
    )
    + """as is_late,
    current._key is not null as is_held
from (
    select
        _key,
        min(first_instant) as first_instant,
        bool_or(is_late) as is_late,
        bool_or(is_restated) as is_restated
    from (
        select
            _key,
            _instant as first_instant,
            _op = 'r' as is_restated,
            %(all)s or not is_placed or"""
    + LIES_BEFORE_FOLDED
    + """as is_late
        from fresh
        where table_name = %(table)s and _op <> 't'
"""
)
_GROUPED = """
    ) as changed
    group by _key
) as changed
left join {current} as current on current._key = changed._key
"""


@dataclass(frozen=True)
class Batch:
    """What of a load concerns one table."""

    load_id: int
    has_resets: bool  # a truncate, or a snapshot of a table without a key
    refold_all: bool  # a reset came late, or the whole table is rebuilt


@dataclass(frozen=True)
class Affected:
    """What temp table `affected` holds."""

    late: int  # keys to fold from all their changes


def read_fresh(conn: psycopg.Connection[Any], condition: str, values: dict[str, Any]) -> None:
    """Make temp table `fresh` of the changes that meet a condition; the fold begins from it."""
    conn.execute("drop table if exists fresh")
    conn.execute(
        text(
            "create temp table fresh on commit drop as"
            " select table_name, key is null as is_keyless, is_placed, after,"
            f" {EVENT_OF_CHANGE} from raw_cdc.changes where {condition}"
        ),
        values,
    )


def find_affected(
    conn: psycopg.Connection[Any], target: FoldTarget, batch: Batch, folded_to: str | None
) -> Affected:
    """Keys with a new change, as temp table `affected`; is_late: their earlier changes must be read
    again; is_held: they have a current row. `folded_to` is the newest position folded, in hex."""
    first_reset = conn.execute(
        "select min(committed_at) from raw_cdc.resets"
        " where product = %s and table_name = %s and load_id = %s",
        [target.product, target.name, batch.load_id],
    ).fetchone()
    more = ""
    if batch.has_resets or batch.refold_all:
        more += " union all select _key, null, false, %(all)s from {current}"
    if batch.refold_all:
        more += " union all select _key, null, false, true from {closed}"
    conn.execute(
        text(_AFFECTED + more + _GROUPED).format(current=target.current, closed=target.closed),
        {
            "all": batch.refold_all,
            "table": target.name,
            "folded_to": folded_to,
            "first_reset": first_reset[0] if first_reset else None,
        },
    )
    conn.execute("analyze affected")
    row = conn.execute("select count(*) filter (where is_late) from affected").fetchone()
    return Affected(late=row[0] if row else 0)


def columns_with_gaps(
    conn: psycopg.Connection[Any], target: FoldTarget, affected: Affected
) -> list[str]:
    """Columns of which some change says nothing, so that earlier values must be carried on."""
    late = """
        union
        select distinct unnest(changes.unavailable)
        from raw_cdc.changes
        inner join affected on affected._key = changes.key_hash
        where affected.is_late and changes.unavailable is not null
    """
    rows = conn.execute(
        text(
            "select distinct unnest(_unavailable) from fresh"
            " where table_name = %(table)s and _unavailable is not null"
            + (late if affected.late else "")
        ),
        {"table": target.name},
    ).fetchall()
    columns = target.typed_columns()
    return sorted(name for (name,) in rows if name in columns)
