"""Changes into a table from what is stored of them, late-arriving or not, with every special case.

Belongs here: the order of the steps that bring one table up to date. Does not belong here: any step
itself (`positions`, `affected`, `versions_sql`, `write`), on-time changes in columns (`fast`).
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

import psycopg

from ingestion.cdc.scd.affected import Batch, find_affected
from ingestion.cdc.scd.positions import StreamState, assign_positions
from ingestion.cdc.scd.progress import Progress, advance, read_progress
from ingestion.cdc.scd.restarts import count_restarted
from ingestion.cdc.scd.tables import FoldTarget
from ingestion.cdc.scd.versions_sql import fold
from ingestion.cdc.scd.write import write

_SUMMARY = """
select
    fresh.table_name,
    bool_or(_op = 't'), bool_or(is_keyless and _op = 'r'),
    bool_or(_op = 't' and not is_placed),
    max(case when is_placed then encode(_position, 'hex') collate "C" end),
    bool_or(is_placed), min(_stream_file), max(_stream_file),
    max(case when not is_placed then _stream_file end), max(_instant)
from fresh
group by fresh.table_name
order by fresh.table_name
"""
_RESETS = """
insert into raw_cdc.resets
    (product, table_name, position, stream_file, stream_offset, committed_at, load_id)
select
    %(product)s, table_name, _position,
    case when _op = 't' then _stream_file else '' end,
    case when _op = 't' then _stream_offset else 0 end,
    min(_instant), %(load_id)s
from fresh
where table_name = %(table)s and (_op = 't' or (%(keyless)s and is_keyless and _op = 'r'))
group by 1, 2, 3, 4, 5
on conflict do nothing
returning encode(position, 'hex')
"""


class Summary(NamedTuple):
    """What `fresh` holds of one table."""

    has_truncates: bool
    has_snapshot_without_key: bool
    has_unplaced_truncates: bool
    newest_position: str | None
    has_placed: bool
    first_file: str
    last_file: str
    last_unplaced_file: str | None
    newest_instant: datetime


def summaries(conn: psycopg.Connection[Any]) -> Iterator[tuple[str, Summary]]:
    """What `fresh` holds, by table."""
    for row in conn.execute(_SUMMARY).fetchall():
        yield row[0], Summary(*row[1:])


def bring_up_to_date(
    conn: psycopg.Connection[Any], target: FoldTarget, load_id: int, found: Summary,
    has_heads: bool, is_rebuilt: bool = False,
) -> int:  # fmt: skip
    """Place, reset and fold one table from `fresh`; then remember how far it came. How many changes say
    that the source's log began anew. `is_rebuilt`: `fresh` holds all changes of the table."""
    before = read_progress(conn, target)
    state = StreamState(
        max_position=before.max_position,
        last_unplaced_file=before.last_unplaced_file,
        has_placed=found.has_placed,
        has_heads=has_heads,
        first_file=found.first_file,
    )
    names = {"product": target.product, "table": target.name, "load_id": load_id}
    if state.must_assign():
        assign_positions(conn, target, state, load_id, is_rebuilt)
    restarted = count_restarted(conn, target, before.max_position, before.newest_instant)
    resets: list[str] = []
    if found.has_truncates or found.has_snapshot_without_key:
        rows = conn.execute(_RESETS, {**names, "keyless": found.has_snapshot_without_key})
        resets = [position for (position,) in rows]
    refold_all = (
        is_rebuilt
        or found.has_unplaced_truncates
        or (
            before.max_position is not None
            and any(position <= before.max_position for position in resets)
        )
    )
    batch = Batch(load_id, bool(resets), refold_all)
    affected = find_affected(conn, target, batch, before.max_position)
    carried = fold(conn, target, batch, affected)
    write(conn, target, load_id, carried)
    conn.execute("drop table affected, versions")
    reached = Progress(
        found.newest_position, found.last_file, found.last_unplaced_file, found.newest_instant
    )
    advance(conn, target, before, reached)
    return restarted
