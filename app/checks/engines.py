"""Compiles the project for every engine it must run on, without any of them: what dbt would send there.

dbt's macros choose their dialect by the type of the adapter. Here three adapters are Postgres' own
with another name, quotes and no connection; a query they are asked for answers one row of null.
What the macros of `macros/engine` wrote is marked in the text, so that the checks know a model's own
words from theirs. Run as a process of its own, because dbt keeps its adapters for all of a process:

    python -m app.checks.engines FOLDER      writes manifest.json and compiled.json there

Belongs here: engines, and how dbt is led to compile for them. Does not belong here: what is refused.
"""

import importlib
import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from tallyhouse import dbt_shortcuts
from tallyhouse.dbt_packages import provide_packages
from tallyhouse.errors import TallyhouseError
from tallyhouse.settings import PROJECT_ROOT

QUOTES = {"postgres": '"', "duckdb": '"', "spark": "`"}  # each engine and how it quotes a name
# What is compiled for the checks. Hooks are not: they keep the books of Postgres' warehouse alone.
CHECKED = ("model", "snapshot", "test")
OF_PACKAGES = ("test_type:generic", "test_type:unit")  # the text of a generic test is its package's
OPENS, CLOSES = "/*engine<*/", "/*>engine*/"  # around what a macro of macros/engine wrote
_BODY = re.compile(r"(\{%-?\s*macro[^%]*?-?%\})(.*?)(\{%-?\s*endmacro\s*-?%\})", re.DOTALL)


@dataclass(frozen=True)
class Compiled:
    """One model, snapshot or singular test as one engine would get it; path from the root."""

    engine: str
    path: str
    sql: str


@dataclass(frozen=True)
class Project:
    """What dbt knows of the project, and every file of it as each engine would get it."""

    manifest: dict[str, Any]
    compiled: tuple[Compiled, ...]


def compile_project(root: Path = PROJECT_ROOT) -> Project:
    """Read and compile the project in a process of its own; needs no database."""
    provide_packages(root)
    with tempfile.TemporaryDirectory(prefix="tallyhouse-engines-") as folder:
        command = [sys.executable, "-m", "app.checks.engines", folder, str(root)]
        answer = subprocess.run(
            command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False
        )
        if answer.returncode:
            told = answer.stderr.strip().splitlines()
            raise TallyhouseError(
                "dbt cannot compile the project: " + (told[-1] if told else "no reason given")
            )
        manifest = json.loads((Path(folder) / "manifest.json").read_text("utf-8"))
        compiled = json.loads((Path(folder) / "compiled.json").read_text("utf-8"))
    return Project(manifest, tuple(Compiled(*row) for row in compiled))


def main(folder: Path, root: Path) -> None:
    """Parse once, compile for each engine, write what came out."""
    for engine, quote in QUOTES.items():
        _stand_in(engine, quote, folder)
    (folder / "profiles.yml").write_text(json.dumps({"tallyhouse": _profile()}), "utf-8")
    os.environ |= {"TALLYHOUSE_AS_OF": "2026-01-01T00:00:00+00:00", "DO_NOT_TRACK": "1"}
    # enforced contracts and tests of Postgres' catalogue are Postgres' alone: parsed for another
    manifest = _dbt(folder, root, None, "parse", "--target", "duckdb").result
    _write(folder / "manifest.json", manifest.writable_manifest().to_dict(omit_none=False))
    _mark_engine_macros(manifest)
    rows = []
    for engine in QUOTES:
        options = ["--target", engine, "--no-populate-cache", "--exclude", *OF_PACKAGES]
        answer = _dbt(folder, root, manifest, "compile", *options)
        for result in answer.result.results:
            node = result.node
            if node.resource_type in CHECKED:
                rows.append([engine, node.original_file_path, node.compiled_code or ""])
    _write(folder / "compiled.json", rows)


def _dbt(folder: Path, root: Path, manifest: Any, *args: str) -> Any:
    from dbt.cli.main import dbtRunner

    dbt_shortcuts.take()
    place = ["--project-dir", str(root), "--profiles-dir", str(folder), "--threads", "1"]
    target = ["--target-path", str(folder / "target")]
    runner = dbtRunner(manifest=manifest)
    level = ["--log-level", "none", "--log-level-file", "none", "--log-path", str(folder / "logs")]
    if args[0] == "parse":
        place = place[:-2]
    answer = runner.invoke([*level, *args, *place, *target])
    if not answer.success:
        failures = [r.message for r in getattr(answer.result, "results", []) if r.message]
        told = " ".join(str(answer.exception or "; ".join(failures)).split())
        raise SystemExit(told)
    return answer


def _profile() -> dict[str, Any]:
    outputs = {
        engine: {"type": engine, "schema": "public", "dbname": "tallyhouse", "host": "nowhere"}
        | {"user": "nobody", "password": "", "port": 1, "threads": 1}
        for engine in QUOTES
    }
    return {"target": "duckdb", "outputs": outputs}


def _mark_engine_macros(manifest: Any) -> None:
    for macro in manifest.macros.values():
        if (
            macro.original_file_path.startswith("macros/engine/")
            and "return(" not in macro.macro_sql
        ):
            macro.macro_sql = _BODY.sub(
                lambda found: f"{found[1]}{OPENS}{found[2].strip()}{CLOSES}{found[3]}",
                macro.macro_sql,
            )


def _stand_in(engine: str, quote: str, folder: Path) -> None:
    """Make `dbt.adapters.<engine>` an adapter of that name that never connects."""
    from dbt.adapters.base import AdapterPlugin
    from dbt.adapters.postgres import (
        PostgresAdapter,
        PostgresConnectionManager,
        PostgresCredentials,
        PostgresRelation,
    )

    class Credentials(PostgresCredentials):
        @property
        def type(self) -> str:
            return engine

    class Connections(PostgresConnectionManager):
        TYPE = engine

        @classmethod
        def open(cls, connection: Any) -> Any:
            connection.state = "open"
            connection.handle = _Nowhere()
            return connection

    relation: Any = type("Relation", (PostgresRelation,), {"quote_character": quote})

    class Adapter(PostgresAdapter):
        ConnectionManager = Connections
        Relation = relation

        @classmethod
        def type(cls) -> str:
            return engine

        def get_relation(self, database: str, schema: str, identifier: str) -> None:
            """Nothing is built: every model compiles as for its first build."""

    include = folder / "include" / engine
    (include / "macros").mkdir(parents=True)
    project = {"name": f"dbt_{engine}", "version": "1.0.0", "config-version": 2}
    (include / "dbt_project.yml").write_text(json.dumps(project | {"macro-paths": ["macros"]}))
    name = f"dbt.adapters.{engine}"
    module = ModuleType(name) if engine != "postgres" else importlib.import_module(name)
    adapter: Any = Adapter
    module.Plugin = AdapterPlugin(adapter, Credentials, str(include))  # type: ignore[attr-defined]
    version = ModuleType(f"{name}.__version__")
    version.version = "1.0.0"  # type: ignore[attr-defined]
    sys.modules |= {name: module, version.__name__: version}


class _Nowhere:
    """A connection and cursor whose every query answers one row of null."""

    statusmessage = "SELECT 1"
    rowcount = 1
    description = (("nothing", 25),)

    def cursor(self) -> "_Nowhere":
        return self

    def fetchall(self) -> list[tuple[None]]:
        return [(None,)]

    def __getattr__(self, name: str) -> Any:
        return lambda *_args, **_options: None


def _write(path: Path, body: Any) -> None:
    path.write_text(json.dumps(body, default=str), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
