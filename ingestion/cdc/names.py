"""Names of a source's tables and columns, and what they are called where they are stored.

A source may call a thing whatever it likes: in capitals, with blanks, quotes, a leading underscore, of
any length. Nearly every name is stored as it is; one that is too long for the database, or that stands
for something else there, gets a readable part of it and a hash. Belongs here: that. Does not belong here:
which table a record means (`decode.table_names`).
"""

import hashlib
import re

MAX_NAME = 255  # characters; no source's names are longer
_MAX_COLUMN = 63  # bytes, as the database has it
_MAX_TABLE = 48  # so that `_history` and the names of indexes fit behind it
_HASH = 8
_ODD = re.compile(r"[%\x00-\x1f\x7f]")  # what no statement can carry as it is

TENANT_ID, USER_ID = "_tenant_id", "_user_id"  # the ids that every table has
# What stands beside a table's columns in its tables, its history and the statements that make them.
_OWN_NAMES = """
    _key _extra _valid_from _valid_to _committed_at _received_at _load_id _is_deleted
    valid_from valid_to is_current is_deleted version_number
    _op _position _stream_file _stream_offset _instant _unavailable _former_op _former_after _next_op after
    tableoid xmin cmin xmax cmax ctid
"""
_OWN = frozenset(_OWN_NAMES.split()) | {TENANT_ID, USER_ID}
_OWN_PREFIXES = ("_known_", "_former_")


def is_name(text: str) -> bool:
    """Whether a table or column can be called so at any source."""
    return 0 < len(text) <= MAX_NAME and "\x00" not in text


def stored_column(name: str) -> str:
    """What a source's column is called in our tables."""
    is_own = name in _OWN or name.startswith(_OWN_PREFIXES)
    return _shortened(name, _MAX_COLUMN) if is_own else _fitting(name, _MAX_COLUMN)


def stored_table(product: str, name: str) -> str:
    """What a declared table is called in `raw_cdc`."""
    return _fitting(f"{product}__{name}", _MAX_TABLE)


def _fitting(name: str, limit: int) -> str:
    if len(name.encode()) <= limit and not _ODD.search(name):
        return name
    return _shortened(name, limit)


def _shortened(name: str, limit: int) -> str:
    digest = hashlib.sha256(name.encode()).hexdigest()[:_HASH]
    readable = _ODD.sub("_", name).encode()[: limit - _HASH - 1].decode(errors="ignore")
    return f"{readable}_{digest}"
