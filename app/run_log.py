"""What ran, on what, with which result, and one run at a time.

Belongs here: `ops.run_log`, the run lock, and the fingerprint that tells whether there is anything
new to do. Does not belong here: the work itself (`pipeline`).
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg

from tallyhouse.database import Warehouse
from tallyhouse.database.standstill import take_lock
from tallyhouse.settings import Settings

LOCK_KEY = 7_220_002  # any constant; it only keeps two runs apart
TARGET_DATE = (  # the newest UTC day that is over by what was loaded, or by a given as_of
    "(coalesce(%s::timestamptz, (select max(coalesce(max_received_at, max_claimed_at))"
    " from ops.source_watermarks)) at time zone 'UTC')::date - 1"
)
BUILDING = (
    *("models/**/*.sql", "macros/**/*.sql", "seeds/**/*.csv", "snapshots/**/*", "*.yml"),
    *("models/**/*.yml", "seeds/**/*.yml", "macros/**/*.yml", "tests/dbt/**/*"),
)
LEARNING = ("ml/**/*.py", "ml/**/*.sql")
PACKAGES = ("dbt-core", "dbt-postgres", "scikit-learn")


@dataclass
class Entry:
    """One row of the log while its job runs; what is put into `details` is kept."""

    run_id: int
    details: dict[str, Any] = field(default_factory=dict)


@contextmanager
def only_run(warehouse: Warehouse, on_wait: Callable[[str], None]) -> Iterator[None]:
    """Wait until no other run is at work on this warehouse, then keep others waiting.

    The lock is the database's and ends with our session, so a killed run never leaves it behind.
    Entries that still say `running` then belong to runs that were interrupted.
    """
    with warehouse.connect(autocommit=True) as connection:
        waiting_for = "Another run is at work on this warehouse; waiting for it to end."
        take_lock(connection, LOCK_KEY, on_wait, waiting_for)
        connection.execute(
            "update ops.run_log set status = 'failed', finished_at = clock_timestamp(),"
            " details = details || '{\"reason\": \"interrupted\"}' where status = 'running'"
        )
        yield


@contextmanager
def logged(
    warehouse: Warehouse,
    job: str,
    fingerprint: str | None = None,
    details: dict[str, Any] | None = None,
) -> Iterator[Entry]:
    """Log a job: `succeeded` only when the block ends well, else `failed` with its reason."""
    with warehouse.connect(autocommit=True) as connection:
        row = connection.execute(
            "insert into ops.run_log (job_name, fingerprint, details) values (%s, %s, %s::jsonb)"
            " returning run_id",
            [job, fingerprint, json.dumps(details or {})],
        ).fetchone()
    entry = Entry(int(row[0]) if row else 0)
    try:
        yield entry
    except BaseException as error:
        told = str(error)[:2000] if isinstance(error, Exception) else "interrupted"
        entry.details["reason"] = told or type(error).__name__
        _finish(warehouse, entry, "failed")
        raise
    _finish(warehouse, entry, "succeeded")


def _finish(warehouse: Warehouse, entry: Entry, status: str) -> None:
    try:
        with warehouse.connect(autocommit=True) as connection:
            connection.execute(
                "update ops.run_log set status = %s, finished_at = clock_timestamp(),"
                f" details = details || %s::jsonb || jsonb_build_object('target_date', {TARGET_DATE})"
                " where run_id = %s",
                [
                    status,
                    json.dumps(entry.details, default=str),
                    warehouse.settings.as_of,
                    entry.run_id,
                ],
            )
    except Exception:
        if status == "succeeded":
            raise
        # The database is what failed: the next run finds the entry and calls it interrupted.


def last(
    connection: psycopg.Connection[Any], job: str, status: str | None = "succeeded"
) -> dict[str, Any] | None:
    """The newest entry of a job, by default the newest that succeeded."""
    row = connection.execute(
        "select run_id, status, started_at, finished_at, fingerprint, details from ops.run_log"
        " where job_name = %s and (%s::text is null or status = %s) order by run_id desc limit 1",
        [job, status, status],
    ).fetchone()
    names = ("run_id", "status", "started_at", "finished_at", "fingerprint", "details")
    return dict(zip(names, row, strict=True)) if row else None


def fingerprint(settings: Settings, warehouse: Warehouse) -> str:
    """The fingerprint of everything that a build and a training depend on.

    Project files, versions, `as_of`, the newest load, and what is said of tenants; the same again
    means nothing to do, if nothing was lost (`lost_relations`).
    """
    with warehouse.connect() as connection:
        row = connection.execute(
            "select coalesce(max(load_id), 0), count(*),"
            " (select coalesce(max(load_id), 0) from ops.load_touched),"  # of changed contracts too
            " (select md5(string_agg(concat_ws('|', origin,"
            " product, tenant_id, timezone, tenant_label), ',' order by origin, product, tenant_id))"
            " from ops.tenant_statements) from ops.load_manifest"
        ).fetchone()
    parts = [
        digest(settings.root, (*BUILDING, *LEARNING)),
        *(f"{name} {version(name)}" for name in PACKAGES),
        str(settings.as_of),
        str(row),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def lost_relations(connection: psycopg.Connection[Any], root: Path) -> list[str]:
    """Models, seeds and snapshots of which the database has no table or view, by name.

    Whoever alters a source's table takes the views on it away.
    """
    made = {name for (name,) in connection.execute("select relname from pg_class").fetchall()}
    folders = {"models": "*.sql", "seeds": "*.csv", "snapshots": "*.yml"}
    files = [path for folder, form in folders.items() for path in (root / folder).rglob(form)]
    return sorted(path.stem for path in files if path.stem not in made)


def digest(root: Path, patterns: tuple[str, ...]) -> str:
    """One hash over the files below `root` that match, with their names."""
    found = hashlib.sha256()
    for path in sorted({path for pattern in patterns for path in root.glob(pattern)}):
        if path.is_file():
            found.update(f"{path.relative_to(root)}\0{path.stat().st_size}\0".encode())
            found.update(path.read_bytes())
    return found.hexdigest()
