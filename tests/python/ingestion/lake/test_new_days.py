"""Events of new days, made ready for the lake: by day and file, in order, nothing rolled back."""

import os
from datetime import UTC, date, datetime
from itertools import product
from pathlib import Path, PosixPath
from tempfile import TemporaryDirectory
from uuid import UUID

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.events.columns import SCHEMA
from ingestion.lake.files import from_parquet
from ingestion.lake.layout import own_file, shared_file
from ingestion.lake.new_days import NewDays

DAY, NEXT, OLD = date(2026, 3, 1), date(2026, 3, 2), date(2026, 2, 1)
TENANTS = (b"\x01" * 15 + b"\x01", b"\x01" * 15 + b"\xff")  # told apart by the last byte only


def rows(load_id: int, *events: tuple[date, int, int, int]) -> pa.Table:
    """Events as (day, tenant, hour, id)."""
    given = {
        "event_date": [day for day, *_ in events],
        "tenant_id": [TENANTS[tenant] for _, tenant, *_ in events],
        "occurred_at": [
            datetime(day.year, day.month, day.day, hour, tzinfo=UTC) for day, _, hour, _ in events
        ],
        "event_id": [bytes([number] * 16) for *_, number in events],
        "properties": ["{}"] * len(events),
    }
    columns = [pa.array(given.get(f.name, [None] * len(events)), f.type) for f in SCHEMA]
    table = pa.Table.from_arrays(columns, schema=SCHEMA)
    return table.append_column("load_id", pa.array([load_id] * len(events), pa.int64()))


def ids(days: NewDays, day: date) -> dict[int, list[int]] | None:
    """Of each tenant, the ids in the order of its file; all files are as readers expect them."""
    found = days.files(day)
    if found is None:
        return None
    ids: dict[int, list[int]] = {}
    names: set[str] = set()
    for name, made in found:
        table = from_parquet(made.read_bytes() if isinstance(made, Path) else made)
        tenants = table["tenant_id"].to_pylist()
        assert tenants == sorted(tenants) and tenants and name not in names
        names.add(name)
        if name != shared_file(day):
            assert {own_file(day, tenant) for tenant in tenants} == {name}
        of_file: dict[int, list[int]] = {}
        for tenant, event in zip(tenants, table["event_id"].to_pylist(), strict=True):
            number = TENANTS.index(UUID(tenant).bytes)
            of_file.setdefault(number, []).append(UUID(event).bytes[0])
        assert not ids.keys() & of_file.keys()  # nobody lies in two files
        ids |= of_file
    return ids


@pytest.fixture(params=[1, 2, 1_000], ids=["apart", "mixed", "together"])
def own_rows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With so many rows of a day, a tenant has a file of its own."""
    monkeypatch.setattr("ingestion.lake.layout.OWN_ROWS", request.param)


@pytest.fixture(params=[(0, 0), (0, 0, "s3://bucket/lake"), (0, 3), (0, 1_000), (1 << 30, 0)],
                ids=["files", "files of a bucket", "files of many rows", "spooled",
                     "in memory"])  # fmt: skip
def days(
    request: pytest.FixtureRequest, own_rows: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> NewDays:
    in_memory, rows_of_a_file, *bucket = request.param
    monkeypatch.setattr("ingestion.lake.new_days._WORTH_A_FILE", rows_of_a_file)
    days = NewDays(*bucket or [str(tmp_path)], in_memory)
    days.begin([DAY, NEXT])
    days.keep(rows(7, (NEXT, 0, 5, 1), (DAY, 1, 1, 2), (DAY, 0, 9, 3), (OLD, 0, 1, 4)))
    days.keep(rows(8, (DAY, 0, 8, 5), (DAY, 0, 8, 200)))
    return days


def test_a_new_day_is_known_by_tenant_time_and_id(days: NewDays) -> None:
    assert ids(days, DAY) == {0: [5, 200, 3], 1: [2]}
    assert ids(days, NEXT) == {0: [1]}
    days.close()


def test_a_day_that_was_there_before_is_the_tables(days: NewDays) -> None:
    assert ids(days, OLD) is None


def test_what_was_rolled_back_is_not_kept(days: NewDays) -> None:
    days.undo(8)
    assert ids(days, DAY) == {0: [3], 1: [2]}


def test_a_day_that_lost_rows_again_is_the_tables(days: NewDays) -> None:
    days.spoil([DAY])
    assert (ids(days, DAY), ids(days, NEXT)) == (None, {0: [1]})


def test_only_what_was_rolled_back_leaves_no_file(days: NewDays) -> None:
    days.undo(7)
    assert ids(days, DAY) == {0: [5, 200]}
    assert ids(days, NEXT) == {}


@pytest.mark.usefixtures("own_rows")
@pytest.mark.parametrize("rows_of_a_file", [0, 3, 5])
@pytest.mark.parametrize("ends", [*product([False, True], repeat=3)])
def test_wherever_files_end_the_days_are_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ends: tuple[bool, ...], rows_of_a_file: int
) -> None:
    """Three files of one day, each of them put aside at its end or not."""
    monkeypatch.setattr("ingestion.lake.new_days._WITHIN_FILE", 1 << 40)
    monkeypatch.setattr("ingestion.lake.new_days._WORTH_A_FILE", rows_of_a_file)
    days = NewDays(str(tmp_path), 1)
    days.begin([DAY])
    for load_id, is_end in enumerate(ends):
        days.keep(rows(load_id, (DAY, 0, 9 - load_id, load_id + 1), (DAY, 1, 5, 100 + load_id)))
        if is_end:
            days.end_of_file()
    days.undo(1)
    assert ids(days, DAY) == {0: [3, 1], 1: [100, 102]}
    days.close()


@given(data=st.data())
@settings(deadline=None)
def test_however_little_memory_there_is_the_days_are_the_same(data: st.DataObject) -> None:
    some = st.tuples(st.sampled_from([DAY, NEXT]), st.integers(0, 1), st.integers(0, 23))
    tables = data.draw(st.lists(st.lists(some, min_size=1, max_size=4), min_size=1, max_size=8))
    ends = data.draw(st.sets(st.integers(0, len(tables))))
    ordered: dict[date, dict[int, list[tuple[int, int]]]] = {DAY: {}, NEXT: {}}
    number = 0
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as lake:
        patch.setattr("ingestion.lake.new_days._WORTH_A_FILE", data.draw(st.integers(0, 3)))
        patch.setattr("ingestion.lake.layout.OWN_ROWS", data.draw(st.integers(1, 6)))
        days = NewDays(lake, data.draw(st.sampled_from([0, 1_000, 3_000, 1 << 30])))
        days.begin([DAY, NEXT])
        for place, table in enumerate(tables):
            events = []
            for day, tenant, hour in table:
                number += 1
                events.append((day, tenant, hour, number))
                ordered[day].setdefault(tenant, []).append((hour, number))
            days.keep(rows(1, *events))
            if place in ends:
                days.end_of_file()
        for day, tenants in ordered.items():
            wanted = {one: [event for _, event in sorted(all_)] for one, all_ in tenants.items()}
            assert (ids(days, day) or {}) == wanted
        days.close()
        assert not list(Path(lake).iterdir())


def test_the_newest_day_waits_for_more_of_it(tmp_path: Path) -> None:
    """Else each of its files would be made twice."""
    many = [(DAY, 0, hour % 24, hour % 200) for hour in range(2_000)]
    days = NewDays(str(tmp_path), rows(1, *many).nbytes // 2)
    days.begin([DAY, NEXT])
    days.keep(rows(1, *many, (NEXT, 0, 1, 1)))
    days.end_of_file()
    days.keep(rows(2, (NEXT, 0, 2, 2)))
    found = days.files(DAY)
    assert found is not None and [type(made) for _, made in found] == [PosixPath]  # not made anew
    assert (ids(days, NEXT), days._more) == ({0: [1, 2]}, {})
    days.close()


def test_a_number_that_the_table_spells_otherwise_is_read_there(days: NewDays) -> None:
    table = rows(9, (NEXT, 1, 5, 7))
    place = table.schema.get_field_index("properties")
    days.keep(table.set_column(place, "properties", pa.array(['{"much":1e+17}'])))
    assert (ids(days, NEXT), ids(days, DAY)) == (None, {0: [5, 200, 3], 1: [2]})


def test_without_room_on_disk_the_tables_know(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(descriptor: int, data: memoryview, offset: int) -> int:
        if offset:
            raise OSError(28, "No space left on device")
        return write(descriptor, data[:5], offset)

    write = os.pwrite
    monkeypatch.setattr("ingestion.lake.spill_file.os.pwrite", full)
    days = NewDays(str(tmp_path), 0)
    days.begin([DAY])
    days.keep(rows(7, (DAY, 0, 5, 1)))
    assert ids(days, DAY) is None
    monkeypatch.undo()  # room again: what was lost meanwhile stays lost
    days.begin([DAY])  # as the next batch of the same file says again
    days.keep(rows(7, (DAY, 0, 6, 2)))
    assert ids(days, DAY) is None
