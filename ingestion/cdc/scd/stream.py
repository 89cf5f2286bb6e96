"""The stream that a file brings, in its own order: what stands before a change without a commit position.

Rows of an incremental snapshot carry none; what they say was read after everything that stands before
them in the stream (rule 50). A file says of nearly all of them what that is, and says it whether or not
its other changes were loaded before: a topic that is dumped again is the same stream. Belongs here:
placing changes within their file, and remembering where files begin and end. Does not belong here: the
order of files (`positions`).
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.cdc.decode.rows import ChangeRows

BEHIND = b"\x01"  # appended to a position: after the change that has it, before any other


@dataclass
class Lane:
    """One table's changes in one file, or in one partition that the file is of."""

    first_offset: int
    newest: bytes = b""  # commit position
    heads_until: int | None = None  # the last change before any that has a position
    next: bytes | None = None  # the first position after those


@dataclass
class FileStream:
    """Sees the rows of a file batch by batch."""

    lanes: dict[tuple[str, str], Lane] = field(default_factory=dict)

    def place(self, rows: ChangeRows) -> ChangeRows:
        """The rows with each change that has no position behind the one before it in the file."""
        table = rows.table
        if not len(table):
            return rows
        has_unplaced = not pc.all(table["is_placed"]).as_py()
        if not has_unplaced and not any(
            lane.heads_until and not lane.next for lane in self.lanes.values()
        ):
            self._pass(table)
            return rows
        positions = self._walk(table)
        if not has_unplaced:
            return rows
        place = table.schema.get_field_index("position")
        column = pa.chunked_array([pa.array(positions, pa.binary())])
        return ChangeRows(table.set_column(place, "position", column), rows.images)

    def _pass(self, table: pa.Table) -> None:
        """Changes that all have positions."""
        found = table.group_by(["table_name", "stream_file"], use_threads=False).aggregate(
            [("position", "max"), ("stream_offset", "min")]
        )
        for row in found.to_pylist():
            lane = self._lane((row["table_name"], row["stream_file"]), row["stream_offset_min"])
            lane.newest = max(lane.newest, row["position_max"])

    def _walk(self, table: pa.Table) -> list[bytes]:
        """Change by change, in the order of the stream."""
        names, files = table["table_name"].to_pylist(), table["stream_file"].to_pylist()
        offsets = table["stream_offset"].to_numpy()
        is_placed, positions = table["is_placed"].to_pylist(), table["position"].to_pylist()
        for row in np.argsort(offsets, kind="stable").tolist():
            offset = int(offsets[row])
            lane = self._lane((names[row], files[row]), offset)
            if is_placed[row]:
                if lane.heads_until is not None and lane.next is None:
                    lane.next = positions[row]
                lane.newest = max(lane.newest, positions[row])
            elif lane.newest:
                positions[row] = lane.newest + BEHIND
            else:
                lane.heads_until = max(lane.heads_until or offset, offset)
        return positions

    def _lane(self, key: tuple[str, str], offset: int) -> Lane:
        lane = self.lanes.get(key)
        if lane is None:
            lane = self.lanes[key] = Lane(offset)
        lane.first_offset = min(lane.first_offset, offset)
        return lane

    def has_heads(self, table: str) -> bool:
        """Whether changes of a table come before any with a position."""
        return any(
            lane.heads_until is not None for (name, _), lane in self.lanes.items() if name == table
        )

    def remember(self, conn: psycopg.Connection[Any], product: str, load_id: int) -> None:
        conn.cursor().executemany(
            "insert into raw_cdc.stream_files values (%s, %s, %s, %s, %s, %s, %s, %s)"
            " on conflict (product, table_name, stream_file, first_offset) do update set"
            " newest_position = greatest(stream_files.newest_position, excluded.newest_position),"
            " heads_until = greatest(stream_files.heads_until, excluded.heads_until),"
            " next_position = coalesce("
            "least(stream_files.next_position, excluded.next_position), excluded.next_position),"
            " load_id = excluded.load_id",
            [
                (
                    product,
                    *key,
                    lane.first_offset,
                    lane.newest or None,
                    lane.heads_until,
                    lane.next,
                    load_id,
                )
                for key, lane in self.lanes.items()
            ],
        )


def remember_stored(conn: psycopg.Connection[Any], product: str, table: str) -> None:
    """Where files end that were loaded before this was remembered, as far as their changes are stored."""
    conn.execute(
        """
        insert into raw_cdc.stream_files
            (product, table_name, stream_file, first_offset, newest_position, load_id)
        select
            product, table_name, stream_file, min(stream_offset),
            decode(max(case when is_placed then encode(position, 'hex') collate "C" end), 'hex'),
            max(load_id)
        from raw_cdc.changes
        where product = %(product)s and table_name = %(table)s and not exists (
            select from raw_cdc.stream_files as held
            where held.product = changes.product and held.table_name = changes.table_name
                and held.stream_file = changes.stream_file
        )
        group by product, table_name, stream_file
        """,
        {"product": product, "table": table},
    )
