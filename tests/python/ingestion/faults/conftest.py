"""One small sample of every kind of source, loaded undisturbed once, to compare every fault with.

Belongs here: warehouses that load it, what they hold afterwards, and what must hold at any moment.
Does not belong here: any fault.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from psycopg import sql

from ingestion.load import load_all, reload
from ingestion.quality import reconcile
from ingestion.report import LoadReport
from simulator import write_sample
from tallyhouse.database import Warehouse
from tests.keys import put_key
from tests.python.ingestion.conftest import KEY

DAYS, SEED, SCALE = 7, 11, 0.04
# Which load brought a row, and when, depend on what happened on the way.
VOLATILE = {"load_id", "_load_id", "loaded_at", "rejected_at", "logged_at", "first_load_id",
            "last_load_id", "first_seen_at", "last_seen_at"}  # fmt: skip
NOTES = ("rejected_records", "record_conflicts", "schema_drift", "source_watermarks")
TABLES = """
    select table_schema, table_name, array_agg(column_name::text order by column_name)
    from information_schema.columns join information_schema.tables
        using (table_schema, table_name)
    join pg_class on pg_class.oid = format('%%I.%%I', table_schema, table_name)::regclass
    where table_type = 'BASE TABLE' and not exists (select from pg_inherits where inhrelid = pg_class.oid)
        and (table_schema like 'raw\\_%%' or table_name = any(%s))
    group by 1, 2 order by 1, 2
"""
State = dict[str, tuple[int, str]]


@dataclass(frozen=True)
class Trial:
    """A warehouse of its own that loads the sample."""

    warehouse: Warehouse

    def with_lake(self, place: Path) -> Trial:
        """The same warehouse with its lake elsewhere."""
        settings = replace(self.warehouse.settings, lake=str(place))
        return Trial(replace(self.warehouse, settings=settings))

    def under(self, *folders: Path) -> Trial:
        """The same warehouse under other contracts beside the project's own."""
        settings = replace(self.warehouse.settings, contracts=folders)
        return Trial(replace(self.warehouse, settings=settings))

    def load(self, connect: Callable[..., Any] | None = None) -> LoadReport:
        return load_all(connect or self.warehouse.connect, self.warehouse.settings, processes=1)

    def reload(self, *words: str) -> LoadReport:
        return reload(self.warehouse.connect, self.warehouse.settings, words, processes=1)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.warehouse.connect() as conn:
            return conn.execute(query.encode()).fetchall()

    def assert_sound(self) -> None:
        """Holds at any moment: the ledger adds up, and what it calls stored is there, and only it."""
        assert reconcile(self.warehouse.connect, everything=True).differences == ()
        held = "select count(*) from raw_events.events"
        told = (
            "select coalesce(sum(stored_count - withdrawn_count), 0) from ops.load_manifest"
            " where source_kind = 'events'"
        )
        assert self.rows(held) == self.rows(told)

    def state(self) -> State:
        """(row count, fingerprint of the rows as a set) of each raw table, keys and rejections."""
        with self.warehouse.connect() as conn:
            found = {}
            for schema, table, columns in conn.execute(TABLES, [list(NOTES)]).fetchall():
                kept = [sql.Identifier(name) for name in columns if name not in VOLATILE]
                query = sql.SQL(
                    "select count(*), coalesce(md5(string_agg(line, chr(10) order by line)), '')"
                    " from (select row({})::text as line from {}) as lines"
                ).format(sql.SQL(", ").join(kept), sql.Identifier(schema, table))
                count, mark = conn.execute(query).fetchone() or (0, "")
                found[f"{schema}.{table}"] = (int(count), str(mark))
        return found

    def assert_like(self, clean: State) -> None:
        """As an undisturbed load left it: the same rows everywhere, and the lake the same as them."""
        self.assert_sound()
        mine = self.state()
        assert {name: found for name, found in mine.items() if clean.get(name) != found} == {}
        assert mine.keys() == clean.keys()
        assert self.lake() == sorted(
            self.rows("select product, tenant_id::text, event_id::text from raw_events.events")
        )
        lake = Path(self.warehouse.settings.lake)
        assert not [path for path in lake.rglob("*") if path.name.startswith(".")]

    def lake(self) -> list[tuple[str, str, str]]:
        """The events of the lake by product, tenant and id."""
        columns = ["product", "tenant_id", "event_id"]
        found = []
        for path in Path(self.warehouse.settings.lake).rglob("*.parquet"):
            table = pq.ParquetFile(path).read(columns)
            found += zip(*(table.column(name).to_pylist() for name in columns), strict=True)
        return sorted(found)


def children(parent: int) -> list[int]:
    """The processes that a process started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[1]) == parent:
                found.append(int(stat.parent.name))
    return found


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A landing folder: duplicates, conflicts, junk and late records of all kinds are in it."""
    out = tmp_path_factory.mktemp("sample")
    write_sample(out, DAYS, SEED, SCALE)
    folder = out / "landing" / "events" / "upcoach"
    _contradict(sorted(folder.glob("*.jsonl"))[-1], folder / "z-contradicted.jsonl")
    return out / "landing"


def _contradict(source: Path, target: Path) -> None:
    """The events of a file once more with other bodies, every second one from an earlier arrival."""
    lines = []
    for number, line in enumerate(source.read_bytes().split(b"\n")):
        try:
            event = json.loads(line)
            moment = datetime.fromisoformat(event["received_at"])
        except (ValueError, TypeError, KeyError):
            continue
        gap = timedelta(seconds=-1 if number % 2 else 1)
        changed = {"received_at": (moment + gap).isoformat(), "session_id": "another"}
        lines.append(json.dumps({**event, **changed}).encode())
    target.write_bytes(b"\n".join(lines))


@pytest.fixture(scope="session")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The key of personal data that all share: tokens are part of what is compared."""
    return put_key(tmp_path_factory.mktemp("key") / "pii.key", KEY)


@pytest.fixture(scope="module")
def new_trial(
    fresh_database: Callable[..., Warehouse], sample: Path, key_file: Path
) -> Callable[[], Trial]:
    """Make empty warehouses over the same landing folder."""

    def make() -> Trial:
        warehouse = fresh_database("fault", prepared=True)
        settings = replace(warehouse.settings, landing=str(sample), pii_key_file=key_file)
        return Trial(replace(warehouse, settings=settings))

    return make


@pytest.fixture(scope="module")
def clean(new_trial: Callable[[], Trial]) -> State:
    """What an undisturbed load leaves behind."""
    trial = new_trial()
    trial.load()
    state = trial.state()
    assert all(count > 0 for name, (count, _) in state.items() if name.endswith("events"))
    assert state["ops.record_conflicts"][0] > 20 and state["ops.rejected_records"][0] > 20
    trial.assert_like(state)
    return state


@pytest.fixture
def landing_copy(sample: Path, tmp_path: Path) -> Path:
    """A landing folder of the test's own."""
    return Path(shutil.copytree(sample, tmp_path / f"landing-{secrets.token_hex(2)}"))
