"""A table whose changes were taken back: it is emptied, to be folded from what is left.

Belongs here: emptying, and noting whom that touches. Does not belong here: taking back
(`storing.withdrawal`), the fold that follows (`apply`).
"""

from typing import Any

import psycopg

from ingestion.cdc.scd.progress import forget
from ingestion.cdc.scd.tables import FoldTarget, is_made, text
from ingestion.cdc.scd.touched import note_touched

_EMPTY = """
with people as (
    select _tenant_id, _user_id from {current}
    union
    select _tenant_id, _user_id from {closed}
),
current as (delete from {current}),
closed as (delete from {closed})
{note_touched}
"""


def empty(conn: psycopg.Connection[Any], target: FoldTarget, load_id: int) -> None:
    """Remove current state and closed versions of a table, and forget how far it was folded."""
    if not is_made(conn, target):  # declared since
        return
    conn.execute(
        text(_EMPTY).format(
            current=target.current,
            closed=target.closed,
            note_touched=note_touched(target, load_id),
        )
    )
    conn.execute(
        "delete from raw_cdc.resets where product = %s and table_name = %s",
        [target.product, target.name],
    )
    forget(conn, target)
