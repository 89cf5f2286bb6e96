"""The marks that Debezium sends in the place of a large value that did not change (rule 52).

Belongs here: knowing them in every form. Does not belong here: which earlier value stays (`versions_sql`).
"""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID

PLACEHOLDER = "__debezium_unavailable_value"
_PLACEHOLDER_BASE64 = base64.b64encode(PLACEHOLDER.encode()).decode()  # bytea
_PLACEHOLDER_UUID = str(  # arrays of UUIDs: Java's UUID.nameUUIDFromBytes
    UUID(bytes=hashlib.md5(PLACEHOLDER.encode(), usedforsecurity=False).digest(), version=3)
)
PLACEHOLDERS = frozenset({PLACEHOLDER, _PLACEHOLDER_BASE64, _PLACEHOLDER_UUID})
_PLACEHOLDER_CODES = list(PLACEHOLDER.encode())  # arrays of numbers


def may_hold_placeholder(row: Mapping[str, Any]) -> bool:
    """Whether a closer look is worth it; cheap, and never wrong in saying no."""
    try:
        return not PLACEHOLDERS.isdisjoint(row.values())
    except TypeError:  # a list or an object among them
        return True


def is_placeholder(value: Any) -> bool:
    """Rule 52: the source did not send this value because it did not change."""
    if isinstance(value, str):
        return value in PLACEHOLDERS
    if isinstance(value, list):
        return value == _PLACEHOLDER_CODES or (bool(value) and all(map(is_placeholder, value)))
    if isinstance(value, dict):
        return list(value.items()) == [(PLACEHOLDER, PLACEHOLDER)]
    return False
