"""Where a change stands among all changes: its commit position, else its place in the stream.

A commit position is 28 bytes that compare as the source committed (rule 50). Debezium for Postgres
says `sequence` = [end of the last commit before this one, this change's own lsn]: transactions
overlap in the log, so the lsn alone misorders them, while their commits never overlap. For a
change, max(sequence) lies between the previous commit and its own: it rises from transaction to
transaction and fits the lsn at which a snapshot was taken, so that snapshots find their place too.
Belongs here: making positions. Does not belong here: placing the changes that have none (`positions`).
"""

import re
import struct
from collections.abc import Mapping
from typing import Any

import orjson

_PACK = struct.Struct(">QQQI").pack
_DIGITS = re.compile(r"\d+")
SNAPSHOTS = frozenset(
    {"true", "first", "last", "first_in_data_collection", "last_in_data_collection"}
)
BAD_POSITION = (ValueError, TypeError, LookupError, ArithmeticError, struct.error)
UNPLACED = ""  # no commit position: the place is inherited from the stream


def commit_position(source: Mapping[str, Any], transaction: Mapping[str, Any] | None) -> str:
    """The position as hexadecimal digits, `UNPLACED` when the record has none."""
    get = source.get
    if (lsn := get("lsn")) is None:
        return _binlog_position(source)
    order = transaction.get("total_order") if transaction else None
    return log_position(lsn, get("snapshot"), get("sequence"), get("ts_ms"), order).hex()


def log_position(lsn: Any, snapshot: Any, sequence: Any, ts_ms: Any, order: Any) -> bytes:
    """Postgres: the position of a change by what its `source` block says, empty when it has none.

    A snapshot's rows come before every change made after it was taken, and after all before it.
    Raises one of BAD_POSITION.
    """
    if snapshot is True or snapshot in SNAPSHOTS:
        return _PACK(lsn, 0, int(ts_ms or 0), 0)
    if snapshot == "incremental":
        return b""
    last_commit = 0
    if sequence:
        first = orjson.loads(sequence)[0]
        if first is not None:
            last_commit = int(first)
    return _PACK(lsn if lsn > last_commit else last_commit, last_commit + 1, lsn, order or 0)


def _binlog_position(source: Mapping[str, Any]) -> str:
    """MySQL and MariaDB: number of the log file, position in it, row of the statement."""
    file, place = source.get("file"), source.get("pos")
    if not isinstance(file, str) or not isinstance(place, int) or isinstance(place, bool):
        return UNPLACED
    snapshot = source.get("snapshot")
    if snapshot == "incremental":
        return UNPLACED
    taken = snapshot is True or snapshot in SNAPSHOTS
    number = _DIGITS.findall(file)
    row = source.get("row") or 0
    return _PACK(int(number[-1]) if number else 0, 2 * place + (not taken), row, 0).hex()


def natural_key(path: str) -> str:
    """A file's name as text that sorts in natural order: part-2 before part-10.

    Each number is led by the count of its digits; compression does not change a file's place.
    """
    return _DIGITS.sub(_sortable_number, path.removesuffix(".gz"))


def _sortable_number(match: re.Match[str]) -> str:
    digits = match.group().lstrip("0") or "0"
    return f"{len(digits):03d}{digits}"


def partition_lane(partition: int) -> str:
    """The stream of a partition, apart from all files' names."""
    return f"@{partition:010d}"
