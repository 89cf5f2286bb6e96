"""The lake as it lies: one file per day and tenant, readable by whoever reads Parquet."""

import signal
import time
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from s3fs import S3FileSystem

from ingestion.lake.new_days import NewDays
from tallyhouse.storage import open_storage
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
    columns = (
        "date::text, tenant, event_id, occurred_at::timestamptz, user_source_id, session_id,"
        " properties::text, load_id"
    )
    (held,) = [sorted(found.execute(f"select {columns} from {view}").fetchall(), key=str)]
    stored = anywhere.rows(
        f"select {columns}".replace("date::", "event_date::")
        .replace("tenant,", "tenant_id::text,")
        .replace("event_id,", "event_id::text,")
        .replace("properties::text", "replace(properties::text, ': ', ':')")
        + " from raw_events.events"
    )
    assert held == sorted(stored, key=str) and len(held) == 201
    some = f"from {view} where date = '2026-02-23' and tenant = '{OTHER_TENANT}'"
    assert found.execute(f"select count(*), count(distinct filename) {some}").fetchone() == (20, 1)
    assert found.execute(
        f"select (properties ->> 'goal_id')::int as goal {some} order by goal limit 2"
    ).fetchall() == [(3,), (13,)]


def test_many_small_loads_leave_one_file_per_day_and_tenant(anywhere: Loading) -> None:
    for number in range(12):
        anywhere.put(f"{FOLDER}/{number}.jsonl", lines(number * 10, number * 10 + 14))
        anywhere.load()
        if number == 7 and (day := Path(anywhere.settings.lake) / "date=2026-02-21").is_dir():
            (day / f"tenant={TENANT}" / ".events.parquet.tmp").write_bytes(b"of a killed load")
    found = reader()
    view = lake(anywhere.settings.lake)
    per_file = found.execute(
        f"select date, tenant, count(distinct filename), count(*) from {view} group by all"
    ).fetchall()
    assert len(per_file) == 5 * 2
    assert {files for _, _, files, _ in per_file} == {1}
    assert len(list(open_storage(anywhere.settings.lake).files())) == 10
    held = found.execute(f"select event_id, load_id from {view} order by 1").fetchall()
    assert held == anywhere.rows(
        "select event_id::text, load_id from raw_events.events order by event_id"
    )
    assert len(held) == 124


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


@pytest.mark.parametrize("in_memory", [0, 1 << 30])
def test_files_made_from_memory_and_from_the_table_are_the_same(
    loading: Loading, monkeypatch: pytest.MonkeyPatch, in_memory: int
) -> None:
    """Days that begin with a load are written from what was stored; a second lake is not."""
    monkeypatch.setattr("ingestion.load.NewDays", lambda lake: NewDays(lake, in_memory))
    monkeypatch.setattr("ingestion.lake.new_days._WORTH_A_FILE", 5)
    year = 2031 + bool(in_memory)  # so that these days are new to the database
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
    first = open_storage(loading.settings.lake)
    loading.settings = replace(loading.settings, lake=f"{loading.settings.lake}-again")
    loading.load()
    second = open_storage(loading.settings.lake)
    names = sorted(found.name for found in first.files())
    assert len(names) == 14 and names == sorted(found.name for found in second.files())
    tables = [
        pa.concat_tables(pq.read_table(f"{place}/{name}") for name in names)
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
        filter=(ds.field("date") == "2026-02-23") & (ds.field("tenant") == OTHER_TENANT)
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
            if uploads > 3:
                time.sleep(60)
        return None

    line.fault = hang
    loader = start(loading, 1)
    while uploads < 4 and loader.poll() is None:
        time.sleep(0.05)
    loader.send_signal(signal.SIGKILL)
    loader.wait()
    wait_for_nobody(loading.rows)
    view = lake(BUCKET_LAKE)
    line.heal()
    sizes = reader().execute(f"select count(*) from {view} group by date, tenant").fetchall()
    assert {size for (size,) in sizes} <= {10, 20} and len(sizes) == 10
    assert loading.one("select count(*) from raw_events.events") == 200
    report = loading.load()
    assert (report.stored, report.lake_files, report.unreadable) == (0, 10, [])
    held = reader().execute(f"select event_id from {view} order by 1").fetchall()
    assert held == loading.rows("select event_id::text from raw_events.events order by event_id")
