"""What a load says of itself, and when it must not end well."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.python.ingestion.conftest import Loading, line

pytestmark = pytest.mark.slow


def test_a_source_of_which_nothing_was_stored_fails_the_load_and_shows_why(
    loading: Loading,
) -> None:
    loading.put("events/upcoach/a.jsonl", [b"junk", b"{}", line(1, event_name=None)])
    loading.put("events/nobodys/a.jsonl", [line(1)])
    report = loading.load()
    rejected = dict(loading.rows(
        "select reason_code, count(*) from ops.rejected_records"
        " where source_name = 'upcoach' group by 1"
    ))  # fmt: skip
    first = loading.one(
        "select reason from ops.rejected_records where source_name = 'upcoach' and line_number = 1"
    )
    assert sum(rejected.values()) == 3
    of_nobody, of_upcoach = report.failures
    assert of_upcoach.startswith("Nothing of events/upcoach was stored. Refused: ")
    assert all(f"{count} {code}" in of_upcoach for code, count in rejected.items())
    assert of_upcoach.endswith(f"The first, events/upcoach/a.jsonl, line 1: {first}")
    assert of_nobody.startswith(
        "Nothing of events/nobodys was stored. Refused: 1 undeclared_source;"
    )
    assert "Write contracts/events/nobodys.yml" in of_nobody  # the way out, not a code alone
    assert "The first, events/nobodys/a.jsonl: Nobody declared" in of_nobody
    assert report.passed_over == []  # it says no more than that


def test_a_later_load_fails_until_something_of_the_source_is_stored(
    loading: Loading, tmp_path: Path
) -> None:
    loading.put("events/upcoach/a.jsonl", [b"junk", b"{}"])
    loading.put("events/nobodys/a.jsonl", [line(1)])
    first = loading.load()
    for _ in range(2):
        again = loading.load()
        assert sorted(again.failures) == sorted(first.failures)
        assert again.new_failures == [] and len(again.standing) == 2
    loading.put("events/upcoach/a.jsonl", [line(2)])
    (of_nobody,) = loading.load().failures
    assert "events/nobodys" in of_nobody
    (tmp_path / "more").mkdir()
    (tmp_path / "more/nobodys.yml").write_text(
        "kind: events\nproduct: nobodys\nevents: {goal_viewed: }\n"
    )
    loading.settings = replace(loading.settings, contracts=(tmp_path / "more",))
    assert loading.load().failures == []


def test_a_source_whose_files_are_gone_fails_no_more(loading: Loading) -> None:
    held = loading.put("events/nobodys/a.jsonl", [line(1)])
    assert loading.load().failures
    held.unlink()
    assert loading.load().failures == []


def test_one_good_record_or_a_duplicate_is_enough(loading: Loading) -> None:
    loading.put("events/upcoach/a.jsonl", [b"junk", line(1)])
    assert not loading.load().failures
    loading.put("events/upcoach/b.jsonl", [line(1), b"more junk"])
    assert not loading.load().failures


def test_an_empty_file_is_no_failure(loading: Loading) -> None:
    loading.put("events/upcoach/a.jsonl", b"")
    for _ in range(2):
        assert loading.load().failures == []


@pytest.mark.parametrize("reason", ["erased", "no_consent", "expired"])
def test_what_was_withheld_by_a_rule_is_not_missing(loading: Loading, reason: str) -> None:
    loading.put("events/upcoach/a.jsonl", [b"junk"])
    assert loading.load().failures
    with loading.warehouse.connect() as connection:
        connection.execute(
            "insert into ops.withheld_records select load_id, source_kind, source_name, %s, 1"
            " from ops.load_manifest",
            [reason],
        )
    assert loading.load().failures == []
    with loading.warehouse.connect() as connection:
        connection.execute("truncate ops.withheld_records")


def test_rows_that_are_gone_by_their_retention_were_stored(loading: Loading) -> None:
    loading.put("events/upcoach/a.jsonl", [line(1), b"junk"])
    loading.load()
    with loading.warehouse.connect() as connection:
        connection.execute("delete from raw_events.events")
        connection.execute("update ops.load_manifest set expired_count = 1")
    assert loading.load().failures == []


def test_records_without_a_sources_folder_fail_while_nothing_of_their_kind_is_stored(
    loading: Loading,
) -> None:
    event = (
        b'{"object": "event", "id": "evt_stray_1", "type": "customer.created",'
        b' "created": 1772000000, "livemode": true,'
        b' "data": {"object": {"object": "customer", "id": "cus_1"}}}'
    )
    loading.put("stripe/readme.txt", b"hello")
    loading.put("readme.csv", b"hello")
    report = loading.load()
    assert report.failures == [] and len(report.passed_over) == 2
    loading.put("stripe/events.jsonl", [event])
    for _ in range(2):
        report = loading.load()
        (missing,) = report.failures
        assert missing.startswith(
            "Nothing of stripe was stored. stripe/events.jsonl belongs to no source:"
        )
        assert len(report.passed_over) == 2  # the third is told once
        assert missing in report.sentences()
    loading.put("stripe/acct_upcoach/events.jsonl", [event])
    report = loading.load()
    assert report.failures == [] and len(report.passed_over) == 3
