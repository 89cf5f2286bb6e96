"""Dagster's own home: its storage in the warehouse's Postgres, telemetry off.

Belongs here: writing `dagster.yaml` under the home and the `.env` that `dagster dev` reads.
Does not belong here: starting the database.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

import yaml

from tallyhouse.closed_files import write_closed
from tallyhouse.database import Warehouse
from tallyhouse.settings import Settings, make_folder

SCHEMA = "dagster"
# What says which warehouse is meant. Dagster's own processes read `.env` over what their shell says, so all of it
# stands there, or the history of one home would be shown beside the tables of another.
PLACES = (
    "TALLYHOUSE_CONTRACTS", "TALLYHOUSE_DATABASE_URL", "TALLYHOUSE_LAKE", "TALLYHOUSE_LANDING",
    "TALLYHOUSE_PII_KEY_FILE", "TALLYHOUSE_SERVING_FILE",
)  # fmt: skip


def prepare_instance(settings: Settings, warehouse: Warehouse) -> dict[str, str]:
    """Write Dagster's configuration and return the environment that `dagster` needs.

    The storage lives in schema `dagster` of the warehouse. The address with its password goes into
    a 0600 `.env` in the project root, which `dagster dev` and `dg dev` read by themselves, beside the
    home and the places that were given: it is of the warehouse that was prepared last.
    """
    with warehouse.connect(autocommit=True) as connection:
        connection.execute(f"create schema if not exists {SCHEMA}")
    home = settings.home / "dagster"
    make_folder(home)
    config = yaml.safe_dump(instance_config(home, settings.longest_run), sort_keys=False)
    (home / "dagster.yaml").write_text(config, encoding="utf-8")
    environment = {
        **{name: _from_anywhere(os.environ[name]) for name in PLACES if os.environ.get(name)},
        "TALLYHOUSE_HOME": str(settings.home.resolve()),
        "DAGSTER_HOME": str(home.resolve()),
        "TALLYHOUSE_DAGSTER_URL": storage_url(warehouse.url),
    }
    text = "".join(f"{key}={_quoted(value)}\n" for key, value in environment.items())
    write_closed(settings.root / ".env", text.encode())
    return environment


def _from_anywhere(value: str) -> str:
    """An address as it is; a path, or a list of them, as it reads from any folder."""
    if "://" in value:
        return value
    return os.pathsep.join(str(Path(part).resolve()) for part in value.split(os.pathsep) if part)


def _quoted(value: str) -> str:
    """As a `.env` says it in single quotes, where the backslash escapes itself and the quote."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def instance_config(home: Path, longest_run: float) -> dict[str, object]:
    """Return the content of `dagster.yaml`; one run at a time, because a load is one at a time.

    A run whose process is gone, or that takes longer than `longest_run` hours, is ended, so that
    it does not hold up those that wait.
    """
    return {
        "storage": {"postgres": {"postgres_url": {"env": "TALLYHOUSE_DAGSTER_URL"}}},
        "local_artifact_storage": {
            "module": "dagster._core.storage.root",
            "class": "LocalArtifactStorage",
            "config": {"base_dir": str(home.resolve())},
        },
        "concurrency": {"runs": {"max_concurrent_runs": 1}},
        "run_launcher": {"module": "orchestration.run_launcher", "class": "WatchedRunLauncher"},
        "run_monitoring": {
            "enabled": True,
            "poll_interval_seconds": 15,
            "cancel_timeout_seconds": 60,
            "max_runtime_seconds": round(longest_run * 3600),
        },
        "telemetry": {"enabled": False},
        "nux": {"enabled": False},  # asks whoever opens the page for an address, from another host
    }


def storage_url(url: str) -> str:
    """Return `url` for SQLAlchemy's psycopg2 dialect with the search path on Dagster's schema."""
    rest = url.split("://", 1)[1]
    joint = "&" if "?" in rest else "?"
    return f"postgresql+psycopg2://{rest}{joint}options={quote(f'-csearch_path={SCHEMA}')}"
