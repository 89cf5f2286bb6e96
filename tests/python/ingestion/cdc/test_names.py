"""Any name a source can give, declared and stored; and no table that meets another of the same name (rule 58)."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingestion.cdc.contract import CdcContract
from ingestion.cdc.decode.table_names import Place, TableNames
from ingestion.cdc.names import stored_column, stored_table
from tests.python.ingestion.cdc.conftest import Loading

LONG = "a_name_of_sixty_three_letters_as_postgres_has_it_at_the_most_it"
ODD_COLUMNS = (
    "Capital", "_id", "_key", "_tenant_id", "__v", "with blank", 'a "quoted" one', "it's", "100%", "%s", "{}",
    "valid_from", "is_current", "after", "ctid", "select", "ünïcödé", "Ω", "back\\slash", "a.b", "a,b",
    LONG, LONG + "_and_more_than_the_database_can_hold", LONG + "_and_more_than_the_database_can_hold_2",
)  # fmt: skip
ODD_TABLES = ("Order Details", "UPPER", 'quo"ted', "it's", "100%", "select", LONG, "_hidden", "é")


def contract(tables: Mapping[str, Any], **more: Any) -> CdcContract:
    return CdcContract.model_validate({"kind": "cdc", "product": "shop", "tables": tables, **more})


T = {"primary_key": ["id"], "columns": {"id": "integer", "v": "text"}}


@pytest.mark.parametrize(
    ("declared", "more", "place", "name"),
    [
        ({"t": T}, {}, Place("t", "public", "app", "postgresql"), "t"),
        ({"t": T}, {}, Place("t", "archive", "app", "postgresql"), None),
        ({"t": T}, {}, Place("t", None, None, "postgresql"), "t"),
        ({"t": T}, {}, Place("T", "public", "app", "postgresql"), None),
        ({"t": T, "archive__t": T}, {}, Place("t", "archive", "app", "postgresql"), "archive__t"),
        ({"t": T}, {"schema": "tenant_1"}, Place("t", "tenant_1", "app", "postgresql"), "t"),
        ({"t": T}, {"schema": "tenant_1"}, Place("t", "public", "app", "postgresql"), None),
        ({"t": T}, {"database": "app"}, Place("t", "public", "other", "postgresql"), None),
        ({"t": T, "other__public__t": T}, {"database": "app"},
         Place("t", "public", "other", "postgresql"), "other__public__t"),
        ({"t": T}, {}, Place("t", "dbo", "app", "sqlserver"), "t"),
        ({"t": T}, {}, Place("t", "sales", "app", "sqlserver"), None),
        ({"dbo__t": T}, {"database": "app"}, Place("t", "dbo", "other", "sqlserver"), None),
        ({"t": T}, {}, Place("t", None, "app", "mysql"), "t"),
        ({"app__t": T}, {}, Place("t", None, "app", "mysql"), "app__t"),
        ({"app__t": T}, {}, Place("t", None, "other", "mysql"), None),
        ({"t": T}, {"schema": "app"}, Place("t", None, "other", "mysql"), None),
        ({"t": T}, {"database": "app"}, Place("t", None, "app", "mariadb"), "t"),
        ({"t": T}, {"database": "app"}, Place("t", None, "other", "mariadb"), None),
        ({"inventory__customers": T}, {}, Place("CUSTOMERS", "INVENTORY", "X", "oracle"),
         "inventory__customers"),
        ({"INVENTORY__CUSTOMERS": T}, {}, Place("CUSTOMERS", "INVENTORY", "X", "db2"),
         "INVENTORY__CUSTOMERS"),
        ({"customers": T}, {"schema": "inventory"}, Place("CUSTOMERS", "ARCHIVE", "X", "oracle"), None),
        ({"inventory__customers": T}, {}, Place("Customers", "INVENTORY", "X", "oracle"), None),
        ({"t": T}, {}, Place("t", "archive", None, None), None),
    ],
)  # fmt: skip
def test_which_table_a_record_means(
    declared: Mapping[str, Any], more: Mapping[str, Any], place: Place, name: str | None
) -> None:
    found = TableNames(contract(declared, **more)).of(place)
    assert (found.name if found.is_declared else None) == name
    assert found.is_declared or found.name not in declared


def test_names_are_stored_apart_and_fit_the_database() -> None:
    columns = [stored_column(name) for name in ODD_COLUMNS]
    assert len(set(columns)) == len(ODD_COLUMNS)
    assert all(len(name.encode()) <= 63 for name in columns)
    assert stored_column("Order Date") == "Order Date"
    tables = [stored_table("shop", name) for name in (*ODD_TABLES, LONG + "2")]
    assert len(set(tables)) == len(tables)
    assert all(len(f"{name}_closed_key".encode()) <= 63 for name in tables)
    assert stored_table("upcoach", "goals") == "upcoach__goals"


@pytest.mark.slow
@pytest.mark.parametrize("is_flat", [False, True])
def test_any_table_and_column_is_read_and_its_history_kept(
    loading: Callable[..., Loading], tmp_path: Path, is_flat: bool
) -> None:
    columns = {"id": "integer", "org": "integer", **dict.fromkeys(ODD_COLUMNS, "text")}
    table = {"primary_key": ["id", "_key"], "tenant": "org", "columns": columns}
    body = {"kind": "cdc", "product": "shop", "tables": dict.fromkeys(ODD_TABLES, table)}
    (tmp_path / "shop.yml").write_text(json.dumps(body))
    made = loading()
    shop = Loading(
        replace(made.warehouse, settings=replace(made.warehouse.settings, contracts=(tmp_path,)))
    )

    def change(number: int, name: str, value: str) -> bytes:
        row = {
            "id": number % 2,
            "org": number % 2,
            **dict.fromkeys(ODD_COLUMNS, value),
            "_key": "k",
        }
        source = {"connector": "postgresql", "schema": "public", "table": name, "lsn": number,
                  "ts_ms": 1_700_000_000_000 + number}  # fmt: skip
        if is_flat:
            return json.dumps(
                {**row, **{f"__{n}": v for n, v in source.items()}, "__op": "u"}
            ).encode()
        return json.dumps({"op": "u", "after": row, "source": source, "ts_ms": 1}).encode()

    for round_number in range(2):
        shop.put_and_load({
            f"cdc/shop/{round_number}.jsonl": [
                change(1 + 100 * round_number + 2 * place + tenant, name, f"value {round_number}")
                for place, name in enumerate(ODD_TABLES)
                for tenant in range(2)
            ],
        })  # fmt: skip
    assert shop.rows("select kind, field_name from ops.schema_drift") == []
    assert shop.rows("select reason from ops.rejected_records") == []
    for name in ODD_TABLES:
        relation = stored_table("shop", name).replace('"', '""')
        for column in ODD_COLUMNS:
            quoted = stored_column(column).replace('"', '""')
            found = shop.rows(
                f'select h."{quoted}" from raw_cdc."{relation}_history" as h order by valid_from, id'
            )
            expected = ["k"] * 4 if column == "_key" else ["value 0"] * 2 + ["value 1"] * 2
            assert [value for (value,) in found] == expected, (name, column)
