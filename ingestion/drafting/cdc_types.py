"""The Postgres type of a column of change data: from the record's own schema, or from its values.

A schema (Kafka Connect's, as Debezium fills it) says nearly all; bare values say little, and then
the widest type that keeps every value as it is wins. Belongs here: one column's type and what to say
about it. Does not belong here: tables and keys (`cdc`), decoding (`ingestion.cdc.types`), what a
logical type is (`ingestion.cdc.decode.sent_schema`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ingestion.cdc.contract import TYPE
from ingestion.cdc.decode.sent_schema import Sent, logical_type
from ingestion.drafting.profiles import Profile
from ingestion.privacy.scrub import snake_case

SOURCE_TYPE = "__debezium.source.column."  # prefix of what `column.propagate.source.type` adds

_GEOMETRY = "io.debezium.data.geometry."
_BY_TYPE = {
    "int8": "smallint", "int16": "smallint", "int32": "integer", "int64": "bigint",
    "float": "real", "float32": "real", "double": "double precision",
    "float64": "double precision", "boolean": "boolean", "string": "text", "bytes": "bytea",
    "struct": "jsonb", "map": "jsonb",
}  # fmt: skip
_MAX_BITS = 9_999  # `bit(n)` of the contract; Debezium gives `bit varying` a length of 2^31-1
_DATE_WORDS = frozenset({"date", "day", "on", "due", "dob", "birthday", "birthdate", "datum"})
_SURE_DATE_WORDS = frozenset({"date", "dob", "birthday", "birthdate"})
_TIME_WORDS = frozenset({"at", "time", "timestamp", "ts", "created", "updated", "when", "tstamp"})
_US, _MS = (1e15, 4e15), (1e12, 4e12)  # the years 2001 to 2096


@dataclass(frozen=True)
class Guess:
    """A column's type; `note` is what a reader should know of it."""

    type: str
    encoding: str | None = None
    note: str = ""


def from_schema(field: Mapping[str, Any]) -> Guess:  # noqa: PLR0911
    """The type that a field of the record's own schema names."""
    logical, kind = str(field.get("name") or ""), str(field.get("type") or "")
    parameters = field.get("parameters")
    given: Mapping[str, Any] = parameters if isinstance(parameters, Mapping) else {}
    if logical == "org.apache.kafka.connect.data.Decimal":
        return _decimal(given)
    if logical == "io.debezium.data.Bits":
        length = _number(given.get("length"))
        return Guess(f"bit({length})" if length and length <= _MAX_BITS else "varbit")
    if (sent := logical_type(logical)) is not None:
        return _of_logical(sent)
    if logical.startswith(_GEOMETRY):
        return Guess("jsonb")
    if kind == "array":
        items = field.get("items")
        item = from_schema(items if isinstance(items, Mapping) else {})
        if item.encoding is None and TYPE.match(f"{item.type}[]"):
            return Guess(f"{item.type}[]", note=item.note)
        return Guess("jsonb")
    if str(given.get(f"{SOURCE_TYPE}type", "")).upper() in ("NUMERIC", "DECIMAL"):
        return _source_decimal(kind, given)
    note = f"the source calls it {logical}" if logical and "." not in logical else ""
    if kind not in _BY_TYPE:
        return Guess("text", note=f"its schema names the type {kind or 'of nothing'}")
    return Guess(_BY_TYPE[kind], note=note)


def _of_logical(sent: Sent) -> Guess:
    if sent.is_a == "decimal":  # each value carries its scale
        return Guess("numeric")
    precision = "(3)" if sent.unit == "milliseconds" else ""
    encoding = sent.unit if sent.unit == "nanoseconds" else None
    return Guess(f"{sent.is_a}{precision}", encoding)


def _decimal(given: Mapping[str, Any]) -> Guess:
    scale, precision = (
        _number(given.get("scale")) or 0,
        _number(given.get("connect.decimal.precision") or given.get(f"{SOURCE_TYPE}length")),
    )
    if precision is None:
        return Guess(
            f"numeric({max(38, scale + 19)},{scale})",
            note="the schema names its scale and no precision",
        )
    return Guess(f"numeric({precision},{scale})")


def _source_decimal(kind: str, given: Mapping[str, Any]) -> Guess:
    """A decimal that travels as text or double: its precision is the source column's."""
    precision = _number(given.get(f"{SOURCE_TYPE}length"))
    scale = _number(given.get(f"{SOURCE_TYPE}scale")) or 0
    if precision is None or not 0 < precision <= 1000 or scale > precision:
        return Guess("numeric", note=f"a decimal, sent as {kind}")
    return Guess(f"numeric({precision},{scale})", note=f"a decimal, sent as {kind}")


def _number(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def from_values(name: str, profile: Profile) -> Guess:  # noqa: PLR0911
    """The type that bare values allow, with what was inferred and from how many values."""
    count = profile.count
    if not count:
        return Guess("text", note="only nulls in the sample: the type is a guess")
    basis = f"from {count:,} value{'s' * (count != 1)}"
    if profile.of(bool):
        return Guess("boolean", note=basis)
    if profile.of(int):
        return _from_integers(name, profile, basis)
    if profile.of(int, float) or (profile.of(int, float, str) and "not_finite" in profile.forms):
        return Guess("double precision", note=f"{basis}; may be a decimal at the source")
    if profile.of(str):
        return _from_texts(profile, basis)
    if profile.of(dict):
        if profile.keys == {"scale", "value"}:
            return Guess("numeric", note="a decimal that carries its scale")
        return Guess("jsonb", note=basis)
    if profile.of(list) and profile.items is not None:
        return _from_items(profile.items, basis)
    return Guess("text", note=f"{basis} of several kinds")


def _from_integers(name: str, profile: Profile, basis: str) -> Guess:
    words = set(snake_case(name).strip("_").split("_"))
    low, high = profile.low or 0, profile.high or 0
    if low >= -(1 << 63) and high < 1 << 63:
        earliest = -800_000 if words & _SURE_DATE_WORDS else -40_000  # years -220 and 1860
        if words & _DATE_WORDS and earliest < low and 3_650 < high < 80_000:
            return Guess("date", note=f"days since 1970, by its name and {basis}")
        if words & (_TIME_WORDS | _DATE_WORDS):
            if low >= _US[0] and high < _US[1]:
                return Guess("timestamp", note=f"microseconds since 1970, {basis}")
            if low >= _MS[0] and high < _MS[1]:
                return Guess("timestamp(3)", note=f"milliseconds since 1970, {basis}")
            if 1e8 < high <= 86_400_000_000 and low >= 0:
                return Guess("bigint", note="may be a time of day: `time`, in microseconds")
        return Guess("bigint", note=basis)
    return Guess("numeric", note=f"{basis}, beyond 64 bits")


def _from_texts(profile: Profile, basis: str) -> Guess:
    forms = {
        "uuid": "uuid", "instant": "timestamptz", "local_time": "timestamp", "day": "date",
        "clock_with_zone": "timetz", "clock": "time", "interval": "interval", "json": "jsonb",
        "pointed": "numeric",
    }  # fmt: skip
    for form, kind in forms.items():
        if profile.follows(form):
            return Guess(kind, note=basis)
    if profile.follows("digits"):
        return Guess("text", note="digits as text: a number, if the source has one")
    if profile.follows("base64") and profile.is_padded:
        return Guess(
            "text",
            note="base64: at the source numeric(p,s), bytea or bits; name it, and values are decoded",
        )
    return Guess("text")


def _from_items(items: Profile, basis: str) -> Guess:
    if not items.count:
        return Guess("jsonb", note="only empty lists in the sample")
    simple: dict[type, str] = {
        int: "bigint",
        float: "double precision",
        bool: "boolean",
        str: "text",
    }
    kinds = set(items.kinds)
    if kinds == {int, float}:
        return Guess("double precision[]", note=basis)
    if len(kinds) == 1 and (kind := kinds.pop()) in simple:
        if kind is int and not -(1 << 63) <= (items.low or 0) <= (items.high or 0) < 1 << 63:
            return Guess("numeric[]", note=basis)
        return Guess(f"{simple[kind]}[]", note=basis)
    return Guess("jsonb", note=basis)
