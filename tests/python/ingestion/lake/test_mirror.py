"""The lake as it lies: by day and tenant, small tenants together, for whoever reads Parquet."""

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from s3fs import S3FileSystem

from ingestion.lake.layout import OWN_ROWS, own_file, shared_file
from ingestion.lake.new_days import NewDays
from tallyhouse.storage import open_storage
from tests.patience import PATIENCE
from tests.python.ingestion import conftest as made
from tests.python.ingestion.conftest import OTHER_TENANT, TENANT, Loading, wait_for_nobody
from tests.python.ingestion.test_faults import start
from tests.python.object_store import FaultyLine, ObjectStore

pytestmark = pytest.mark.slow
FOLDER = "events/upcoach"
BUCKET_LAKE = "s3://tally/some/lake"


def lines(first: int, last: int) -> list[bytes]:
    """Events of two tenants over five days."""
    return [
        made.line(
            number,
            occurred_at=f"2026-02-2{number % 5}T10:00:00Z",
            tenant_id=OTHER_TENANT if number % 2 else TENANT,
        )
        for number in range(first, last)
    ]


def reader() -> duckdb.DuckDBPyConnection:
    """DuckDB that may fetch nothing from anywhere, but reads what Python can reach."""
    found = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    found.register_filesystem(S3FileSystem(use_listings_cache=False, skip_instance_cache=True))
    found.execute("set timezone = 'UTC'")
    return found


def lake(place: str) -> str:
    return f"read_parquet('{place}/**/*.parquet', hive_partitioning = true)"


COLUMNS = (
    "date::text, tenant_id, event_id, occurred_at::timestamptz, user_source_id, session_id,"
    " properties::text, load_id"
)


def read_as_stored(loading: Loading) -> int:
    """How many events the lake holds: those of the table, together, of some days and tenants."""
    view = lake(loading.settings.lake)
    columns = (
        COLUMNS.replace("date::", "event_date::")
        .replace("_id, ", "_id::text, ")
        .replace("properties::text", "replace(properties::text, ': ', ':')")
    )
    stored = sorted(loading.rows(f"select {columns} from raw_events.events"), key=str)
    with reader() as found:
        held = found.execute(f"select {COLUMNS} from {view}").fetchall()
        assert sorted(held, key=str) == stored
        for day in sorted({row[0] for row in stored})[:3]:
            of_day = found.execute(f"select {COLUMNS} from {view} where date = '{day}'").fetchall()
            assert sorted(of_day, key=str) == [row for row in stored if row[0] == day]
        for tenant in sorted({row[1] for row in stored})[:3]:
            of_tenant = [row for row in stored if row[1] == tenant]
            for where in ("", f"tenant in ('{tenant}', '_shared') and "):
                query = f"select {COLUMNS} from {view} where {where}tenant_id = '{tenant}'"
                assert sorted(found.execute(query).fetchall(), key=str) == of_tenant
    return len(stored)


def names(loading: Loading) -> set[str]:
    return {found.name for found in open_storage(loading.settings.lake).files()}


@pytest.fixture(params=["folder", "bucket"])
def anywhere(request: pytest.FixtureRequest, loading: Loading) -> Loading:
    """A loader whose lake lies in a folder, and one whose lake lies in a bucket."""
    if request.param == "bucket":
        request.getfixturevalue("store")
        loading.settings = replace(loading.settings, lake=BUCKET_LAKE)
    return loading


def test_duckdb_reads_it_as_it_lies(anywhere: Loading) -> None:
    anywhere.put(f"{FOLDER}/a.jsonl", [*lines(0, 200), made.line(900, user_id=None, session_id="")])
    anywhere.load()
    found = reader()
    view = lake(anywhere.settings.lake)
    types = dict(
        found.execute(f"select column_name, column_type from (describe from {view})").fetchall()
    )
    assert types["date"] == "DATE" and types["tenant"] == "VARCHAR"
    assert types["occurred_at"] == types["received_at"] == "TIMESTAMP WITH TIME ZONE"
    assert types["is_time_corrected"] == "BOOLEAN" and types["load_id"] == "BIGINT"
    assert read_as_stored(anywhere) == 201
    some = f"from {view} where date = '2026-02-23' and tenant_id = '{OTHER_TENANT}'"
    assert found.execute(f"select count(*), count(distinct filename) {some}").fetchone() == (20, 1)
    ((_, plan),) = found.execute(f"explain analyze select count(event_id) {some}").fetchall()
    assert re.search(r"Files( Read)?: 1\b", plan), plan
    assert found.execute(
        f"select (properties ->> 'goal_id')::int as goal {some} order by goal limit 2"
    ).fetchall() == [(3,), (13,)]


def test_many_small_loads_leave_one_file_per_day(anywhere: Loading) -> None:
    for number in range(12):
        anywhere.put(f"{FOLDER}/{number}.jsonl", lines(number * 10, number * 10 + 14))
        anywhere.load()
        if number == 7 and (day := Path(anywhere.settings.lake) / "date=2026-02-21").is_dir():
            (day / "tenant=_shared" / ".events.parquet.tmp").write_bytes(b"of a killed load")
    assert names(anywhere) == {
        f"date=2026-02-2{day}/tenant=_shared/events.parquet" for day in range(5)
    }
    assert read_as_stored(anywhere) == 124


def many(tenants: range, days: range, each: int) -> list[bytes]:
    return [
        made.line(
            1_000_000 * tenant + 1_000 * day + number,
            occurred_at=f"2026-01-{day:02}T10:{number:02}:00Z",
            tenant_id=f"5c0ac4e0-0005-4a00-8000-{tenant:012}",
        )
        for tenant in tenants
        for day in days
        for number in range(each)
    ]


def test_files_grow_with_events_and_not_with_tenants_times_days(anywhere: Loading) -> None:
    anywhere.put(f"{FOLDER}/a.jsonl", many(range(40), range(1, 13), 2))
    assert anywhere.load().lake_files == 12  # of 480 tenant-days
    assert read_as_stored(anywhere) == 960
    late = [made.line(n, occurred_at=f"2026-01-{n:02}T09:00:00Z") for n in (3, 7)]
    anywhere.put(f"{FOLDER}/late.jsonl", late)
    assert anywhere.load().lake_files == 2
    anywhere.put(f"{FOLDER}/b.jsonl", many(range(40, 50), range(1, 14), 1))
    assert anywhere.load().lake_files == 13
    assert len(names(anywhere)) == 13 and read_as_stored(anywhere) == 960 + 2 + 130


def test_tenants_that_grow_late_events_and_earlier_bodies(
    anywhere: Loading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingestion.lake.layout.OWN_ROWS", 10)
    monkeypatch.setattr("ingestion.lake.layout.SHARED_ROWS", 40)
    day = "date=2026-01-01"
    anywhere.put(f"{FOLDER}/a.jsonl", many(range(4), range(1, 3), 9))
    anywhere.load()
    assert names(anywhere) == {f"date=2026-01-0{n}/tenant=_shared/events.parquet" for n in (1, 2)}
    grown = many(range(2), range(1, 2), 11)
    anywhere.put(f"{FOLDER}/b.jsonl", grown)
    assert anywhere.load().lake_files == 3
    apart = {f"{day}/tenant=5c0ac4e0-0005-4a00-8000-{n:012}/events.parquet" for n in (0, 1)}
    assert {name for name in names(anywhere) if name.startswith(day)} == {
        *apart, f"{day}/tenant=_shared/events.parquet"
    }  # fmt: skip
    assert read_as_stored(anywhere) == 72 + 4
    anywhere.put(f"{FOLDER}/c.jsonl", many(range(10, 20), range(1, 2), 9))  # too many for one file
    anywhere.load()
    parts = {name for name in names(anywhere) if name.startswith(f"{day}/tenant=_shared")}
    assert f"{day}/tenant=_shared/events.parquet" not in parts and len(parts) >= 3
    assert read_as_stored(anywhere) == 76 + 90
    # bodies that arrived earlier: one leaves a shared file for another day, one an own file
    anywhere.put(f"{FOLDER}/d.jsonl", [
        line.replace(b"2026-01-01T", b"2026-01-02T").replace(b"2026-03-01T", b"2026-02-01T")
        for line in (grown[0], many(range(10, 11), range(1, 2), 1)[0])
    ])  # fmt: skip
    assert anywhere.load().stored == 2
    assert (
        anywhere.one("select count(*) from raw_events.events where event_date = '2026-01-02'") == 38
    )
    assert apart <= names(anywhere) and read_as_stored(anywhere) == 166


def test_a_lake_of_the_older_layout_is_followed_and_not_rewritten(
    anywhere: Loading, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had a file for each day and tenant, however few events these had."""
    with monkeypatch.context() as older:
        older.setattr("ingestion.lake.layout.OWN_ROWS", 1)
        anywhere.put(f"{FOLDER}/a.jsonl", many(range(3), range(1, 4), 2))
        anywhere.load()
    storage = open_storage(anywhere.settings.lake)
    old = {found.name: found for found in storage.files()}
    assert len(old) == 9
    late = [
        made.line(n, occurred_at="2026-01-02T09:00:00Z",
                  tenant_id=f"5c0ac4e0-0005-4a00-8000-{n:012}")
        for n in (1, 7, 8)
    ]  # fmt: skip
    anywhere.put(f"{FOLDER}/late.jsonl", late)
    assert anywhere.load().lake_files == 2  # the known tenant's, one for both new ones
    now = {found.name: found for found in storage.files()}
    touched = "date=2026-01-02/tenant=5c0ac4e0-0005-4a00-8000-000000000001/events.parquet"
    shared = "date=2026-01-02/tenant=_shared/events.parquet"
    assert {name for name in now if now[name] != old.get(name)} == {touched, shared}
    assert now.keys() == {*old, shared} and read_as_stored(anywhere) == 21


def test_a_store_built_anew_over_its_old_lake_leaves_nothing_twice(
    anywhere: Loading, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        older.setattr("ingestion.lake.layout.OWN_ROWS", 1)
        anywhere.put(f"{FOLDER}/a.jsonl", many(range(3), range(1, 4), 2))
        anywhere.load()
    with anywhere.warehouse.connect() as conn:
        made.empty_tables(conn)
        for partition in conn.execute(
            "select inhrelid::regclass::text from pg_inherits"
            " where inhparent = 'raw_events.events'::regclass"
        ).fetchall():
            conn.execute(f"drop table {partition[0]}")
    anywhere.load()
    assert len(names(anywhere)) == 3 and read_as_stored(anywhere) == 18


@pytest.mark.parametrize("renames", [1, 2])
def test_killed_while_a_tenant_leaves_the_shared_file(
    loading: Loading, tmp_path: Path, renames: int
) -> None:
    """A reader may see its events twice until the next load, never too few."""
    many_of = [made.line(n, tenant_id=TENANT) for n in range(OWN_ROWS)]
    few_of = [made.line(n, tenant_id=OTHER_TENANT) for n in range(5_000, 5_010)]
    loading.put(f"{FOLDER}/a.jsonl", [*many_of[:-1], *few_of])
    loading.load()
    assert names(loading) == {shared_file(date(2026, 3, 1))}
    loading.put(f"{FOLDER}/b.jsonl", many_of[-1:])
    settings = loading.settings
    killed = subprocess.run(
        [sys.executable, str(Path(__file__).parents[1] / "faults" / "hooked_load.py"),
         loading.warehouse.url, settings.landing, settings.lake, str(settings.pii_key_file),
         str(tmp_path / "counts"), "before lake file", str(renames)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL
    wait_for_nobody(loading.rows)
    seen = reader().execute(f"select event_id from {lake(settings.lake)}").fetchall()
    assert loading.one("select count(*) from raw_events.events") == OWN_ROWS + 10
    assert len(set(seen)) == OWN_ROWS + 10 - (renames == 1)
    assert len(seen) == (OWN_ROWS + 9 if renames == 1 else 2 * OWN_ROWS - 1 + 10)
    assert loading.load().lake_files == 2
    assert names(loading) == {
        own_file(date(2026, 3, 1), TENANT), shared_file(date(2026, 3, 1))
    }  # fmt: skip
    assert read_as_stored(loading) == OWN_ROWS + 10
    assert not [path for path in Path(settings.lake).rglob("*") if path.name.startswith(".")]


def test_a_tenant_whose_day_is_empty_loses_its_file(anywhere: Loading) -> None:
    """An event that turns out to have happened on another day leaves an empty one behind."""
    anywhere.put(f"{FOLDER}/a.jsonl", [made.line(1, occurred_at="2026-02-20T10:00:00Z",
                                                 received_at="2026-02-28T10:00:00Z")])  # fmt: skip
    anywhere.load()
    anywhere.put(f"{FOLDER}/b.jsonl", [made.line(1, occurred_at="2026-02-21T10:00:00Z",
                                                 received_at="2026-02-27T10:00:00Z")])  # fmt: skip
    anywhere.load()
    view = lake(anywhere.settings.lake)
    assert reader().execute(f"select date::text from {view}").fetchall() == [("2026-02-21",)]


@pytest.mark.parametrize(("own_rows", "files"), [(1, 14), (7, None), (1_000, 7)])
@pytest.mark.parametrize("in_memory", [0, 1 << 30])
def test_files_made_from_memory_and_from_the_table_are_the_same(
    loading: Loading, monkeypatch: pytest.MonkeyPatch, in_memory: int, own_rows: int,
    files: int | None,
) -> None:  # fmt: skip
    """Days that begin with a load are written from what was stored; a second lake is not."""
    monkeypatch.setattr("ingestion.load.NewDays", lambda lake: NewDays(lake, in_memory))
    monkeypatch.setattr("ingestion.lake.new_days._WORTH_A_FILE", 5)
    monkeypatch.setattr("ingestion.lake.layout.OWN_ROWS", own_rows)
    year = 2031 + 2 * (own_rows % 10) + bool(in_memory)  # so that its days are new to the database
    numbered = [
        made.line(
            number,
            occurred_at=f"{year}-03-1{number % 7}T10:00:{number % 60:02}Z",
            received_at=f"{year}-04-01T10:00:00Z",
            tenant_id=OTHER_TENANT if number % 2 else TENANT,
            properties={"goal_id": number, "much": 1e17, "é": [None, 0.5, "a\tb"], "a": {}},
        )
        for number in range(90)
    ]
    moved = {"occurred_at": f"{year}-03-11T09:00:00Z", "received_at": f"{year}-03-31T10:00:00Z"}
    loading.put(f"{FOLDER}/a.jsonl", [*numbered[:50], numbered[3]])
    loading.put(f"{FOLDER}/b.jsonl", numbered[40:])
    loading.put(f"{FOLDER}/c.jsonl", [made.line(n, **moved) for n in (16, 88)])  # from other days
    loading.load()
    found = sorted(names(loading))
    assert len(found) in ([files] if files else range(8, 14))
    loading.settings = replace(loading.settings, lake=f"{loading.settings.lake}-again")
    loading.load()
    assert found == sorted(names(loading))
    tables = [
        pa.concat_tables(pq.read_table(f"{place}/{name}") for name in found)
        for place in (loading.settings.lake.removesuffix("-again"), loading.settings.lake)
    ]
    assert tables[0].num_rows == 90
    for name in tables[0].column_names:
        assert tables[0][name].to_pylist() == tables[1][name].to_pylist(), name


def test_pyarrow_reads_its_partitions(loading: Loading) -> None:
    loading.put(f"{FOLDER}/a.jsonl", lines(0, 100))
    loading.load()
    (Path(loading.settings.lake) / "date=2026-02-20" / ".events.parquet.tmp").write_bytes(b"half")
    found = ds.dataset(loading.settings.lake, format="parquet", partitioning="hive")
    part = found.to_table(
        filter=(ds.field("date") == "2026-02-23") & (ds.field("tenant_id") == OTHER_TENANT)
    )
    assert (found.count_rows(), part.num_rows) == (100, 10)


def test_a_loader_killed_while_it_uploads_leaves_whole_objects_and_the_next_one_ends_it(
    loading: Loading, store: ObjectStore, line: FaultyLine
) -> None:
    loading.settings = replace(loading.settings, lake=BUCKET_LAKE)
    loading.put(f"{FOLDER}/a.jsonl", lines(0, 100))
    loading.load()
    loading.put(f"{FOLDER}/b.jsonl", lines(100, 200))
    uploads = 0

    def hang(method: str, path: str) -> str | None:
        nonlocal uploads
        if method == "PUT":
            uploads += 1
            if uploads > 2:
                time.sleep(60)
        return None

    line.fault = hang
    loader = start(loading, 1)
    while uploads < 3 and loader.poll() is None:
        time.sleep(0.05)
    loader.send_signal(signal.SIGKILL)
    loader.wait()
    wait_for_nobody(loading.rows)
    view = lake(BUCKET_LAKE)
    line.heal()
    sizes = reader().execute(f"select count(*) from {view} group by date").fetchall()
    assert {size for (size,) in sizes} <= {20, 40} and len(sizes) == 5
    assert loading.one("select count(*) from raw_events.events") == 200
    report = loading.load()
    assert (report.stored, report.lake_files, report.unreadable) == (0, 5, [])
    held = reader().execute(f"select event_id from {view} order by 1").fetchall()
    assert held == loading.rows("select event_id::text from raw_events.events order by event_id")
