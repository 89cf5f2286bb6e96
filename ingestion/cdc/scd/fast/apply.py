"""The fast path of a load's changes into a table: folded here, in columns, and copied where they go.

Nearly every load brings changes that are newer than everything folded before, each with its place and
all its values. They need no look at older changes: only whether their keys have a current row. What
is otherwise in any way is left to `affected`, `versions_sql` and `write`, which know every case; where both
can go they come to the same, which a test compares.
Belongs here: telling whether the fast path is open, and taking it. Does not belong here: the fold
itself (`versions`), closing what was current (`close`), writing the versions
(`write`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql

from ingestion.cdc.decode.rows import ChangeRows
from ingestion.cdc.scd.fast.close import close_current
from ingestion.cdc.scd.fast.versions import (
    Flags,
    Ints,
    Order,
    earliest,
    fold_changes,
    order_changes,
)
from ingestion.cdc.scd.fast.write import write_versions
from ingestion.cdc.scd.lateness import (
    HAS_LATER_VERSION,
    POSITION_BYTES,
    RESTATED,
    lie_before_folded,
    may_have_later_version,
)
from ingestion.cdc.scd.positions import StreamState
from ingestion.cdc.scd.progress import Progress, advance, read_progress
from ingestion.cdc.scd.restarts import may_have_restarted
from ingestion.cdc.scd.tables import FoldTarget
from ingestion.values.instants import EPOCH

_HAS_LATER_VERSION = HAS_LATER_VERSION.format(
    key="doubtful.key", instant="doubtful.instant", since="doubtful.instant"
)
_IS_ANY_LATE = f"""
select exists (
    select
    from unnest(%s::uuid[], %s::timestamptz[]) as doubtful (key, instant)
    left join {{current}} as current on current._key = doubtful.key
    where {_HAS_LATER_VERSION}
)
"""


@dataclass(frozen=True)
class Changes:
    """All that a load brought of one table, in columns. Row i of `images` is that of change i."""

    table: pa.Table  # columns of raw_cdc.changes
    images: pa.Table

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def bytes_of(self, name: str, width: int) -> bytes:
        column = self.table[name].combine_chunks()
        raw = np.frombuffer(column.cast(pa.binary(width)).buffers()[1], np.uint8)
        start = column.offset * width
        return raw[start : start + len(column) * width].tobytes()

    def micros(self, name: str) -> Ints:
        return np.asarray(self.table[name].cast(pa.int64()).combine_chunks())

    def of_lane_ranks(self) -> Ints:
        """The order of the stream's files, as numbers."""
        lanes = self.table["stream_file"].combine_chunks().dictionary_encode()
        ranks = np.argsort(np.argsort(np.array(lanes.dictionary.to_pylist(), object)))
        return ranks[np.asarray(lanes.indices)]


def tables_of(rows: Sequence[ChangeRows]) -> dict[str, Changes | None]:
    """A load's changes by table; None for a table of which some are not in columns."""
    counts: dict[str, int] = {}
    found: dict[str, list[tuple[pa.Table, pa.Table]]] = {}
    for part in rows:
        for counted in pc.value_counts(part.table["table_name"]).to_pylist():
            name = counted["values"]
            counts[name] = counts.get(name, 0) + counted["counts"]
        for name, image in part.images.items():
            changes = part.table.take(pa.array(image.places))
            found.setdefault(name, []).append((changes, image.columns))
    by_table: dict[str, Changes | None] = {}
    for name, count in counts.items():
        parts = found.get(name, [])
        whole = Changes(*map(pa.concat_tables, zip(*parts, strict=True))) if parts else None
        by_table[name] = whole if whole is not None and len(whole) == count else None
    return by_table


def fold_on_time(
    conn: psycopg.Connection[Any], target: FoldTarget, load_id: int, changes: Changes
) -> bool:
    """Bring a table up to date; False, with nothing done, where a change is late-arriving or says too little."""
    before = read_progress(conn, target)
    positions = changes.bytes_of("position", POSITION_BYTES)
    lanes = changes.table["stream_file"].unique().to_pylist()
    state = StreamState(
        max_position=before.max_position,
        last_unplaced_file=before.last_unplaced_file,
        has_placed=True,
        has_heads=False,
        first_file=min(lanes),
    )
    is_restated = np.asarray(pc.equal(changes.table["op"], RESTATED))
    is_before = lie_before_folded(positions, is_restated, before.max_position)
    if state.must_assign() or is_before.any():
        return False
    instants = changes.micros("committed_at")
    offsets = np.asarray(changes.table["stream_offset"].combine_chunks())
    in_stream = np.lexsort((offsets, changes.of_lane_ranks()))
    if may_have_restarted(positions, POSITION_BYTES, instants, in_stream):
        return False
    order = order_changes(
        changes.bytes_of("key_hash", 16), positions, changes.of_lane_ranks(),
        offsets,
    )  # fmt: skip
    keys = changes.table["key_hash"].take(pa.array(order.rows[order.begins])).combine_chunks()
    if _shows_again(conn, target, keys, order, is_restated, before.max_position):
        return False
    if _any_late(conn, target, keys, earliest(order, instants), before.newest_instant):
        return False
    is_end = np.asarray(pc.equal(changes.table["op"], "d"))
    if_current = fold_changes(order, is_end, instants, np.ones(len(keys), np.bool_))
    former = close_current(conn, target, keys, if_current)
    versions = fold_changes(order, is_end, instants, former.is_held)
    write_versions(conn, target, load_id, changes.table, changes.images, versions, former)
    newest_position = max(np.frombuffer(positions, f"S{POSITION_BYTES}"))
    advance(
        conn, target, before,
        Progress(
            newest_position.ljust(POSITION_BYTES, b"\0").hex(), max(lanes), None,
            EPOCH + timedelta(microseconds=int(instants.max())),
        ),
    )  # fmt: skip
    return True


def _shows_again(
    conn: psycopg.Connection[Any], target: FoldTarget, keys: pa.Array, order: Order,
    is_restated: Flags, folded_to: str | None,
) -> bool:  # fmt: skip
    """Whether a snapshot's row is of a key that is known, so that it may show nothing new."""
    restated = is_restated[order.rows]
    if (restated & ~order.begins).any():
        return True
    if folded_to is None or not restated.any():
        return False
    asked = [key.hex() for key in keys.take(pa.array(order.keys[restated])).to_pylist()]
    row = conn.execute(
        sql.SQL("select exists (select from {} where _key = any(%s::uuid[]))").format(
            target.current
        ),
        [asked],
    ).fetchone()
    return row is None or bool(row[0])


def _any_late(
    conn: psycopg.Connection[Any], target: FoldTarget, keys: pa.Array, instants: Ints,
    newest: datetime | None,
) -> bool:  # fmt: skip
    """Whether a key has a version that, by the source's clock, is no older than its new changes."""
    doubtful = np.flatnonzero(may_have_later_version(instants, newest))
    if not len(doubtful):
        return False
    asked = [key.hex() for key in keys.take(pa.array(doubtful)).to_pylist()]
    moments = [EPOCH + timedelta(microseconds=us) for us in instants[doubtful].tolist()]
    row = conn.execute(
        sql.SQL(_IS_ANY_LATE).format(current=target.current, closed=target.closed),
        [asked, moments],
    ).fetchone()
    return row is None or bool(row[0])
