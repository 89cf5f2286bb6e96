"""dbt, pointed at this warehouse: the launcher behind the command `dbt`, and runs from Python.

The environment's `dbt` command is `main` below: it fills in the address of the running server and
sees to the packages, then is dbt as ever. So `dbt build` works by hand with no flags, and so does
everything that calls the command (dagster-dbt, an editor, a hook).

Belongs here: dbt's environment, packages and outcome. Does not belong here: what to build when.
"""

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tallyhouse import dbt_shortcuts
from tallyhouse.database import Warehouse, find_warehouse, open_warehouse
from tallyhouse.database.standstill import watched
from tallyhouse.dbt_packages import provide_packages
from tallyhouse.errors import TallyhouseError
from tallyhouse.settings import Settings

QUIET = {
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "DO_NOT_TRACK": "1",
}
TESTS = ("test", "unit_test")
PROJECT_FILES = ("dbt_project.yml", "packages.yml", "profiles.yml")
PROJECT_FOLDERS = ("models", "macros", "seeds", "snapshots", "tests/dbt")
OFFLINE_COMMANDS = ("deps", "clean", "init", "--version", "--help", "-h", "-V")


@dataclass(frozen=True)
class DbtOutcome:
    """What a run of dbt did: how many nodes of each kind ended how, what went wrong, what tests and macros
    warn of."""

    success: bool
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    failures: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()

    def __add__(self, other: "DbtOutcome") -> "DbtOutcome":
        """Two runs as one."""
        kinds = {*self.counts, *other.counts}
        return DbtOutcome(
            self.success and other.success,
            {k: self.counts.get(k, Counter()) + other.counts.get(k, Counter()) for k in kinds},
            self.failures + other.failures,
            self.warnings + other.warnings,
            tuple(dict.fromkeys(self.warned + other.warned)),
        )

    def count(self, *statuses: str, tests: bool) -> int:
        """Nodes that ended in one of the statuses, among tests or among all the others."""
        return sum(
            counter[status]
            for kind, counter in self.counts.items()
            if (kind in TESTS) == tests
            for status in statuses
        )

    @property
    def tests_passed(self) -> int:
        """Data tests and unit tests that passed; a warning is a pass that speaks."""
        return self.count("pass", "warn", tests=True)

    @property
    def tests_failed(self) -> int:
        """Data tests and unit tests that failed or could not run."""
        return self.count("fail", "error", "runtime error", "skipped", tests=True)

    @property
    def built(self) -> int:
        """Models, seeds and snapshots that were built."""
        return self.count("success", tests=False)


def executable() -> str:
    """The `dbt` of this environment, also when the environment is not on the PATH."""
    return str(Path(sys.executable).parent / "dbt")


def environment(warehouse: Warehouse) -> dict[str, str]:
    """All variables that dbt needs to reach this warehouse; for a subprocess or dagster-dbt."""
    given = {**QUIET, **warehouse.env()}
    if warehouse.settings.as_of:
        given["TALLYHOUSE_AS_OF"] = warehouse.settings.as_of.isoformat()
    return given


def run(
    args: Sequence[str],
    settings: Settings,
    variables: Mapping[str, Any] | None = None,
    *,
    warehouse: Warehouse | None = None,
    on_event: Callable[[Any], None] | None = None,
    project: Any = None,
) -> DbtOutcome:
    """Run dbt inside this process, e.g. `run(["build"], settings)`; it prints nothing itself.

    `on_event` receives dbt's own structured events as they happen. The log goes to `logs/`. A
    `project` is what `read_project` gave for this very database; without one dbt parses.
    """
    warehouse = warehouse or open_warehouse(settings)
    given = environment(warehouse)
    warnings: list[str] = []

    def receive(event: Any) -> None:
        if event.info.name == "JinjaLogWarning":
            warnings.append(str(event.data.msg))
        if on_event is not None:
            on_event(event)

    with watched(warehouse, settings.reader_patience, _complain):
        answer = _invoke([*args, *_variables(variables)], settings, given, receive, project)
    return replace(_outcome(answer), warnings=tuple(warnings))


def read_project(settings: Settings, warehouse: Warehouse) -> Any:
    """The project as dbt parses it: its manifest, fit for `run`."""
    answer = _invoke(["parse"], settings, environment(warehouse))
    if not answer.success:
        raise _unreadable(_outcome(answer))
    return answer.result


def selected(select: str, settings: Settings, warehouse: Warehouse, project: Any) -> list[str]:
    """What dbt's selection syntax names in a `project` that was read."""
    answer = _invoke(["ls", "--select", select], settings, environment(warehouse), None, project)
    return list(answer.result or [])


def parse(settings: Settings) -> None:
    """Write `target/manifest.json`; needs no database."""
    answer = _invoke(["parse"], settings, dict(QUIET))
    if not answer.success:
        raise _unreadable(_outcome(answer))


def _unreadable(outcome: DbtOutcome) -> TallyhouseError:
    return TallyhouseError("dbt cannot read the project: " + "; ".join(outcome.failures))


def _variables(variables: Mapping[str, Any] | None) -> list[str]:
    return ["--vars", json.dumps(dict(variables))] if variables else []


def _invoke(
    args: Sequence[str],
    settings: Settings,
    given: dict[str, str],
    on_event: Callable[[Any], None] | None = None,
    project: Any = None,
) -> Any:
    """dbt's own answer."""
    from dbt.cli.main import dbtRunner

    dbt_shortcuts.take()
    provide_packages(settings.root)
    root = str(settings.root)
    given |= {"DBT_PROFILES_DIR": root, "DBT_PROJECT_DIR": root}
    with _environ(given):
        runner = dbtRunner(project, callbacks=[on_event] if on_event else [])
        answer = runner.invoke(["--log-level", "none", *args])
    if isinstance(answer.exception, Exception):
        words = " ".join(str(answer.exception).split())
        raise TallyhouseError(
            f"dbt {args[0]} could not run: {words} Nothing is lost: mend the cause and run again."
        )
    if answer.exception is not None:
        raise answer.exception  # an interrupt, which dbt caught as though it were an error
    return answer


def main() -> None:
    """The command `dbt`."""
    settings = Settings.from_env()
    command = next((word for word in sys.argv[1:] if word in OFFLINE_COMMANDS), None)
    warehouse = reach(settings, offline=command is not None or len(sys.argv) == 1)
    from dbt.cli.main import cli

    dbt_shortcuts.take()
    if warehouse is None:
        cli()
    else:
        with watched(warehouse, settings.reader_patience, _complain):
            cli()


def reach(settings: Settings, *, offline: bool) -> Warehouse | None:
    """Make this process ready to become dbt (or MetricFlow): packages, and the address of the running server.

    Without a running server, or `offline`, dbt's other settings alone. An error ends the process with its sentence.
    """
    warehouse = None
    try:
        if not offline:
            provide_packages(settings.root)
            warehouse = find_warehouse(settings)
        given = environment(warehouse) if warehouse else QUIET
        os.environ.update({k: v for k, v in given.items() if not os.environ.get(k)})
    except TallyhouseError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    if not offline and warehouse is None and "TALLYHOUSE_DB_PORT" not in os.environ:
        _complain("The warehouse does not run; `tallyhouse db start` starts it.")
    return warehouse


def target(settings: Settings) -> Path:
    """Where dbt writes: `target/`, or what DBT_TARGET_PATH says."""
    return settings.root / os.environ.get("DBT_TARGET_PATH", "target")


def is_current(parsed: Path, root: Path) -> bool:
    """Whether what dbt parsed is there, and no file that it parses has changed since."""
    return parsed.exists() and parsed.stat().st_mtime >= _newest_change(root)


def _newest_change(root: Path) -> float:
    files = [root / name for name in PROJECT_FILES]
    for folder in PROJECT_FOLDERS:
        files += [p for p in (root / folder).rglob("*") if p.suffix in {".sql", ".yml", ".csv"}]
    return max((p.stat().st_mtime for p in files if p.exists()), default=0.0)


def _complain(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


@contextmanager
def _environ(given: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(given)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _outcome(answer: Any) -> DbtOutcome:
    counts: dict[str, Counter[str]] = {}
    failures: list[str] = []
    warned: list[str] = []
    for result in getattr(answer.result, "results", None) or []:
        node = getattr(result, "node", None)
        kind = str(getattr(node, "resource_type", "other"))
        status = str(result.status)
        counts.setdefault(kind, Counter())[status] += 1
        if status in ("fail", "error", "runtime error"):
            message = " ".join(str(result.message or "").split())
            failures.append(f"{getattr(node, 'name', kind)}: {message}")
        elif status == "warn":
            warned.append(_warning(node, result))
    return DbtOutcome(bool(answer.success), counts, tuple(failures), warned=tuple(warned))


def _warning(node: Any, result: Any) -> str:
    """What a test found that is no reason to stop, in the words of its description."""
    rows = int(getattr(result, "failures", 0) or 0)
    said = " ".join(str(getattr(node, "description", "") or "").split())
    return f"{node.name} warns of {rows:,} row{'s' * (rows != 1)}{f': {said}' if said else '.'}"
