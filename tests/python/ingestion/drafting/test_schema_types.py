"""Types that the records' own schema names: each logical type of Kafka Connect and Debezium.

The expected types are those of Debezium's documentation of its Postgres and MySQL connectors.
"""

from collections.abc import Callable
from typing import Any

import pytest

from tests.python.ingestion.drafting.conftest import Drafted

# (the field of the schema, a value as it travels, the contract's column)
DECIMAL = "org.apache.kafka.connect.data.Decimal"
FIELDS: list[tuple[dict[str, Any], Any, dict[str, str]]] = [
    ({"type": "int16"}, 3, {"type": "smallint"}),
    ({"type": "int32"}, 3, {"type": "integer"}),
    ({"type": "int64"}, 3, {"type": "bigint"}),
    ({"type": "float"}, 1.5, {"type": "real"}),
    ({"type": "double"}, 1.5, {"type": "double precision"}),
    ({"type": "boolean"}, True, {"type": "boolean"}),
    ({"type": "string"}, "1234", {"type": "text"}),
    ({"type": "bytes"}, "AQI=", {"type": "bytea"}),
    ({"type": "bytes", "name": DECIMAL,
      "parameters": {"scale": "4", "connect.decimal.precision": "12"}}, "EtaH",
     {"type": "numeric(12,4)"}),
    ({"type": "bytes", "name": DECIMAL, "parameters": {"scale": "2"}}, "EtaH",
     {"type": "numeric(38,2)"}),
    ({"type": "struct", "name": "io.debezium.data.VariableScaleDecimal", "fields": []},
     {"scale": 9, "value": "AQ=="}, {"type": "numeric"}),
    ({"type": "int32", "name": "io.debezium.time.Date"}, 20453, {"type": "date"}),
    ({"type": "int32", "name": "org.apache.kafka.connect.data.Date"}, 20453, {"type": "date"}),
    ({"type": "int32", "name": "io.debezium.time.Time"}, 3_600_000, {"type": "time(3)"}),
    ({"type": "int64", "name": "io.debezium.time.MicroTime"}, 3_600_000_000, {"type": "time"}),
    ({"type": "string", "name": "io.debezium.time.ZonedTime"}, "10:00:00Z", {"type": "timetz"}),
    ({"type": "int64", "name": "io.debezium.time.Timestamp"}, 1_790_000_000_123,
     {"type": "timestamp(3)"}),
    ({"type": "int64", "name": "org.apache.kafka.connect.data.Timestamp"}, 1_790_000_000_123,
     {"type": "timestamp(3)"}),
    ({"type": "int64", "name": "io.debezium.time.MicroTimestamp"}, 1_790_000_000_123_456,
     {"type": "timestamp"}),
    ({"type": "int64", "name": "io.debezium.time.NanoTimestamp"}, 1_790_000_000_123_456_789,
     {"type": "timestamp", "encoding": "nanoseconds"}),
    ({"type": "string", "name": "io.debezium.time.ZonedTimestamp"}, "2026-03-01T10:00:00Z",
     {"type": "timestamptz"}),
    ({"type": "int64", "name": "io.debezium.time.MicroDuration"}, 86_400_000_000,
     {"type": "interval"}),
    ({"type": "string", "name": "io.debezium.data.Uuid"}, "5c0ac4e0-0005-4a00-8000-000000000001",
     {"type": "uuid"}),
    ({"type": "string", "name": "io.debezium.data.Json"}, '{"a": 1}', {"type": "jsonb"}),
    ({"type": "string", "name": "io.debezium.data.Enum", "parameters": {"allowed": "a,b"}}, "a",
     {"type": "text"}),
    ({"type": "string", "name": "io.debezium.data.Xml"}, "<a/>", {"type": "text"}),
    ({"type": "bytes", "name": "io.debezium.data.Bits", "parameters": {"length": "3"}}, "BQ==",
     {"type": "bit(3)"}),
    ({"type": "bytes", "name": "io.debezium.data.Bits", "parameters": {"length": "2147483647"}},
     "BQ==", {"type": "varbit"}),
    ({"type": "int32", "name": "io.debezium.time.Year"}, 2026, {"type": "integer"}),
    ({"type": "array", "items": {"type": "string"}}, ["a", None], {"type": "text[]"}),
    ({"type": "array", "items": {"type": "int16"}}, [1, 2], {"type": "smallint[]"}),
    ({"type": "array", "items": {"type": "int32", "name": "io.debezium.time.Date"}}, [20453],
     {"type": "date[]"}),
    ({"type": "struct", "name": "io.debezium.data.geometry.Point", "fields": []},
     {"x": 1.0, "y": 2.0}, {"type": "jsonb"}),
    ({"type": "map"}, {"a": "b"}, {"type": "jsonb"}),
    # decimal.handling.mode=string with column.propagate.source.type: the number, not its base64
    ({"type": "string", "parameters": {"__debezium.source.column.type": "NUMERIC",
      "__debezium.source.column.length": "12", "__debezium.source.column.scale": "2"}}, "1234.00",
     {"type": "numeric(12,2)"}),
    # digits alone are base64 too; where a type is known by the source, they are a number
    ({"type": "string", "parameters": {"__debezium.source.column.type": "NUMERIC",
      "__debezium.source.column.length": "12"}}, "1234", {"type": "numeric(12,0)"}),
]  # fmt: skip


def with_schema(fields: list[dict[str, Any]], after: dict[str, Any]) -> dict[str, Any]:
    """A record that carries its schema, key and value alike."""
    row = [{"field": name, **field} for name, field in zip(after, fields, strict=True)]
    envelope = [
        {"type": "struct", "optional": True, "field": "before", "fields": row},
        {"type": "struct", "optional": True, "field": "after", "fields": row},
        {"type": "struct", "optional": False, "field": "source", "fields": []},
        {"type": "string", "optional": False, "field": "op"},
    ]
    source = {"connector": "postgresql", "name": "shop", "schema": "public", "table": "things",
              "lsn": 7, "txId": 7, "ts_ms": 1_790_000_000_000}  # fmt: skip
    return {
        "topic": "shop.public.things",
        "key": {
            "schema": {"type": "struct", "fields": [row[0]]},
            "payload": {"id": after["id"]},
        },
        "value": {
            "schema": {"type": "struct", "fields": envelope},
            "payload": {"before": None, "after": after, "source": source, "op": "c", "ts_ms": 1},
        },
    }


@pytest.mark.parametrize(("field", "value", "column"), FIELDS, ids=lambda x: str(x)[:50])
def test_logical_types(
    field: dict[str, Any], value: Any, column: dict[str, str], draft_of: Callable[..., Drafted]
) -> None:
    record = with_schema([{"type": "int64", "optional": False}, field], {"id": 1, "v": value})
    made = draft_of([record])
    assert made.columns("things")["v"] == column
    assert made.body["tables"]["things"]["primary_key"] == ["id"]
    assert "none rejected" in made.sentences[-1]


def test_whether_a_column_may_be_null_is_said(draft_of: Callable[..., Drafted]) -> None:
    fields = [{"type": "int64", "optional": False}, {"type": "string", "optional": True}]
    text = draft_of([with_schema(fields, {"id": 1, "v": "x"})]).text
    assert "id: bigint  # never null" in text
    assert "      v: text\n" in text


def test_a_schema_names_columns_that_no_value_showed(draft_of: Callable[..., Drafted]) -> None:
    field = {"type": "int64", "name": "io.debezium.time.Timestamp", "optional": True}
    record = with_schema([{"type": "int64"}, field], {"id": 1, "left_at": None})
    assert draft_of([record]).types("things") == {"id": "bigint", "left_at": "timestamp(3)"}
