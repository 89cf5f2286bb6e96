"""Landing and lake in a bucket: the same rows as from a folder, whatever becomes of the line."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingestion import schema
from ingestion.lake.files import SCHEMA
from ingestion.lake.layout import own_file, shared_file
from ingestion.landing.listing import LandingError
from tallyhouse.database import Warehouse
from tallyhouse.settings import PROJECT_ROOT
from tests.python.ingestion import conftest as made
from tests.python.ingestion.conftest import OTHER_TENANT, Loading
from tests.python.object_store import (
    CUT_DOWNLOAD,
    CUT_UPLOAD,
    NO_ANSWER,
    UNAVAILABLE,
    FaultyLine,
    ObjectStore,
)

pytestmark = pytest.mark.slow
FOLDER = "events/upcoach"
LANDING, LAKE = "s3://tally/landing", "s3://tally/some/lake"
STRIPE = {
    "id": "evt_1", "object": "event", "created": 1_772_359_200, "type": "customer.updated",
    "livemode": True, "data": {"object": {
        "id": "cus_1", "object": "customer", "metadata": {"tenant_id": "t1", "user_id": "u1"}}},
}  # fmt: skip


def lines(first: int, last: int, **changes: Any) -> list[bytes]:
    """Events of two tenants over five days."""
    return [
        made.line(
            number,
            occurred_at=f"2026-02-2{number % 5}T10:00:00Z",
            tenant_id=OTHER_TENANT if number % 2 else made.TENANT,
            **changes,
        )
        for number in range(first, last)
    ]


def fill(loading: Loading) -> None:
    loading.put(f"{FOLDER}/a.jsonl", lines(0, 60))
    loading.put(f"{FOLDER}/deep/er/b.jsonl.gz", [*lines(50, 90), b"junk"])
    loading.put("stripe/acct_upcoach/a.jsonl", [json.dumps(STRIPE).encode()])
    loading.put(
        "events/ecom/a.csv",
        [b"user_id,event,timestamp,session_id,platform,note"]
        + [b'%d,buy,2026-03-0%d 10:00:00,s-1,web,"two\nlines"' % (n, 1 + n % 3) for n in range(30)],
    )


def upload(loading: Loading, store: ObjectStore) -> None:
    for path in loading.landing.rglob("*"):
        if path.is_file():
            name = path.relative_to(loading.landing).as_posix()
            store.put(f"landing/{name}", path.read_bytes())


def move_to_bucket(loading: Loading, store: ObjectStore) -> None:
    upload(loading, store)
    loading.settings = replace(loading.settings, landing=LANDING, lake=LAKE)


def all_rows(loading: Loading) -> list[Any]:
    return [
        loading.events(),
        loading.rows("select event_id, payload::text from raw_stripe.events order by 1"),
        loading.rows(
            "select file_path, content_hash, size_bytes, record_count, stored_count,"
            " rejected_count, is_complete from ops.load_manifest order by 1"
        ),
        loading.rejections(),
    ]


def table_rows(loading: Loading) -> list[tuple[Any, ...]]:
    """raw_events.events as the lake should hold it."""
    columns = ", ".join(
        f"{field.name}::text" if pa.types.is_string(field.type) else field.name for field in SCHEMA
    )
    return _in_order(loading.rows(f"select {columns} from raw_events.events"))


def _in_order(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows to compare: the database spells JSON in its own way."""
    place = SCHEMA.get_field_index("properties")
    spelt = (
        (*row[:place], json.dumps(json.loads(row[place]), sort_keys=True), *row[place + 1 :])
        for row in rows
    )
    return sorted(spelt, key=str)


def lake_rows(store: ObjectStore) -> list[tuple[Any, ...]]:
    """Every row of every object; each must be whole, of one day and one tenant or of those that
    share, and have a name that says so."""
    rows: list[tuple[Any, ...]] = []
    for key in store.keys("some/lake/"):
        table = pq.ParquetFile(io.BytesIO(store.get(key))).read()
        assert table.schema == SCHEMA
        found = table.to_pylist()
        for day, tenant in {(row["occurred_at"].date(), row["tenant_id"]) for row in found}:
            assert key.removeprefix("some/lake/") in (own_file(day, tenant), shared_file(day))
        rows += [tuple(row.values()) for row in found]
    return _in_order(rows)


@pytest.fixture
def second(fresh_database: Callable[..., Warehouse], tmp_path: Path) -> Loading:
    warehouse = fresh_database("ingest")
    with warehouse.connect() as conn:
        schema.apply(conn)
    return Loading(warehouse, tmp_path / "second")


def test_a_bucket_gives_the_same_rows_as_a_folder(
    loading: Loading, second: Loading, store: ObjectStore
) -> None:
    for one in (loading, second):
        fill(one)
        one.settings = replace(
            one.settings, contracts=(PROJECT_ROOT / "contracts" / "examples" / "ecom",)
        )
    move_to_bucket(second, store)
    local, remote = loading.load(), second.load()
    assert remote.sources == local.sources and not remote.unreadable
    assert (remote.stored, remote.rejected, remote.duplicates) == (90 + 1 + 30, 1, 10)
    assert all_rows(second) == all_rows(loading)
    files = [path for path in Path(loading.settings.lake).rglob("*") if path.is_file()]
    assert len(store.keys("some/lake/")) == len(files) == remote.lake_files
    assert lake_rows(store) == table_rows(second)


def test_a_second_load_writes_nothing_and_a_new_object_only_its_days(
    loading: Loading, store: ObjectStore, line: FaultyLine
) -> None:
    fill(loading)
    move_to_bucket(loading, store)
    loading.load()
    line.seen.clear()
    again = loading.load()
    assert (again.files_loaded, again.stored, again.lake_files) == (0, 0, 0)
    assert {method for method, _ in line.seen} == {"GET"}
    assert {path.partition("?")[0] for _, path in line.seen} == {"/tally"}  # nothing but listings
    store.put("landing/events/upcoach/c.jsonl", made.line(1000) + b"\n")
    assert loading.load().lake_files == 1
    assert sum(method == "PUT" for method, _ in line.seen) == 1
    assert lake_rows(store) == table_rows(loading)
    line.seen.clear()
    store.put("landing/events/upcoach/c.jsonl", made.line(1001) + b"\n")
    assert loading.load().stored == 1  # under a known name, but another content
    assert {path for method, path in line.seen if method == "HEAD" and "landing" in path} == {
        "/tally/landing/events/upcoach/c.jsonl"
    }


def test_an_object_that_is_replaced_while_it_is_read_counts_next_time(
    loading: Loading, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ingestion import load as course

    loading.put(f"{FOLDER}/a.jsonl", lines(0, 1))
    move_to_bucket(loading, store)
    true_blocks = course.blocks

    def changing(*given: Any) -> Any:
        yield from true_blocks(*given)
        store.put("landing/events/upcoach/a.jsonl", lines(4, 5)[0] + b"\n")

    monkeypatch.setattr(course, "blocks", changing)
    report = loading.load()
    assert report.stored == 0 and "changed" in report.unreadable[0]
    assert loading.events() == []
    monkeypatch.undo()
    for name, value in store.environment().items():
        monkeypatch.setenv(name, value)
    assert loading.load().stored == 1


@pytest.mark.parametrize("how", [CUT_DOWNLOAD, NO_ANSWER, UNAVAILABLE])
@pytest.mark.parametrize("when", ["hashed", "loaded"])
def test_a_download_that_breaks_off_gives_nothing_of_the_file(
    loading: Loading, store: ObjectStore, line: FaultyLine, how: str, when: str
) -> None:
    loading.put(f"{FOLDER}/a.jsonl", lines(0, 10))
    wide = lines(100, 30_100)  # several pieces on the way, several blocks
    loading.put(f"{FOLDER}/b.jsonl", wide)
    loading.put(f"{FOLDER}/c.jsonl.gz", lines(20, 30))
    move_to_bucket(loading, store)
    pieces = -(-sum(len(one) + 1 for one in wide) // (9 << 20))
    assert pieces > 1
    line.nth("GET", "b.jsonl", range(1 if when == "hashed" else pieces + 1, 1000), how)
    report = loading.load()
    assert (report.stored, report.files_loaded) == (20, 2)
    (sentence,) = report.unreadable
    assert f"{FOLDER}/b.jsonl" in sentence and str(line.port) in sentence
    assert loading.one("select count(*) from raw_events.events") == 20
    line.heal()
    healed = loading.load()
    assert not healed.unreadable and healed.stored == 30_000
    assert loading.one("select count(*) from raw_events.events") == 30_020
    assert loading.unaccounted() == 0


@pytest.mark.parametrize("how", [CUT_UPLOAD, NO_ANSWER, UNAVAILABLE])
def test_an_upload_that_breaks_off_is_made_up_for_by_the_next_load(
    loading: Loading, store: ObjectStore, line: FaultyLine, how: str
) -> None:
    loading.put(f"{FOLDER}/a.jsonl", lines(0, 50))
    move_to_bucket(loading, store)
    loading.load()
    old = {key: store.get(key) for key in store.keys("some/lake/")}
    assert len(old) == 5
    loading.put(f"{FOLDER}/b.jsonl", lines(50, 100))
    upload(loading, store)
    line.nth("PUT", "some/lake", range(3, 1000), how)
    report = loading.load()
    assert report.stored == 50 and "lake" in report.unreadable[0]
    assert loading.one("select count(*) from raw_events.events") == 100
    now = {key: store.get(key) for key in store.keys("some/lake/")}
    assert now.keys() == old.keys() and now != old
    rows_of_each = {key: len(pq.ParquetFile(io.BytesIO(now[key])).read()) for key in now}
    assert set(rows_of_each.values()) <= {10, 20}  # old or new
    line.heal()
    healed = loading.load()
    assert (healed.stored, healed.lake_files, healed.unreadable) == (0, 5, [])
    assert lake_rows(store) == table_rows(loading)


def test_one_broken_upload_or_download_is_repeated_unnoticed(
    loading: Loading, store: ObjectStore, line: FaultyLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "3")
    loading.put(f"{FOLDER}/a.jsonl", lines(0, 50))
    move_to_bucket(loading, store)
    line.nth("GET", "a.jsonl", range(1), CUT_DOWNLOAD)
    assert not loading.load().unreadable
    loading.put(f"{FOLDER}/b.jsonl", lines(50, 100))
    upload(loading, store)
    line.nth("PUT", "some/lake", range(3, 4), UNAVAILABLE)
    assert not loading.load().unreadable
    assert lake_rows(store) == table_rows(loading)


def test_what_is_wrong_with_the_landing_is_said_and_nothing_is_lost(
    loading: Loading, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    loading.put(f"{FOLDER}/a.jsonl", lines(0, 10))
    move_to_bucket(loading, store)
    good = loading.settings
    loading.settings = replace(good, landing="s3://nobody/landing")
    with pytest.raises(LandingError, match=r"nobody does not exist.*TALLYHOUSE_LANDING"):
        loading.load()
    loading.settings = good
    with store.only_known_keys(), pytest.raises(LandingError, match=r"Correct AWS_ACCESS_KEY_ID"):
        loading.load()
    with monkeypatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        with pytest.raises(LandingError, match=r"127.0.0.1:9.*AWS_ENDPOINT_URL"):
            loading.load()
    assert loading.load().stored == 10


def test_what_is_wrong_with_the_lake_is_said_and_the_events_are_loaded(
    loading: Loading, store: ObjectStore
) -> None:
    loading.put(f"{FOLDER}/a.jsonl", lines(0, 10))
    good = loading.settings
    loading.settings = replace(good, lake="s3://nobody/lake")
    report = loading.load()
    assert report.stored == 10
    assert "bucket nobody does not exist" in report.unreadable[0]
    assert "The next load completes the lake" in report.unreadable[0]
    loading.settings = replace(good, lake=LAKE)
    with store.only_known_keys():
        assert "Correct AWS_ACCESS_KEY_ID" in loading.load().unreadable[0]
    assert store.keys("some/lake/") == []
    assert loading.load().lake_files == 5
    assert lake_rows(store) == table_rows(loading)
