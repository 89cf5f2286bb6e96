"""Where a change stands among all changes: its commit position, else its place in the stream.

A commit position is bytes that compare as the source committed (rule 50), of one length for each kind of
log. The first says which log it is: 0, or more where the contract says that the log began anew.
Debezium for Postgres says `sequence` = [end of the last commit before this one, this change's own lsn]:
transactions overlap in the log, so the lsn alone misorders them, while their commits never overlap. For
a change, max(sequence) lies between the previous commit and its own: it rises from transaction to
transaction and fits the lsn at which a snapshot was taken, so that snapshots find their place too.
SQL Server and Db2 name the lsn of the commit and of the change, Oracle their scn; MySQL the place in its log.
Belongs here: making positions. Does not belong here: placing the changes that have none (`positions`).
"""

import re
import struct
from collections.abc import Mapping
from typing import Any

import orjson

_PACK = struct.Struct(">QQQI").pack
_LSN_BYTES = 16  # of the longest, Db2's
_PACK_COMMIT = struct.Struct(f">x{_LSN_BYTES}sB{_LSN_BYTES}sI").pack
_PACK_SCN = struct.Struct(">QBQ7sI").pack
_NO_LSN = (None, "", "NULL")
_CHANGED, _TAKEN = 1, 2  # at one commit, its changes come before a snapshot that saw them
_DIGITS = re.compile(r"\d+")
_HEX_DIGITS = re.compile(r"[0-9a-f]+")
SNAPSHOTS = frozenset(
    {"true", "first", "last", "first_in_data_collection", "last_in_data_collection"}
)
BAD_POSITION = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, struct.error)
UNPLACED = ""  # no commit position: the place is inherited from the stream


def commit_position(source: Mapping[str, Any], transaction: Mapping[str, Any] | None) -> str:
    """The position as hexadecimal digits, `UNPLACED` when the record has none; raises one of BAD_POSITION."""
    get = source.get
    if get("snapshot") == "incremental":
        return UNPLACED  # whatever it states is where the log was, not the row
    if (lsn := get("lsn")) is not None:
        order = transaction.get("total_order") if transaction else None
        return log_position(lsn, get("snapshot"), get("sequence"), get("ts_ms"), order).hex()
    if get("commit_lsn") not in _NO_LSN:
        return _commit_lsn_position(source)
    if get("commit_scn") is not None or get("scn") is not None:
        return _scn_position(source)
    return _binlog_position(source)


def in_log(position: str, log: int) -> str:
    """A position in the log of this number."""
    return f"{log:02x}{position[2:]}" if log and position else position


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


def _is_taken(source: Mapping[str, Any]) -> bool:
    """Whether the record is of a snapshot."""
    snapshot = source.get("snapshot")
    return snapshot is True or snapshot in SNAPSHOTS


def _commit_lsn_position(source: Mapping[str, Any]) -> str:
    """SQL Server and Db2: lsn of the commit, lsn of the change, number of the row in it."""
    commit = _lsn(source["commit_lsn"])
    if _is_taken(source):
        return _PACK_COMMIT(commit, _TAKEN, _millis(source), 0).hex()
    change = source.get("change_lsn")
    number = int(source.get("event_serial_no") or 0)
    return _PACK_COMMIT(
        commit, _CHANGED, _lsn("0" if change in _NO_LSN else str(change)), number
    ).hex()


def _lsn(text: str) -> bytes:
    """`00000028:00000100:0002` as a number of 16 bytes."""
    digits = text.replace(":", "")
    return int(digits, 16).to_bytes(_LSN_BYTES, "big")


def _millis(source: Mapping[str, Any]) -> bytes:
    """When a snapshot's row was read: two snapshots at one commit are two."""
    return int(source.get("ts_ms") or 0).to_bytes(_LSN_BYTES, "big")


def _scn_position(source: Mapping[str, Any]) -> str:
    """Oracle: scn of the commit, scn of the change, its place in the redo log. Without a commit's scn
    (XStream) the stream itself is in the order of commits."""
    scn = int(source.get("scn") or 0)
    if _is_taken(source):
        return _PACK_SCN(scn, _TAKEN, int(source.get("ts_ms") or 0), b"", 0).hex()
    commit = source.get("commit_scn")
    if commit is None:
        return UNPLACED
    number = int(source.get("ssn") or 0)
    return _PACK_SCN(int(commit), _CHANGED, scn, _redo_address(source.get("rs_id")), number).hex()


def _redo_address(text: Any) -> bytes:
    """` 0x000012.00034567.0010`: log, block and byte, the last of their bytes."""
    digits = "".join(_HEX_DIGITS.findall(str(text or "").lower().replace("0x", "")))
    return int(digits or "0", 16).to_bytes(64, "big")[-7:] if len(digits) <= 128 else b""


def _binlog_position(source: Mapping[str, Any]) -> str:
    """MySQL and MariaDB: number of the log file, position in it, row of the statement."""
    file, place = source.get("file"), source.get("pos")
    if not isinstance(file, str) or not isinstance(place, int) or isinstance(place, bool):
        return UNPLACED
    number = _DIGITS.findall(file)
    row = source.get("row") or 0
    return _PACK(
        int(number[-1]) if number else 0, 2 * place + (not _is_taken(source)), row, 0
    ).hex()


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
