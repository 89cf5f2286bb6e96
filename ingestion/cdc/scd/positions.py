"""Gives changes without a commit position the position of the change before them in the stream.

Rows of an incremental snapshot carry no lsn; what they say was read after everything that stands
before them in the stream (rule 50). Belongs here: inheriting positions, within a partition or over
the files in natural order, and keeping it right when an earlier file comes late. Does not belong
here: commit positions themselves (`position`).
"""

from dataclasses import dataclass
from typing import Any

import psycopg

from ingestion.cdc.scd.tables import FoldTarget

# Positions are compared as hexadecimal text: max(bytea) is younger than many a server.
_ASSIGN = """
with stream as (
    select
        tableoid as part, ctid as row_place, is_placed, position,
        max(case when is_placed then encode(position, 'hex') collate "C" end) over (
            partition by case when stream_file like '@%%' then stream_file else '' end
            order by stream_file, stream_offset
            rows unbounded preceding
        ) as inherited
    from raw_cdc.changes
    where product = %(product)s and table_name = %(table)s {scope}
),
moved as (
    select part, row_place, decode(coalesce(greatest(inherited, %(floor)s), ''), 'hex') as assigned
    from stream
    where not is_placed
)
update raw_cdc.changes
set position = moved.assigned
from moved
where changes.tableoid = moved.part and changes.ctid = moved.row_place
    and changes.position <> moved.assigned
returning changes.key_hash, changes.load_id
"""


@dataclass(frozen=True)
class StreamState:
    """What was known of a table's stream before this load, and what the load brought."""

    max_position: str | None  # hex, of all changes folded so far
    max_stream_file: str | None
    last_unplaced_file: str | None
    has_placed: bool  # the load has changes with a commit position
    has_unplaced: bool
    first_file: str

    def must_assign(self) -> bool:
        """Whether any change's position can differ from what is stored."""
        if not self.has_placed and self.max_position is None:
            return False  # nothing to inherit from: the stream alone orders
        earlier = self.last_unplaced_file is not None and self.first_file <= self.last_unplaced_file
        return self.has_unplaced or (earlier and self.has_placed)

    def continues(self) -> bool:
        """The load lies wholly behind everything loaded before, in one stream."""
        if self.first_file.startswith("@") or (self.max_stream_file or "").startswith("@"):
            return False
        return self.max_stream_file is None or self.first_file > self.max_stream_file


def assign_positions(
    conn: psycopg.Connection[Any], target: FoldTarget, state: StreamState, load_id: int,
    dates: list[Any] | None,
) -> None:  # fmt: skip
    """Place the table's changes that have no commit position. Keys of earlier loads whose change
    moved are added to `fresh`, so that they are folded again."""
    continues = dates is not None and state.continues()
    scope = "and load_id = %(load_id)s and event_date = any(%(dates)s)" if continues else ""
    moved = conn.execute(
        _ASSIGN.format(scope=scope),
        {
            "product": target.product, "table": target.name, "load_id": load_id, "dates": dates,
            "floor": state.max_position if continues else None,
        },
    ).fetchall()  # fmt: skip
    earlier = sorted({str(key) for key, load in moved if load != load_id})
    if earlier:
        conn.execute(
            """
            insert into fresh (table_name, is_keyless, is_placed, _key, _op, _position, _load_id)
            select %s, false, false, unnest(%s::uuid[]), 'moved', '\\x', %s
            """,
            [target.name, earlier, load_id],
        )
