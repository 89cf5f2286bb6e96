"""The catalogue test finds every way around a policy (rule 70), and readers during a rebuild see
their own rows or nothing (rule 72)."""

import threading
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tallyhouse.database import roles
from tests.building import run_dbt
from tests.hand_made import CORE, HandMade, uuid_of

pytestmark = pytest.mark.slow

PASSWORD = "only-for-this-test"
READER = roles.TENANT_READER
CATALOGUE_TEST = "no_relation_is_readable_around_its_policy"


@pytest.fixture(scope="module")
def catalogue_query(secured: HandMade) -> str:
    """The catalogue test of the project, as dbt runs it."""
    outcome = run_dbt(secured.warehouse, "test", "-s", CATALOGUE_TEST)
    assert outcome.tests_passed == 1
    (compiled,) = (secured.warehouse.settings.home / "target").glob(
        f"compiled/**/{CATALOGUE_TEST}.sql"
    )
    return compiled.read_text(encoding="utf-8")


LEAKS = {
    "a raw table": [
        f"grant usage on schema raw_events to {READER}",
        f"grant select on raw_events.events to {READER}",
    ],
    "a partition": [
        f"grant usage on schema raw_events to {READER}",
        f"grant select on raw_events.events_20260101 to {READER}",
    ],
    "one column of a staging view": [
        f"grant usage on schema staging to {READER}",
        f"grant select (user_id) on staging.stg_events__events to {READER}",
    ],
    "a view with its owner's rights": [
        "create view core.leak as select * from core.fact_events",
        f"grant select on core.leak to {READER}",
    ],
    "a materialized view": [
        "create materialized view core.leak as select * from core.fact_events",
        f"grant select on core.leak to {READER}",
    ],
    "a table for everybody": [
        "create table core.leak as select tenant_id from core.fact_events",
        "grant select on core.leak to public",
    ],
    "row security switched off": ["alter table core.fact_events disable row level security"],
    "row security not forced": ["alter table core.fact_events no force row level security"],
    "an exempt role": [f"alter role {READER} bypassrls"],
    "what a mart replaced, and nothing limits": [
        "create table core.fact_events__dbt_backup as select tenant_id from core.fact_events",
        f"grant select on core.fact_events__dbt_backup to {READER}",
    ],
}
UNDO = [
    f"revoke all on all tables in schema raw_events, staging from {READER}",
    f"revoke select (user_id) on staging.stg_events__events from {READER}",
    f"revoke usage on schema raw_events, staging from {READER}",
    "drop view if exists core.leak",
    "drop materialized view if exists core.leak",
    "drop table if exists core.leak",
    "drop table if exists core.fact_events__dbt_backup",
    "alter table core.fact_events enable row level security",
    "alter table core.fact_events force row level security",
    f"alter role {READER} nobypassrls",
]


@pytest.fixture
def undone(secured: HandMade) -> Iterator[None]:
    """Whatever a test opened is closed again."""
    yield
    with secured.warehouse.connect(autocommit=True) as connection:
        for statement in UNDO:
            try:
                connection.execute(statement)
            except psycopg.errors.WrongObjectType:
                continue  # the leak was another kind of relation


@pytest.mark.parametrize("name", LEAKS)
def test_a_leak_is_found(secured: HandMade, catalogue_query: str, undone: None, name: str) -> None:
    assert secured.rows(catalogue_query) == []
    with secured.warehouse.connect() as connection:
        for statement in LEAKS[name]:
            connection.execute(statement)
    assert secured.rows(catalogue_query) != []


def test_what_a_mart_replaced_is_no_leak_while_it_is_dropped(
    secured: HandMade, catalogue_query: str
) -> None:
    """dbt commits the new table before it drops the old one, which keeps its policies."""
    with secured.warehouse.connect(autocommit=True) as connection:
        connection.execute("alter table core.fact_events rename to fact_events__dbt_backup")
        try:
            assert secured.rows(catalogue_query) == []
        finally:
            connection.execute("alter table core.fact_events__dbt_backup rename to fact_events")


class Reader(threading.Thread):
    """A tenant's login that reads all the time and remembers what it saw."""

    def __init__(self, secured: HandMade, login: str) -> None:
        super().__init__(daemon=True)
        self.secured, self.login = secured, login
        self.stop = threading.Event()
        self.seen: set[tuple[str, UUID]] = set()
        self.reads = 0
        self.errors: list[str] = []

    def run(self) -> None:
        with self.secured.warehouse.connect(
            user=self.login, password=PASSWORD, autocommit=True, prepare_threshold=1
        ) as connection:
            while not self.stop.wait(0.002):
                for mart in ("fact_events", "dim_tenant", "dim_user"):
                    self.read(connection, mart)

    def read(self, connection: psycopg.Connection[Any], mart: str) -> None:
        try:
            rows = connection.execute(f"select tenant_id from core.{mart}").fetchall()
        except psycopg.Error as error:
            self.errors.append(f"{error.sqlstate}: {error}")
        else:
            self.reads += 1
            self.seen |= {(mart, row[0]) for row in rows}


def test_a_reader_during_rebuilds_sees_its_own_rows_alone(secured: HandMade) -> None:
    login = f"during_{secured.warehouse.parameters['dbname']}"
    with secured.warehouse.connect() as connection:
        roles.bind_login(connection, login, uuid_of("north"), PASSWORD)
    reader = Reader(secured, login)
    reader.start()
    try:
        for day in ("2026-01-02", "2026-01-03"):
            secured.load(
                {"id": day, "tenant": "south", "user": "bob", "at": f"{day}T08:00+00:00"},
                {"id": f"n{day}", "tenant": "north", "user": "ada", "at": f"{day}T08:00+00:00"},
            )
            secured.build(*CORE)
            secured.build(*CORE, "--full-refresh")
    finally:
        reader.stop.set()
        reader.join()
        with secured.warehouse.connect() as connection:
            connection.execute(f"drop role {login}")
    assert reader.reads > 100
    assert {tenant for _, tenant in reader.seen} == {uuid_of("north")}
    # a table swapped between the parsing and the reading of a query: try again, and it works
    retryable = ("40001", "40P01", "XX000: could not open relation")
    assert [error for error in reader.errors if not error.startswith(retryable)] == []
