"""Role by attack: how many rows each login may see, how many it saw, in a loop of rebuilds (rules 70 to 73).

`pytest -s` prints the table. Belongs here: attacks on rows by each kind of login, while tables are swapped as dbt swaps
them. Does not belong here: which marts a role reads (`test_…_roles`), attacks on the server (`test_logins`).
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tallyhouse.database import roles
from tests.hand_made import HandMade, uuid_of

pytestmark = pytest.mark.slow

PASSWORD = "only-for-this-test"
NORTH, SOUTH = uuid_of("north"), uuid_of("south")
ADA, BOB = uuid_of("person ada"), uuid_of("person bob")
FILM = uuid_of("project film")
TODAY = date(2026, 3, 31)
COLUMNS = "tenant_id uuid, reader_id uuid, metric_date date, contributor_id uuid, project_id uuid"
READERS, PAYMENTS = (
    "fulfilment.metrics_daily_reader_fulfillment",
    "fulfilment.metrics_daily_payments",
)
CALLS, HOURS = "fulfilment.metrics_daily_calls", "projects.fact_time_entries"
PROFIT, BOOKINGS = "projects.profitability_analysis", "rental.fact_bookings"
MARTS = (READERS, PAYMENTS, CALLS, HOURS, PROFIT, BOOKINGS)
ROWS = [(tenant, person, TODAY - timedelta(days=back), person, FILM)
        for tenant in (NORTH, SOUTH) for person in (ADA, BOB) for back in (0, 31)]  # fmt: skip
OF_NORTH = [row for row in ROWS if row[0] == NORTH]
ADAS = [row for row in OF_NORTH if row[1] == ADA]
# role → the rows of each mart that it may see
ALLOWED: dict[str, dict[str, list[Any]]] = {
    "tallyhouse_tenant_reader": dict.fromkeys([READERS, CALLS, HOURS, PROFIT, BOOKINGS], OF_NORTH),
    "tallyhouse_admin": dict.fromkeys([READERS, PAYMENTS, CALLS], OF_NORTH),
    "tallyhouse_monitor": {CALLS: OF_NORTH},
    "tallyhouse_reader": {READERS: [row for row in ADAS if row[2] == TODAY]},
    "tallyhouse_client": {},
    "tallyhouse_rental_planner": {BOOKINGS: OF_NORTH},
    "tallyhouse_rental_sales": {},
    "tallyhouse_studio_owner": dict.fromkeys([HOURS, PROFIT], OF_NORTH),
    "tallyhouse_studio_production": {},
    "tallyhouse_studio_contributor": {HOURS: ADAS},
    "tallyhouse_bi_broker": {},  # names no tenant
    "tallyhouse_finance": dict.fromkeys([PAYMENTS, HOURS, PROFIT, BOOKINGS], ROWS),
}
PLAIN = "select tenant_id, reader_id, metric_date, contributor_id, project_id from {mart}"
# name → statements of which the last one reads; a trap fails where it comes to look at a foreign row
ATTACKS = {
    "asks": [PLAIN],
    "names another tenant": [f"set tallyhouse.tenant_id = '{SOUTH}'", PLAIN],
    "turns row security off": ["set row_security = off", PLAIN],
    "becomes an administrator": ["set role tallyhouse_admin", PLAIN],
    "becomes the builder": ["set session authorization tallyhouse", PLAIN],
    "prepares and asks again": ["prepare asked as " + PLAIN, "execute asked", "execute asked"],
    "opens a cursor": ["begin", "declare c cursor for " + PLAIN, "fetch all from c"],
    "joins it to itself": [PLAIN + " as t where exists (select from {mart} as o where o.tenant_id <> t.tenant_id)"],
    "divides by zero at a foreign row": [PLAIN + f" where 1 / case when tenant_id = '{SOUTH}' then 0 else 1 end = 1"],
    "casts a foreign row to a number": [PLAIN + f" where case when tenant_id = '{SOUTH}' then tenant_id::text::int"
                                        " else 1 end = 1"],
    "samples": [PLAIN + " tablesample system (100)"],
    "locks what it reads": [PLAIN + " for share"],
    "copies": ["copy (" + PLAIN + ") to stdout"],
    "reads the statistics": ["select v, null, null, null, null from pg_stats,"
                             " unnest(most_common_vals::text::text[]) as v"
                             " where schemaname || '.' || tablename = '{mart}' and attname = 'tenant_id'"],
    "reads the statistics' own table": ["select stavalues1::text, null, null, null, null from pg_statistic"],
    "binds itself": [f"insert into governance.tenant_logins values (session_user, '{SOUTH}')", PLAIN],
}  # fmt: skip
REFUSED = (
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.FeatureNotSupported,
    psycopg.errors.InvalidParameterValue,
)
RETRYABLE = ("40P01", "40001", "XX000")
TRAPS = {"divides by zero at a foreign row", "casts a foreign row to a number"}
ROUNDS = 2


@dataclass
class Cell:
    """What one role saw by one attack."""

    allowed: int = 0
    seen: int = 0
    foreign: list[Any] = field(default_factory=list)
    refused: int = 0
    asked: int = 0


@pytest.fixture(scope="module")
def logins(secured: HandMade) -> Iterator[dict[str, str]]:
    """The marts with rows of two tenants and two people in each, and a login of each role in the north."""
    suffix = secured.warehouse.parameters["dbname"]
    names = {role: f"{role.removeprefix('tallyhouse_')}_at_{suffix}" for role in ALLOWED}
    horizons = "intermediate.int_fulfilment__tenant_horizons"
    with secured.warehouse.connect() as connection:
        connection.execute(f"create table {horizons} (tenant_id uuid, running_date date)")
        connection.execute(
            f"insert into {horizons} values ('{NORTH}', '{TODAY}'), ('{SOUTH}', '{TODAY}')"
        )
        for mart in MARTS:
            connection.execute(f"create schema if not exists {mart.split('.')[0]}".encode())
            connection.execute(f"create table {mart} ({COLUMNS})".encode())
            with connection.cursor() as cursor:
                cursor.executemany(f"insert into {mart} values (%s, %s, %s, %s, %s)".encode(), ROWS)
            connection.execute("select governance.secure_relation(%s, %s)", mart.split("."))
            connection.execute(f"analyze {mart}".encode())
        for role, name in names.items():
            if role in ("tallyhouse_reader", roles.CONTRIBUTOR):
                roles.bind_reader(connection, name, NORTH, ADA, PASSWORD, role=role)
            elif role in ("tallyhouse_client", "tallyhouse_bi_broker", "tallyhouse_finance"):
                roles.join_role(connection, name, role, PASSWORD)
            else:
                roles.bind_login(connection, name, NORTH, PASSWORD, role=role)
    yield names
    with secured.warehouse.connect() as connection:
        for mart in (*MARTS, horizons):
            connection.execute(f"drop table {mart}".encode())
        for name in names.values():
            connection.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))


class Rebuilding(threading.Thread):
    """Swaps each mart for a new table, over and over, as dbt does."""

    def __init__(self, secured: HandMade) -> None:
        super().__init__(daemon=True)
        self.secured, self.done, self.count = secured, threading.Event(), 0

    def run(self) -> None:
        while not self.done.wait(0.02):
            for mart in MARTS:
                schema, name = mart.split(".")
                with self.secured.warehouse.connect() as connection:
                    for statement in (f"create table {mart}__new as select * from {mart}",
                                      f"alter table {mart} rename to {name}__old",
                                      f"alter table {mart}__new rename to {name}",
                                      f"select governance.secure_relation('{schema}', '{name}')",
                                      f"drop table {mart}__old"):  # fmt: skip
                        connection.execute(statement.encode())
                self.count += 1


def attack(secured: HandMade, login: str, statements: list[str], mart: str) -> list[Any] | None:
    """The rows that the last statement gave; None where one was refused."""
    for _ in range(20):  # a table swapped between planning and reading: try again
        with secured.warehouse.connect(
            user=login, password=PASSWORD, autocommit=True
        ) as connection:
            try:
                for statement in statements[:-1]:
                    connection.execute(statement.format(mart=mart).encode())
                last = statements[-1].format(mart=mart).encode()
                if not last.startswith(b"copy"):
                    return connection.execute(last).fetchall()
                with connection.cursor().copy(last) as copy:
                    return [tuple(row) for row in copy.rows()]
            except REFUSED:
                return None
            except psycopg.errors.UndefinedTable:
                continue
            except psycopg.Error as error:
                if error.sqlstate not in RETRYABLE:
                    raise
    raise AssertionError(f"{login} could not read {mart} in twenty attempts")


def test_no_login_sees_a_row_too_many_by_any_attack(
    secured: HandMade, logins: dict[str, str]
) -> None:
    cells = {(role, name): Cell() for role in ALLOWED for name in ATTACKS}
    rebuilding = Rebuilding(secured)
    rebuilding.start()
    try:
        for (role, name), cell in cells.items():
            if role == "tallyhouse_finance" and name in TRAPS:
                continue  # no row is foreign to it
            for mart in MARTS:
                own = {tuple(map(str, row)) for row in ALLOWED[role].get(mart, [])}
                if (
                    name == "names another tenant"
                    and role == roles.BROKER
                    and mart not in (PAYMENTS,)
                ):
                    own = {
                        tuple(map(str, row)) for row in ROWS if row[0] == SOUTH
                    }  # it is trusted to
                cell.allowed += len(own)
                most = 0
                for _ in range(ROUNDS):
                    rows = attack(secured, logins[role], ATTACKS[name], mart)
                    cell.asked += 1
                    cell.refused += rows is None
                    found = [tuple(map(str, row)) for row in rows or []]
                    cell.foreign += [row for row in found if row not in own]
                    most = max(most, len(found))
                cell.seen += most
    finally:
        rebuilding.done.set()
        rebuilding.join()
    print(f"\n{rebuilding.count} swaps of tables meanwhile")
    print(f"{'role':32}{'attack':34}{'allowed':>8}{'seen':>6}{'refused':>9}{'too many':>10}")
    for (role, name), cell in cells.items():
        print(
            f"{role:32}{name:34}{cell.allowed:8}{cell.seen:6}{cell.refused:6}/{cell.asked}{len(cell.foreign):8}"
        )
    assert rebuilding.count > 20
    assert {key: cell.foreign for key, cell in cells.items() if cell.foreign} == {}
    assert all(cell.seen <= cell.allowed for cell in cells.values())
    assert all(cells[role, "asks"].seen == cells[role, "asks"].allowed for role in ALLOWED)
