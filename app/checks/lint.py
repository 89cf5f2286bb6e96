"""`make lint`: every rule about how code and SQL read, each a check that passes or fails.

Belongs here: which tools run, and with what. Does not belong here: the rules themselves.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from app.checks import engines, layers, layout, portable_sql
from app.preparation import prepare
from tallyhouse import dbt
from tallyhouse.database import Warehouse, open_warehouse
from tallyhouse.dbt_packages import provide_packages
from tallyhouse.errors import TallyhouseError
from tallyhouse.settings import Settings


@dataclass(frozen=True)
class Check:
    """One check's result; `told` is what it printed, worth reading when it failed."""

    name: str
    passed: bool
    told: str = ""


def main() -> None:
    """Run all checks, print what failed, close with a count."""
    try:
        warehouse = open_warehouse(Settings.from_env())
        prepare(warehouse)
    except TallyhouseError as error:
        click.echo(f"Linting SQL compiles the models, which needs the database. {error}", err=True)
        sys.exit(1)
    results = run(warehouse, click.echo)
    failed = sum(not check.passed for check in results)
    click.echo(f"lint: {len(results) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


def run(warehouse: Warehouse, say: Callable[[str], None]) -> list[Check]:
    """All checks; sqlfluff compiles the models against this warehouse."""
    root = warehouse.settings.root
    provide_packages(root)
    environment = {**os.environ, **dbt.environment(warehouse)}
    commands = {
        "ruff": ["ruff", "check", "."],
        "ruff format": ["ruff", "format", "--check", "."],
        "mypy": ["mypy"],
        "imports": ["lint-imports", "--no-logo", "--no-cache"],
        "sqlfluff": ["sqlfluff", "lint", "--disable-progress-bar", "models", "snapshots"],
    }
    results = []
    for name, command in commands.items():
        results.append(_tell(_tool(name, command, root, environment), say))
    project = engines.compile_project(root)
    rules = {
        "layout": layout.findings(root),
        "layers": layers.findings(project.manifest),
        "portable SQL": portable_sql.findings(project.compiled),
    }
    for name, found in rules.items():
        results.append(_tell(Check(name, not found, "\n".join(found)), say))
    return results


def _tool(name: str, command: list[str], root: Path, environment: dict[str, str]) -> Check:
    program = str(Path(sys.executable).parent / command[0])
    folders = [word for word in command[1:] if word not in ("snapshots",) or (root / word).is_dir()]
    answer = subprocess.run(
        [program, *folders], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    return Check(name, answer.returncode == 0, (answer.stdout + answer.stderr).strip())


def _tell(check: Check, say: Callable[[str], None]) -> Check:
    if not check.passed:
        say(check.told)
    say(f"lint: {check.name}: {'passed' if check.passed else 'FAILED'}")
    return check


if __name__ == "__main__":
    main()
