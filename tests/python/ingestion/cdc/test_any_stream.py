"""Whatever connector, envelope, schema, cut and repetition, and whatever contract first: nothing is lost, and
nothing is wrong without a row of drift or a rejection (rules 48, 51, 55 to 59).

A made-up source says what its tables hold. Its stream is loaded under contracts that may be wrong or poor, then
under the right one: each value is the source's, or its column stands in ops.schema_drift; after a reload,
where the load says that one is due, each value is the source's without exception.

A few examples are tried in the usual run. `TALLYHOUSE_FUZZ_EXAMPLES=3000 pytest …/test_any_stream.py` tries
about an hour's; what it finds is added here as an `@example`.
"""

import base64
import itertools
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, example, given, settings
from hypothesis import strategies as st

from ingestion.load import reload
from ingestion.report import LoadReport
from tests.python.ingestion.cdc.conftest import Loading

pytestmark = pytest.mark.slow

EXAMPLES = int(os.environ.get("TALLYHOUSE_FUZZ_EXAMPLES", "6"))
AT_MS = 1_790_000_000_000
CONNECT, DEBEZIUM = "org.apache.kafka.connect.data.", "io.debezium."
Row = dict[str, Any]

HOMES = {
    "postgresql": "public", "sqlserver": "dbo", "oracle": "APP", "db2": "APP", "mysql": "app", "mariadb": "app",
    "vitess": "app", "mongodb": "app",
}  # fmt: skip
DATABASES = ("mysql", "mariadb", "vitess", "mongodb")  # where tables lie right in one
UNPLACED = ("vitess", "mongodb")  # whose records have no place in a log
RIGHT: dict[str, Any] = {
    "id": "integer", "org": "integer", "who": "text", "v": "text", "price": "numeric(12,2)", "at": "timestamp",
    "day": "date", "raw": "bytea", "late": "bigint",
}  # fmt: skip
COMPARED = ("who", "v", "price", "at", "day", "raw", "late")
# Contracts that somebody may have written before: columns that differ, None for one that is not there.
EDITS: list[dict[str, str | None]] = [
    {}, {"v": None}, {"v": "integer"}, {"v": "numeric"}, {"price": "text"}, {"price": "numeric(12,4)"},
    {"price": None, "at": None}, {"at": "timestamp(3)"}, {"at": "date"}, {"at": "text"},
    {"price": "integer", "v": "date"}, {"price": "numeric(4,2)"}, {"at": "bigint"}, {"v": "boolean"},
    {"late": None}, {"late": "text", "day": None}, {"day": "timestamp"}, {"day": "text", "raw": "text"},
    {"raw": None, "who": None}, {"at": "timestamp"}, {"at": "timestamptz", "late": "smallint"}, {"who": "uuid"},
]  # fmt: skip


@dataclass(frozen=True)
class Style:
    """How a connector writes its records."""

    connector: str
    envelope: str  # bare, wrapped, with schema, flattened
    decimals: str  # base64, text, double
    unit: str  # of times: milliseconds, microseconds, nanoseconds
    scale: int  # of decimals where a schema says it
    is_placed: bool = True  # flattened rows say where they stand in the log
    has_offsets: bool = False  # records name partition and offset
    late_from: int = 0  # the record from which on the source has the column `late`

    @property
    def has_schema(self) -> bool:
        return self.envelope == "with schema"

    @property
    def has_order(self) -> bool:
        """Whether a record says where it stands, so that files may come under any names."""
        has_log = self.connector not in UNPLACED and (
            self.is_placed or self.envelope != "flattened"
        )
        return has_log or (self.has_offsets and self.envelope != "bare")


@dataclass(frozen=True)
class Step:
    """An action on a row of one of the source's schemas; snapshot rows show it again."""

    action: str  # put, delete, snapshot, truncate
    schema: str  # home, other
    key: int
    row: Row


@dataclass(frozen=True)
class Delivery:
    """Where the stream is cut, what is delivered again under which name, which contracts come first."""

    cuts: tuple[int, ...]
    again: tuple[tuple[int, int, str], ...]
    edits: tuple[int, ...]
    is_reversed: bool


STYLE = st.builds(
    Style,
    connector=st.sampled_from(sorted(HOMES)),
    envelope=st.sampled_from(["bare", "wrapped", "with schema", "flattened"]),
    decimals=st.sampled_from(["base64", "text", "double"]),
    unit=st.sampled_from(["milliseconds", "microseconds", "nanoseconds"]),
    scale=st.sampled_from([2, 4]),
    is_placed=st.booleans(),
    has_offsets=st.booleans(),
    late_from=st.sampled_from([0, 0, 3, 6]),
).filter(lambda style: style.connector != "mongodb" or style.envelope == "flattened")
ROW = st.fixed_dictionaries({
    "v": st.none() | st.sampled_from(["a", "1234", "x y", "true", "12", "2026-01-01"]),
    "price": st.none() | st.integers(-10**6, 10**9).map(lambda cents: Decimal(cents) / 100),
    "at": st.none() | st.integers(0, 10**11).map(lambda ms: AT_MS + ms),
    "who": st.none() | st.sampled_from(["u1", "u2", "undefined", "null"]),
    "day": st.none() | st.integers(0, 40_000),
    "raw": st.none() | st.binary(max_size=5),
    "late": st.none() | st.integers(-(2**63), 2**63 - 1) | st.integers(-9, 9),
})  # fmt: skip
STEP = st.builds(
    Step,
    action=st.sampled_from(
        [
            "put",
            "put",
            "put",
            "put",
            "put",
            "put",
            "delete",
            "delete",
            "snapshot",
            "snapshot",
            "truncate",
        ]
    ),
    schema=st.sampled_from(["home", "home", "home", "other"]),
    key=st.integers(1, 4),
    row=ROW,
)
DELIVERY = st.builds(
    Delivery,
    cuts=st.lists(st.integers(0, 12), max_size=2).map(tuple),
    again=st.lists(
        st.tuples(st.integers(0, 12), st.integers(0, 12), st.sampled_from(["0", "again", "zz"])),
        max_size=1,
    ).map(tuple),
    edits=st.lists(st.integers(0, len(EDITS) - 1), min_size=1, max_size=2).map(tuple),
    is_reversed=st.booleans(),
)


class Source:
    """Runs steps, holds what is true at the end, and writes the records of it."""

    def __init__(self, style: Style, steps: list[Step]) -> None:
        self.style = style
        self.rows: dict[tuple[str, int], Row] = {}
        self.records: list[Row] = []
        self.strange = 0  # records of the schema that nobody declares
        for step in steps:
            self._run(step)

    def _run(self, step: Step) -> None:
        place = step.schema, step.key
        held = self.rows.get(place)
        if step.action == "put":
            has_late = len(self.records) >= self.style.late_from
            self.rows[place] = {**step.row, "late": step.row.get("late") if has_late else None}
            self._write("c" if held is None else "u", place, self.rows[place])
        elif held is not None and step.action == "delete":
            del self.rows[place]
            self._write("d", place, None)
        elif (
            step.action == "truncate"
            and self.style.envelope != "flattened"
            and self.style.has_order
        ):
            self.rows = {at: row for at, row in self.rows.items() if at[0] != step.schema}
            self._write("t", place, None)
        elif step.action == "snapshot" and held is not None and self.style.envelope != "flattened":
            self._write("r", place, held)

    def _write(self, op: str, place: tuple[str, int], row: Row | None) -> None:
        style, number = self.style, len(self.records) + 1
        schema, key = place
        self.strange += schema == "other"
        source = {
            "connector": style.connector, "name": "app", "db": "app", "table": "t",
            "snapshot": "incremental" if op == "r" else "false", "ts_ms": AT_MS + 1000 * number,
            **self._position(number, is_placed=op != "r" and self._is_placed),
        }  # fmt: skip
        if style.connector in DATABASES:
            source["db"] = HOMES[style.connector] if schema == "home" else "other"
            source |= {"keyspace": source["db"]} if style.connector == "vitess" else {}
        else:
            source["schema"] = HOMES[style.connector] if schema == "home" else "OTHER"
        image = None if row is None else self._image(key, row)
        self.records.append(self._enveloped(op, key, image, source, number))

    @property
    def _is_placed(self) -> bool:
        style = self.style
        return style.connector not in UNPLACED and (
            style.is_placed or style.envelope != "flattened"
        )

    def _position(self, number: int, is_placed: bool) -> Row:
        if not is_placed:
            return {}
        at = number * 16
        if self.style.connector == "postgresql":
            return {"lsn": at, "txId": number}
        if self.style.connector in ("mysql", "mariadb"):
            return {"file": f"bin.{number // 4 + 1:06d}", "pos": 4 + at, "row": 0}
        if self.style.connector == "oracle":
            return {"scn": str(at), "commit_scn": str(at + 1), "ssn": 0}
        lsn = f"00000027:{at:08x}:0001"
        return {"commit_lsn": lsn, "change_lsn": lsn, "event_serial_no": 1}

    def _image(self, key: int, row: Row) -> Row:
        raw = row.get("raw")
        image = {
            "id": key, "org": key % 2, "who": row.get("who"), "v": row["v"], "price": self._price(row["price"]),
            "at": self._at(row["at"]), "day": row.get("day"),
            "raw": None if raw is None else base64.b64encode(raw).decode(),
        }  # fmt: skip
        if len(self.records) >= self.style.late_from:
            image["late"] = row["late"]
        return image

    def _price(self, price: Decimal | None) -> Any:
        style = self.style
        if price is None or style.decimals == "double":
            return price if price is None else float(price)
        if style.decimals == "text":
            return f"{price:.2f}"
        number = int(price.scaleb(style.scale if style.has_schema else 2))
        size = number.bit_length() // 8 + 1
        return base64.b64encode(number.to_bytes(size, "big", signed=True)).decode()

    def _at(self, at: int | None) -> int | None:
        if at is None:
            return None
        return (
            at
            * {"milliseconds": 1, "microseconds": 1000, "nanoseconds": 1_000_000}[self.style.unit]
        )

    def _fields(self) -> list[Row]:
        style = self.style
        price: Row = {"base64": {"type": "bytes", "name": f"{CONNECT}Decimal",
                                 "parameters": {"scale": str(style.scale)}},
                      "text": {"type": "string"}, "double": {"type": "double"}}[style.decimals]  # fmt: skip
        at = {"milliseconds": f"{CONNECT}Timestamp", "microseconds": f"{DEBEZIUM}time.MicroTimestamp",
              "nanoseconds": f"{DEBEZIUM}time.NanoTimestamp"}[style.unit]  # fmt: skip
        return [
            {"field": "id", "type": "int32"}, {"field": "org", "type": "int32"},
            {"field": "who", "type": "string"}, {"field": "raw", "type": "bytes"},
            {"field": "day", "type": "int32", "name": f"{DEBEZIUM}time.Date"}, {"field": "late", "type": "int64"},
            {"field": "v", "type": "string"}, {"field": "price", **price},
            {"field": "at", "type": "int64", "name": at},
        ]  # fmt: skip

    def _enveloped(self, op: str, key: int, image: Row | None, source: Row, number: int) -> Row:
        arrived = AT_MS + 1000 * number + 7
        topic = f"app.{source.get('schema') or source['db']}.t"
        if self.style.envelope == "flattened":
            said = {f"__{name}": value for name, value in source.items()}
            row = {
                **(image or {"id": key}),
                **said,
                "__op": op,
                "__deleted": str(op == "d").lower(),
            }
            return {"topic": topic, "key": {"id": key}, "value": row, **self._offset(number)}
        value: Row = {"before": None if image or op == "t" else {"id": key}, "after": image, "op": op,
                      "source": source, "ts_ms": arrived}  # fmt: skip
        if self.style.has_schema:
            after = {"type": "struct", "field": "after", "fields": self._fields()}
            value = {"schema": {"type": "struct", "fields": [after]}, "payload": value}
            if not self.style.has_offsets:
                return value
        if self.style.envelope == "bare":
            return value
        return {
            "topic": topic,
            "key": None if op == "t" else {"id": key},
            "value": value,
            **self._offset(number),
        }

    def _offset(self, number: int) -> Row:
        return {"partition": 0, "offset": 100 + number} if self.style.has_offsets else {}

    def home(self) -> dict[int, Row]:
        """The declared table as the source has it, times as the database writes them."""
        return {key: _stored(row) for (schema, key), row in self.rows.items() if schema == "home"}


def _stored(row: Row) -> Row:
    """A row as it is due in the warehouse: a word for nobody is nobody (rule 49)."""
    day = row.get("day")
    return {
        "who": None if row.get("who") in ("undefined", "null") else row.get("who"), "v": row["v"],
        "price": row["price"], "at": _text(row["at"]),
        "day": None if day is None else str(date(1970, 1, 1) + timedelta(days=day)),
        "raw": row.get("raw"), "late": row["late"],
    }  # fmt: skip


def _text(at: int | None) -> str | None:
    if at is None:
        return None
    moment = datetime(1970, 1, 1) + timedelta(milliseconds=at)
    text = moment.isoformat(" ", "microseconds").rstrip("0")
    return text.removesuffix(".")


def contract(style: Style, edit: dict[str, str | None]) -> str:
    right = RIGHT
    if not style.has_schema and style.unit != "microseconds":
        right = {**RIGHT, "at": {"type": "timestamp", "encoding": style.unit}}
    columns = {name: kind for name, kind in {**right, **edit}.items() if kind is not None}
    user = {"user": "who"} if "who" in columns else {}
    return json.dumps({
        "kind": "cdc", "product": "shop", "schema": HOMES[style.connector],
        "tables": {"t": {"primary_key": ["id"], "tenant": "org", **user, "columns": columns}},
    })  # fmt: skip


class Shop:
    """A warehouse that is emptied for each example."""

    def __init__(self, loading: Loading, folder: Path) -> None:
        self.loading, self.folder = loading, folder

    def under(self, text: str) -> None:
        (self.folder / "shop.yml").write_text(text)  # JSON is YAML

    def load(self, name: str | None = None, records: list[Row] | None = None) -> LoadReport:
        if name is None:
            return self.loading.load()
        lines = [json.dumps(record).encode() for record in records or []]
        return self.loading.put_and_load({f"cdc/shop/{name}.jsonl": lines})

    def found(self) -> dict[int, Row]:
        texts = [f"{name}::text" if name in ("at", "day") else name for name in COMPARED]
        found = self.loading.rows(f"select id, {', '.join(texts)} from raw_cdc.shop__t")
        return {key: dict(zip(COMPARED, values, strict=True)) for key, *values in found}

    def times(self) -> dict[int, str | None] | None:
        """What is stored of `at`, where the contract of this moment has it as a time."""
        is_time = self.loading.rows(
            "select true from information_schema.columns where table_schema = 'raw_cdc'"
            " and table_name = 'shop__t' and column_name = 'at' and data_type like 'timestamp%'"
        )
        found = self.loading.rows("select id, at::text from raw_cdc.shop__t") if is_time else []
        return {key: at and at.removesuffix("+00") for key, at in found} if is_time else None

    def told(self) -> set[str]:
        """Columns that stand in the drift, whoever answered it."""
        return {
            name
            for (name,) in self.loading.rows(
                "select field_name from ops.schema_drift where object_name = 't'"
            )
        }


@pytest.fixture(scope="module")
def shop(loading: Callable[..., Loading], tmp_path_factory: pytest.TempPathFactory) -> Shop:
    folder = tmp_path_factory.mktemp("pack")
    (folder / "shop.yml").write_text(contract(Style("postgresql", "bare", "text", "", 2), {}))
    return Shop(loading(folder), folder)


PUT = Step("put", "home", 1, {"v": "1234", "price": Decimal("12.34"), "at": AT_MS + 5})
POSTGRES = Style("postgresql", "with schema", "base64", "milliseconds", 4)


@example(style=POSTGRES, steps=[PUT], delivery=Delivery((), (), (0,), False))
@example(
    style=Style("mysql", "flattened", "text", "microseconds", 2),
    steps=[PUT, Step("put", "other", 1, PUT.row), Step("delete", "home", 1, PUT.row)],
    delivery=Delivery((2,), ((0, 3, "0"),), (1, 10), True),
)
@example(  # a number that was stored and does not fit the next contract
    style=Style("sqlserver", "bare", "double", "nanoseconds", 4),
    steps=[Step("put", "home", 1, {"v": "1234", "price": Decimal("89063.35"), "at": None}), PUT],
    delivery=Delivery((1,), (), (1, 11), False),
)
@example(  # an update of a table that nobody declared, without the record's key
    style=Style("oracle", "bare", "text", "nanoseconds", 2),
    steps=[Step("put", "other", 4, PUT.row), PUT, Step("put", "other", 4, PUT.row)],
    delivery=Delivery((), (), (11,), True),
)
@given(style=STYLE, steps=st.lists(STEP, min_size=1, max_size=10), delivery=DELIVERY)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES < 100,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # each try is five loads: none to shrink
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_nothing_is_lost_and_nothing_wrong_without_a_word(
    shop: Shop, style: Style, steps: list[Step], delivery: Delivery
) -> None:
    source = Source(style, steps)
    assume(source.records)
    shop.loading.start_over("shop")
    files = _files(source.records, delivery if style.has_order else replace(delivery, again=()))
    contracts = [contract(style, EDITS[edit]) for edit in delivery.edits]
    for number, (name, records) in enumerate(files):
        shop.under(contracts[min(number, len(contracts) - 1)])
        report = shop.load(name, records)
    expected = source.home()
    times = shop.times()
    last = json.loads(contracts[min(len(files), len(contracts)) - 1])
    if times is not None and "at" in last["tables"]["t"]["columns"]:
        is_due = any("reload" in note for note in report.notes)
        wrong = {key for key, row in expected.items() if times.get(key) != row["at"]}
        assert not wrong or is_due or "at" in shop.told(), (wrong, times)
    shop.under(contract(style, {}))
    report = shop.load()

    assert shop.loading.rows(
        "select coalesce(sum(unaccounted), 0) from ops.source_reconciliation"
    ) == [(0,)]
    assert shop.loading.rows("select reason from ops.rejected_records") == []
    found, told = shop.found(), shop.told()
    assert found.keys() == expected.keys()
    is_due = any("reload" in note for note in report.notes)
    differing = {
        name for key, row in expected.items() for name in row if found[key][name] != row[name]
    }
    assert is_due or differing <= told, (differing, told)
    strange = shop.loading.rows("select count(*) from raw_cdc.changes where table_name <> 't'")
    told_strange = shop.loading.rows(
        "select coalesce(sum(record_count), 0) from ops.schema_drift where kind = 'undeclared_table'"
    )
    assert strange[0][0] >= bool(source.strange) and told_strange[0][0] >= source.strange

    warehouse = shop.loading.warehouse
    reload(warehouse.connect, warehouse.settings, ["cdc/shop"], processes=1)
    assert shop.found() == expected


def _files(records: list[Row], delivery: Delivery) -> list[tuple[str, list[Row]]]:
    edges = sorted({0, len(records), *(min(cut, len(records)) for cut in delivery.cuts)})
    parts = [
        (f"part-{number}", records[begin:end])
        for number, (begin, end) in enumerate(itertools.pairwise(edges))
    ]
    if delivery.is_reversed:
        parts.reverse()
    again = [(name, records[min(a, b) : max(a, b)]) for a, b, name in delivery.again]
    return [(name, part) for name, part in (*parts, *again) if part]
