"""Who sees which rows: logins of two tenants, the broker, group roles, the owner (rules 70-73)."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from tallyhouse.database import roles
from tallyhouse.errors import TallyhouseError
from tests.hand_made import HandMade, uuid_of

pytestmark = pytest.mark.slow

PASSWORD = "only-for-this-test"
NORTH, SOUTH = uuid_of("north"), uuid_of("south")
SEEN = "select distinct tenant_id from core.fact_events order by 1"


@pytest.fixture(scope="module")
def logins(secured: HandMade) -> Iterator[dict[str, str]]:
    """Login names by audience, unique to this database; roles are the server's."""
    suffix = secured.warehouse.parameters["dbname"]
    names = {who: f"{who}_{suffix}" for who in ("north", "south", "both", "broker", "analyst")}
    with secured.warehouse.connect() as connection:
        roles.bind_login(connection, names["north"], NORTH, PASSWORD)
        roles.bind_login(connection, names["south"], SOUTH, PASSWORD)
        roles.bind_login(connection, names["both"], NORTH, PASSWORD)
        roles.bind_login(connection, names["both"], SOUTH, PASSWORD)
        for who, role in (("broker", roles.BROKER), ("analyst", "tallyhouse_analyst")):
            roles.join_role(connection, names[who], role, PASSWORD)
    yield names
    with secured.warehouse.connect() as connection:
        for name in names.values():
            connection.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))


def log_in(secured: HandMade, login: str) -> psycopg.Connection[Any]:
    return secured.warehouse.connect(user=login, password=PASSWORD, autocommit=True)


def tenants(connection: psycopg.Connection[Any], query: str = SEEN) -> list[UUID]:
    return [row[0] for row in connection.execute(query)]


def test_a_login_sees_the_tenants_it_is_bound_to(secured: HandMade, logins: dict[str, str]) -> None:
    for who, expected in (("north", [NORTH]), ("south", [SOUTH]), ("both", sorted([NORTH, SOUTH]))):
        with log_in(secured, logins[who]) as connection:
            for mart in ("fact_events", "dim_tenant", "dim_user"):
                assert tenants(connection, SEEN.replace("fact_events", mart)) == expected


@pytest.mark.parametrize(
    "attempt",
    [
        f"set tallyhouse.tenant_id = '{SOUTH}'",
        "set row_security = off",
        f"set role {roles.TENANT_READER}",
        "set session authorization default",
    ],
)
def test_a_login_cannot_widen_what_it_sees(
    secured: HandMade, logins: dict[str, str], attempt: str
) -> None:
    with log_in(secured, logins["north"]) as connection:
        connection.execute(attempt)
        try:
            assert tenants(connection) == [NORTH]
        except psycopg.errors.InsufficientPrivilege:
            assert attempt == "set row_security = off"  # refuses instead of showing everything


@pytest.mark.parametrize(
    "attempt",
    [
        f"set role {roles.BROKER}",
        "set role tallyhouse_analyst",
        "set session authorization tallyhouse",
        "insert into governance.tenant_logins values (session_user, '" + str(SOUTH) + "')",
        "select * from governance.tenant_logins",
        "select * from raw_events.events",
        "select * from staging.stg_events__events",
        "select * from intermediate.int_core__user_days",
        "alter table core.fact_events disable row level security",
        "drop policy own_tenants on core.fact_events",
        "delete from core.fact_events",
        "create table core.copy (id integer)",
        "select governance.secure_relation('core', 'fact_events')",
    ],
)
def test_a_login_is_refused(secured: HandMade, logins: dict[str, str], attempt: str) -> None:
    with (
        log_in(secured, logins["north"]) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(attempt)


def test_the_broker_sees_the_tenant_of_its_setting_or_nothing(
    secured: HandMade, logins: dict[str, str]
) -> None:
    with log_in(secured, logins["broker"]) as connection:
        assert tenants(connection) == []
        for value in ("", "  ", "null", "no-uuid", f"{NORTH} or true"):
            connection.execute("select set_config('tallyhouse.tenant_id', %s, false)", [value])
            assert tenants(connection) == [], value
        connection.execute("select set_config('tallyhouse.tenant_id', null, false)")
        assert tenants(connection) == []
        connection.execute(f"set tallyhouse.tenant_id = '{NORTH}'")
        assert tenants(connection) == [NORTH]
        connection.execute("reset tallyhouse.tenant_id")
        assert tenants(connection) == []


def test_a_prepared_statement_follows_the_tenant(secured: HandMade, logins: dict[str, str]) -> None:
    with log_in(secured, logins["broker"]) as connection:
        connection.execute(f"prepare seen as {SEEN}")
        for mode in ("force_generic_plan", "force_custom_plan", "auto"):
            connection.execute(f"set plan_cache_mode = {mode}")
            for tenant in (NORTH, SOUTH, NORTH):
                connection.execute(f"set tallyhouse.tenant_id = '{tenant}'")
                assert tenants(connection, "execute seen") == [tenant]
            connection.execute("set tallyhouse.tenant_id = ''")
            assert tenants(connection, "execute seen") == []


def test_group_roles_see_all_and_tenants_nothing_without_a_tenant(
    secured: HandMade, logins: dict[str, str]
) -> None:
    with log_in(secured, logins["analyst"]) as connection:
        assert tenants(connection) == sorted([NORTH, SOUTH])
    with secured.warehouse.connect() as connection:
        connection.execute("create table core.totals as select 1 as number")
        connection.execute("select governance.secure_relation('core', 'totals')")
    try:
        with log_in(secured, logins["analyst"]) as connection:
            assert connection.execute("select number from core.totals").fetchall() == [(1,)]
        with (
            log_in(secured, logins["north"]) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute("select number from core.totals")
    finally:
        with secured.warehouse.connect() as connection:
            connection.execute("drop table core.totals")


def test_a_view_shows_what_its_reader_may_see(secured: HandMade, logins: dict[str, str]) -> None:
    with secured.warehouse.connect() as connection:
        connection.execute("create view core.seen as select tenant_id from core.fact_events")
        connection.execute("select governance.secure_relation('core', 'seen')")
    try:
        with log_in(secured, logins["north"]) as connection:
            assert tenants(connection, "select tenant_id from core.seen") == [NORTH]
    finally:
        with secured.warehouse.connect() as connection:
            connection.execute("drop view core.seen")


PUBLISH = (
    "select governance.publish_view('core', 'balances', 'balances_standard',"
    """ '{"policy": "standard"}', 'One row per tenant and policy.', '{"cents": "In cents."}')"""
)


@pytest.fixture
def balances(secured: HandMade) -> Iterator[None]:
    """A mart of two policies with its view; a row of each of two tenants in each policy."""
    with secured.warehouse.connect() as connection:
        connection.execute("create table core.balances (tenant_id uuid, policy text, cents int)")
        for tenant, cents in ((NORTH, 100), (SOUTH, 7)):
            for policy in ("standard", "other"):
                connection.execute(
                    "insert into core.balances values (%s, %s, %s)", [tenant, policy, cents]
                )
        connection.execute("select governance.secure_relation('core', 'balances')")
        connection.execute(PUBLISH)
    yield
    with secured.warehouse.connect() as connection:
        connection.execute("drop table core.balances cascade")


def test_a_plain_sum_of_a_published_view_is_of_one_policy_and_ones_own_tenant(
    secured: HandMade, logins: dict[str, str], balances: None
) -> None:
    for who, expected in (("north", 100), ("south", 7), ("analyst", 107)):
        with log_in(secured, logins[who]) as connection:
            row = connection.execute("select sum(cents) from core.balances_standard").fetchone()
            assert row == (expected,)
    described = secured.rows(
        "select obj_description('core.balances_standard'::regclass),"
        " col_description('core.balances_standard'::regclass, 2)"
    )
    assert described == [
        ("core.balances where policy = 'standard'. One row per tenant and policy.", "In cents.")
    ]
    names = secured.rows(
        "select column_name::text from information_schema.columns"
        " where table_name = 'balances_standard' order by ordinal_position"
    )
    assert names == [("tenant_id",), ("cents",)]


def test_a_published_view_of_complete_periods_ends_where_they_are_complete_for_all_one_sees(
    secured: HandMade, logins: dict[str, str]
) -> None:
    """Where the day of one tenant still runs that is over for another, a sum of both would be of one alone."""
    with secured.warehouse.connect() as connection:
        connection.execute(
            "create table core.actives as select * from (values"
            f" (date '2026-03-01', uuid '{NORTH}', 5, true), ('2026-03-02', '{NORTH}', 1, false),"
            f" ('2026-03-01', '{SOUTH}', 20, true), ('2026-03-02', '{SOUTH}', 30, true),"
            f" ('2026-03-03', '{SOUTH}', 2, false)"
            ") as rows (metric_date, tenant_id, dau, is_complete)"
        )
        connection.execute("select governance.secure_relation('core', 'actives')")
        connection.execute(
            "select governance.publish_view('core', 'actives', 'actives_complete',"
            """ '{"is_complete": true}', 'One row per day and tenant.', '{}')"""
        )
    try:
        for who, expected in (("north", [5]), ("south", [20, 30]), ("analyst", [25])):
            with log_in(secured, logins[who]) as connection:
                rows = connection.execute(
                    "select sum(dau) from core.actives_complete group by metric_date"
                    " order by metric_date"
                ).fetchall()
                assert [dau for (dau,) in rows] == expected, who
    finally:
        with secured.warehouse.connect() as connection:
            connection.execute("drop table core.actives cascade")


def test_a_published_view_of_cohorts_ends_with_the_period_that_runs_and_keeps_each_cohort(
    secured: HandMade,
) -> None:
    """The cohort's date comes before the period that is looked at: both cohorts are seen until March, which runs."""
    with secured.warehouse.connect() as connection:
        connection.execute(
            "create table core.cohorts as select * from (values"
            f" (date '2026-01-01', uuid '{NORTH}', date '2026-01-01', 100, 100, true),"
            f" ('2026-01-01', '{NORTH}', '2026-02-01', 100, 80, true),"
            f" ('2026-01-01', '{NORTH}', '2026-03-01', 100, null, false),"
            f" ('2026-02-01', '{NORTH}', '2026-02-01', 100, 100, true),"
            f" ('2026-02-01', '{NORTH}', '2026-03-01', 100, null, false)"
            ") as rows (cohort_month, tenant_id, month_start, cohort_cents, retained_cents, is_complete)"
        )
        connection.execute("select governance.secure_relation('core', 'cohorts')")
        connection.execute(
            "select governance.publish_view('core', 'cohorts', 'cohorts_standard',"
            """ '{"is_complete": true}', 'One row per cohort and month.', '{}')"""
        )
    try:
        rows = secured.rows(
            "select month_start - cohort_month, sum(retained_cents) * 100 / sum(cohort_cents)"
            " from core.cohorts_standard group by 1 order by 1"
        )
        assert rows == [(0, 100), (31, 80)]
    finally:
        with secured.warehouse.connect() as connection:
            connection.execute("drop table core.cohorts cascade")


def test_a_published_view_outlives_the_swap_of_its_mart_and_is_else_not_touched(
    secured: HandMade, logins: dict[str, str], balances: None
) -> None:
    """As dbt swaps: the old table is renamed, dropped with all that hangs on it after the commit."""
    which = "select oid from pg_class where oid = 'core.balances_standard'::regclass"
    before = secured.rows(which)
    with secured.warehouse.connect() as connection:
        connection.execute(PUBLISH)
    assert secured.rows(which) == before
    with secured.warehouse.connect() as connection:
        connection.execute("alter table core.balances rename to balances__old")
        connection.execute("create table core.balances as table core.balances__old")
        connection.execute("update core.balances set cents = cents + 1")
        connection.execute("alter table core.balances add column currency text default 'usd'")
        connection.execute("select governance.secure_relation('core', 'balances')")
        connection.execute(PUBLISH)
    with secured.warehouse.connect() as connection:
        connection.execute("drop table core.balances__old cascade")
    with log_in(secured, logins["north"]) as connection:
        rows = connection.execute("select cents, currency from core.balances_standard").fetchall()
    assert rows == [(101, "usd")]


def test_a_materialized_view_is_no_mart(secured: HandMade) -> None:
    with secured.warehouse.connect() as connection:
        connection.execute("create materialized view core.heap as select 1 as tenant_id")
        with pytest.raises(psycopg.errors.RaiseException, match="Materialise it as a table"):
            connection.execute("select governance.secure_relation('core', 'heap')")
        connection.rollback()


def test_the_owner_is_bound_too(secured: HandMade) -> None:
    rows = secured.rows(
        "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace "
        "join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' "
        "where n.nspname = 'core' and c.relkind = 'r' "
        "and not (c.relrowsecurity and c.relforcerowsecurity)"
    )
    assert rows == []


def test_roles_of_the_matrix_are_neither_superuser_nor_exempt_nor_owner(secured: HandMade) -> None:
    rows = secured.rows(
        "select r.rolname from pg_roles r join governance.role_grants g on g.role_name = r.rolname "
        "where r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolcanlogin "
        "or exists (select from pg_class c where c.relowner = r.oid)"
    )
    assert rows == []


def test_a_login_that_sees_more_is_not_bound(secured: HandMade, logins: dict[str, str]) -> None:
    with (
        secured.warehouse.connect() as connection,
        pytest.raises(TallyhouseError, match="tallyhouse_analyst"),
    ):
        roles.bind_login(connection, logins["analyst"], NORTH, PASSWORD)


def test_the_matrix_can_be_narrowed(
    secured: HandMade, logins: dict[str, str], tmp_path: Any
) -> None:
    matrix = secured.warehouse.settings.root / "seeds/governance/role_matrix.csv"
    lines = matrix.read_text(encoding="utf-8").splitlines(keepends=True)
    narrow = tmp_path / "role_matrix.csv"
    narrow.write_text(
        "".join(x for x in lines if not x.startswith("tallyhouse_analyst,core")), encoding="utf-8"
    )
    try:
        with secured.warehouse.connect() as connection:
            roles.apply(connection, narrow)
        with (
            log_in(secured, logins["analyst"]) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            tenants(connection)
    finally:
        with secured.warehouse.connect() as connection:
            roles.apply(connection, matrix)
    with log_in(secured, logins["analyst"]) as connection:
        assert tenants(connection) == sorted([NORTH, SOUTH])


def test_a_tenants_login_joins_no_group_role_and_no_role_is_made_up(
    secured: HandMade, logins: dict[str, str]
) -> None:
    with secured.warehouse.connect() as connection:
        with pytest.raises(TallyhouseError, match="other tenants' rows"):
            roles.join_role(connection, logins["north"], "tallyhouse_analyst", PASSWORD)
        with pytest.raises(TallyhouseError, match="no group role"):
            roles.join_role(connection, "somebody", "tallyhouse", PASSWORD)
