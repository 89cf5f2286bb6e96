"""A house of its own for a test: home, landing folder, and the command a user would type."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tallyhouse.database import Warehouse, find_warehouse
from tallyhouse.settings import Settings
from tests.patience import PATIENCE

COMMAND = str(Path(sys.executable).parent / "tallyhouse")


@dataclass(frozen=True)
class House:
    """Folders of one installation; nothing of the caller's environment reaches it."""

    home: Path
    landing: Path
    key_file: Path

    @property
    def environment(self) -> dict[str, str]:
        """The environment of every command of this house; dbt writes what a run needs, no more.

        Its unit tests depend on the code alone, not on what a house holds. Of houses that hold the
        same rows one is asked for its data tests (`dbt_tests`).
        """
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("TALLYHOUSE_", "DBT_"))}
        return {
            **kept,
            "TALLYHOUSE_HOME": str(self.home),
            "TALLYHOUSE_LANDING": str(self.landing),
            "TALLYHOUSE_PII_KEY_FILE": str(self.key_file),
            "DBT_TARGET_PATH": str(self.home / "target"),
            "DBT_LOG_PATH": str(self.home / "logs"),
            "DBT_WRITE_JSON": "false",
            "DBT_LOG_LEVEL_FILE": "none",
            "DBT_EXCLUDE_RESOURCE_TYPES": "test unit_test",
        }

    def run(
        self, *arguments: str, dbt_tests: bool = False, timeout: float = PATIENCE
    ) -> subprocess.CompletedProcess[str]:
        """Run `tallyhouse …` to its end."""
        tested = {"DBT_EXCLUDE_RESOURCE_TYPES": "unit_test"} if dbt_tests else {}
        return subprocess.run(
            [COMMAND, *arguments],
            env={**self.environment, **tested},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def warehouse(self) -> Warehouse:
        """The running warehouse of this house."""
        warehouse = find_warehouse(Settings.from_env(self.environment))
        assert warehouse is not None, "the warehouse of this house does not run"
        return warehouse

    def good(self, *arguments: str, dbt_tests: bool = False) -> str:
        """Run a command that must succeed; returns everything it printed."""
        done = self.run(*arguments, dbt_tests=dbt_tests)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def stop(self) -> None:
        """Stop the embedded server, whether it runs or not."""
        self.good("db", "stop")
