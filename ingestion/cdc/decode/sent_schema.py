"""What the schema inside an envelope says of a column: how its values travel, and what they are.

Belongs here: Kafka Connect's and Debezium's logical types, their units and scales; a value brought to a
form that says by itself what it is (a time as ISO text, a decimal as its digits); whether a contract says
otherwise. Does not belong here: what a column becomes (`types`), types for a draft (`drafting`).
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ingestion.cdc.contract import TYPE, Column
from ingestion.cdc.decode import times
from ingestion.cdc.decode.numbers import plain_text, unscaled

Reader = Callable[[Any], Any]
_CONNECT, _DEBEZIUM = "org.apache.kafka.connect.data.", "io.debezium."
# Logical type → what it is, and the unit its numbers count in.
_TIMES: Mapping[str, tuple[str, str]] = {
    f"{_CONNECT}Date": ("date", "days"),
    f"{_CONNECT}Time": ("time", "milliseconds"),
    f"{_CONNECT}Timestamp": ("timestamp", "milliseconds"),
    f"{_DEBEZIUM}time.Date": ("date", "days"),
    f"{_DEBEZIUM}time.Time": ("time", "milliseconds"),
    f"{_DEBEZIUM}time.MicroTime": ("time", "microseconds"),
    f"{_DEBEZIUM}time.NanoTime": ("time", "nanoseconds"),
    f"{_DEBEZIUM}time.Timestamp": ("timestamp", "milliseconds"),
    f"{_DEBEZIUM}time.MicroTimestamp": ("timestamp", "microseconds"),
    f"{_DEBEZIUM}time.NanoTimestamp": ("timestamp", "nanoseconds"),
    f"{_DEBEZIUM}time.MicroDuration": ("interval", "microseconds"),
    f"{_DEBEZIUM}time.NanoDuration": ("interval", "nanoseconds"),
}
_TEXTS: Mapping[str, str] = {
    f"{_DEBEZIUM}time.ZonedTimestamp": "timestamptz",
    f"{_DEBEZIUM}time.ZonedTime": "timetz",
    f"{_DEBEZIUM}time.IsoDate": "date",
    f"{_DEBEZIUM}time.IsoTime": "time",
    f"{_DEBEZIUM}time.IsoTimestamp": "timestamp",
    f"{_DEBEZIUM}time.Interval": "interval",
    f"{_DEBEZIUM}data.Uuid": "uuid",
    f"{_DEBEZIUM}data.Json": "jsonb",
    f"{_DEBEZIUM}data.Enum": "text",
    f"{_DEBEZIUM}data.EnumSet": "text",
    f"{_DEBEZIUM}data.Xml": "text",
    f"{_DEBEZIUM}data.Ltree": "text",
}
_OTHERS: Mapping[str, str] = {
    f"{_CONNECT}Decimal": "decimal",
    f"{_DEBEZIUM}data.VariableScaleDecimal": "decimal",
    f"{_DEBEZIUM}data.Bits": "bits",
    f"{_DEBEZIUM}time.Year": "integer",
}
_PLAIN: Mapping[str, str] = {
    "int8": "integer", "int16": "integer", "int32": "integer", "int64": "integer",
    "float": "double", "float32": "double", "double": "double", "float64": "double",
    "boolean": "boolean", "string": "string", "bytes": "bytes",
    "struct": "json", "map": "json", "array": "array",
}  # fmt: skip
_WHOLE = frozenset({"smallint", "integer", "bigint"})
_NUMBERS = _WHOLE | {"numeric", "real", "double precision"}
# Which types a contract may give to what was sent without contradicting it.
_FITTING: Mapping[str, frozenset[str]] = {
    "date": frozenset({"date"}),
    "time": frozenset({"time"}),
    "timetz": frozenset({"timetz"}),
    "timestamp": frozenset({"timestamp"}),
    "timestamptz": frozenset({"timestamptz"}),
    "interval": frozenset({"interval"}),
    "uuid": frozenset({"uuid", "text"}),
    "jsonb": frozenset({"jsonb", "text"}),
    "text": frozenset({"text"}),
    "decimal": frozenset({"numeric"}),
    "bits": frozenset({"bit", "varbit"}),
    "integer": _NUMBERS | {"boolean"},
    "double": frozenset({"numeric", "real", "double precision"}),
    "boolean": frozenset({"boolean", "bit"}),
    "bytes": frozenset({"bytea"}),
    "json": frozenset({"jsonb", "text"}),
}


class Sent(NamedTuple):
    """A column as the record's own schema has it. `is_a` is a key of `_FITTING`, or string or array."""

    is_a: str
    unit: str | None = None
    scale: int | None = None
    items: "Sent | None" = None


def sent_as(field: Mapping[str, Any]) -> Sent | None:
    """What a field of a schema says; None where it says nothing that is known."""
    name, kind = field.get("name"), field.get("type")
    parameters = field.get("parameters")
    given = parameters if isinstance(parameters, Mapping) else {}
    if isinstance(name, str) and (logical := logical_type(name)) is not None:
        return logical._replace(scale=_scale(name, given))
    if not isinstance(kind, str) or kind not in _PLAIN:
        return None
    if kind == "array":
        inner = field.get("items")
        return Sent("array", items=sent_as(inner) if isinstance(inner, Mapping) else None)
    return Sent(_PLAIN[kind])


def logical_type(name: str) -> Sent | None:
    """What a logical type is, its scale apart; None for one that nobody knows."""
    if name in _TIMES:
        return Sent(*_TIMES[name])
    is_a = _TEXTS.get(name) or _OTHERS.get(name)
    return None if is_a is None else Sent(is_a)


def _scale(logical: str, given: Mapping[str, Any]) -> int | None:
    """A scale of None travels with each value."""
    if not logical.endswith(".Decimal"):
        return None
    try:
        return int(given.get("scale") or 0)
    except (TypeError, ValueError):
        return 0


def reader(sent: Sent) -> Reader | None:
    """Brings a not-null value to the form that says by itself what it is; None where it is so already."""
    if sent.unit is not None:
        return times.sent_decoder(sent.is_a, sent.unit)
    if sent.is_a == "decimal":
        return _decimal(sent.scale)
    if sent.is_a == "array" and sent.items is not None:
        read = reader(sent.items)
        return None if read is None else _each(read)
    return None


def _decimal(scale: int | None) -> Reader:
    def run(value: Any) -> Any:
        if isinstance(value, dict):  # a value that carries its scale
            return plain_text(unscaled(value["value"], int(value["scale"])))
        if isinstance(value, str):
            return value if scale is None else plain_text(unscaled(value, scale))
        return value  # decimal.format=numeric

    return run


def _each(read: Reader) -> Reader:
    def run(value: Any) -> Any:
        if not isinstance(value, list):
            raise ValueError("not an array")
        return [None if item is None else read(item) for item in value]

    return run


def disagrees(column: Column, sent: Sent) -> bool:  # noqa: PLR0911
    """Whether a contract says otherwise of a column than the records do of themselves."""
    match = TYPE.match(column.type)
    assert match is not None, column.type
    base, is_array = match[1].split("(", 1)[0], bool(match[6])
    if sent.is_a == "array":
        if not is_array:
            return base != "jsonb"
        inner = column.model_copy(update={"type": column.type.removesuffix("[]")})
        return sent.items is not None and disagrees(inner, sent.items)
    if is_array:
        return True
    if sent.is_a == "string":
        return base == "bytea" and column.encoding is None
    if base not in _FITTING[sent.is_a]:
        is_unsigned = sent.is_a == "decimal" and sent.scale == 0 and base in _WHOLE
        return not is_unsigned
    if sent.is_a == "decimal":
        return bool(match[2]) and sent.scale not in (None, int(match[3] or 0))
    if sent.unit not in (None, "days"):
        return times.unit_of(base, int(match[4]) if match[4] else 6, column.encoding) != sent.unit
    return False
