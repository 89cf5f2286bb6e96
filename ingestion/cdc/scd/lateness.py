"""When a change is late-arriving: what was folded of its key before may come out otherwise with it.

It is late by the source's commits, when it lies before a change that is folded already (a snapshot's
rows share their position, so the newest position is no earlier one for them); or by the source's
clock, when it happened no later than a version of its key began or ended, for what an instant comes
to is decided by all its changes together. Belongs here: both rules, in SQL and for arrays. Does not
belong here: what follows from it (`affected`, `fast.apply`).
"""

from datetime import datetime, timedelta
from typing import Any

import numpy as np

from ingestion.values.instants import EPOCH

POSITION_BYTES = 28
RESTATED = "r"  # the operation of a snapshot's rows

# Of a row with _position and _op; null and so false while nothing is folded.
LIES_BEFORE_FOLDED = f"""
    coalesce(
        _position < decode(%(folded_to)s, 'hex')
            or (_position = decode(%(folded_to)s, 'hex') and _op <> '{RESTATED}'),
        false
    )
"""
# Of a key, with its row of {{current}} left-joined; `instant` is that of its earliest change.
HAS_LATER_VERSION = """
    coalesce(current._valid_from >= {since}, false)
    or (
        current._key is null
        and exists (
            select from {{closed}} as closed
            where closed._key = {key} and closed._valid_to >= {instant}
        )
    )
"""


def lie_before_folded(
    positions: bytes, is_restated: np.ndarray[Any, Any], folded_to: str | None
) -> np.ndarray[Any, Any]:
    """`LIES_BEFORE_FOLDED` of many changes; `positions` are POSITION_BYTES each."""
    places = np.frombuffer(positions, f"S{POSITION_BYTES}")
    if folded_to is None:
        return np.zeros(len(places), np.bool_)
    folded = np.bytes_(bytes.fromhex(folded_to))
    return (places < folded) | ((places == folded) & ~is_restated)


def may_have_later_version(
    instants_us: np.ndarray[Any, Any], newest: datetime | None
) -> np.ndarray[Any, Any]:
    """Which keys `HAS_LATER_VERSION` must be asked of: no version of the table begins or ends after
    `newest`."""
    if newest is None:
        return np.zeros(len(instants_us), np.bool_)
    return instants_us <= (newest - EPOCH) // timedelta(microseconds=1)
