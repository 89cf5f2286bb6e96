"""What dbt makes anew for each node although nothing in it differs: made once, or not made at all.

Between two statements to the database dbt prepares: for every call of a macro, several a node, it
builds the names of all of the project's and its packages' macros, and for every step an event of
the log. That is most of the time of a build whose tables are small. Each function here takes the
place of one of dbt's and gives the same; `tests/python/tallyhouse/test_dbt_shortcuts.py` compares.

Belongs here: what dbt could do itself, with the same result. Does not belong here: any change of
what dbt does.
"""

import functools
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

# what dbt says of each statement, connection and step: nobody but a log at debug level takes it
UNHEARD = (
    "CacheAction",
    "ConnectionClosed",
    "ConnectionReused",
    "ConnectionUsed",
    "JinjaLogDebug",
    "NewConnectionOpening",
    "NodeCompiling",
    "NodeExecuting",
    "NodeStart",
    "SQLCommit",
    "SQLQuery",
    "SQLQueryStatus",
    "TypeCodeNotFound",
    "WritingInjectedSQLForNode",
)


@functools.cache
def take() -> None:
    """Let dbt take all of them in this process.

    Raises `AttributeError` where this version of dbt has no function of that name.
    """
    from dbt.adapters.base import BaseAdapter
    from dbt.adapters.events import types as adapter_events
    from dbt.adapters.postgres import PostgresConnectionManager
    from dbt.context.macros import MacroNamespaceBuilder
    from dbt.context.manifest import ManifestContext
    from dbt.events import types as core_events
    from dbt.parser.manifest import ManifestLoader
    from dbt_common.behavior_flags import BehaviorFlagRendered
    from dbt_common.clients import agate_helper
    from dbt_common.clients.jinja import MacroFuzzEnvironment
    from dbt_common.events.event_manager import EventManager

    _replace(MacroNamespaceBuilder, "build_namespace", lambda _: _namespace)
    _replace(ManifestContext, "to_dict", lambda _: _context)
    _replace(BehaviorFlagRendered, "_default_source", lambda _: _caller)
    _replace(ManifestLoader, "build_manifest_state_check", _wherever_the_server_listens)
    _replace(MacroFuzzEnvironment, "compile", _compiled_once)
    _replace(agate_helper, "empty_table", functools.cache)
    _replace(agate_helper, "build_type_tester", _tester_of_columns)
    _replace(BaseAdapter, "_make_match", _matched_by_name)
    _replace(BaseAdapter, "set_macro_context_generator", _reusing)
    _replace(PostgresConnectionManager, "release", _kept_open)
    for name in UNHEARD:
        event = getattr(adapter_events, name, None) or getattr(core_events, name)
        _replace(event, "__init__", _made_for_a_log)
    _replace(EventManager, "fire_event", _fired_for_a_log)


def _replace(owner: Any, name: str, replacement: Callable[[Any], Any]) -> None:
    """dbt's own function stays within reach, as `__wrapped__`."""
    of_dbt = getattr(owner, name)
    setattr(owner, name, functools.update_wrapper(replacement(of_dbt), of_dbt))


def _namespace(
    builder: Any, macros_by_package: Mapping[str, Mapping[str, Any]], ctx: dict[str, Any]
) -> Any:
    """`MacroNamespaceBuilder.build_namespace` without the three calls and the check of names for each macro."""
    from dbt.clients.jinja import MacroGenerator
    from dbt.context.macros import MacroNamespace

    new, node, stack = MacroGenerator.__new__, builder.node, builder.thread_ctx

    def callable_of(macro: Any) -> Any:
        generator = new(MacroGenerator)
        generator.macro, generator.context = macro, ctx
        generator.node, generator.stack = node, stack
        return generator

    packages: dict[str, dict[str, Any]] = {}
    internal: dict[str, dict[str, Any]] = {}
    for package, macros in macros_by_package.items():
        kind = internal if package in builder.internal_package_names else packages
        kind[package] = {name: callable_of(macro) for name, macro in macros.items()}
    of_dbt: dict[str, Any] = {}
    for package in reversed(builder.internal_package_names_order):
        of_dbt.update(internal.get(package, {}))
    root, search = builder.root_package, builder.search_package
    return MacroNamespace(
        global_namespace={} if root == search else {**packages.get(root, {})},
        local_namespace={**packages.get(search, {})},
        global_project_namespace=of_dbt,
        packages=packages,
    )


def _context(of: Any) -> dict[str, Any]:
    """`ManifestContext.to_dict`; the place that is searched first is added last, rather than each name searched."""
    from dbt.context.configured import ConfiguredContext
    from dbt.context.macro_resolver import TestMacroNamespace

    context: dict[str, Any] = ConfiguredContext.to_dict(of)
    names = of.namespace
    if isinstance(names, TestMacroNamespace):
        places = [names.local_namespace, names.project_namespace]
    else:
        places = [*names._search_order()][::-1]
    for place in places:
        context.update(place)
    return context


def _reusing(set_generator: Callable[..., None]) -> Callable[..., None]:
    """dbt's context for a macro that the adapter calls: one for each thread of a run, not for each call.

    `dbt show` puts what it shows into that context: it gets a new one.
    """

    def set_reusing_generator(adapter: Any, generator: Callable[..., dict[str, Any]]) -> None:
        made = threading.local()

        def context(macro: Any, config: Any, resolver: Any, package: str | None) -> dict[str, Any]:
            from dbt import selected_resources
            from dbt.flags import get_flags

            run = (config, resolver, selected_resources.SELECTED_RESOURCES)
            if not all(a is b for a, b in zip(run, getattr(made, "run", (None,) * 3), strict=True)):
                made.run, made.contexts = run, {}
            key = (macro.unique_id, package)
            if key not in made.contexts or get_flags().WHICH == "show":
                made.contexts[key] = generator(macro, config, resolver, package)
            found: dict[str, Any] = made.contexts[key]
            return found

        set_generator(adapter, context)

    return set_reusing_generator


def _wherever_the_server_listens(check: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A parsed project holds no address: it need not be parsed anew for a server on another port."""

    def check_without_address(loader: Any) -> Any:
        from dbt.contracts.files import FileHash

        state = check(loader)
        known = dict(loader.root_project.credentials.connection_info())
        kept = sorted((key, str(known[key])) for key in known.keys() - {"host", "port"})
        state.profile_hash = FileHash.from_contents(str(kept))
        return state

    return check_without_address


def _compiled_once(compile_template: Callable[..., Any]) -> Callable[..., Any]:
    """Jinja's code for a text: tests of one kind have one text, whatever they test."""
    compiled: dict[tuple[type, str], Any] = {}

    def compile_once(environment: Any, source: Any, *args: Any, **kwargs: Any) -> Any:
        if args or kwargs or not isinstance(source, str):
            return compile_template(environment, source, *args, **kwargs)
        key = (type(environment), source)
        if key not in compiled:
            compiled[key] = compile_template(environment, source)
        return compiled[key]

    return compile_once


def _tester_of_columns(build: Callable[..., Any]) -> Callable[..., Any]:
    """What tells the types of an answer's columns: one for all answers of the same columns of text."""
    build_once = functools.lru_cache(1024)(build)

    def tester(
        text_columns: Iterable[str], string_null_values: Iterable[str] | None = ("null", "")
    ) -> Any:
        nulls = None if string_null_values is None else tuple(string_null_values)
        return build_once(tuple(sorted(text_columns)), nulls)

    return tester


def _matched_by_name(match: Callable[..., Any]) -> Callable[..., Any]:
    """Of all relations of a schema those of the name, before dbt compares database and schema of each."""

    def lowered(name: str | None) -> str:
        return (name or "").lower().strip('"')

    def matched(adapter: Any, relations: Any, database: Any, schema: Any, identifier: Any) -> Any:
        if identifier:
            relations = [r for r in relations if lowered(r.identifier) == lowered(identifier)]
        return match(adapter, relations, database, schema, identifier)

    return matched


def _kept_open(release: Callable[[Any], None]) -> Callable[[Any], None]:
    """A thread's connection serves its next node too: rolled back, and as though it were new.

    dbt closes it when the run ends. One that does not answer is closed, as ever, and so is one whose
    profile names a `role`: dbt takes that when it connects, and `discard all` would lay it down.
    """

    def keep(manager: Any) -> None:
        from psycopg2 import Error

        connection = manager.get_if_exists()
        if connection is None or connection.state != "open" or connection.credentials.role:
            return release(manager)
        try:
            connection.handle.rollback()
            connection.transaction_open = False
            connection.handle.autocommit = True  # what follows wants no transaction
            connection.handle.cursor().execute("discard all")
            connection.handle.autocommit = False
        except Error:
            release(manager)

    return keep


def _caller(_: Any) -> str:
    """The module that gave a flag its default, without reading the source of every function on the way."""
    frame = sys._getframe(1)
    own = frame.f_globals["__name__"]
    while frame.f_back is not None and frame.f_globals["__name__"] == own:
        frame = frame.f_back
    return str(frame.f_globals["__name__"])


def _made_for_a_log(init: Callable[..., None]) -> Callable[..., None]:
    def make(event: Any, *args: Any, **kwargs: Any) -> None:
        if _has_log():
            init(event, *args, **kwargs)

    return make


def _fired_for_a_log(fire: Callable[..., None]) -> Callable[..., None]:
    def fire_event(manager: Any, event: Any, *args: Any, **kwargs: Any) -> None:
        if "pb_msg" in event.__dict__:
            fire(manager, event, *args, **kwargs)

    return fire_event


def _has_log() -> bool:
    from dbt_common.events.event_manager_client import get_event_manager

    return bool(get_event_manager().loggers)
