"""Events of new days, kept aside for the lake: by day, in order, without what was rolled back."""

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from ingestion.fresh_days import FreshDays

DAY, NEXT, OLD = date(2026, 3, 1), date(2026, 3, 2), date(2026, 2, 1)
TENANTS = (b"\x01" * 15 + b"\x01", b"\x01" * 15 + b"\xff")  # told apart by the last byte only


def rows(load_id: int, *events: tuple[date, int, int, int]) -> pa.Table:
    """Events as (day, tenant, hour, id)."""
    return pa.table({
        "event_date": pa.array([day for day, *_ in events], pa.date32()),
        "tenant_id": pa.array([TENANTS[tenant] for _, tenant, *_ in events], pa.binary(16)),
        "occurred_at": pa.array(
            [datetime(day.year, day.month, day.day, hour, tzinfo=UTC) for day, _, hour, _ in events],
            pa.timestamp("us", tz="UTC"),
        ),
        "event_id": pa.array([bytes([number] * 16) for *_, number in events], pa.binary(16)),
        "content_hash": pa.array([bytes(16)] * len(events), pa.binary(16)),
        "load_id": pa.array([load_id] * len(events), pa.int64()),
    })  # fmt: skip


def ids(days: FreshDays, day: date) -> list[int] | None:
    found = days.rows(day)
    return None if found is None else [event[0] for event in found["event_id"].to_pylist()]


@pytest.fixture(params=[0, 1 << 30], ids=["written", "in memory"])
def days(request: pytest.FixtureRequest) -> FreshDays:
    days = FreshDays(request.param)
    days.begin([DAY, NEXT])
    days.keep(rows(7, (NEXT, 0, 5, 1), (DAY, 1, 1, 2), (DAY, 0, 9, 3), (OLD, 0, 1, 4)))
    days.keep(rows(8, (DAY, 0, 8, 5), (DAY, 0, 8, 200)))
    return days


def test_a_new_day_is_known_by_tenant_time_and_id(days: FreshDays) -> None:
    assert ids(days, DAY) == [5, 200, 3, 2]
    assert ids(days, NEXT) == [1]
    days.close()


def test_a_day_that_was_there_before_is_the_tables(days: FreshDays) -> None:
    assert ids(days, OLD) is None


def test_what_was_rolled_back_is_not_kept(days: FreshDays) -> None:
    days.undo(8)
    assert ids(days, DAY) == [3, 2]


def test_a_day_that_lost_rows_again_is_the_tables(days: FreshDays) -> None:
    days.spoil([DAY])
    assert (ids(days, DAY), ids(days, NEXT)) == (None, [1])


def test_without_room_on_disk_the_tables_know(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ingestion.fresh_days.pa.OSFile", full)
    days = FreshDays(0)
    days.begin([DAY])
    days.keep(rows(7, (DAY, 0, 5, 1)))
    assert ids(days, DAY) is None
    monkeypatch.undo()  # room again: what was lost meanwhile stays lost
    days.begin([DAY])  # as the next batch of the same file says again
    days.keep(rows(7, (DAY, 0, 6, 2)))
    assert ids(days, DAY) is None
