"""Who sees what of the studios: owners, finance, sales, production, quality and each contributor.

The departments of the ProjectFlo document, which asks for access by role to what is sensitive. Belongs here: logins
in the tables of projects and revenue. Does not belong here: how tables are filled; those here hold just what tells
rows apart.
"""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tallyhouse.database import roles
from tests.hand_made import HandMade, uuid_of
from tests.python.governance.readable import rows_seen

pytestmark = pytest.mark.slow

PASSWORD = "only-for-this-test"
NORTH, SOUTH = uuid_of("north"), uuid_of("south")
ED, FAY = uuid_of("contributor ed"), uuid_of("contributor fay")
FILM, CLIP, AD = uuid_of("project film"), uuid_of("project clip"), uuid_of("project ad")
PROFIT = {
    "projects.profitability_analysis", "projects.service_profitability", "projects.client_profitability",
    "projects.contributor_roi",
}  # fmt: skip
COSTS = {"projects.fact_time_entries", "projects.dim_contributor", "projects.fact_projects"}
BILLING = {"revenue.fact_invoices", "revenue.fact_payments", "revenue.metrics_monthly_collections"}
FINANCE = PROFIT | COSTS | BILLING | {"projects.metrics_monthly_payments", "projects.dim_client"}
SALES = {"projects.metrics_monthly_sales", "projects.dim_client", "projects.client_satisfaction"}
PRODUCTION = {
    "projects.metrics_weekly_delivery", "projects.operational_metrics", "projects.resource_utilization",
    "projects.service_quality", "projects.skill_gaps",
}  # fmt: skip
ANSWERS = {"customers.metrics_nps", "customers.metrics_csat"}
QUALITY = ANSWERS | {
    "projects.service_quality", "projects.client_satisfaction", "projects.metrics_weekly_delivery",
}  # fmt: skip
OWN = {"projects.fact_time_entries", "projects.operational_metrics"}
OWNER = FINANCE | SALES | PRODUCTION | QUALITY
MARTS = OWNER | {"revenue.metrics_daily_tenant_mrr", "rental.fact_bookings"}
# who worked on what in both studios; the ids are the same, as every studio counts its own
ROWS = [(ED, FILM), (FAY, FILM), (FAY, CLIP), (None, FILM), (None, CLIP), (None, None)]
KINDS = ("owner", "finance", "sales", "production", "quality")


@pytest.fixture(scope="module")
def logins(secured: HandMade) -> Iterator[dict[str, str]]:
    """The tables with the same rows in two studios, a login of each role in the north, one of Ed there."""
    suffix = secured.warehouse.parameters["dbname"]
    names = {kind: f"studio_{kind}_{suffix}" for kind in (*KINDS, "ed")}
    made = [*(mart.split(".") for mart in sorted(MARTS)), ["staging", "stg_projectflo__tasks"],
            ["staging", "stg_projectflo__time_entries"]]  # fmt: skip
    with secured.warehouse.connect() as connection:
        for schema, name in made:
            table = sql.Identifier(schema, name)
            connection.execute(
                sql.SQL("create schema if not exists {}").format(sql.Identifier(schema))
            )
            connection.execute(sql.SQL("drop view if exists {}").format(table))
            connection.execute(
                sql.SQL(
                    "create table {} (tenant_id uuid, contributor_id uuid, project_id uuid)"
                ).format(table)
            )
            rows = [(tenant, *row) for tenant in (NORTH, SOUTH) for row in ROWS]
            if (
                schema == "staging"
            ):  # Ed has a task in the film in the north, hours in the ad in the south
                rows = [(NORTH, ED, FILM), (SOUTH, ED, CLIP), (SOUTH, FAY, AD)]
            with connection.cursor() as cursor:
                cursor.executemany(
                    sql.SQL("insert into {} values (%s, %s, %s)").format(table), rows
                )
            if schema != "staging":
                connection.execute("select governance.secure_relation(%s, %s)", [schema, name])
        for kind in KINDS:
            role = f"tallyhouse_studio_{kind}"
            roles.bind_login(connection, names[kind], NORTH, PASSWORD, role=role)
        roles.bind_reader(connection, names["ed"], NORTH, ED, PASSWORD, role=roles.CONTRIBUTOR)
    yield names
    with secured.warehouse.connect() as connection:
        for schema, name in made:
            connection.execute(sql.SQL("drop table {}").format(sql.Identifier(schema, name)))
        for name in names.values():
            connection.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))


def seen(secured: HandMade, login: str, *before: str) -> dict[str, set[Any]]:
    """Mart → the rows that the login sees; marts that it may not read are left out."""
    columns = "tenant_id, contributor_id, project_id"
    return rows_seen(secured, login, PASSWORD, MARTS, columns, before)


@pytest.mark.parametrize(
    ("kind", "marts"),
    [("owner", OWNER), ("finance", FINANCE), ("sales", SALES), ("production", PRODUCTION), ("quality", QUALITY)],
)  # fmt: skip
def test_each_role_reads_its_marts_and_its_own_studio(
    secured: HandMade, logins: dict[str, str], kind: str, marts: set[str]
) -> None:
    """Profit and costs are the owner's and finance's alone."""
    found = seen(secured, logins[kind], f"set tallyhouse.tenant_id = '{SOUTH}'")
    assert found == {mart: {(NORTH, *row) for row in ROWS} for mart in marts}
    assert bool(found.keys() & (PROFIT | COSTS)) == (kind in ("owner", "finance"))


def test_a_contributor_sees_own_hours_and_own_projects(
    secured: HandMade, logins: dict[str, str]
) -> None:
    """No other's hours in the same project, no project of others, nothing of the other studio."""
    found = seen(secured, logins["ed"], f"set tallyhouse.tenant_id = '{SOUTH}'")
    assert found == {mart: {(NORTH, ED, FILM), (NORTH, None, FILM)} for mart in OWN}


@pytest.mark.parametrize(
    "attempt",
    ["set role tallyhouse_studio_owner", "select * from governance.reader_logins",
     f"insert into governance.reader_logins values (session_user, '{NORTH}', '{FAY}')",
     "select * from staging.stg_projectflo__time_entries", "select * from projects.contributor_roi"],
)  # fmt: skip
def test_a_contributor_is_refused_more(
    secured: HandMade, logins: dict[str, str], attempt: str
) -> None:
    with (
        secured.warehouse.connect(user=logins["ed"], password=PASSWORD) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(attempt.encode())


def test_contributors_rows_need_a_contributor(secured: HandMade) -> None:
    with secured.warehouse.connect() as connection:
        connection.execute("create schema if not exists projects")
        connection.execute("create table projects.nobodys (tenant_id uuid)")
        connection.execute(
            "insert into governance.role_grants values "
            "('tallyhouse_studio_contributor', 'projects', 'nobodys', 'own_contributor')"
        )
        with pytest.raises(psycopg.errors.RaiseException, match="lacks tenant_id, contributor_id"):
            connection.execute("select governance.secure_relation('projects', 'nobodys')")
        connection.rollback()
