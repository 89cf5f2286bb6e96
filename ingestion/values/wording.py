"""How a value that cannot be read is spoken of without being repeated: a reason holds no value (rule 79).

Belongs here: words for values. Does not belong here: sentences of any source.
"""

from typing import Any

_KINDS = {str: "text", int: "number", float: "number", bool: "flag", dict: "JSON object",
          list: "JSON array", type(None): "null"}  # fmt: skip


def kind_of(value: Any) -> str:
    """What a value is, in one word."""
    return _KINDS.get(type(value), type(value).__name__)


def form_of(value: Any) -> str:
    """What a value is, and how long a text is of what kind."""
    if not isinstance(value, str):
        return kind_of(value)
    text = value.strip()
    said = "text of digits" if text.isdigit() else "text"
    return f"{said}, {len(text)} characters long,"
