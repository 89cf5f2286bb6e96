"""One line of JSON to a Python object, keeping what fast parsers lose.

Integers beyond 64 bits keep every digit; NUL characters and lone surrogates, which no database
text can hold, become U+FFFD. Does not belong here: what the object means.
"""

import json
import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import orjson

from ingestion.values.outcomes import Rejected
from ingestion.values.wording import kind_of

_DIGITS = 15  # that every double keeps
_LONG_NUMBER = re.compile(rb"[:,\[]\s*-?(?:\d{19}|(?=\d+\.)[\d.]{16})")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def decode_object(line: bytes) -> dict[str, Any] | Rejected:
    """The JSON object of a line, or why it is none."""
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return decode_exactly(line)
    return value if isinstance(value, dict) else _not_an_object(value)


def decode_digits(line: bytes) -> dict[str, Any] | Rejected:
    """As decode_object, but a number with more digits than a double holds is an exact Decimal."""
    if b"\\u0000" not in line and _LONG_NUMBER.search(line) is None:
        return decode_object(line)
    return decode_exactly(line, _exact)


def decode_exactly(
    line: bytes, parse_float: Callable[[str], Any] | None = None
) -> dict[str, Any] | Rejected:
    """As decode_object, slowly: every digit of whole numbers kept, unstorable characters replaced."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        return Rejected("invalid_utf8", f"Byte {error.start + 1} of the line is not UTF-8 text.")
    try:
        value = json.loads(text, parse_float=parse_float or finite, parse_constant=no_constant)
        value = _storable(value)
    except RecursionError:
        return Rejected("too_deep", "The record is nested too deeply to be read.")
    except json.JSONDecodeError as error:
        if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated"):
            return Rejected("truncated_json", "The line ends in the middle of a JSON value.")
        return Rejected("invalid_json", f"Not JSON: {error.msg} at character {error.pos + 1}.")
    except ValueError as error:
        return Rejected("invalid_number", f"The line holds a number that cannot be kept: {error}.")
    return value if isinstance(value, dict) else _not_an_object(value)


def encode(value: Any) -> str:
    """Canonical JSON text (sorted keys); integers of any size."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:
        return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def is_inexact(value: float) -> bool:
    """Whether a parsed float may be an integer that did not fit 64 bits."""
    return value >= 9.2e18 or value <= -9.2e18


def _not_an_object(value: Any) -> Rejected:
    return Rejected("not_an_object", f"The line is a {kind_of(value)}, not a JSON object.")


def finite(text: str) -> float:
    """A number as a double; one that no double holds is a ValueError."""
    value = float(text)
    if math.isinf(value):
        raise ValueError("one is beyond a double")
    return value


def _exact(text: str) -> float | Decimal:
    value = finite(text)
    return value if len(text) <= _DIGITS else Decimal(text)


def no_constant(text: str) -> None:
    """NaN and Infinity, which Python reads and JSON does not have."""
    raise ValueError(f"{text} is not JSON")


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_storable(item) for item in value]
    return value
