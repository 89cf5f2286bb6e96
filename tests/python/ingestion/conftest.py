"""Landing folders, loads and lines of events for the tests of loading."""

import gzip
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ingestion.contracts.model import Contracts, load_contracts
from ingestion.events.source import EventSource
from ingestion.landing.file_info import FileInfo
from ingestion.load import load_all, reload, replay
from ingestion.parsing.source import LineParser
from ingestion.privacy.tokens import Tokeniser
from ingestion.quality import reconcile
from ingestion.report import LoadReport
from ingestion.storing.ledger import LOADER_LOCK
from tallyhouse.database import Warehouse
from tallyhouse.settings import PROJECT_ROOT, Settings
from tests.keys import put_key
from tests.patience import wait_until

KEY = bytes(range(32))
TENANT = "5c0ac4e0-0005-4a00-8000-000000000001"
OTHER_TENANT = "5c0ac4e0-0005-4a00-8000-000000000002"


@pytest.fixture(scope="session")
def contracts() -> Contracts:
    return load_contracts([PROJECT_ROOT / "contracts"])


@pytest.fixture(scope="session")
def parser_of(contracts: Contracts) -> Callable[..., LineParser]:
    """The parser of a product's events, as a file of that product would get it."""

    def make(
        product: str, header: bytes = b"", with_contracts: Contracts | None = None
    ) -> LineParser:
        file = FileInfo("events", product, f"events/{product}/a.jsonl", "ab" * 32, 1, header)
        return EventSource(with_contracts or contracts, Tokeniser(KEY)).open(file)

    return make


def event(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A good UpCoach event; a change to None leaves the field out."""
    base = {
        "event_id": f"00000000-0000-4000-8000-{number:012d}",
        "event_name": "goal_viewed",
        "occurred_at": "2026-03-01T10:00:00Z",
        "received_at": "2026-03-01T10:00:05Z",
        "tenant_id": TENANT,
        "user_id": f"00000000-0000-4000-9000-{number % 7:012d}",
        "session_id": "s-1",
        "context": {"user_agent": "Mozilla/5.0 (iPhone) Safari/604", "ip": "203.0.113.77"},
        "properties": {"goal_id": number},
    }
    return {key: value for key, value in {**base, **changes}.items() if value is not None}


def line(number: int = 1, **changes: Any) -> bytes:
    return json.dumps(event(number, **changes)).encode()


class Loading:
    """A database, a landing folder and what the loader makes of them."""

    def __init__(self, warehouse: Warehouse, folder: Path) -> None:
        self.warehouse = warehouse
        self.landing = folder / "landing"
        self.landing.mkdir(parents=True, exist_ok=True)
        self.settings: Settings = replace(
            warehouse.settings,
            landing=str(self.landing),
            lake=str(folder / "lake"),
            pii_key_file=folder / "pii.key",
        )
        put_key(folder / "pii.key", KEY)

    def put(self, path: str, content: bytes | Iterable[bytes]) -> Path:
        """A file below the landing folder, from bytes or from lines; .gz is compressed."""
        data = content if isinstance(content, bytes) else b"".join(b"%s\n" % x for x in content)
        target = self.landing / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(gzip.compress(data) if path.endswith(".gz") else data)
        return target

    def load(self, **options: Any) -> LoadReport:
        return load_all(self.warehouse.connect, self.settings, **{"processes": 1} | options)

    def replay(self) -> LoadReport:
        return replay(self.warehouse.connect, self.settings, processes=1)

    def reload(self, *words: str, **options: Any) -> LoadReport:
        return reload(self.warehouse.connect, self.settings, words, **{"processes": 1} | options)

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with self.warehouse.connect() as conn:
            conn.execute("set timezone = 'UTC'")
            return conn.execute(query, parameters or None).fetchall()  # type: ignore[arg-type]

    def one(self, query: str, *parameters: Any) -> Any:
        (row,) = self.rows(query, *parameters)
        return row[0]

    def events(self) -> list[tuple[Any, ...]]:
        """raw_events.events row for row, but for load_id."""
        columns = ", ".join((*EventSource.target.columns,))
        return self.rows(
            f"select {columns} from raw_events.events"
            " order by product, tenant_id, source, source_event_id"
        )

    def rejections(self) -> list[tuple[str, int]]:
        return self.rows(
            "select reason_code, line_number from ops.rejected_records order by line_number, 1"
        )

    def unaccounted(self) -> int:
        """Records that are neither stored, duplicate, rejected nor ignored; and the rows of each
        load lie in their tables."""
        assert reconcile(self.warehouse.connect, everything=True).differences == ()
        return int(self.one("select coalesce(sum(unaccounted), 0) from ops.source_reconciliation"))

    def reset(self) -> None:
        """An empty database and landing folder; partitions stay."""
        with self.warehouse.connect() as conn:
            empty_tables(conn)
        for path in sorted(self.landing.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()


def wait_for_nobody(rows: Callable[[str], list[tuple[Any, ...]]]) -> None:
    """Until the server noticed that a killed loader is gone and freed its lock."""
    held = (  # in this database: other workers load into others of the same server
        f"select 1 from pg_locks where locktype = 'advisory' and objid = {LOADER_LOCK}"
        " and database = (select oid from pg_database where datname = current_database())"
    )
    wait_until(lambda: not rows(held), "the lock of a dead loader is still held")


def conflict_log(loading: Loading) -> list[tuple[Any, ...]]:
    """The conflicts, but for which load logged them."""
    return loading.rows(
        "select record_key, dropped_content_hash, count(*) from ops.record_conflicts"
        " group by 1, 2 order by 1, 2"
    )


def empty_tables(conn: psycopg.Connection) -> None:
    conn.execute(
        "truncate ops.load_manifest, ops.rejected_records, ops.record_conflicts, ops.schema_drift,"
        " ops.load_touched, ops.source_watermarks, ops.lake_watermarks, ops.landing_objects,"
        " ops.load_drift, raw_events.events, raw_events.event_keys"
    )


@pytest.fixture(scope="module")
def module_warehouse(fresh_database: Callable[..., Warehouse]) -> Warehouse:
    from ingestion import schema

    warehouse = fresh_database("ingest")
    with warehouse.connect() as conn:
        schema.apply(conn)
    return warehouse


@pytest.fixture
def loading(module_warehouse: Warehouse, tmp_path: Path) -> Loading:
    loading = Loading(module_warehouse, tmp_path)
    loading.reset()
    return loading
