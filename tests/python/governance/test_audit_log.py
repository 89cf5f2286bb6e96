"""Who reads personal or financial marts is entered in the audit log, and no entry can be changed unseen."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from psycopg import sql

from app import pipeline
from app.preparation import prepare
from governance import audit_log, standing, statements
from governance.audit_log import Act, record, verify
from tallyhouse.database import Warehouse, roles
from tests.hand_made import HandMade, uuid_of
from tests.templates import Templates

pytestmark = pytest.mark.slow

PASSWORD = "only-for-this-test"
NORTH = uuid_of("north")
SECRET = "ann@example.org"
EVENTS, USERS, DATES = "core.fact_events", "core.dim_user", "core.dim_date"


@pytest.fixture
def warehouse(templates: Templates, secured: HandMade) -> Warehouse:
    """The two tenants' core marts, in a database of the test's own."""
    warehouse = templates.copy("two_tenants", "audited")
    prepare(warehouse)
    return warehouse


@pytest.fixture
def login(warehouse: Warehouse) -> Iterator[str]:
    """A login of the tenant north, prepared as `tallyhouse db login` leaves it."""
    name = f"reader_{warehouse.parameters['dbname']}"
    with warehouse.connect() as connection:
        roles.bind_login(connection, name, NORTH, PASSWORD)
        statements.log_logins(connection)
    yield name
    drop(warehouse, name)


def drop(warehouse: Warehouse, name: str) -> None:
    with warehouse.connect() as connection:
        connection.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(name)))


def log_in(warehouse: Warehouse, name: str) -> psycopg.Connection[Any]:
    return warehouse.connect(user=name, password=PASSWORD, autocommit=True)


def entries(warehouse: Warehouse, actor: str) -> list[tuple[str, str]]:
    """Outcome and resource of each read of a login, in the order of entering."""
    statements.import_statements(warehouse)
    with warehouse.connect() as connection:
        return connection.execute(
            "select outcome, resource from governance.analytics_audit_log"
            " where actor = %s and action = 'read' order by entry_number",
            [actor],
        ).fetchall()


READ = {
    "plain": ([f"select count(*) from {EVENTS}"], [("done", EVENTS)]),
    "two at once": (
        [f"select 1 from {EVENTS} join {USERS} using (tenant_id, user_id)"],
        [("done", f"{USERS}, {EVENTS}")],
    ),
    "without its schema": (
        ["set search_path to core", "table FACT_EVENTS"],
        [("done", EVENTS)],
    ),
    "copied": ([f"copy {USERS} to stdout"], [("done", USERS)]),
    "prepared": (
        [f"prepare p as select * from {USERS}", "execute p"],
        [("done", USERS), ("done", USERS)],
    ),
    "a cursor that is rolled back": (
        ["begin", f"declare c cursor for select * from {USERS}", "fetch 1 from c", "rollback"],
        [("done", USERS)],
    ),
    "broken off by an error": (
        [f"select 1 / (count(*) - count(*)) from {EVENTS}"],
        [("done", EVENTS)],
    ),
    "put together in a block of code": (
        ["do $$ begin execute 'select 1 from core.fact_' || 'events'; end $$"],
        [("unknown", "unknown"), ("done", EVENTS)],
    ),
    "put together in a function's text": (
        ["select query_to_xml('table core.fact_' || 'events', true, true, '')"],
        [("done", EVENTS)],
    ),
    "letters by number": (
        ['select count(*) from core.U&"fact\\005fevents"'],
        [("unknown", "unknown"), ("done", EVENTS)],
    ),
    "raw": (["select * from raw_events.events"], [("refused", "unknown")]),
    "another's mart": (["delete from core.fact_events"], [("done", EVENTS), ("refused", EVENTS)]),
    "switching it off": (
        ["set log_statement = 'none'", "set auto_explain.log_min_duration = -1"],
        [("refused", "unknown"), ("refused", "unknown")],
    ),
    "nothing of anybody": (
        [f"select count(*) from {DATES}", "select 1", "show search_path"],
        [],
    ),
}


@pytest.mark.parametrize("way", READ)
def test_every_way_of_reading_is_entered(warehouse: Warehouse, login: str, way: str) -> None:
    asked, expected = READ[way]
    with log_in(warehouse, login) as connection:
        for statement in asked:
            try:
                if statement.startswith("copy"):
                    with connection.cursor().copy(statement.encode()) as copy:
                        list(copy)
                else:
                    connection.execute(statement.encode())
            except psycopg.Error:
                pass
    assert entries(warehouse, login) == expected
    assert entries(warehouse, login) == expected


def test_a_part_at_a_time_enters_the_same(
    warehouse: Warehouse, login: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "BLOCK", 600)
    with log_in(warehouse, login) as connection:
        for _ in range(5):
            connection.execute(f"select count(*) from {USERS}".encode())
    found = set(entries(warehouse, login))
    assert found == {("done", USERS)}
    with warehouse.connect() as connection:
        (named,) = connection.execute(
            "select count(*) from governance.analytics_audit_log"
            " where actor = %s and details ->> 'statement' <> ''",
            [login],
        ).fetchone() or (0,)
    assert named == 5


def test_no_value_of_a_statement_is_kept(warehouse: Warehouse, login: str) -> None:
    with log_in(warehouse, login) as connection:
        connection.execute(f"select 1 from {USERS} where product = '{SECRET}'".encode())
        connection.execute(f"select 1 from {USERS} where product = %s", [SECRET])
        connection.execute(f'select 1 as "{SECRET}" from {USERS} -- {SECRET}'.encode())
        connection.execute(
            f"prepare p as select 1 from {USERS} where product = '{SECRET}'".encode()
        )
        connection.execute(f"do $$ begin perform '{SECRET}' from {USERS}; end $$".encode())
    assert len(entries(warehouse, login)) == 5
    with warehouse.connect() as connection:
        kept = connection.execute(
            "select details ->> 'statement' from governance.analytics_audit_log"
            " where actor = %s order by entry_number",
            [login],
        ).fetchall()
        whole = str(connection.execute("select * from governance.analytics_audit_log").fetchall())
    assert kept[0] == ("select ? from core . dim_user where product = ?",)
    assert SECRET not in whole
    assert "example" not in whole


def test_the_auditor_alone_reads_it(warehouse: Warehouse) -> None:
    asked = "select has_table_privilege(%s, 'governance.analytics_audit_log', 'select')"
    with warehouse.connect() as connection:
        matrix = connection.execute("select distinct role_name::text from governance.role_grants")
        readers = {
            r for (r,) in matrix.fetchall() if connection.execute(asked, [r]).fetchone() == (True,)
        }
        (may_write,) = connection.execute(
            "select has_table_privilege('tallyhouse_auditor', 'governance.analytics_audit_log',"
            " 'insert, update, delete, truncate')"
        ).fetchone() or (None,)
    assert readers == {"tallyhouse_auditor"}
    assert may_write is False


# grants ------------------------------------------------------------------------------------


def granted(warehouse: Warehouse, login: str) -> list[tuple[str, str]]:
    standing.note(warehouse)
    with warehouse.connect() as connection:
        return connection.execute(
            "select action, resource from governance.analytics_audit_log"
            " where action in ('grant', 'revoke') and resource like %s order by entry_number",
            [f"login {login} %"],
        ).fetchall()


def test_what_is_granted_and_taken_by_hand_is_noticed(warehouse: Warehouse, login: str) -> None:
    bound = [
        ("grant", f"login {login} is a member of tallyhouse_tenant_reader"),
        ("grant", f"login {login} sees the tenant {NORTH}"),
    ]
    assert granted(warehouse, login) == bound
    with warehouse.connect() as connection:
        connection.execute(f"grant tallyhouse_finance to {login}".encode())
        connection.execute(f"grant select on core.dim_user to {login}".encode())
        connection.execute(f"alter role {login} bypassrls".encode())
    more = [
        ("grant", f"login {login} is a member of tallyhouse_finance"),
        ("grant", f"login {login} is above row security"),
        ("grant", f"login {login} may select core.dim_user"),
    ]
    assert sorted(granted(warehouse, login)) == sorted(bound + more)
    with warehouse.connect() as connection:
        connection.execute(f"revoke select on core.dim_user from {login}".encode())
        connection.execute(f"drop role {login}".encode())
    gone = [("revoke", resource) for _, resource in bound + more]
    assert sorted(granted(warehouse, login)) == sorted(bound + more + gone)


def test_logins_removed_together_are_in_no_deadlock_with_a_preparation(
    warehouse: Warehouse,
) -> None:
    suffix = warehouse.parameters["dbname"]
    logins = [f"reader_{letter}_{suffix}" for letter in "ab"]
    with warehouse.connect() as connection:
        for login in logins:
            roles.bind_login(connection, login, NORTH, PASSWORD)
    with ThreadPoolExecutor(1) as pool, warehouse.connect() as connection:
        connection.execute(f"drop role {logins[1]}".encode())
        preparation = pool.submit(prepare, warehouse)
        while not somebody_waits(warehouse):
            assert not preparation.done(), "a preparation sets each login"
            time.sleep(0.05)
        connection.execute(f"drop role {logins[0]}".encode())
        connection.commit()
        preparation.result()


def somebody_waits(warehouse: Warehouse) -> bool:
    """Whether a session of this database waits for somebody who holds a login."""
    with warehouse.connect() as connection:
        row = connection.execute(
            "select count(*) from pg_stat_activity where datname = current_database()"
            " and wait_event_type = 'Lock' and query like 'alter role%'"
        ).fetchone()
    return bool(row and row[0])


# the chain ---------------------------------------------------------------------------------


def filled(warehouse: Warehouse, count: int = 6) -> None:
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    record(
        warehouse,
        [
            Act(f"a{n}", at, "ann_bi", "read", USERS, details={"n": n, "z": ["ö"]})
            for n in range(count)
        ],
    )


def tampered(warehouse: Warehouse, *how: str) -> list[str]:
    """What verification says after somebody who may do everything in the database has been there."""
    with warehouse.connect() as connection:
        connection.execute(
            "alter table governance.analytics_audit_log disable trigger only_added_to"
        )
        for statement in how:
            connection.execute(statement.encode())
        connection.execute(
            "alter table governance.analytics_audit_log enable trigger only_added_to"
        )
    return verify(warehouse).faults


LOG = audit_log.TABLE
TAMPERING = {
    "an actor": ([f"update {LOG} set actor = 'bob' where entry_number = 3"], ["Entry 3 is not"]),
    "a detail": (
        [f"update {LOG} set details = details || '{{\"n\": 7}}' where entry_number = 3"],
        ["Entry 3 is not"],
    ),
    "a time": (
        [f"update {LOG} set happened_at = happened_at + interval '1 us' where entry_number = 2"],
        ["Entry 2 is not"],
    ),
    "dropped inside": ([f"delete from {LOG} where entry_number = 3"], ["Entry 3 is missing", "Entry 4 is not"]),
    "dropped and closed up": (
        [
            f"delete from {LOG} where entry_number = 3",
            f"update {LOG} set entry_number = entry_number - 1 where entry_number > 3",
        ],
        ["Entry 3 is not", "Entry 4 is not", "Entry 5 is not", "Entry 6 is missing"],
    ),
    "cut off": ([f"delete from {LOG} where entry_number > 4"], ["Entries 5 to 6 are missing"]),
    "emptied": ([f"truncate {LOG}"], ["Entries 1 to 6 are missing"]),
    "two exchanged": (
        [
            f"update {LOG} set entry_number = entry_number + 100 where entry_number in (2, 3)",
            f"update {LOG} set entry_number = 105 - entry_number where entry_number in (102, 103)",
        ],
        ["Entry 2 is not", "Entry 3 is not", "Entry 4 is not"],
    ),
    "a seal": (
        [f"update {LOG} set seal = repeat('a', 64) where entry_number = 6"],
        ["Entry 6 is not", "Entry 6 is another"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", TAMPERING)
def test_whatever_is_changed_is_found(warehouse: Warehouse, how: str) -> None:
    filled(warehouse)
    assert verify(warehouse).faults == []
    statements_run, expected = TAMPERING[how]
    faults = tampered(warehouse, *statements_run)
    assert len(faults) == len(expected)
    for fault, beginning in zip(faults, expected, strict=True):
        assert fault.startswith(beginning)


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        (0, "Entries 5 to 6 are missing."),
        (1, "Entry 6 is missing."),
        (3, "Entry 6 is another than"),
    ],
)
def test_an_end_that_was_cut_off_is_not_forgotten_when_the_log_goes_on(
    warehouse: Warehouse, later: int, expected: str
) -> None:
    filled(warehouse)
    tampered(warehouse, f"delete from {LOG} where entry_number > 4")
    at = datetime(2026, 3, 2, tzinfo=UTC)
    for n in range(later):
        record(warehouse, [Act(f"later-{n}", at, "bob", "read", USERS)])
    (fault,) = verify(warehouse).faults
    assert fault.startswith(expected)


def test_a_true_entry_of_another_past_does_not_fit(warehouse: Warehouse) -> None:
    """Sealed with the same key and under the same number, but after another entry."""
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    filled(warehouse, 3)
    with warehouse.connect() as connection:
        connection.execute(
            f"create table public.kept as select * from {LOG} where entry_number = 2".encode()
        )
    tampered(warehouse, f"delete from {LOG} where entry_number > 1")
    (warehouse.settings.home / audit_log.HEAD).unlink()
    record(warehouse, [Act(name, at, "bob", "read", USERS) for name in ("b", "c")])
    assert verify(warehouse).faults == []
    faults = tampered(
        warehouse,
        f"delete from {LOG} where entry_number = 2",
        f"insert into {LOG} select * from public.kept",
    )
    assert faults == ["Entry 3 is not what was entered, or does not follow what stands before it."]


@pytest.mark.parametrize(
    "statement", ["update {} set actor = 'x'", "delete from {}", "truncate {}"]
)
def test_nobody_changes_it_by_accident(warehouse: Warehouse, statement: str) -> None:
    filled(warehouse)
    with warehouse.connect() as connection, pytest.raises(psycopg.errors.RaiseException):
        connection.execute(statement.format(LOG).encode())


def test_without_the_key_nothing_can_be_added_unseen(warehouse: Warehouse) -> None:
    filled(warehouse)
    key = warehouse.settings.pii_key_file.with_name("audit.key")
    kept = key.read_text()
    key.unlink()
    record(warehouse, [Act("forged", datetime.now(UTC), "x", "read", "y")])
    key.write_text(kept)
    faults = verify(warehouse).faults
    assert [fault for fault in faults if fault.startswith("1 entries are sealed with another key")]


def test_many_at_once_make_one_chain(warehouse: Warehouse) -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)

    def enter(who: int) -> None:
        for n in range(10):
            record(
                warehouse,
                [
                    Act(f"{who}-{n}", at, str(who), "read", "x"),
                    Act(f"all-{n}", at, "all", "read", "x"),
                ],
            )

    threads = [threading.Thread(target=enter, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = verify(warehouse)
    assert (found.entries, found.faults) == (50, [])


def test_the_log_of_an_earlier_version_is_taken_over(warehouse: Warehouse) -> None:
    with warehouse.connect() as connection:
        connection.execute(f"drop table {LOG}".encode())
        connection.execute(
            f"create table {LOG} (audit_id text primary key, happened_at timestamptz not null, actor text not null,"
            " action text not null, resource text not null, outcome text not null, details jsonb not null)".encode()
        )
        connection.execute(
            f"insert into {LOG} values"
            " ('old', '2026-01-01', '10.0.0.1', 'receive', '/x', 'refused', '{\"status\": 401}')".encode()
        )
    prepare(warehouse)
    pipeline.fill_audit_log(warehouse.settings, warehouse)
    with warehouse.connect() as connection:
        first = connection.execute(
            f"select audit_id, actor, details from {LOG} where audit_id = 'old'".encode()
        ).fetchall()
    assert first == [("old", "10.0.0.1", {"status": 401})]
    assert verify(warehouse).faults == []
