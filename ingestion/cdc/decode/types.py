"""Decodes Debezium's encodings of column values into text or numbers that Postgres reads exactly.

Belongs here: one pure function per type, refusing (ValueError) what the type cannot hold, for a
value the database refuses would stop the file. Does not belong here: which column has which type
(`contract`), dates and times (`instants`), personal data.
"""

import base64
import binascii
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from math import isfinite, isinf, isnan
from typing import Any

import orjson

from ingestion.cdc.contract import TYPE, Column
from ingestion.cdc.decode import times

Decoder = Callable[[Any], Any]

_UUID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}\Z")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?\Z")
_INTEGER = re.compile(r"[+-]?\d{1,20}\Z", re.ASCII)
_NOT_NUMBERS = {
    "NaN": "NaN", "Infinity": "Infinity", "-Infinity": "-Infinity",
    "NAN": "NaN", "INFINITY": "Infinity", "-INFINITY": "-Infinity", "+Infinity": "Infinity",
}  # fmt: skip
_RANGES = {"smallint": 15, "integer": 31, "bigint": 63}
_LONG_EXPONENT = re.compile(r"\d[eE][+-]?\d{4}")  # beyond what the database can hold
_FLOAT4_MAX = 3.4028235677973366e38
_NUMERIC_DIGITS = 131_072


def decoder(column: Column) -> Decoder:
    """The function that decodes one not-null value of a column."""
    match = TYPE.match(column.type)
    assert match is not None, column.type
    name, precision, scale, fraction, width, array = match.groups()
    base = name.split("(", 1)[0]
    if base in _RANGES:
        decode: Decoder = _integer(_RANGES[base])
    elif base == "numeric":
        decode = _numeric(int(precision) if precision else None, int(scale or 0))
    elif base in ("real", "double precision"):
        decode = _real if base == "real" else _double
    elif base in ("timestamp", "timestamptz", "date", "time", "timetz", "interval"):
        decode = times.decoder(base, int(fraction) if fraction else 6, column.encoding)
    elif base in ("bit", "varbit"):
        decode = _bits(int(width) if width else None)
    else:
        simple: dict[str, Decoder] = {
            "boolean": _boolean, "text": _text, "uuid": _uuid, "jsonb": _jsonb, "bytea": _bytea,
        }  # fmt: skip
        decode = simple[base]
    return _array(decode) if array else decode


def _array(decode: Decoder) -> Decoder:
    def run(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise ValueError("not an array")
        return [None if item is None else decode(item) for item in value]

    return run


def _integer(bits: int) -> Decoder:
    low, high = -(1 << bits), (1 << bits) - 1

    def run(value: Any) -> int:
        if type(value) is not int:
            value = _whole(value)
        if not low <= value <= high:
            raise ValueError("an integer out of range")
        number: int = value
        return number

    return run


def _whole(value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and _INTEGER.match(value):
        return int(value)
    raise ValueError("not an integer")


def _numeric(precision: int | None, scale: int) -> Decoder:
    # what rounds up to one digit more than there is room for is too large already
    limit = 10 ** Decimal(precision - scale) - Decimal(5).scaleb(-scale - 1) if precision else None

    def run(value: Any) -> str:
        if isinstance(value, str):
            if value in _NOT_NUMBERS:
                return _finite(_NOT_NUMBERS[value], limit)
            # Text of digits may be base64 as well; with precision it is base64 unless it has a
            # decimal point or sign, because decimal.handling.mode=string keeps the scale's digits.
            if not _is_plain_decimal(value, scale):
                value = unscaled(value, scale)
        elif isinstance(value, dict):
            value = unscaled(_text(value["value"]), int(value["scale"]))
        elif isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError("not a number")
        return _checked(value, limit)

    return run


def _finite(text: str, limit: Decimal | None) -> str:
    """A column with a precision can hold NaN, but nothing infinite."""
    if limit is not None and text != "NaN":
        raise ValueError("a number with more digits than declared")
    return text


def _is_plain_decimal(value: str, scale: int) -> bool:
    """Base64 comes in groups of four letters; a decimal as text has its point where it has a scale.

    "1234" under scale 0 reads both ways: Debezium's base64 is the default, so base64 it is, unless
    its length forbids that.
    """
    if not _NUMBER.match(value):
        return False
    return len(value) % 4 != 0 or "." in value or "-" in value


def unscaled(text: str, scale: int) -> Decimal:
    """Kafka Connect's Decimal: big-endian two's complement in base64, shifted by the scale."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("neither a decimal nor its base64") from error
    if not raw:
        raise ValueError("an empty decimal")
    if len(raw) > 4096:
        raise ValueError("a decimal of more than 4096 bytes")
    number = int.from_bytes(raw, "big", signed=True)
    sign, digits = (1, str(-number)) if number < 0 else (0, str(number))
    return Decimal((sign, tuple(map(int, digits)), -scale))


def _checked(value: Any, limit: Decimal | None) -> str:
    if type(value) is float and (isinf(value) or isnan(value)):
        return _finite(str(value).replace("inf", "Infinity").replace("nan", "NaN"), limit)
    try:
        number = value if type(value) is Decimal else Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError("not a number") from error
    if limit is not None and abs(number) >= limit:
        raise ValueError("a number with more digits than declared")
    if abs(number.adjusted()) > _NUMERIC_DIGITS // 10:
        raise ValueError("a number out of range")
    return format(number, "f")


def _double(value: Any) -> Any:
    if type(value) is float:
        return value if isfinite(value) else str(value)
    if type(value) is int:
        return value if -(2**63) <= value < 2**64 else _as_double(value)
    if isinstance(value, str):
        if value in _NOT_NUMBERS:
            return _NOT_NUMBERS[value]
        if _NUMBER.match(value) and not isinf(float(value)):
            return float(value)
    raise ValueError("not a number")


def _as_double(value: int) -> float:
    try:
        return float(value)
    except OverflowError as error:
        raise ValueError("a number out of range") from error


def _real(value: Any) -> Any:
    number = _double(value)
    if isinstance(number, float | int) and abs(number) > _FLOAT4_MAX:
        raise ValueError("a number out of range")
    if isinstance(number, float) and number and abs(number) < 1e-45:
        raise ValueError("a number out of range")
    return number


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    found = {0: False, 1: True, "true": True, "false": False, "t": True, "f": False}.get(value)
    if found is None:
        raise ValueError("not a boolean")
    return found


def _text(value: Any) -> str:
    if type(value) is str:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else orjson.dumps(value).decode()


@lru_cache(maxsize=20_000)
def _uuid(value: Any) -> str:
    if isinstance(value, str) and _UUID.match(value):
        return value.lower()
    raise ValueError("not a UUID")


def _jsonb(value: Any) -> Any:
    """The source's own JSON text, so that every digit of its numbers stays."""
    if isinstance(value, str):
        parsed = orjson.loads(value)
        if not storable(parsed):
            raise ValueError("JSON that the database cannot hold")
        return parsed if _LONG_EXPONENT.search(value) else orjson.Fragment(value)
    if not storable(value):
        raise ValueError("JSON that the database cannot hold")
    return value


def storable(value: Any) -> bool:
    """Whether Postgres can keep a JSON value: no NUL in its text, no number beyond a double."""
    if isinstance(value, str):
        return "\x00" not in value
    if isinstance(value, dict):
        return all("\x00" not in key and storable(item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(storable, value))
    return not (isinstance(value, float) and isinf(value))


def _bytea(value: Any) -> str:
    try:
        return "\\x" + base64.b64decode(value, validate=True).hex()
    except (binascii.Error, TypeError, ValueError) as error:
        raise ValueError("not base64") from error


def _bits(width: int | None) -> Decoder:
    """io.debezium.data.Bits: bytes, lowest first; leading zeros are not sent."""

    def run(value: Any) -> str:
        if isinstance(value, bool):
            number = int(value)
        else:
            number = int.from_bytes(base64.b64decode(value, validate=True), "little")
        digits = format(number, "b") if number else ""
        if width is None:
            return digits
        if len(digits) > width:
            raise ValueError("more bits than declared")
        return digits.rjust(width, "0")

    return run
