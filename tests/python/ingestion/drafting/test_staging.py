"""Staging written from a contract: what people wrote for two databases, to the letter."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from ingestion.cdc.contract import CdcContract, cdc_contracts
from ingestion.contracts.model import load_contracts
from ingestion.drafting.sample import DraftError
from ingestion.drafting.staged_columns import staged_table
from ingestion.drafting.staging import write_staging
from tallyhouse.settings import PROJECT_ROOT

STAGING = PROJECT_ROOT / "models" / "staging"
CONTRACTS = cdc_contracts(load_contracts([PROJECT_ROOT / "contracts"]))


@pytest.fixture(params=["rostracore", "upcoach"])
def product(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_models_are_those_that_exist(product: str, tmp_path: Path) -> None:
    write_staging(CONTRACTS[product], tmp_path)
    written = {path.name: path.read_text() for path in tmp_path.glob("*.sql")}
    there = {
        path.name: path.read_text()
        for path in (STAGING / product).glob("*.sql")
        if not path.stem.endswith("_versions")  # of the history, which hands choose
    }
    assert written == there


def test_descriptions_tests_and_tags_are_those_that_exist(product: str, tmp_path: Path) -> None:
    """Columns in their order, which of them are tested how, which are personal; the words differ."""
    write_staging(CONTRACTS[product], tmp_path)
    ours, theirs = (
        yaml.safe_load((folder / f"_{product}__models.yml").read_text())["models"]
        for folder in (tmp_path, STAGING / product)
    )
    theirs = [model for model in theirs if not model["name"].endswith("_versions")]
    assert [model["name"] for model in ours] == [model["name"] for model in theirs]
    for mine, there in zip(ours, theirs, strict=True):
        assert _columns(mine) == _columns(there), mine["name"]
        assert bool(mine.get("data_tests")) == bool(there.get("data_tests")), mine["name"]
    assert _sources(tmp_path, product) == _sources(STAGING / product, product)


def _columns(model: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    return [
        (
            column["name"],
            None if column["name"] == "tenant_id" and model.get("data_tests")
            else column.get("data_tests"),
            column.get("config"),
        )
        for column in model["columns"]
    ]  # fmt: skip


def _sources(folder: Path, product: str) -> Any:
    source, *_histories = yaml.safe_load((folder / f"_{product}__sources.yml").read_text())[
        "sources"
    ]
    assert all(table.pop("description") for table in source["tables"])
    return {key: value for key, value in source.items() if key != "description"}


def contract(**tables: Any) -> CdcContract:
    return CdcContract.model_validate({"kind": "cdc", "product": "shop", "tables": tables})


def names(table: Any, **others: Any) -> dict[str, str]:
    staged = staged_table(contract(orders=table, **others), "orders")
    return {column.name: column.expression for column in staged.columns}


def test_names_of_the_house() -> None:
    found = names(
        {
            "primary_key": ["id"],
            "tenant": "org_id",
            "user": "buyer",
            "columns": {
                "id": "bigint", "org_id": "integer", "buyer": "text", "site_id": "integer",
                "stripe_customer_id": "text", "name": "text", "email": {"type": "text", "personal": "token"},
                "note": {"type": "text", "personal": "drop"}, "price": "numeric(12,2)", "paid": "boolean",
                "currency": "text", "order": "integer", "ID2": "text", "day": "date", "at": "timestamptz",
                "received_at": "timestamptz", "grade": {"type": "text", "staged_as": "score_band"},
            },
        },
        sites={"primary_key": ["id"], "columns": {"id": "integer"}},
    )  # fmt: skip
    assert found == {
        "order_id": "{{ entity_uuid('shop', 'order', 'id') }}",
        "buyer_id": "_user_id",  # a text may be an address, which the loader made a token of
        "site_id": "{{ entity_uuid('shop', 'site', 'site_id') }}",
        "stripe_customer_id": "stripe_customer_id",  # nobody's id here
        "order_name": "name",
        "email_token": "email",
        "price_amount": "price",
        "is_paid": "paid",
        "currency": "lower(currency)",
        "order_order": "{{ adapter.quote('order') }}",
        "id2": "{{ adapter.quote('ID2') }}",
        "order_date": "day",
        "order_at": "at",
        "order_received_at": "received_at",  # the loader's own keeps its name
        "score_band": "grade",
    }


def test_an_id_is_that_of_the_table_whose_key_it_is() -> None:
    """`assignment_id` is the key of shift_assignments: both sides must make the same UUID."""
    kinds = contract(
        shift_assignments={
            "primary_key": ["assignment_id"],
            "columns": {"assignment_id": "integer"},
        },
        ratings={"primary_key": ["id"], "columns": {"id": "integer", "assignment_id": "integer"}},
    )
    own, other = (staged_table(kinds, name) for name in ("shift_assignments", "ratings"))
    expressions = {c.name: c.expression for c in (*own.columns, *other.columns)}
    assert "'shift_assignment'" in expressions["assignment_id"]
    assert own.columns[0].expression == other.columns[1].expression


def test_two_tables_whose_keys_have_one_name_have_ids_of_their_own() -> None:
    table = {"primary_key": ["assignment_id"], "columns": {"assignment_id": "integer"}}
    kinds = contract(shift_assignments=table, test_assignments=table)
    shift, test = (staged_table(kinds, name).columns[0] for name in kinds.tables)
    assert "'shift_assignment'" in shift.expression
    assert "'test_assignment'" in test.expression


def test_a_key_of_several_columns_is_unique_within_its_tenant(tmp_path: Path) -> None:
    table = {"primary_key": ["habit_id", "day"], "tenant": "org_id",
             "columns": {"habit_id": "bigint", "day": "date", "org_id": "uuid"}}  # fmt: skip
    write_staging(contract(habit_checkins=table), tmp_path)
    (model,) = yaml.safe_load((tmp_path / "_shop__models.yml").read_text())["models"]
    (test,) = model["data_tests"]
    arguments = test["dbt_utils.unique_combination_of_columns"]["arguments"]
    assert arguments["combination_of_columns"] == ["tenant_id", "habit_id", "checkin_date"]
    assert model["description"].startswith("One row per habit and day,")


ONE = {"primary_key": ["id"], "columns": {"id": "bigint"}}


def test_hands_are_respected(tmp_path: Path) -> None:
    """What is there stays; a table that came later is added at the end; --force writes anew."""
    write_staging(contract(goals=ONE), tmp_path)
    model, described = tmp_path / "stg_shop__goals.sql", tmp_path / "_shop__models.yml"
    model.write_text("-- by hand\n")
    described.write_text(described.read_text().replace("Goal.", "What somebody wants."))
    both = contract(goals=ONE, habits=ONE)
    written = write_staging(both, tmp_path)
    assert [path.name for path in written.new] == ["stg_shop__habits.sql"]
    assert {path.name for path in written.extended} == {"_shop__models.yml", "_shop__sources.yml"}
    assert [path.name for path in written.kept] == ["stg_shop__goals.sql"]
    assert model.read_text() == "-- by hand\n"
    assert "What somebody wants." in described.read_text()
    fresh = tmp_path / "fresh"
    write_staging(both, fresh)
    for name in ("_shop__models.yml", "_shop__sources.yml"):
        added, whole = (yaml.safe_load((f / name).read_text()) for f in (tmp_path, fresh))
        assert _names(added) == _names(whole)
    assert write_staging(both, tmp_path).new == []
    write_staging(both, tmp_path, force=True)
    assert {p.name: p.read_text() for p in tmp_path.glob("*.*")} == {
        p.name: p.read_text() for p in fresh.iterdir()
    }


@pytest.mark.parametrize("force", [False, True])
def test_entries_find_their_place_among_those_of_others(
    product: str, force: bool, tmp_path: Path
) -> None:
    """A new table joins the tables of its source, though histories follow; versions stay, forced or
    not, and nothing but the staged entries changes."""
    folder = tmp_path / product
    shutil.copytree(STAGING / product, folder)
    (name, table), *_ = CONTRACTS[product].tables.items()
    tables = {**CONTRACTS[product].tables, "newcomers": table}
    more = CONTRACTS[product].model_copy(update={"tables": tables})
    write_staging(more, folder, ["newcomers", name] if force else ["newcomers"], force=force)
    for kind, place in (("sources", "tables"), ("models", "columns")):
        before, after = (
            yaml.safe_load((f / f"_{product}__{kind}.yml").read_text())[kind]
            for f in (STAGING / product, folder)
        )
        assert len(str(after)) > len(str(before))
        if kind == "sources":
            drafted = [
                after[0][place][-1],
                *(t for t in after[0][place] if force and t["name"] == name),
            ]
            for entry in drafted:  # the words of hands give way to a draft's where it is forced
                assert entry.pop("description").endswith("as the source's database stands now.")
            for entry in before[0][place] if force else ():
                if entry["name"] == name:
                    del entry["description"]
            before[0][place].append({"name": "newcomers", "identifier": f"{product}__newcomers"})
            assert after == before
        else:
            assert [m["name"] for m in after] == [
                *(m["name"] for m in before), f"stg_{product}__newcomers"
            ]  # fmt: skip
            assert after[1:-1] == before[1:]


def _names(body: Any) -> list[str]:
    return re.findall(r"'name': '(\w+)'", str(body))


def test_an_unknown_table_and_a_broken_yaml_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(DraftError, match=r"declares no table gaols\. It has goals"):
        write_staging(contract(goals=ONE), tmp_path, ["gaols"])
    (tmp_path / "_shop__sources.yml").write_text("version: 2\n")
    with pytest.raises(DraftError, match="lists no models or tables"):
        write_staging(contract(goals=ONE), tmp_path)
