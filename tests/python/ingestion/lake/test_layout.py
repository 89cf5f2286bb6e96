"""Who shares a file of the lake: whatever loads do to a day, each tenant lies in one file of it."""

from collections.abc import Collection
from datetime import date
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.lake import layout
from ingestion.lake.layout import DayFiles, day_files, own_file, replaced, rewrite, shared_file

DAY = date(2026, 3, 1)
A, B, C = (str(UUID(int=number, version=4)) for number in (1, 2, 3))
TENANTS = [str(UUID(int=number, version=4)) for number in range(40)]


class Day:
    """A day's folder as its files say: of each tenant, how many rows they hold."""

    def __init__(self) -> None:
        self.files: dict[str, dict[str, int]] = {}

    def load(
        self, rows: dict[str, int], touched: set[str], only: Collection[int] | None = None
    ) -> None:
        """Follow the table; or, of what is due, only do some: a load that is killed then.

        Files go up to a bucket side by side, so it may be any of them.
        """
        due = rewrite(DAY, rows, touched, day_files(self.files))
        for number, (name, tenants) in enumerate(due.written.items()):
            if only is None or number in only:
                self.files[name] = {tenant: rows[tenant] for tenant in tenants}
        for name in due.removed if only is None else ():
            del self.files[name]

    def held(self) -> list[tuple[str, int]]:
        return sorted(pair for file in self.files.values() for pair in file.items())


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "OWN_ROWS", 10)
    monkeypatch.setattr(layout, "SHARED_ROWS", 40)


def test_small_tenants_share_and_large_ones_do_not() -> None:
    assert rewrite(DAY, {A: 9, B: 10, C: 1}, [A, B, C], DayFiles()).written == {
        f"date=2026-03-01/tenant={B}/events.parquet": [B],
        "date=2026-03-01/tenant=_shared/events.parquet": sorted([A, C]),
    }


def test_a_tenant_that_grows_leaves_the_shared_file_and_stays_apart() -> None:
    day = Day()
    day.load({A: 9, B: 1}, {A, B})
    day.load({A: 10, B: 1}, {A})
    assert day.files == {own_file(DAY, A): {A: 10}, shared_file(DAY): {B: 1}}
    day.load({A: 3, B: 1}, {A})
    assert day.files == {own_file(DAY, A): {A: 3}, shared_file(DAY): {B: 1}}
    day.load({B: 1}, {A})
    assert day.files == {shared_file(DAY): {B: 1}}
    day.load({}, {B})
    assert day.files == {}


def test_the_older_layout_goes_on_and_only_new_tenants_share() -> None:
    day = Day()
    day.files = {own_file(DAY, A): {A: 1}, own_file(DAY, B): {B: 2}}
    due = rewrite(DAY, {A: 3, B: 2, C: 1}, {A, C}, day_files(day.files))
    assert due.written == {own_file(DAY, A): [A], shared_file(DAY): [C]} and due.removed == []


def test_an_event_of_a_small_tenant_rewrites_its_part_alone() -> None:
    rows = dict.fromkeys(TENANTS, 9)
    existing = day_files(rewrite(DAY, rows, rows, DayFiles()).written)
    assert len(existing.parts) >= 40 * 9 / 40
    for tenant in TENANTS:
        due = rewrite(DAY, rows | {tenant: 8}, {tenant}, existing)
        ((_, together),) = due.written.items()
        assert tenant in together and sum(rows[other] for other in together) <= 40
        assert due.removed == []


def test_drafts_and_files_of_others_are_not_the_days() -> None:
    names = [own_file(DAY, A), shared_file(DAY, "01")]
    others = [
        f"date=2026-03-01/tenant={B}/.events.parquet.tmp",
        f"date=2026-03-01/tenant={B}/events.csv",
        "date=2026-03-01/tenant=_shared/.events-0.parquet.tmp",
        "date=2026-03-01/tenant=_shared/notes.parquet",
    ]
    assert day_files([*names, *others]) == DayFiles(frozenset([A]), frozenset(["01"]))


def test_a_day_known_as_a_whole_replaces_what_may_hold_its_tenants() -> None:
    existing = DayFiles(frozenset([A, B]), frozenset(["", "0"]))
    assert list(replaced(existing, DAY, [B, C])) == [
        own_file(DAY, B),
        shared_file(DAY),
        shared_file(DAY, "0"),
    ]


changes = st.dictionaries(st.sampled_from(TENANTS), st.integers(0, 14), min_size=1)


@given(loads=st.lists(st.tuples(changes, st.none() | st.sets(st.integers(0, 9))), max_size=8))
@settings(deadline=None)
def test_each_tenant_lies_in_one_file_however_often_loads_are_killed(
    loads: list[tuple[dict[str, int], set[int] | None]],
) -> None:
    """What a killed load touched, the next one touches too."""
    day = Day()
    rows: dict[str, int] = {}
    left: set[str] = set()
    for changed, only in [*loads, ({A: 5}, None)]:
        rows = {tenant: count for tenant, count in (rows | changed).items() if count}
        day.load(rows, left | changed.keys(), only)
        left = left | changed.keys() if only is not None else set()
        if not left:
            assert day.held() == sorted(rows.items())
            existing = day_files(day.files)
            assert all(sum(file.values()) <= 40 for name, file in day.files.items()
                       if "_shared" in name)  # fmt: skip
            assert existing.own >= {tenant for tenant, count in rows.items() if count >= 10}


@given(rows=st.dictionaries(st.sampled_from(TENANTS), st.integers(1, 30)))
@settings(deadline=None)
def test_files_follow_from_the_rows(rows: dict[str, int]) -> None:
    """An own file has 10 rows; of two parts that a part was split into, together more than 40."""
    written = rewrite(DAY, rows, rows, DayFiles()).written
    assert sorted(tenant for tenants in written.values() for tenant in tenants) == sorted(rows)
    parts = sorted(day_files(written).parts)
    pairs = [
        sum(rows[tenant] for one in (part, other) for tenant in written[shared_file(DAY, one)])
        for part, other in pairwise(parts)
        if part[:-1] == other[:-1]
    ]
    assert all(together > 40 for together in pairs)
