"""Gives the changes that begin a file without a commit position their place behind the file before it.

Belongs here: the order of the files of a stream, in natural order of their names, or of the parts of a
partition; and keeping it right when an earlier file comes late. Does not belong here: places within a
file (`stream`), commit positions themselves (`position`).
"""

from dataclasses import dataclass
from typing import Any

import psycopg

from ingestion.cdc.scd.tables import FoldTarget

# A file of changes that were all loaded before says where its own begin: no place at or behind the change
# that follows them in it. Positions are compared as hexadecimal text: max(bytea) is younger than many a server.
_ASSIGN = """
with heads as (
    select stream_file, first_offset, heads_until, next_position
    from raw_cdc.stream_files
    where product = %(product)s and table_name = %(table)s and heads_until is not null
        and (not %(only_load)s or load_id = %(load_id)s)
),
placed as (
    select
        heads.*,
        (
            select files.newest_position
            from raw_cdc.stream_files as files
            where files.product = %(product)s and files.table_name = %(table)s
                and files.newest_position is not null
                and (files.stream_file, files.first_offset) < (heads.stream_file, heads.first_offset)
                and (case when files.stream_file like '@%%' then files.stream_file else '' end)
                    = (case when heads.stream_file like '@%%' then heads.stream_file else '' end)
            order by files.stream_file desc, files.first_offset desc
            limit 1
        ) as found_position
    from heads
),
bounded as (
    select
        stream_file, first_offset, heads_until,
        case
            when next_position is null or found_position < next_position then found_position
            else decode(
                (
                    select max(encode(changes.position, 'hex') collate "C")
                    from raw_cdc.changes
                    where changes.product = %(product)s and changes.table_name = %(table)s
                        and changes.is_placed and changes.position < placed.next_position
                ),
                'hex'
            )
        end as inherited
    from placed
),
moved as (
    select
        changes.tableoid as part, changes.ctid as row_place,
        coalesce(bounded.inherited || '\\x01'::bytea, ''::bytea) as assigned
    from raw_cdc.changes
    inner join bounded
        on bounded.stream_file = changes.stream_file
        and changes.stream_offset between bounded.first_offset and bounded.heads_until
    where changes.product = %(product)s and changes.table_name = %(table)s and not changes.is_placed
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
    last_unplaced_file: str | None
    has_placed: bool  # the load has changes with a commit position
    has_heads: bool  # it has some that come before any such change in their file
    first_file: str

    def must_assign(self) -> bool:
        """Whether any change's position can differ from what is stored."""
        if not self.has_placed and self.max_position is None:
            return False  # nothing to inherit from: the stream alone orders
        return self.has_heads or self.comes_before_others()

    def comes_before_others(self) -> bool:
        """Whether changes of a later file may take their place from this load."""
        earlier = self.last_unplaced_file is not None and self.first_file <= self.last_unplaced_file
        return earlier and self.has_placed


def assign_positions(
    conn: psycopg.Connection[Any], target: FoldTarget, state: StreamState, load_id: int,
    is_rebuilt: bool,
) -> None:  # fmt: skip
    """Place the table's changes that begin a file without a position. Keys of earlier loads whose change
    moved are added to `fresh`, so that they are folded again."""
    moved = conn.execute(
        _ASSIGN,
        {
            "product": target.product, "table": target.name, "load_id": load_id,
            "only_load": not is_rebuilt and not state.comes_before_others(),
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
