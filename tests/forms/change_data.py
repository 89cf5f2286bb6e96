"""Change data: each connector in each of Debezium's envelopes, and values by the schema or without it.

Belongs here: the smallest stream of each form. Does not belong here: whole histories (`test_any_history`),
how records are ordered (`test_order`).
"""

import json
from collections.abc import Mapping
from typing import Any

from tests.forms import Form, Outcome

Record = dict[str, Any]
AT_MS = 1_790_000_000_000
ROWS = ({"id": "1", "v": "b"},)
VALUES = "Change data: values"

# By connector: the schema in the contract (None: there is none to name), what `source` says of two commits
# in a row, and what of it a flattened record carries.
_LOGS: Mapping[str, tuple[str | None, Record, Record]] = {
    "postgresql": (None, {"schema": "public", "lsn": 100}, {"schema": "public", "lsn": 200}),
    "mysql": (
        "app", {"file": "bin.000009", "pos": 4, "row": 0}, {"file": "bin.000010", "pos": 4, "row": 0},
    ),
    "mariadb": (
        "app", {"file": "bin.000009", "pos": 4, "row": 0}, {"file": "bin.000010", "pos": 4, "row": 0},
    ),
    "sqlserver": (
        None,
        {"schema": "dbo", "commit_lsn": "00000027:00000200:0002",
         "change_lsn": "00000027:000001f0:0003", "event_serial_no": 1},
        {"schema": "dbo", "commit_lsn": "00000028:00000100:0002",
         "change_lsn": "00000028:000000f0:0003", "event_serial_no": 2},
    ),
    "oracle": (
        "APP", {"schema": "APP", "scn": "100", "commit_scn": "101", "ssn": 0},
        {"schema": "APP", "scn": "99", "commit_scn": "201", "ssn": 0},
    ),
    "db2": (
        "APP",
        {"schema": "APP", "commit_lsn": "00000000:00000000:0000000000000101",
         "change_lsn": "00000000:00000000:0000000000000100"},
        {"schema": "APP", "commit_lsn": "00000000:00000000:0000000000000201",
         "change_lsn": "00000000:00000000:0000000000000099"},
    ),
    "vitess": (
        "app", {"keyspace": "app", "shard": "0", "vgtid": "[]"},
        {"keyspace": "app", "shard": "0", "vgtid": "[]"},
    ),
    "mongodb": ("app", {"collection": "t", "ord": 1}, {"collection": "t", "ord": 2}),
}  # fmt: skip
_ROW_SCHEMA = {
    "type": "struct",
    "fields": [{"type": "int64", "field": "id"}, {"type": "string", "field": "v"}],
}
MONGODB = "This is a change of a MongoDB document, which travels as a text and, updated, in parts."


def contract(schema: str | None = None, columns: str = "{id: bigint, v: text}") -> str:
    home = f"schema: {schema}\n" if schema else ""
    return (
        f"kind: cdc\nproduct: PRODUCT\n{home}"
        f"tables:\n  t:\n    primary_key: [id]\n    columns: {columns}\n"
    )


def lines(*records: Record) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def envelope(connector: str, op: str, row: Record, source: Record, number: int) -> Record:
    """A change in the usual envelope; a MongoDB document is a text."""
    after: Any = json.dumps(row) if connector == "mongodb" else row
    table = {} if "collection" in source else {"table": "t"}
    said = {"connector": connector, "name": "app", "db": "app", **table, "snapshot": "false",
            "ts_ms": AT_MS + number, **source}  # fmt: skip
    return {"before": None, "after": after, "source": said, "op": op, "ts_ms": AT_MS + number + 5}


def with_schema(value: Record) -> Record:
    """The same with the schema that Kafka Connect's converter adds."""
    image = {**_ROW_SCHEMA, "field": "after"}
    return {"schema": {"type": "struct", "fields": [image]}, "payload": value}


def flattened(connector: str, op: str, row: Record, source: Record, number: int) -> Record:
    """The same after ExtractNewRecordState, with the fields of `source` that order."""
    said = {"connector": connector, "table": "t", "db": "app", **source, "ts_ms": AT_MS + number}
    return {**row, "__op": op, "__deleted": "false", **{f"__{n}": v for n, v in said.items()}}


def by_connector(connector: str) -> list[Form]:
    """A row that comes and changes, the later commit in the file that sorts first where there is one."""
    schema, first, second = _LOGS[connector]
    is_ordered_by_stream = connector in ("vitess", "mongodb")
    found = []
    for name, shape in (
        ("bare", envelope), ("with its schema", envelope), ("flattened", flattened),
    ):  # fmt: skip
        records = [
            shape(connector, op, {"id": 1, "v": value}, source, number)
            for number, (op, value, source) in enumerate([("c", "a", first), ("u", "b", second)])
        ]
        if name == "with its schema":
            records = [with_schema(record) for record in records]
        early, late = ("1", "2") if is_ordered_by_stream else ("2", "1")
        files = {
            f"cdc/PRODUCT/{early}.jsonl": lines(records[0]),
            f"cdc/PRODUCT/{late}.jsonl": lines(records[1]),
        }
        is_refused = connector == "mongodb" and shape is envelope
        outcome, sentence = Outcome.READ, ""
        if is_refused:
            outcome, sentence = Outcome.REFUSED, MONGODB
        elif is_ordered_by_stream:
            outcome, sentence = Outcome.KEPT_ASIDE, "t  unplaced_record"
        found.append(
            Form(
                f"{connector}, {name}", "Change data: connectors and envelopes", "cdc", files,
                contract(schema), outcome, sentence, () if is_refused else ROWS, "t",
            )
        )  # fmt: skip
    return found


def postgres(row: Record, op: str = "c", number: int = 0, **source: Any) -> Record:
    return envelope(
        "postgresql", op, row, {"schema": "public", "lsn": 100 + number, **source}, number
    )


def form(
    name: str, records: list[Record], outcome: Outcome, sentence: str = "",
    stored: tuple[Mapping[str, str | None], ...] = (), text: str | None = None,
    group: str = "Change data: records",
) -> Form:  # fmt: skip
    files = {"cdc/PRODUCT/1.jsonl": lines(*records)}
    return Form(name, group, "cdc", files, text or contract(), outcome, sentence, stored, "t")


def value(name: str, sent: Any, kind: str, stored: str | None, schema: Record | None = None,
          sentence: str = "", encoding: str = "") -> Form:  # fmt: skip
    """One column's value, by the schema that travels with it or without one."""
    record = postgres({"id": 1, "v": sent})
    if schema is not None:
        fields = [{"type": "int64", "field": "id"}, {"field": "v", **schema}]
        image = {"type": "struct", "field": "after", "fields": fields}
        record = {"schema": {"type": "struct", "fields": [image]}, "payload": record}
    said = f", encoding: {encoding}" if encoding else ""
    text = contract(columns=f"{{id: bigint, v: {{type: '{kind}'{said}}}}}")
    outcome = Outcome.KEPT_ASIDE if sentence else Outcome.READ
    return form(name, [record], outcome, sentence, ({"v": stored},), text, VALUES)


def logical(name: str, kind: str, **parameters: str) -> Record:
    return {"type": kind, "name": name, "parameters": parameters}


CONNECT, DEBEZIUM = "org.apache.kafka.connect.data.", "io.debezium."
DISAGREES = "t v contract_disagrees"
ONE = {"id": 1, "v": "a"}
A_ROW = ({"id": "1", "v": "a"},)
READ, REFUSED, ASIDE = Outcome.READ, Outcome.REFUSED, Outcome.KEPT_ASIDE

FORMS = (
    *(each for connector in _LOGS for each in by_connector(connector)),
    form("`{topic, key, value}`",
         [{"topic": "app.public.t", "key": {"id": 1}, "value": postgres(ONE)}], READ, stored=A_ROW),
    form("key and value as texts of JSON",
         [{"topic": "app.public.t", "key": '{"id": 1}', "value": json.dumps(postgres(ONE))}], READ,
         stored=A_ROW),
    form("kcat's `{topic, key, payload}`",
         [{"topic": "app.public.t", "partition": 0, "offset": 1, "key": '{"id": 1}',
           "payload": json.dumps(postgres(ONE))}], READ, stored=A_ROW),
    form("a topic and no value", [{"topic": "app.public.t", "offset": 1, "key": '{"id": 1}'}],
         REFUSED, "The record has a `topic` and no `value`"),
    form("a row by its topic alone", [{"topic": "app.public.t", "key": {"id": 1}, "value": ONE}],
         READ, stored=A_ROW),
    form("a delete and its tombstone",
         [{"topic": "app.public.t", "key": {"id": 1}, "value": postgres(ONE)},
          {"topic": "app.public.t", "key": {"id": 1},
           "value": {**postgres(ONE, "d", 1), "after": None, "before": {"id": 1, "v": None}}},
          {"topic": "app.public.t", "key": {"id": 1}, "value": None},
          {"topic": "app.public.t", "key": {"id": 2}, "value": postgres({"id": 2, "v": "b"}, number=2)}],
         READ, stored=({"id": "2", "v": "b"},)),
    form("a table of another schema", [postgres(ONE), postgres(ONE, number=1, schema="archive")],
         ASIDE, "archive__t  undeclared_table", A_ROW),
    form("a table of another database, where the contract names one",
         [postgres(ONE), postgres(ONE, number=1, db="other")],
         ASIDE, "other__public__t  undeclared_table", A_ROW,
         contract().replace("tables:", "database: app\ntables:")),
    form("a bare name, and MySQL records of a database that nobody named",
         [envelope("mysql", "c", ONE, {"file": "b.1", "pos": 4, "row": 0}, 0)],
         ASIDE, "t app unnamed_schema", A_ROW),
    form("flattened rows with neither position nor offset: in the order of files and lines",
         [flattened("postgresql", "c", ONE, {"schema": "public"}, 1),
          flattened("postgresql", "u", {"id": 1, "v": "b"}, {"schema": "public"}, 0)],
         ASIDE, "t  unplaced_record", ROWS),
    form("flattened rows with an offset",
         [{"topic": "app.public.t", "partition": 0, "offset": offset, "key": {"id": 1},
           "value": flattened("postgresql", "u", {"id": 1, "v": v}, {"schema": "public"}, 0)}
          for offset, v in ((9, "b"), (8, "a"))], READ, stored=ROWS),
    form("a user's id that is a word for nobody", [postgres({"id": 1, "v": "null"})], ASIDE,
         "t v placeholder_id", ({"id": "1", "v": None, "_user_id": None},),
         contract().replace("primary_key: [id]", "primary_key: [id]\n    user: v")),
    form("a CloudEvent",
         [{"id": "x", "source": "/debezium/postgresql/app", "specversion": "1.0", "type": "e",
           "data": {"schema": None, "payload": postgres(ONE)}}], READ, stored=A_ROW),
    form("a record of Maxwell's", [{"database": "app", "table": "t", "type": "insert", "data": ONE}], REFUSED,
         "The record is one of Maxwell or Canal, whose envelope is not read: send Debezium's."),
    form("a record of AWS DMS", [{"data": ONE, "metadata": {"operation": "insert", "table-name": "t"}}], REFUSED,
         "The record is one of AWS DMS, whose envelope is not read: send Debezium's."),
    form("a connector whose envelope is not read", [envelope("cassandra", "c", ONE, {}, 0)], REFUSED,
         "The record comes from the connector 'cassandra', whose envelope is not read"),
    form("a column that nobody declared", [postgres({**ONE, "more": 1})], ASIDE,
         "t more undeclared_column", A_ROW),
    form("a declared column that does not come", [postgres({"id": 1})], ASIDE, "t v missing_column",
         ({"id": "1", "v": None},)),
    value("a value that the type cannot hold", "yesterday", "date", None,
          sentence="t v undecodable_value"),
    value("a decimal in base64, the contract's scale", "EtaH", "numeric(12,2)", "12345.67"),
    value("a decimal as text", "1234.50", "numeric(12,2)", "1234.50"),
    value("a decimal as a number of more digits than a double has", 12345678901234567890123, "numeric",
          "12345678901234567890123"),
    value("digits that are base64 too, nothing tells", "1234", "numeric", "1234",
          sentence="t v unsure_decimal"),
    value("digits that are base64 too, `encoding: base64`", "1234", "numeric", "-2658824",
          encoding="base64"),
    value("digits that are base64 too, `encoding: text`", "1234", "numeric", "1234", encoding="text"),
    value("microseconds since 1970", 1_790_000_000_123_456, "timestamp", "2026-09-21 14:13:20.123456"),
    value("milliseconds, declared `timestamp(3)`", 1_790_000_000_123, "timestamp(3)",
          "2026-09-21 14:13:20.123"),
    value("a time in another unit than the contract's, and no schema", 1_790_000_000_123, "timestamp",
          "1970-01-21 17:13:20.000123", sentence="t v implausible_time"),
    value("a time with an offset, for a column without one: in UTC", "2026-09-21T16:13:20+02:00", "timestamp",
          "2026-09-21 14:13:20"),
    value("seconds where days are due, and no schema", 1_790_000_000, "date", "4902823-07-18",
          sentence="t v implausible_time"),
    value("schema: text for a decimal", "1234", "numeric", "1234", {"type": "string"}),
    value("schema: Decimal, its scale is the contract's", "EtaH", "numeric(12,2)", "12345.67",
          logical(f"{CONNECT}Decimal", "bytes", scale="2")),
    value("schema: Decimal of another scale", "EtaH", "numeric(12,4)", "123.4567",
          logical(f"{CONNECT}Decimal", "bytes", scale="4")),
    value("schema: Decimal, the contract of another scale", "EtaH", "numeric(12,2)", "123.46",
          logical(f"{CONNECT}Decimal", "bytes", scale="4"), DISAGREES),
    value("schema: VariableScaleDecimal", {"scale": 2, "value": "EtaH"}, "numeric", "12345.67",
          logical(f"{DEBEZIUM}data.VariableScaleDecimal", "struct")),
    value("schema: Connect's Timestamp, the contract counts micro", 1_790_000_000_123, "timestamp",
          "2026-09-21 14:13:20.123", logical(f"{CONNECT}Timestamp", "int64"), DISAGREES),
    value("schema: NanoTimestamp, the contract counts micro", 1_790_000_000_123_456_789, "timestamp",
          "2026-09-21 14:13:20.123456", logical(f"{DEBEZIUM}time.NanoTimestamp", "int64"), DISAGREES),
    value("schema: MicroTimestamp", 1_790_000_000_123_456, "timestamp", "2026-09-21 14:13:20.123456",
          logical(f"{DEBEZIUM}time.MicroTimestamp", "int64")),
    value("schema: ZonedTimestamp", "2026-09-21T14:13:20.5Z", "timestamptz",
          "2026-09-21 14:13:20.5+00", logical(f"{DEBEZIUM}time.ZonedTimestamp", "string")),
    value("schema: a time for a column declared text", 1_790_000_000_123, "text",
          "2026-09-21 14:13:20.123000", logical(f"{DEBEZIUM}time.Timestamp", "int64"), DISAGREES),
    value("schema: Date", 20_717, "date", "2026-09-21", logical(f"{DEBEZIUM}time.Date", "int32")),
    value("schema: Time in milliseconds, the contract counts micro", 3_600_000, "time", "01:00:00",
          logical(f"{DEBEZIUM}time.Time", "int32"), DISAGREES),
    value("schema: MicroDuration", 86_400_000_000, "interval", "1 day",
          logical(f"{DEBEZIUM}time.MicroDuration", "int64")),
    value("schema: Interval", "P0Y0M1DT0H0M0S", "interval", "1 day",
          logical(f"{DEBEZIUM}time.Interval", "string")),
    value("schema: Json", '{"a": 1.10}', "jsonb", '{"a": 1.10}',
          logical(f"{DEBEZIUM}data.Json", "string")),
    value("schema: Bits", "Bw==", "bit(5)", "00111", logical(f"{DEBEZIUM}data.Bits", "bytes", length="5")),
    value("schema: Enum", "open", "text", "open", logical(f"{DEBEZIUM}data.Enum", "string")),
    value("schema: Point", {"x": 1.5, "y": 2.0, "wkb": "AQ==", "srid": None}, "jsonb",
          '{"x": 1.5, "y": 2.0, "wkb": "AQ==", "srid": null}',
          logical(f"{DEBEZIUM}data.geometry.Point", "struct")),
    value("schema: an array of dates", [20_717, None], "date[]", "{2026-09-21,NULL}",
          {"type": "array", "items": logical(f"{DEBEZIUM}time.Date", "int32")}),
    value("bytes in base64", "3q2+7w==", "bytea", "\\xdeadbeef"),
    value("bytes as hexadecimal digits, `encoding: hex`", "deadbeef", "bytea", "\\xdeadbeef",
          {"type": "string"}, encoding="hex"),
    value("bytes in base64 for addresses, `encoding: base64url`", "3q2-7w", "bytea", "\\xdeadbeef",
          {"type": "string"}, encoding="base64url"),
    value("bytes as text, and the contract does not say how", "3q2+7w==", "bytea", "\\xdeadbeef",
          {"type": "string"}, DISAGREES),
)  # fmt: skip
