"""Times as sources write them (rules 44 and 47): which instant each form is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.values.instants import AbsurdTime, NotATime, parse_instant

MARCH = "2026-03-01T10:00:00Z"


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (MARCH, MARCH),
        ("2026-03-01t10:00:00z", MARCH),
        ("2026-03-01 10:00:00z", MARCH),
        ("2026-03-01T11:00:00+01:00", MARCH),
        ("2026-03-01 10:00:00 UTC", MARCH),
        # the end of a day is the next one's midnight
        ("2026-02-28T24:00:00Z", "2026-03-01T00:00:00Z"),
        ("2026-03-01T24:00:00.000+02:00", "2026-03-01T22:00:00Z"),
        # a leap second is the second after 59, as Unix counts
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("2016-12-31T23:59:60.5Z", "2017-01-01T00:00:00Z"),
        ("2017-01-01T00:59:60+01:00", "2017-01-01T00:00:00Z"),
        # epoch times, as numbers and as text, by their size
        (1767010112, "2025-12-29T12:08:32Z"),
        ("1767010112", "2025-12-29T12:08:32Z"),
        ("1767010112345", "2025-12-29T12:08:32.345000Z"),
        (1767010112345, "2025-12-29T12:08:32.345000Z"),
        ("1767010112345678", "2025-12-29T12:08:32.345678Z"),
        ("1767010112.5", "2025-12-29T12:08:32.500000Z"),
        # eight digits are a date as ISO has it
        ("20260301", "2026-03-01T00:00:00Z"),
    ],
)
def test_forms(said: object, meant: str) -> None:
    assert parse_instant(said).text == meant
    assert parse_instant(said).us == parse_instant(meant).us


@pytest.mark.parametrize("said", ["", "yesterday", "2026-02-30T10:00:00Z", "25:00:00", "2026-03-01T24:00:01Z",
                                  "2026-03-01T10:00:61Z", "2026-03-01T10:60:60Z", [], {}, True])  # fmt: skip
def test_no_times(said: object) -> None:
    with pytest.raises((NotATime, AbsurdTime)):
        parse_instant(said)


@given(st.integers(1_000_000_000_000, 4_000_000_000_000))
def test_milliseconds_as_text_are_what_they_are_as_a_number(moment: int) -> None:
    assert parse_instant(str(moment)) == parse_instant(moment)
    assert parse_instant(moment).us == moment * 1000
