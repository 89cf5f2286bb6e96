"""Databases drafted from bare change records: every value of the sample fits, nothing is guessed away."""

import tempfile
from base64 import b64encode
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.cdc.contract import Column
from ingestion.cdc.decode.types import decoder
from ingestion.drafting.proof import try_contract
from ingestion.drafting.sample import FileSample
from tests.python.ingestion.drafting.conftest import Drafted, change, drafted

WHOLE = st.integers(-(2**63), 2**63 - 1)
INSTANT = st.datetimes().map(lambda at: at.isoformat() + "Z")
BASE64 = st.binary(min_size=1, max_size=6).map(lambda raw: b64encode(raw).decode())
DECIMAL = st.decimals(-(10**9), 10**9, places=2).map(str)
COLUMNS = {
    "amount": st.one_of(WHOLE, st.floats(allow_nan=False, allow_infinity=False)),
    "created_at": st.one_of(st.integers(0, 4 * 10**15), INSTANT),
    "due_date": st.integers(-(10**6), 10**6),
    "price": st.one_of(DECIMAL, BASE64, WHOLE.map(str)),
    "flag": st.booleans(),
    "code": st.text(max_size=12).filter(lambda text: "\x00" not in text),
    "ref": st.uuids().map(str),
    "tags": st.lists(
        st.one_of(st.none(), st.text("abc ", max_size=3), st.integers(0, 9)), max_size=3
    ),
    "meta": st.dictionaries(st.text("abc", max_size=2), st.integers(0, 9), max_size=2),
    "odd": st.one_of(WHOLE, st.text("ab1", max_size=4), st.booleans(), st.floats(-9, 9)),
}
ROWS = st.lists(
    st.fixed_dictionaries({name: st.one_of(st.none(), kind) for name, kind in COLUMNS.items()}),
    min_size=1,
    max_size=6,
)
ONE_KIND = st.sampled_from(sorted(COLUMNS)).flatmap(
    lambda name: st.tuples(st.just(name), st.lists(COLUMNS[name], min_size=1, max_size=8))
)


def records(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [change("orders", {"id": n, **row}, lsn=100 + n) for n, row in enumerate(rows, 1)]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ROWS)
def test_every_value_of_the_sample_is_accepted(rows: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = drafted(Path(folder), records(rows))
        path = Path(folder) / "shop.jsonl"
        lines = tuple(enumerate(path.read_bytes().split(b"\n")[:-1], 1))
    outcomes = try_contract(made.body, [(FileSample(path, lines, False), b"")])
    assert outcomes.accepted == len(rows)
    assert not outcomes.refused
    assert not outcomes.drift


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ONE_KIND)
def test_no_value_becomes_another(column: tuple[str, list[Any]]) -> None:
    """Text stays that text, a number that number, whatever was guessed."""
    name, values = column
    with tempfile.TemporaryDirectory() as folder:
        made = drafted(Path(folder), records([{name: value} for value in values]))
    said = {k: v for k, v in made.columns("orders")[name].items() if k != "personal"}
    decode = decoder(Column.model_validate(said))
    for value in values:
        decoded = decode(value)
        if said["type"] == "text":
            assert decoded == (value if isinstance(value, str) else _as_text(value))
        elif said["type"] in ("bigint", "boolean", "double precision", "uuid"):
            assert decoded == value
        elif said["type"] == "numeric":
            assert Decimal(str(decoded)) == Decimal(str(value))


def _as_text(value: Any) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("id_of_site", [1, 2], "bigint"),
        ("created_at", [1_740_704_571_579_777], "timestamp"),  # microseconds
        ("created_at", [1_740_704_571_579], "timestamp(3)"),  # Debezium's own milliseconds
        ("visits", [1_740_704_571_579], "bigint"),  # no time by its name
        ("due_date", [20453, 19000], "date"),
        ("day", [1, 31], "bigint"),  # of a month
        ("share", [1.5, "NaN"], "double precision"),
        ("weight", [1, 1.5], "double precision"),
        ("progress", [{"scale": 9, "value": "AQ=="}], "numeric"),
        ("price", ["1234.00", "5.00"], "numeric"),
        ("price", ["1234"], "text"),  # would be read as base64
        ("price", ["AA==", "+y4="], "text"),  # nobody knows the scale
        ("zip_code", ["0123"], "text"),
        ("signup_at", ["2026-03-01T10:00:00.5Z"], "timestamptz"),
        ("at", ["2026-03-01T10:00:00"], "timestamp"),
        ("born", ["2026-03-01"], "date"),
        ("opens", ["10:00:00Z"], "timetz"),
        ("meta", ['{"a": 1}', "[]"], "jsonb"),
        ("meta", ['{"a": 1}', "no"], "text"),
        ("geo", [{"x": 1.0}], "jsonb"),
        ("tags", [["a"], [None]], "text[]"),
        ("tags", [[1, "a"]], "jsonb"),
        ("nothing", [None], "text"),
        ("mixed", [1, "a"], "text"),
    ],
)
def test_types_of_bare_values(
    name: str, values: list[Any], kind: str, draft_of: Callable[..., Drafted]
) -> None:
    made = draft_of(records([{name: value} for value in values]))
    assert made.types("orders")[name] == kind
    assert "none rejected" in made.sentences[-1]


def test_what_was_inferred_is_said_with_its_basis(draft_of: Callable[..., Drafted]) -> None:
    text = draft_of(records([{"due_date": 20453}] * 3)).text
    assert "due_date: date  # days since 1970, by its name and from 3 values" in text


def test_tables_of_several_schemas_are_kept_apart(draft_of: Callable[..., Drafted]) -> None:
    made = draft_of(
        [
            change("t", {"id": 1, "a": 1}),
            change("t", {"id": 1, "b": "x"}, schema="archive"),
            change("debezium_signal", {"id": 1}),
            change("CUSTOMERS", {"ID": 1}, schema="INVENTORY"),
        ]
    )
    assert list(made.body["tables"]) == ["t", "archive__t", "INVENTORY__CUSTOMERS"]
    assert made.types("archive__t") == {"id": "bigint", "b": "text"}
    assert made.body["product"] == "shop"


def test_a_database_is_no_schema(draft_of: Callable[..., Drafted]) -> None:
    """MySQL names its database where Postgres has a schema."""
    record = change("customers", {"id": 1})
    record["topic"] = "shop.inventory.customers"
    record["value"]["source"] = {"connector": "mysql", "db": "inventory", "table": "customers",
                                 "file": "b.3", "pos": 154, "row": 0, "ts_ms": 1}  # fmt: skip
    assert list(draft_of([record]).body["tables"]) == ["customers"]


def test_flattened_rows_by_topic_and_by_file(draft_of: Callable[..., Drafted]) -> None:
    by_topic = {"topic": "shop.public.goals", "key": {"id": 1},
                "value": {"id": 1, "title_code": "a", "__deleted": "false"}}  # fmt: skip
    assert draft_of([by_topic]).types("goals") == {"id": "bigint", "title_code": "text"}
    by_file = draft_of([{"id": 1, "state": "open", "__op": "c"}], "tasks.jsonl", product="shop")
    assert by_file.types("tasks") == {"id": "bigint", "state": "text"}


def test_keys_tenants_and_users_are_guessed_and_said(draft_of: Callable[..., Drafted]) -> None:
    made = draft_of(
        [
            change("organizations", {"id": 7, "plan": "pro"}),
            change("users", {"id": 5, "organization_id": 7}),
            change("checkins", {"habit_id": 1, "day": 20453, "user_id": 5, "organization_id": 7},
                   key={"habit_id": 1, "day": 20453}),
            change("log", {"n": 1}, key=None),
        ]
    )  # fmt: skip
    tables = made.body["tables"]
    assert tables["organizations"]["is_tenant_table"] is True
    assert tables["organizations"]["tenant"] == "id"
    assert (tables["users"]["tenant"], tables["users"]["user"]) == ("organization_id", "id")
    assert tables["users"]["is_user_table"] is True
    assert tables["checkins"]["primary_key"] == ["habit_id", "day"]
    assert tables["checkins"]["user"] == "user_id"
    assert "primary_key" not in tables["log"]
    (said,) = [s for s in made.sentences if "tenant" in s]
    assert "organization_id" in said and "log" in said


def test_columns_of_any_name_can_be_declared(draft_of: Callable[..., Drafted]) -> None:
    made = draft_of([change("orders", {"id": 1, "_hidden": 2, "with blank": 3, 'a "b"': 4})])
    assert made.types("orders") == dict.fromkeys(("id", "_hidden", "with blank", 'a "b"'), "bigint")


@pytest.mark.parametrize(
    ("connector", "place", "home", "other"),
    [
        ("mysql", {"db": "shop", "file": "bin.1", "pos": 4}, "shop", {"db": "archive"}),
        ("mariadb", {"db": "shop", "file": "bin.1", "pos": 4}, "shop", {"db": "archive"}),
        ("vitess", {"keyspace": "shop"}, "shop", {"keyspace": "archive"}),
        (
            "oracle",
            {"db": "XE", "schema": "SHOP", "scn": "1", "commit_scn": "2"},
            "SHOP",
            {"schema": "ARCHIVE"},
        ),
        ("db2", {"db": "XE", "schema": "SHOP"}, "SHOP", {"schema": "ARCHIVE"}),
        ("postgresql", {"schema": "public", "lsn": 1}, None, {"schema": "archive"}),
        ("mongodb", None, "shop", {"db": "archive"}),
    ],
)
def test_the_home_is_written_where_no_custom_says_it(
    connector: str, place: dict[str, Any] | None, home: str | None, other: dict[str, Any],
    draft_of: Callable[..., Drafted],
) -> None:  # fmt: skip
    """So that records of another schema never meet a declared table of the same name."""

    def record(number: int, **more: Any) -> dict[str, Any]:
        row = {"id": number, "name": "x"}
        if place is None:
            return {**row, "__op": "c", "__connector": connector, "__db": "shop", "__collection": "orders",
                    "__ts_ms": 1_790_000_000_000, **{f"__{n}": v for n, v in more.items()}}  # fmt: skip
        source = {"connector": connector, "name": "app", "table": "orders", "ts_ms": 1_790_000_000_000,
                  **place, **more}  # fmt: skip
        return {
            "before": None,
            "after": row,
            "source": source,
            "op": "c",
            "ts_ms": 1_790_000_000_001,
        }

    made = draft_of([record(1, **other), record(2), record(3)])
    assert made.body.get("schema") == home
    inner = next(iter(other.values()))
    assert set(made.body["tables"]) == {"orders", f"{inner}__orders"}
    assert any("2 schemas or databases" in line for line in made.sentences) == (home is not None)
