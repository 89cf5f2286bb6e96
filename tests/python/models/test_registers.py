"""What core knows of tenants and users is the union of what the contracts mark, and of nothing else.

Belongs here: contracts against the staging models that dbt unites, and the rows of that union, which
dbt's unit tests cannot give (they do not let a macro read the project). Does not belong here: what
core makes of the rows (unit tests beside `dim_tenant` and `dim_user`).
"""

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from ingestion.cdc.contract import Table, cdc_contracts
from ingestion.contracts.model import load_contracts
from tallyhouse.settings import PROJECT_ROOT
from tests.hand_made import CORE, HandMade, uuid_of

REGISTERS = {
    "tenant_registers": ("is_tenant_table", "int_core__registered_tenants"),
    "user_registers": ("is_user_table", "int_core__registered_users"),
}
HISTORY = re.compile(r"source\('raw_cdc_(\w+)_history', '(\w+)'\)")
DBT = ("models", "macros", "seeds", "snapshots", "packages", "packages.yml", "profiles.yml")
COMPANIES = """
select
    'third' as product,
    cast('{tenant}' as {{{{ type_uuid() }}}}) as tenant_id,
    'Third Ltd' as organization_name,
    'Asia/Tokyo' as timezone,
    cast('2026-01-01 00:00:00+00' as {{{{ type_timestamp() }}}}) as created_at
"""
MEMBERS = """
select
    'third' as product,
    cast('{tenant}' as {{{{ type_uuid() }}}}) as tenant_id,
    cast('{user}' as {{{{ type_uuid() }}}}) as user_id,
    'gold' as plan,
    cast('2026-01-01 20:00:00+00' as {{{{ type_timestamp() }}}}) as signup_at
"""
DESCRIBED = {
    "stg_third__companies": ["product", "tenant_id", "organization_name", "timezone", "created_at"],
    "stg_third__members": ["product", "tenant_id", "user_id", "plan", "signup_at"],
}


PLANNER = """
insert into raw_cdc.rostracore__users (user_id, org_id, role, is_consented, created_at, _key,
    _tenant_id, _user_id, _valid_from, _committed_at, _received_at, _load_id)
values (7, 1, 'planner', true, %(at)s, %(tenant)s, %(tenant)s, cast(md5('rostracore|user|7') as uuid), %(at)s, %(at)s,
    %(at)s, 0)
"""
FORMER = """
insert into raw_cdc.upcoach__users_closed (id, _key, _tenant_id, _valid_from, _valid_to,
    _is_deleted, _committed_at, _received_at, _load_id)
values (%(user)s, %(user)s, %(tenant)s, %(at)s, %(at)s::timestamptz + interval '1 day',
    %(is_deleted)s, %(at)s, %(at)s, 0)
"""


def tables() -> Iterator[tuple[str, Table]]:
    """Each table of the products' own databases and the name of its staging model."""
    for product, contract in cdc_contracts(load_contracts([PROJECT_ROOT / "contracts"])).items():
        for name, table in contract.tables.items():
            yield f"stg_{product}__{name}", table


def described(model: str) -> set[str]:
    """The columns that the model's YAML describes."""
    for path in sorted((PROJECT_ROOT / "models").rglob("*.yml")):
        for entry in _yaml(path).get("models", []):
            if entry["name"] == model:
                return {column["name"] for column in entry.get("columns", [])}
    raise AssertionError(f"no YAML describes {model}")


def _yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


@pytest.mark.parametrize("variable", REGISTERS)
def test_dbt_unites_the_tables_that_the_contracts_mark(variable: str) -> None:
    mark, _ = REGISTERS[variable]
    marked = {model for model, table in tables() if getattr(table, mark)}
    assert marked, "the contracts mark no table"
    assert set(_yaml(PROJECT_ROOT / "dbt_project.yml")["vars"][variable]) == marked


def test_dbt_unites_the_histories_of_the_user_tables() -> None:
    histories = {}
    for path in (PROJECT_ROOT / "models/staging").rglob("*_versions.sql"):
        product, table = HISTORY.findall(path.read_text("utf-8"))[0]
        histories[f"stg_{product}__{table}"] = path.stem
    wanted = {
        histories.get(model, f"{model}'s versions") for model, t in tables() if t.is_user_table
    }
    assert set(_yaml(PROJECT_ROOT / "dbt_project.yml")["vars"]["user_histories"]) == wanted
    for model in wanted:
        assert {"tenant_id", "user_id", "product", "is_current", "is_deleted"} <= described(model)


@pytest.mark.parametrize("variable", REGISTERS)
def test_no_column_of_a_register_is_lost_on_the_way(variable: str) -> None:
    """A column of the union that a source has, and staging does not describe, would become null."""
    mark, union = REGISTERS[variable]
    text = (PROJECT_ROOT / "models/intermediate/core" / f"{union}.sql").read_text("utf-8")
    for model, table in tables():
        if getattr(table, mark):
            staged = {column.staged_as or name for name, column in table.columns.items()}
            lost = {name for name in staged - described(model) if f"'{name}':" in text}
            assert not lost, f"{model} does not give {lost}"


@pytest.fixture
def with_third_product(hand_made: HandMade, tmp_path: Path) -> HandMade:
    """The project with a third product beside: a folder in staging, a name in each register."""
    for name in DBT:
        place = PROJECT_ROOT / name
        (shutil.copytree if place.is_dir() else shutil.copy)(place, tmp_path / name)
    project = _yaml(PROJECT_ROOT / "dbt_project.yml")
    project["vars"]["tenant_registers"].append("stg_third__companies")
    project["vars"]["user_registers"].append("stg_third__members")
    (tmp_path / "dbt_project.yml").write_text(yaml.safe_dump(project))
    folder = tmp_path / "models/staging/third"
    folder.mkdir()
    keys = {"tenant": uuid_of("third"), "user": uuid_of("eva")}
    (folder / "stg_third__companies.sql").write_text(COMPANIES.format(**keys))
    (folder / "stg_third__members.sql").write_text(MEMBERS.format(**keys))
    models = [
        {"name": name, "columns": [{"name": column} for column in columns]}
        for name, columns in DESCRIBED.items()
    ]
    (folder / "_third__models.yml").write_text(yaml.safe_dump({"models": models}))
    settings = replace(hand_made.warehouse.settings, root=tmp_path)
    return replace(hand_made, warehouse=replace(hand_made.warehouse, settings=settings))


@pytest.fixture
def registered(with_third_product: HandMade) -> HandMade:
    """A tenant of each product, users that are there, were deleted, or moved away; all built."""
    warehouse = with_third_product
    warehouse.organization("north", "Africa/Johannesburg")
    for event, user in (("e1", "gone"), ("e2", "moved")):
        warehouse.load(
            {"id": event, "tenant": "north", "user": user, "at": "2026-01-03T08:00+00:00"}
        )
    at = "2026-01-02T08:00+00:00"
    with warehouse.warehouse.connect() as connection:
        connection.execute(PLANNER, {"tenant": uuid_of("south"), "at": at})
        for user, is_deleted in (("gone", True), ("moved", False)):
            row = {"user": uuid_of(user), "tenant": uuid_of("north"), "at": at}
            connection.execute(FORMER, {**row, "is_deleted": is_deleted})
    warehouse.build(*CORE, "path:models/staging/third")
    return warehouse


@pytest.mark.slow
def test_a_third_product_needs_no_line_in_core(registered: HandMade) -> None:
    tenants = registered.rows(
        "select product, tenant_label, timezone from core.dim_tenant order by 1"
    )
    assert tenants == [
        # known by its user alone; the digits are the last of md5('south')
        ("rostracore", "rostracore, unnamed tenant 08af8904", "UTC"),
        ("third", "Third Ltd", "Asia/Tokyo"),
        ("upcoach", "upcoach, unnamed tenant ea1f5c73", "Africa/Johannesburg"),
    ]
    users = registered.rows(
        "select tenant_id, role, plan, coach_id, is_consented, signup_date::text"
        " from core.dim_user where product in ('rostracore', 'third') order by product"
    )
    assert users == [
        (uuid_of("south"), "planner", None, None, True, "2026-01-02"),
        (uuid_of("third"), None, "gold", None, False, "2026-01-02"),  # 5 in the morning
    ]
    erased = registered.rows(
        "select user_id, is_erased from core.dim_user where product = 'upcoach'"
    )
    assert dict(erased) == {uuid_of("gone"): True, uuid_of("moved"): False}
