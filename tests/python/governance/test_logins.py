"""Who was removed is gone, and no login can stop the warehouse or the other readers (rules 73, 78)."""

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from app.preparation import prepare
from tallyhouse.database import roles, standstill
from tallyhouse.errors import TallyhouseError
from tests.hand_made import HandMade, uuid_of

pytestmark = pytest.mark.slow

PASSWORD = "only-for-this-test"
NORTH, SOUTH = uuid_of("north"), uuid_of("south")
SEEN = "select distinct tenant_id from core.fact_events order by 1"


@pytest.fixture
def login(secured: HandMade) -> Iterator[str]:
    """A login of the tenant north."""
    name = f"login_{secured.warehouse.parameters['dbname']}"
    with secured.warehouse.connect() as connection:
        roles.bind_login(connection, name, NORTH, PASSWORD)
    yield name
    drop(secured, name)


def drop(secured: HandMade, name: str) -> None:
    with secured.warehouse.connect() as connection:
        connection.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(name)))


def log_in(secured: HandMade, name: str, password: str = PASSWORD) -> psycopg.Connection[Any]:
    return secured.warehouse.connect(user=name, password=password, autocommit=True)


def seen(secured: HandMade, name: str) -> list[Any]:
    with log_in(secured, name) as connection:
        return [row[0] for row in connection.execute(SEEN)]


def test_a_removed_login_takes_its_bindings_with_it(secured: HandMade, login: str) -> None:
    assert seen(secured, login) == [NORTH]
    drop(secured, login)
    with secured.warehouse.connect() as connection:
        roles.bind_login(connection, login, SOUTH, PASSWORD)
    assert seen(secured, login) == [SOUTH]


@pytest.mark.parametrize(
    "name", [roles.TENANT_READER, roles.READER, roles.BROKER, roles.ANALYST, "tallyhouse_finance"]
)
def test_no_login_takes_the_name_of_a_role_that_others_are_members_of(
    secured: HandMade, login: str, name: str
) -> None:
    """Made a member of the analysts, it would have made its own members analysts, too."""
    with secured.warehouse.connect() as connection:
        for give in (
            lambda: roles.join_role(connection, name, roles.ANALYST, PASSWORD),
            lambda: roles.bind_login(connection, name, NORTH, PASSWORD),
            lambda: roles.bind_reader(connection, name, NORTH, uuid_of("ada"), PASSWORD),
        ):
            with pytest.raises(TallyhouseError, match="logins are members of"):
                give()
    assert seen(secured, login) == [NORTH]


@pytest.mark.parametrize("name", ["", " ", "north ", "pg_north", "public", "none", "n" * 64])
def test_a_name_that_the_server_would_refuse_or_cut_is_refused_in_words(
    secured: HandMade, name: str
) -> None:
    with (
        secured.warehouse.connect() as connection,
        pytest.raises(TallyhouseError, match="cannot be a login's name"),
    ):
        roles.bind_login(connection, name, NORTH, PASSWORD)


def test_a_name_made_again_by_hand_sees_nothing(secured: HandMade, login: str) -> None:
    drop(secured, login)
    with secured.warehouse.connect() as connection:
        connection.execute(
            f"create role {login} login password '{PASSWORD}' in role {roles.TENANT_READER}"
        )
    assert seen(secured, login) == []
    prepare(secured.warehouse)
    with secured.warehouse.connect() as connection:
        left = connection.execute(
            "select count(*) from governance.tenant_logins where login_name = %s", [login]
        )
        assert left.fetchone() == (0,)


def test_a_renamed_login_keeps_what_it_sees(secured: HandMade, login: str) -> None:
    other = f"{login}_renamed"
    with secured.warehouse.connect() as connection:
        connection.execute(f"alter role {login} rename to {other}")
        connection.execute(f"alter role {other} password '{PASSWORD}'")  # for hashes with the name
    try:
        assert seen(secured, other) == [NORTH]
    finally:
        drop(secured, other)


def test_a_binding_needs_a_role(secured: HandMade) -> None:
    with (
        secured.warehouse.connect() as connection,
        pytest.raises(psycopg.errors.RaiseException, match="nobody_of_that_name does not exist"),
    ):
        connection.execute(
            "insert into governance.tenant_logins values ('nobody_of_that_name', %s)", [NORTH]
        )


def test_a_password_is_changed_only_when_asked(secured: HandMade, login: str) -> None:
    with secured.warehouse.connect() as connection:
        assert not roles.bind_login(connection, login, SOUTH, "another")
    assert seen(secured, login) == sorted([NORTH, SOUTH])
    with secured.warehouse.connect() as connection:
        assert roles.bind_login(connection, login, SOUTH, "another", renew=True)
    with log_in(secured, login, "another") as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_tenant_that_does_not_exist_is_refused(secured: HandMade) -> None:
    name = f"nobody_{secured.warehouse.parameters['dbname']}"
    with secured.warehouse.connect() as connection:
        with pytest.raises(TallyhouseError, match=r"core\.dim_tenant lists them all"):
            roles.bind_login(connection, name, uuid_of("nowhere"), PASSWORD)
        connection.rollback()
        found = connection.execute("select 1 from pg_roles where rolname = %s", [name])
        assert found.fetchone() is None


@pytest.mark.parametrize(
    "attempt",
    [
        "create temporary table mine (id integer)",
        "select pg_advisory_lock(7220002)",
        "select pg_try_advisory_lock(7220002)",
        "select pg_advisory_xact_lock_shared(1, 2)",
        "select lo_create(0)",
        "select lo_from_bytea(0, 'x')",
        "set temp_file_limit = -1",
        "do $$ begin lock table core.fact_events in row exclusive mode; end $$",
    ],
)
def test_what_could_stop_others_is_refused(secured: HandMade, login: str, attempt: str) -> None:
    with (
        log_in(secured, login) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(attempt)


def test_a_login_has_its_limits(secured: HandMade, login: str) -> None:
    with log_in(secured, login) as connection:
        for setting, value in roles.LOGIN_SETTINGS.items():
            assert connection.execute(f"show {setting}").fetchone() == (value,)
        row = connection.execute(
            "select rolconnlimit from pg_roles where rolname = session_user"
        ).fetchone()
    assert row == (roles.LOGIN_CONNECTIONS,)


def test_beyond_its_connections_a_login_waits_and_the_others_go_on(
    secured: HandMade, login: str
) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(roles.LOGIN_CONNECTIONS):
            stack.enter_context(log_in(secured, login))
        with pytest.raises(TallyhouseError, match="too many connections for role"):
            log_in(secured, login)
        with secured.warehouse.connect() as connection:
            assert connection.execute("select 1").fetchone() == (1,)


def test_what_fills_the_disk_is_ended(secured: HandMade, login: str) -> None:
    """The limit of 2 GB, here as 1 MB."""
    with secured.warehouse.connect() as connection:
        connection.execute(f"alter role {login} set temp_file_limit = '1MB'")
    with log_in(secured, login) as connection:
        connection.execute("set work_mem = '64kB'")
        with pytest.raises(psycopg.errors.ConfigurationLimitExceeded, match="temp_file_limit"):
            connection.execute(
                "select g from generate_series(1, 500000) as g order by md5(g::text)"
            )


def test_a_build_ends_who_is_waited_for_too_long(secured: HandMade, login: str) -> None:
    """Nobody queues behind it: the time is TALLYHOUSE_READER_PATIENCE, here four seconds."""
    said: list[str] = []
    with secured.warehouse.connect(user=login, password=PASSWORD) as hostile:
        hostile.execute("set idle_in_transaction_session_timeout = 0")
        hostile.execute(SEEN)
        began = time.monotonic()
        rebuild(secured, said.append, patience=4.0)
        assert 4 <= time.monotonic() - began < 40
        with pytest.raises(psycopg.OperationalError):
            hostile.execute("select 1")
    assert any(login in sentence and "waits for" in sentence for sentence in said)
    assert any(login in sentence and "was disconnected" in sentence for sentence in said)


def test_a_build_says_for_whom_it_waits_and_ends_that_transaction(
    secured: HandMade, login: str
) -> None:
    """The hostile reader has undone its own limits and never ends; another reader goes on."""
    other = f"other_{secured.warehouse.parameters['dbname']}"
    with secured.warehouse.connect() as connection:
        roles.bind_login(connection, other, SOUTH, PASSWORD)
    said: list[str] = []
    with (
        secured.warehouse.connect(user=login, password=PASSWORD) as hostile,
        log_in(secured, other) as reader,
    ):
        hostile.execute("set idle_in_transaction_session_timeout = 0")
        hostile.execute("set statement_timeout = 0")
        hostile.commit()
        hostile.execute(SEEN)  # and keeps its transaction open
        build = threading.Thread(
            target=rebuild, args=(secured, said.append), name="rebuild", daemon=True
        )
        began = time.monotonic()
        build.start()
        while not any("waits for" in sentence for sentence in said):
            assert time.monotonic() - began < 30, said
            time.sleep(0.05)
        # it queues behind the rebuild, which queues behind the hostile one
        assert [row[0] for row in reader.execute(SEEN)] == [SOUTH]
        build.join(30)
        assert not build.is_alive()
        assert any(login in sentence and "was disconnected" in sentence for sentence in said)
        with pytest.raises(psycopg.OperationalError):
            hostile.execute("select 1")
    drop(secured, other)


def rebuild(secured: HandMade, say: Any, patience: float = 600.0) -> None:
    """What swapping a mart in does: an exclusive lock on it."""
    with (
        standstill.watched(secured.warehouse, patience, say),
        secured.warehouse.connect() as connection,
    ):
        connection.execute("lock table core.fact_events in access exclusive mode")


def test_a_lock_of_ours_is_taken_from_whoever_is_not_us(secured: HandMade, login: str) -> None:
    said: list[str] = []
    with secured.warehouse.connect() as connection:  # as on a server where nobody forbade it
        connection.execute("grant execute on function pg_advisory_lock(bigint) to public")
    try:
        with log_in(secured, login) as thief:
            thief.execute("select pg_advisory_lock(77)")
            with secured.warehouse.connect(autocommit=True) as connection:
                standstill.take_lock(connection, 77, said.append, "never said")
        (sentence,) = said
        assert sentence.startswith(login) and "was disconnected" in sentence
    finally:
        prepare(secured.warehouse)


def test_a_lock_that_we_hold_is_waited_for(secured: HandMade) -> None:
    said: list[str] = []
    with secured.warehouse.connect(autocommit=True) as first:
        first.execute("select pg_advisory_lock(77)")
        with secured.warehouse.connect(autocommit=True) as second:
            waiting = threading.Thread(
                target=standstill.take_lock, args=(second, 77, said.append, "Another is at work.")
            )
            waiting.start()
            while not said:
                time.sleep(0.02)
            first.execute("select pg_advisory_unlock(77)")
            waiting.join(10)
            assert not waiting.is_alive()
    assert said == ["Another is at work."]
