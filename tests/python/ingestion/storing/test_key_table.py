"""Recent keys and the many others: told as one table, merged now and then, whole at any moment."""

from collections.abc import Callable
from datetime import date
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from ingestion.load import load_all
from ingestion.load_errors import LoadError
from ingestion.parsing.batches import KEYS
from ingestion.storing import key_table
from tests.python.ingestion.conftest import OTHER_TENANT, Loading, conflict_log, line

Merging = Callable[[bool], None]


@pytest.fixture
def merging(monkeypatch: pytest.MonkeyPatch) -> Merging:
    """Whether any recent key is too many, or none is."""

    def switch(is_on: bool) -> None:
        monkeypatch.setattr(key_table, "_RECENT_BYTES", 0 if is_on else 1 << 40)

    return switch


def where(loading: Loading) -> tuple[int, int]:
    """How many keys are settled, how many are recent."""
    settled = loading.one("select count(*) from only raw_events.event_keys")
    return settled, loading.one("select count(*) from raw_events.event_keys_recent")


def two_of(number: int, **changes: Any) -> list[bytes]:
    """An event of the same id in each of two tenants."""
    return [line(number, **changes), line(number, tenant_id=OTHER_TENANT, **changes)]


def test_a_key_is_known_wherever_it_lies(loading: Loading, merging: Merging) -> None:
    merging(False)
    loading.put("events/upcoach/a.jsonl", two_of(1))
    loading.load()
    assert where(loading) == (2, 0)  # a first load writes no recent keys
    loading.put("events/upcoach/b.jsonl", [*two_of(2), line(1)])
    assert loading.load().duplicates == 1
    assert where(loading) == (2, 2)
    merging(True)
    loading.put("events/upcoach/c.jsonl", [*two_of(3), *two_of(2), line(1)])
    assert loading.load().duplicates == 3
    assert where(loading) == (6, 0)
    loading.put("events/upcoach/d.jsonl", [*two_of(1), *two_of(2), *two_of(3), b""])
    report = loading.load()
    assert (report.stored, report.duplicates) == (0, 6)
    assert where(loading) == (6, 0)


@pytest.mark.parametrize("merged_after", [0, 1, 2, 3, 4])
def test_the_earliest_body_wins_wherever_its_key_lies(
    loading: Loading, merging: Merging, merged_after: int
) -> None:
    """Rule 40 against keys of the first load, of recent keys and of merged ones."""
    bodies = ((5, "late"), (3, "early"), (4, "between"))
    late, early, between = (
        [two_of(n, received_at=f"2026-03-05T00:00:0{second}Z", session_id=name) for n in (1, 2)]
        for second, name in bodies
    )
    files = [late[0], late[1], early[0] + early[1], between[0] + between[1]]
    loading.put("events/upcoach/all.jsonl", [one for file in files for one in file])
    loading.load()
    at_once, conflicts = loading.events(), conflict_log(loading)
    assert len(conflicts) == 8  # both later bodies of each of four events

    loading.reset()
    for number, lines in enumerate(files, 1):
        merging(number == merged_after)
        loading.put(f"events/upcoach/{number}.jsonl", lines)
        loading.load()
    assert loading.events() == at_once
    assert conflict_log(loading) == conflicts
    assert loading.rows("select session_id, count(*) from raw_events.events group by 1") == [
        ("early", 4)
    ]
    assert sum(where(loading)) == 4
    assert loading.unaccounted() == 0


def test_few_recent_keys_stay_and_a_share_of_the_others_is_few(
    loading: Loading, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages of keys: 4 of the first load; recent ones stay up to a half of them."""
    monkeypatch.setattr(key_table, "_RECENT_BYTES", 8192)
    monkeypatch.setattr(key_table, "_RECENT_SHARE", 2)
    found = []
    for run, count in enumerate((350, 80, 80, 80, 80)):
        lines = [line(run * 1000 + n) for n in range(count)]
        loading.put(f"events/upcoach/{run}.jsonl", lines)
        loading.load()
        found.append(where(loading))
    assert found == [(350, 0), (350, 80), (350, 160), (590, 0), (590, 80)]


def test_who_reads_the_keys_stops_no_load_and_they_are_merged_later(
    loading: Loading, merging: Merging
) -> None:
    def hurried(**options: Any) -> psycopg.Connection[Any]:
        limit = "-c statement_timeout=15s"  # what waits for the reader is an error
        return psycopg.connect(loading.warehouse.url, options=limit, **options)

    merging(True)
    loading.put("events/upcoach/a.jsonl", two_of(1))
    loading.load()
    with loading.warehouse.connect() as reader:
        assert reader.execute("select count(*) from raw_events.event_keys").fetchone() == (2,)
        for number in (2, 3):
            loading.put(f"events/upcoach/{number}.jsonl", two_of(number))
            assert load_all(hurried, loading.settings, processes=1).stored == 2
        assert where(loading) == (2, 4)
    loading.put("events/upcoach/d.jsonl", two_of(4))
    loading.load()
    assert where(loading) == (8, 0)


def test_no_plan_made_for_few_keys_is_kept_for_many(loading: Loading) -> None:
    with loading.warehouse.connect() as conn:
        keys = key_table.KeyTable(conn, "raw_events.event_keys", 1)
        for number in range(10):
            id_now = number.to_bytes(16, "big")
            row = pa.table([[id_now], [date(2026, 3, 1)], [number], [id_now]], schema=KEYS)
            assert keys.claim(row) == []
            assert [known.key[-1] for known in keys.claim(row)] == [str(number)]
        kept = "select count(*) from pg_prepared_statements where statement ~ 'lateral'"
        assert conn.execute(kept).fetchone() == (0,)


class Cut(psycopg.Connection[Any]):
    """Goes away before it sends a certain statement."""

    before = ""

    def execute(self, query: Any, *given: Any, **options: Any) -> Any:
        text = query if isinstance(query, str) else query.as_string()
        if text.startswith(self.before):
            self.close()
        return super().execute(query, *given, **options)


@pytest.mark.parametrize("statement", ["lock", "insert into", "truncate"])
def test_cut_off_while_merging_nothing_is_lost_or_doubled(
    loading: Loading, merging: Merging, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    merging(True)
    loading.put("events/upcoach/a.jsonl", two_of(1))
    loading.load()
    loading.put("events/upcoach/b.jsonl", two_of(2))
    loading.put("events/upcoach/c.jsonl", [*two_of(2), *two_of(3)])
    table = "table " if statement == "lock" else ""
    monkeypatch.setattr(Cut, "before", f"{statement} {table}raw_events.event_keys")
    with pytest.raises(LoadError, match=r"is safe\. See that it is up and run again"):
        load_all(lambda **options: Cut.connect(loading.warehouse.url, **options),
                 loading.settings, processes=1)  # fmt: skip
    assert where(loading) == (2, 2)
    assert loading.one("select count(*) from raw_events.events") == 4  # the file was committed
    report = loading.load()
    assert (report.stored, report.duplicates) == (2, 2)
    assert where(loading) == (6, 0)
    assert loading.unaccounted() == 0
