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
from ingestion.cdc.decode.decimals import NUMBER, DecimalForms
from ingestion.cdc.decode.numbers import plain_text, unscaled
from ingestion.cdc.decode.sent_schema import Sent, reader

Decoder = Callable[[Any], Any]

_UUID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}\Z")
_INTEGER = re.compile(r"[+-]?\d{1,20}\Z", re.ASCII)
_NOT_NUMBERS = {
    "NaN": "NaN", "Infinity": "Infinity", "-Infinity": "-Infinity",
    "NAN": "NaN", "INFINITY": "Infinity", "-INFINITY": "-Infinity", "+Infinity": "Infinity",
}  # fmt: skip
_RANGES = {"smallint": 15, "integer": 31, "bigint": 63}
_LONG_EXPONENT = re.compile(r"\d[eE][+-]?\d{4}")  # beyond what the database can hold
_URL_SAFE = re.compile("[-_]")
_SURELY_HEX = re.compile(r"(?:[0-9a-f]{2}){8,}\Z")  # no base64 of so many bytes looks like that
_FROM_URL_SAFE = str.maketrans("-_", "+/")
_FLOAT4_MAX = 3.4028235677973366e38


def decoder(column: Column, forms: DecimalForms | None = None, sent: Sent | None = None) -> Decoder:
    """The function that decodes one not-null value of a column: by what the record's own schema says of
    it, else by the contract, and for decimals by what was seen of others (`forms`)."""
    if sent is None:
        return _by_contract(column, forms)
    match = TYPE.match(column.type)
    assert match is not None, column.type
    base, is_array = match[1].split("(", 1)[0], match[6]
    if base == "numeric" and sent.is_a in ("bytes", "bits"):
        return _refuse("bytes are no number")
    if base == "bytea" and sent.is_a == "string" and column.encoding is None:
        column = column.model_copy(update={"encoding": "unsaid"})
    elif base == "numeric" and not is_array:
        column = column.model_copy(update={"encoding": "text"})
    decode, read = _by_contract(column, forms), reader(sent)
    if read is not None and sent.is_a == base and sent.unit is not None:
        return read
    if read is None or (base in _RANGES and sent.unit is not None):  # a count, as it was sent
        return decode
    if sent.is_a == "date" and base in ("timestamp", "timestamptz"):
        return lambda value: decode(_midnight(read(value)))
    return lambda value: decode(read(value))


def _refuse(why: str) -> Decoder:
    def run(value: Any) -> Any:
        raise ValueError(why)

    return run


def _midnight(day: str) -> str:
    if day.endswith("infinity"):
        return day
    return f"{day.removesuffix(' BC')} 00:00:00{' BC' if day.endswith(' BC') else ''}"


def _by_contract(column: Column, forms: DecimalForms | None) -> Decoder:
    match = TYPE.match(column.type)
    assert match is not None, column.type
    name, precision, scale, fraction, width, array = match.groups()
    base = name.split("(", 1)[0]
    if base in _RANGES:
        decode: Decoder = _integer(_RANGES[base])
    elif base == "numeric":
        decode = _numeric(
            int(precision) if precision else None, int(scale or 0), column.encoding, forms
        )
    elif base in ("real", "double precision"):
        decode = _real if base == "real" else _double
    elif base in ("timestamp", "timestamptz", "date", "time", "timetz", "interval"):
        decode = times.decoder(base, int(fraction) if fraction else 6, column.encoding)
    elif base in ("bit", "varbit"):
        decode = _bits(int(width) if width else None)
    else:
        simple: dict[str, Decoder] = {
            "boolean": _boolean, "text": _text, "uuid": _uuid, "jsonb": _jsonb,
            "bytea": _bytea_in(column.encoding),
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


def _numeric(
    precision: int | None, scale: int, encoding: str | None, forms: DecimalForms | None
) -> Decoder:
    seen = forms or DecimalForms()
    # what rounds up to one digit more than there is room for is too large already
    limit = 10 ** Decimal(precision - scale) - Decimal(5).scaleb(-scale - 1) if precision else None

    def run(value: Any) -> str:
        if isinstance(value, str):
            if value in _NOT_NUMBERS:
                return _finite(_NOT_NUMBERS[value], limit)
            is_text = seen.is_text(value) if encoding is None else encoding == "text"
            if not is_text:
                value = unscaled(value, scale)
            elif not NUMBER.match(value):
                raise ValueError("not a number")
        elif isinstance(value, dict):
            value = unscaled(_text(value["value"]), int(value["scale"]))
        elif isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            raise ValueError("not a number")
        return _checked(value, limit)

    return run


def _finite(text: str, limit: Decimal | None) -> str:
    """A column with a precision can hold NaN, but nothing infinite."""
    if limit is not None and text != "NaN":
        raise ValueError("a number with more digits than declared")
    return text


def _checked(value: Any, limit: Decimal | None) -> str:
    if type(value) is float and (isinf(value) or isnan(value)):
        return _finite(str(value).replace("inf", "Infinity").replace("nan", "NaN"), limit)
    try:
        number = value if type(value) is Decimal else Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError("not a number") from error
    if limit is not None and abs(number) >= limit:
        raise ValueError("a number with more digits than declared")
    return plain_text(number)


def _double(value: Any) -> Any:
    if type(value) is Decimal:
        value = float(value)
    if type(value) is float:
        return value if isfinite(value) else str(value)
    if type(value) is int:
        return value if -(2**63) <= value < 2**64 else _as_double(value)
    if isinstance(value, str):
        if value in _NOT_NUMBERS:
            return _NOT_NUMBERS[value]
        if NUMBER.match(value) and not isinf(float(value)):
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
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value) if isinstance(value, int) else orjson.dumps(without_decimals(value)).decode()


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
    return without_decimals(value)


def without_decimals(value: Any) -> Any:
    """A JSON value whose numbers are doubles, as JSON's are."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {key: without_decimals(item) for key, item in value.items()}
    return [without_decimals(item) for item in value] if isinstance(value, list) else value


def storable(value: Any) -> bool:
    """Whether Postgres can keep a JSON value: no NUL in its text, no number beyond a double."""
    if isinstance(value, str):
        return "\x00" not in value
    if isinstance(value, dict):
        return all("\x00" not in key and storable(item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(storable, value))
    return not (isinstance(value, float) and isinf(value))


def _bytea_in(encoding: str | None) -> Decoder:
    """binary.handling.mode: base64 in the bytes themselves (the default) or as a text, base64 fit for
    addresses, or hexadecimal digits."""

    def run(value: Any) -> str:
        try:
            if encoding == "hex":
                return "\\x" + bytes.fromhex(value).hex()
            if encoding == "unsaid" and _SURELY_HEX.match(value):
                return "\\x" + bytes.fromhex(value).hex()
            is_url = encoding == "base64url" or (encoding == "unsaid" and _URL_SAFE.search(value))
            if is_url:
                value = value.translate(_FROM_URL_SAFE)
                value += "=" * (-len(value) % 4)
            return "\\x" + base64.b64decode(value, validate=True).hex()
        except (binascii.Error, AttributeError, TypeError, ValueError) as error:
            raise ValueError("not base64") from error

    return run


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
