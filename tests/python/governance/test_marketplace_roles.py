"""Who sees what of the readings marketplaces: administrators, monitors, readers, clients, finance.

The matrix of the SAMIA-TAROT document, and rule 105. Belongs here: logins in the tables of fulfilment.
Does not belong here: how tables are filled; those here hold just what tells rows apart.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tallyhouse.database import roles
from tallyhouse.errors import TallyhouseError
from tests.hand_made import HandMade, uuid_of
from tests.python.governance.readable import rows_seen

pytestmark = pytest.mark.slow

PASSWORD = "only-for-this-test"
NORTH, SOUTH = uuid_of("north"), uuid_of("south")
ADA, BOB = uuid_of("reader ada"), uuid_of("reader bob")
# the tenants' running days at as_of: in the south it is tomorrow already
TODAY = {NORTH: date(2026, 3, 31), SOUTH: date(2026, 4, 1)}
READERS = "metrics_daily_reader_fulfillment"
PAYMENTS = "metrics_daily_payments"
OVERSIGHT = {"metrics_daily_calls", "metrics_daily_content"}
MARTS = {
    *OVERSIGHT,
    READERS,
    PAYMENTS,
    "metrics_daily_fulfillment",
    "metrics_daily_moderation",
    "metrics_daily_overview",
}


@pytest.fixture(scope="module")
def logins(secured: HandMade) -> Iterator[dict[str, str]]:
    """The tables of fulfilment with rows of two tenants and two readers, and a login of each kind."""
    suffix = secured.warehouse.parameters["dbname"]
    kinds = ("admin", "superadmin", "monitor", "tenant", "ada", "client", "finance", "analyst")
    names = {kind: f"{kind}_{suffix}" for kind in kinds}
    with secured.warehouse.connect() as connection:
        connection.execute(
            "create table intermediate.int_fulfilment__tenant_horizons "
            "(tenant_id uuid, running_date date)"
        )
        rows = list(TODAY.items())
        with connection.cursor() as cursor:
            cursor.executemany(
                "insert into intermediate.int_fulfilment__tenant_horizons values (%s, %s)", rows
            )
        connection.execute("create schema if not exists fulfilment")
        for mart in MARTS:
            table = sql.Identifier("fulfilment", mart)
            connection.execute(
                sql.SQL(
                    "create table {} (tenant_id uuid, reader_id uuid, metric_date date)"
                ).format(table)
            )
            with connection.cursor() as cursor:
                cursor.executemany(
                    sql.SQL("insert into {} values (%s, %s, %s)").format(table),
                    [
                        (tenant, reader, day - timedelta(days=back))
                        for tenant, day in TODAY.items()
                        for reader in (ADA, BOB)
                        for back in (0, 30, 31, 400)
                    ],
                )
            connection.execute("select governance.secure_relation('fulfilment', %s)", [mart])
        for kind in ("admin", "monitor", "superadmin"):
            role = f"tallyhouse_{kind}"
            roles.bind_login(connection, names[kind], NORTH, PASSWORD, role=role)
        roles.bind_login(
            connection, names["superadmin"], SOUTH, PASSWORD, role="tallyhouse_superadmin"
        )
        roles.bind_login(connection, names["tenant"], NORTH, PASSWORD)
        roles.bind_reader(connection, names["ada"], NORTH, ADA, PASSWORD)
        for kind in ("client", "finance", "analyst"):
            roles.join_role(connection, names[kind], f"tallyhouse_{kind}", PASSWORD)
    yield names
    with secured.warehouse.connect() as connection:
        for name in names.values():
            connection.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))


def log_in(secured: HandMade, login: str) -> psycopg.Connection[Any]:
    return secured.warehouse.connect(user=login, password=PASSWORD, autocommit=True)


def seen(secured: HandMade, login: str) -> dict[str, set[Any]]:
    """Mart → the tenants whose rows the login sees; marts that it may not read are left out."""
    marts = {f"fulfilment.{mart}": mart for mart in MARTS}
    found = rows_seen(secured, login, PASSWORD, marts, "tenant_id")
    return {marts[name]: {tenant for (tenant,) in rows} for name, rows in found.items()}


@pytest.mark.parametrize(
    ("login", "marts", "tenants"),
    [
        ("superadmin", MARTS, {NORTH, SOUTH}),
        ("admin", MARTS, {NORTH}),
        ("monitor", OVERSIGHT, {NORTH}),
        ("ada", {READERS}, {NORTH}),
        ("client", set(), set()),
        ("tenant", MARTS - {PAYMENTS}, {NORTH}),
        ("finance", {PAYMENTS}, {NORTH, SOUTH}),
        ("analyst", MARTS - {PAYMENTS}, {NORTH, SOUTH}),
    ],
)
def test_each_role_reads_its_marts_and_its_tenants(
    secured: HandMade, logins: dict[str, str], login: str, marts: set[str], tenants: set[Any]
) -> None:
    assert seen(secured, logins[login]) == dict.fromkeys(marts, tenants)


def own_days(secured: HandMade, login: str) -> set[tuple[Any, ...]]:
    with log_in(secured, login) as connection:
        rows = connection.execute(
            f"select tenant_id, reader_id, metric_date from fulfilment.{READERS}"
        )
        return set(rows)


def test_rule_105_a_reader_sees_own_days_back_to_the_thirtieth(
    secured: HandMade, logins: dict[str, str]
) -> None:
    assert own_days(secured, logins["ada"]) == {
        (NORTH, ADA, TODAY[NORTH]),
        (NORTH, ADA, TODAY[NORTH] - timedelta(days=30)),
    }


def test_a_readers_window_is_each_tenants_own(secured: HandMade, logins: dict[str, str]) -> None:
    """A reader of two marketplaces sees both, back from the day that runs in each."""
    with secured.warehouse.connect() as connection:
        roles.bind_reader(connection, logins["ada"], SOUTH, BOB, PASSWORD)
    try:
        assert own_days(secured, logins["ada"]) == {
            (tenant, reader, TODAY[tenant] - timedelta(days=back))
            for tenant, reader in ((NORTH, ADA), (SOUTH, BOB))
            for back in (0, 30)
        }
    finally:
        with secured.warehouse.connect() as connection:
            connection.execute("delete from governance.reader_logins where tenant_id = %s", [SOUTH])


@pytest.mark.parametrize(
    "attempt",
    [
        "set role tallyhouse_admin",
        f"set tallyhouse.tenant_id = '{SOUTH}'",
        "set row_security = off",
        "select * from governance.reader_logins",
        f"insert into governance.reader_logins values (session_user, '{NORTH}', '{BOB}')",
        "select * from intermediate.int_fulfilment__tenant_horizons",
        "select * from core.fact_events",
    ],
)
def test_a_reader_cannot_widen_what_it_sees(
    secured: HandMade, logins: dict[str, str], attempt: str
) -> None:
    with log_in(secured, logins["ada"]) as connection:
        try:
            connection.execute(attempt)
            rows = connection.execute(f"select distinct reader_id from fulfilment.{READERS}")
            assert {row[0] for row in rows} == {ADA}
            assert "set tallyhouse" in attempt  # it may be set, and says nothing to a reader
        except psycopg.errors.InsufficientPrivilege:
            pass


def test_a_login_is_a_readers_or_a_tenants(secured: HandMade, logins: dict[str, str]) -> None:
    with secured.warehouse.connect() as connection:
        with pytest.raises(TallyhouseError, match="a reader's login already"):
            roles.bind_login(connection, logins["ada"], NORTH, PASSWORD)
        with pytest.raises(TallyhouseError, match="a tenant's login already"):
            roles.bind_reader(connection, logins["tenant"], NORTH, ADA, PASSWORD)
        with pytest.raises(TallyhouseError, match="is bound to a tenant"):
            roles.join_role(connection, logins["ada"], "tallyhouse_analyst", PASSWORD)
        with pytest.raises(TallyhouseError, match="rows of single tenants"):
            roles.bind_login(connection, "new", NORTH, PASSWORD, role="tallyhouse_analyst")


def test_a_reader_that_was_dropped_takes_its_binding_along(
    secured: HandMade, logins: dict[str, str]
) -> None:
    login = f"cy_{secured.warehouse.parameters['dbname']}"
    drop = sql.SQL("drop role {}").format(sql.Identifier(login))
    with secured.warehouse.connect() as connection:
        roles.bind_reader(connection, login, NORTH, ADA, PASSWORD)
        connection.execute(drop)
        roles.bind_reader(connection, login, NORTH, BOB, PASSWORD)
    try:
        rows = own_days(secured, login)
        assert {reader for _, reader, _ in rows} == {BOB}
    finally:
        with secured.warehouse.connect() as connection:
            connection.execute(drop)


def test_readers_rows_need_a_reader(secured: HandMade) -> None:
    with secured.warehouse.connect() as connection:
        connection.execute("create table fulfilment.readerless (tenant_id uuid)")
        connection.execute(
            "insert into governance.role_grants values "
            "('tallyhouse_reader', 'fulfilment', 'readerless', 'own_reader')"
        )
        with pytest.raises(psycopg.errors.RaiseException, match="lacks tenant_id, reader_id"):
            connection.execute("select governance.secure_relation('fulfilment', 'readerless')")
        connection.rollback()
