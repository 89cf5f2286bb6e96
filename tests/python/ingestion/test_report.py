"""What a load says of itself, and when it must not end well."""

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
    assert sum(rejected.values()) == 3
    of_nobody, of_upcoach = report.failures
    assert of_upcoach.startswith("Nothing of events/upcoach was stored. Refused: ")
    assert all(f"{count} {code}" in of_upcoach for code, count in rejected.items())
    assert of_nobody.startswith(
        "Nothing of events/nobodys was stored. Refused: 1 undeclared_source;"
    )
    assert not loading.load().failures  # nothing new came


def test_one_good_record_or_a_duplicate_is_enough(loading: Loading) -> None:
    loading.put("events/upcoach/a.jsonl", [b"junk", line(1)])
    assert not loading.load().failures
    loading.put("events/upcoach/b.jsonl", [line(1), b"more junk"])
    assert not loading.load().failures
