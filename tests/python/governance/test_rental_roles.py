"""Who sees what of the rental companies: owners, planners, warehouse, finance and sales.

The roles of RentGuy's platform, which its document asks to keep. Belongs here: logins in the tables of
rental and revenue. Does not belong here: how tables are filled; those here hold a tenant's name alone.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from psycopg import sql

from tallyhouse.database import roles
from tests.hand_made import HandMade, uuid_of
from tests.python.governance.readable import rows_seen

pytestmark = pytest.mark.slow

PASSWORD = "only-for-this-test"
NORTH, SOUTH = uuid_of("north"), uuid_of("south")
PLANNING = {
    "rental.dim_equipment", "rental.fact_equipment_days", "rental.metrics_daily_equipment",
    "rental.fact_bookings", "rental.fact_transports", "rental.metrics_daily_transport",
}  # fmt: skip
WAREHOUSE = {
    "rental.dim_equipment", "rental.fact_transports", "rental.metrics_daily_transport",
    "rental.fact_scans", "rental.metrics_daily_scans",
}  # fmt: skip
SALES = {"rental.fact_leads", "rental.metrics_weekly_growth"}
BILLING = {"revenue.fact_invoices", "revenue.fact_payments", "revenue.metrics_monthly_collections"}
RENTAL = PLANNING | WAREHOUSE | SALES
MARTS = RENTAL | BILLING | {"revenue.metrics_daily_tenant_mrr", "fulfilment.metrics_daily_calls"}


@pytest.fixture(scope="module")
def logins(secured: HandMade) -> Iterator[dict[str, str]]:
    """The tables with a row of each of two companies, and a login of each role at one of them."""
    suffix = secured.warehouse.parameters["dbname"]
    kinds = ("owner", "planner", "warehouse", "finance", "sales")
    names = {kind: f"rental_{kind}_{suffix}" for kind in kinds}
    with secured.warehouse.connect() as connection:
        for mart in sorted(MARTS):
            schema, name = mart.split(".")
            table = sql.Identifier(schema, name)
            for statement in ("create schema if not exists {}", "create table {} (tenant_id uuid)"):
                about = sql.Identifier(schema) if "schema" in statement else table
                connection.execute(sql.SQL(statement).format(about))
            rows = sql.SQL("insert into {} values (%s), (%s)").format(table)
            connection.execute(rows, [NORTH, SOUTH])
            connection.execute("select governance.secure_relation(%s, %s)", [schema, name])
        for kind, name in names.items():
            role = f"tallyhouse_rental_{kind}"
            roles.bind_login(connection, name, NORTH, PASSWORD, role=role)
    yield names
    with secured.warehouse.connect() as connection:
        for mart in sorted(MARTS):
            connection.execute(sql.SQL("drop table {}").format(sql.Identifier(*mart.split("."))))
        for name in names.values():
            connection.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))


def seen(secured: HandMade, login: str, *before: str) -> dict[str, set[Any]]:
    """Mart → the tenants whose rows the login sees; marts that it may not read are left out."""
    found = rows_seen(secured, login, PASSWORD, MARTS, "tenant_id", before)
    return {mart: {tenant for (tenant,) in rows} for mart, rows in found.items()}


@pytest.mark.parametrize(
    ("kind", "marts"),
    [
        ("owner", RENTAL | BILLING),
        ("planner", PLANNING),
        ("warehouse", WAREHOUSE),
        ("finance", BILLING | {"rental.fact_bookings"}),
        ("sales", SALES),
    ],
)
def test_each_role_reads_its_marts_and_its_own_company(
    secured: HandMade, logins: dict[str, str], kind: str, marts: set[str]
) -> None:
    assert seen(secured, logins[kind]) == {mart: {NORTH} for mart in marts}


def test_no_setting_shows_another_company(secured: HandMade, logins: dict[str, str]) -> None:
    found = seen(secured, logins["owner"], f"set tallyhouse.tenant_id = '{SOUTH}'")
    assert found == {mart: {NORTH} for mart in RENTAL | BILLING}
