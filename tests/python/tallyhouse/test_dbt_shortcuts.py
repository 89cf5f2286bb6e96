"""Each shortcut gives what dbt's own function gives, and dbt takes it."""

import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg2
import pytest
from dbt import selected_resources
from dbt.adapters.base import BaseAdapter
from dbt.adapters.base.relation import BaseRelation
from dbt.adapters.contracts.relation import Path as RelationPath
from dbt.adapters.events.types import SQLQuery
from dbt.adapters.exceptions import ApproximateMatchError
from dbt.adapters.postgres import PostgresConnectionManager
from dbt.clients.jinja import MacroStack
from dbt.context.macros import MacroNamespaceBuilder
from dbt.context.manifest import ManifestContext
from dbt.events.types import NodeFinished
from dbt_common.behavior_flags import BehaviorFlagRendered
from dbt_common.clients import agate_helper
from dbt_common.clients.jinja import get_environment
from dbt_common.events import event_manager_client
from dbt_common.events.event_manager import EventManager
from psycopg2.extensions import TRANSACTION_STATUS_INTRANS

from tallyhouse import dbt, dbt_shortcuts
from tallyhouse.database import Warehouse

dbt_shortcuts.take()

# package → macros; `dbt_postgres` wins over `dbt`, the project over both
MACROS = {
    package: {name: SimpleNamespace(name=name, package_name=package) for name in names}
    for package, names in {
        "tallyhouse": ("as_of", "ref_of", "create_table"),
        "dbt_utils": ("surrogate_key", "as_of"),
        "dbt": ("create_table", "drop_table", "run_hooks"),
        "dbt_postgres": ("drop_table",),
    }.items()
}
NODE = object()


def namespaces(search: str) -> list[Any]:
    """The names that dbt gives a node of the package, and those by the shortcut."""
    made = []
    for build in (
        MacroNamespaceBuilder.build_namespace.__wrapped__,
        MacroNamespaceBuilder.build_namespace,
    ):
        builder = MacroNamespaceBuilder(
            "tallyhouse", search, MacroStack(), ["dbt_postgres", "dbt"], NODE
        )
        made.append(build(builder, MACROS, {"a": 1}))
    return made


def told(found: Any) -> Any:
    """What a name stands for, comparable."""
    if isinstance(found, Mapping):
        return {name: told(member) for name, member in found.items()}
    of_package = (found.macro.package_name, found.macro.name)
    return (type(found), *of_package, found.context, found.node is NODE, found.stack.depth)


@pytest.mark.parametrize("search", ["tallyhouse", "dbt_utils", "dbt", "unknown"])
def test_every_name_is_the_macro_that_dbt_finds(search: str) -> None:
    theirs, ours = namespaces(search)
    assert told(ours) == told(theirs)
    for package in (None, "dbt", "dbt_utils", "tallyhouse"):
        for name in ("as_of", "create_table", "drop_table", "surrogate_key"):
            found = [space.get_from_package(package, name) for space in (theirs, ours)]
            assert (found[0] is None) == (found[1] is None)
            assert found[0] is None or told(found[0]) == told(found[1])


@pytest.mark.parametrize("search", ["tallyhouse", "dbt_utils", "dbt"])
def test_a_context_holds_the_same_names(search: str) -> None:
    class Context(ManifestContext):
        def __init__(self, namespace: Any) -> None:
            self.namespace = namespace
            self._ctx, self.cli_vars, self.env_vars = {}, {}, {}

        def generate_builtins(self) -> dict[str, Any]:
            return {"log": "dbt's", "drop_table": "hidden by the macro"}

    theirs, ours = namespaces(search)
    expected = ManifestContext.to_dict.__wrapped__(Context(theirs))
    found = Context(ours).to_dict()
    own = {"context", "builtins", "log"}
    assert found.keys() == expected.keys()
    assert {k: told(v) for k, v in found.items() if k not in own} == {
        k: told(v) for k, v in expected.items() if k not in own
    }
    assert found["log"] == expected["log"] == "dbt's"


@pytest.fixture
def context(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., dict[str, Any]]]:
    """What an adapter asks for the context of a macro; each that is made is a new dictionary."""
    adapter = SimpleNamespace()
    flags = SimpleNamespace(WHICH="run")
    monkeypatch.setattr("dbt.flags.get_flags", lambda: flags)
    BaseAdapter.set_macro_context_generator(adapter, lambda macro, *_: {"macro": macro.unique_id})
    config, resolver = object(), object()

    def ask(macro: str, which: str = "run", config: object = config) -> dict[str, Any]:
        flags.WHICH = which
        given = SimpleNamespace(unique_id=macro)
        found: dict[str, Any] = adapter._macro_context_generator(given, config, resolver, None)
        return found

    yield ask


def test_the_adapters_macros_share_a_context_in_a_thread_of_a_run(
    context: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    renamed = context("rename")
    assert renamed == {"macro": "rename"}
    assert context("rename") is renamed
    assert context("drop") == {"macro": "drop"}
    assert context("rename", config=object()) is not renamed
    elsewhere: list[dict[str, Any]] = []
    thread = threading.Thread(target=lambda: elsewhere.append(context("drop")))
    first = context("drop")
    thread.start()
    thread.join()
    assert elsewhere == [first]
    assert elsewhere[0] is not first
    monkeypatch.setattr(selected_resources, "SELECTED_RESOURCES", ["another"])
    assert context("drop") is not first


def test_what_dbt_show_puts_into_a_context_nobody_else_finds(
    context: Callable[..., dict[str, Any]],
) -> None:
    before = context("limit")
    shown = context("limit", "show")
    assert shown is not before
    shown.update(sql="select 1")
    assert context("limit", "show") is not shown


def test_a_flag_is_of_the_module_that_asks() -> None:
    flag = {"name": "of_this_test", "default": True, "description": "none"}
    rendered = BehaviorFlagRendered(flag, {})
    assert rendered._behavior_change_event.flag_source == __name__


def relation(identifier: str, schema: str = "core") -> BaseRelation:
    return BaseRelation(path=RelationPath(database="house", schema=schema, identifier=identifier))


def test_a_relation_is_found_by_its_name() -> None:
    quoting = {"database": True, "schema": True, "identifier": True}
    adapter = SimpleNamespace(config=SimpleNamespace(quoting=quoting))
    adapter._make_match_kwargs = lambda *names: BaseAdapter._make_match_kwargs(adapter, *names)
    known = [relation("dim_user"), relation("dim_tenant"), relation("dim_user", "other")]

    def match(*names: str) -> list[BaseRelation]:
        found: list[BaseRelation] = BaseAdapter._make_match(adapter, known, *names)
        assert found == BaseAdapter._make_match.__wrapped__(adapter, known, *names)
        return found

    assert match("house", "core", "dim_user") == [known[0]]
    assert match("house", "core", "none") == []
    with pytest.raises(ApproximateMatchError):
        BaseAdapter._make_match(adapter, known, "house", "core", "DIM_USER")


def test_a_text_is_compiled_once_for_each_kind_of_template() -> None:
    text = "{{ 1 + 2 }} of test_a_text_is_compiled_once"
    plain, native = get_environment(), get_environment(native=True)
    code = plain.compile(text)
    assert get_environment().compile(text) is code
    assert native.compile(text) is not code
    assert plain.compile(text, name="named") is not code
    assert plain.from_string(text).render({}) == "3 of test_a_text_is_compiled_once"


def test_an_answer_of_the_same_columns_is_typed_alike() -> None:
    rows = [{"name": "null", "count": 1}, {"name": "", "count": 2}]
    first, second = (agate_helper.table_from_data_flat(rows, ["name", "count"]) for _ in range(2))
    assert first.column_types == second.column_types
    assert [row["name"] for row in second.rows] == ["null", ""]
    assert [row["count"] for row in second.rows] == [1, 2]
    numbers = agate_helper.table_from_data_flat([{"name": 7, "count": 1}], ["name", "count"])
    assert numbers.rows[0]["name"] == 7
    assert list(agate_helper.empty_table().rows) == []


def test_without_a_log_nothing_is_made_of_what_only_a_log_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard: list[str] = []
    manager = EventManager()
    monkeypatch.setattr(event_manager_client, "_EVENT_MANAGER", manager)
    manager.add_callback(lambda event: heard.append(event.info.name))
    query = SQLQuery(conn_name="master", sql="select 1")
    assert "pb_msg" not in query.__dict__
    manager.fire_event(query)
    manager.fire_event(NodeFinished())
    assert heard == ["NodeFinished"]


def open_connection(handle: Any, role: str | None = None) -> Any:
    credentials = SimpleNamespace(role=role)
    return SimpleNamespace(
        handle=handle, state="open", transaction_open=True, credentials=credentials
    )


@pytest.mark.slow
def test_a_connection_serves_the_next_node_as_though_it_were_new(
    fresh_database: Callable[..., Warehouse],
) -> None:
    def answer(query: str) -> Any:
        cursor = connection.handle.cursor()
        cursor.execute(query)
        return cursor.fetchone()[0]

    handle = psycopg2.connect(**fresh_database("kept").parameters)
    connection = open_connection(handle)
    manager = SimpleNamespace(get_if_exists=lambda: connection)
    backend = answer("select pg_backend_pid()")
    handle.cursor().execute("create temporary table of_a_node as select 1; set work_mem = '77MB'")
    handle.commit()
    handle.cursor().execute("create table not_committed ()")
    PostgresConnectionManager.release(manager)
    assert not connection.transaction_open
    assert answer("select pg_backend_pid()") == backend
    assert answer("select to_regclass('of_a_node')::text") is None
    assert answer("select to_regclass('not_committed')::text") is None
    assert answer("show work_mem") != "77MB"
    assert handle.get_transaction_status() == TRANSACTION_STATUS_INTRANS
    handle.close()


class Unanswered:
    def rollback(self) -> None:
        raise psycopg2.OperationalError("server closed the connection unexpectedly")


@pytest.mark.parametrize(
    "connection",
    [open_connection(Unanswered()), open_connection(None, role="builder")],
    ids=["does not answer", "took a role that a new one takes again"],
)
def test_a_connection_that_cannot_serve_the_next_node_is_closed(connection: Any) -> None:
    closed: list[Any] = []
    manager = SimpleNamespace(
        get_if_exists=lambda: connection, lock=threading.Lock(), close=closed.append
    )
    PostgresConnectionManager.release(manager)
    assert closed == [connection]


@pytest.mark.slow
def test_a_log_is_told_everything(fresh_database: Callable[..., Warehouse], tmp_path: Path) -> None:
    warehouse = fresh_database("logged")
    words = ("--log-path", str(tmp_path), "--log-level-file", "debug", "--no-write-json")
    macro = ("run-operation", "create_schema", "--args", "{relation: {schema: logged}}")
    dbt.run(
        [*macro, *words, "--target-path", str(tmp_path)], warehouse.settings, warehouse=warehouse
    )
    log = (tmp_path / "dbt.log").read_text("utf-8")
    assert "On macro_create_schema" in log
    assert "Acquiring new postgres connection" in log
