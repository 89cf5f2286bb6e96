"""Notices a log that begins anew from below: a source on a new server, whose positions are lower.

By its positions everything since then would lie before what is there, and the rows would stay as they were
for ever. What tells is a change that was committed later than all before it and lies lower. Belongs here: that
sign, in SQL and for arrays; moving the changes once the contract says when it was. Does not belong here: the
number of a log in a position (`position`).
"""

from typing import Any

import numpy as np
import psycopg

from ingestion.cdc.scd.tables import FoldTarget

RESTARTED = "log_restarted"
_COUNT = """
select count(*)
from (
    select
        _instant,
        encode(_position, 'hex') collate "C" as place,
        max(encode(_position, 'hex') collate "C") over before as place_before,
        max(_instant) over before as instant_before
    from fresh
    where table_name = %(table)s and is_placed
    window before as (
        partition by _stream_file order by _stream_offset
        rows between unbounded preceding and 1 preceding
    )
) as placed
where (place < place_before and _instant > instant_before)
    or (place < %(folded_to)s collate "C" and _instant > %(newest)s::timestamptz)
"""
_LOG = "(select count(*) from unnest(%(restarts)s::timestamptz[]) as moment where moment <= committed_at)"
_MOVE = f"""
update raw_cdc.changes
set position = set_byte(position, 0, {_LOG}::integer)
where product = %(product)s and table_name = %(table)s and position <> ''::bytea
    and get_byte(position, 0) <> {_LOG}
"""


def count_restarted(
    conn: psycopg.Connection[Any], target: FoldTarget, folded_to: str | None, newest: Any
) -> int:
    """How many changes of `fresh` were committed after all before them, and lie lower."""
    row = conn.execute(
        _COUNT, {"table": target.name, "folded_to": folded_to, "newest": newest}
    ).fetchone()
    return int(row[0]) if row else 0


def may_have_restarted(
    positions: bytes, width: int, instants: np.ndarray[Any, Any], order: np.ndarray[Any, Any]
) -> bool:
    """Whether `count_restarted` must be asked of a load's own changes; `order` is that of the stream."""
    lead = np.frombuffer(positions, np.uint8).reshape(-1, width)[:, :8]
    places = np.ascontiguousarray(lead).view(">u8").ravel().astype(np.uint64)[order]
    moments = instants[order]
    is_lower = places[1:] < np.maximum.accumulate(places)[:-1]
    return bool((is_lower & (moments[1:] > np.maximum.accumulate(moments)[:-1])).any())


def move_to_logs(conn: psycopg.Connection[Any], target: FoldTarget) -> None:
    """Give the stored changes the log in which they stand by the contract of today."""
    conn.execute(
        _MOVE,
        {"product": target.product, "table": target.name, "restarts": list(target.log_restarts)},
    )
