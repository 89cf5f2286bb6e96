"""Rows of many days are put into the lake's order as sorting them plainly does."""

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.lake.order import by_day
from ingestion.values.arrow import BYTES_16, INSTANT

SCHEMA = pa.schema([
    ("event_date", pa.date32()), ("tenant_id", BYTES_16), ("occurred_at", INSTANT),
    ("event_id", BYTES_16), ("number", pa.int64()),
])  # fmt: skip
# 16 bytes that differ in their first, last, or eighth byte, some beyond 127, some zero at their end
IDS = [bytes([a, *[1] * 6, b, *[1] * 7, c]) for a in (0, 1, 200) for b in (1, 255) for c in (0, 9)]
START = datetime(2026, 3, 1, tzinfo=UTC)
Row = tuple[date, bytes, datetime, bytes]


@st.composite
def events(draw: st.DrawFn) -> Row:
    at = START + timedelta(
        days=draw(st.integers(0, 3)), microseconds=draw(st.sampled_from([0, 1, 86_399_999_999]))
    )
    return at.date(), draw(st.sampled_from(IDS)), at, draw(st.sampled_from(IDS))


def in_order(rows: list[Row]) -> list[tuple[date, list[int]]]:
    """The rows' numbers by day, as sorted by Python."""
    order = sorted(range(len(rows)), key=lambda number: rows[number])
    days = sorted({day for day, *_ in rows})
    return [(day, [number for number in order if rows[number][0] == day]) for day in days]


def found(rows: list[Row]) -> list[tuple[date, list[int]]]:
    columns = list(zip(*rows, strict=True)) or [()] * 4
    arrays = [*columns, range(len(rows))]
    tables = [
        pa.table([pa.array(column[start : start + 3], field.type)
                  for column, field in zip(arrays, SCHEMA, strict=True)], schema=SCHEMA)
        for start in range(0, max(len(rows), 1), 3)
    ]  # fmt: skip
    return [(day, rows["number"].to_pylist()) for day, rows in by_day(pa.concat_tables(tables))]


@given(rows=st.lists(events(), max_size=30))
@settings(deadline=None)
def test_days_tenants_times_and_ids_in_their_order(rows: list[Row]) -> None:
    assert found(rows) == in_order(rows)


@pytest.mark.parametrize(
    "far", [datetime(1700, 1, 1, tzinfo=UTC), datetime(9_999, 1, 1, tzinfo=UTC)]
)
def test_days_that_lie_centuries_apart(far: datetime) -> None:
    rows = [
        (at.date(), tenant, at, event)
        for event in reversed(IDS)
        for tenant in IDS
        for at in (START, START + timedelta(seconds=1), far)
    ]
    assert found(rows) == in_order(rows)
