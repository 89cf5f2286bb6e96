"""One line of events to one row: the envelope, its ids and times, what is refused and why."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from ingestion.events.parser import EventParser
from ingestion.events.source import COLUMNS
from ingestion.parsing.source import LineParser
from ingestion.values.outcomes import Outcome, Rejected, Row
from tests.python.ingestion.conftest import OTHER_TENANT, TENANT, event, line

ParserOf = Callable[..., LineParser]


def columns(outcome: Outcome) -> dict[str, str | None]:
    assert isinstance(outcome, Row), outcome
    values = outcome.copy.split("\t")
    return {
        name: None if value == "\\N" else value for name, value in zip(COLUMNS, values, strict=True)
    }


def properties(outcome: Outcome) -> dict[str, Any]:
    text = columns(outcome)["properties"]
    assert text is not None
    return dict(json.loads(text.replace("\\\\", "\\")))


def reason(outcome: Outcome) -> str:
    assert isinstance(outcome, Rejected), outcome
    return outcome.reason_code


@pytest.fixture
def parser(parser_of: ParserOf) -> LineParser:
    return parser_of("upcoach")


def test_a_good_event_becomes_a_row(parser: LineParser) -> None:
    row = columns(parser.parse(1, line()))
    assert row["event_date"] == "2026-03-01"
    assert row["event_id"] == row["source_event_id"] == event()["event_id"]
    assert (row["tenant_id"], row["user_id"]) == (TENANT, event()["user_id"])
    assert (row["event_domain"], row["is_time_corrected"]) == ("coaching", "f")
    assert (row["device_type"], row["browser"], row["ip_subnet"]) == (
        "mobile", "safari", "203.0.113.0/24",
    )  # fmt: skip


def test_identity_is_product_tenant_source_and_id_rule_41(
    parser: LineParser, parser_of: ParserOf
) -> None:
    lines = [line(), line(tenant_id=OTHER_TENANT), line(source="server")]
    rows = [parser.parse(1, one) for one in lines]
    rows.append(parser_of("projectflo").parse(1, line(event_name="page_viewed")))
    keys = {row.key for row in rows if isinstance(row, Row)}
    assert len(keys) == 4
    # and (product, tenant, event_id) tells them apart too
    ids = {(c["product"], c["tenant_id"], c["event_id"]) for c in map(columns, rows)}
    assert len(ids) == 4


@pytest.mark.parametrize(
    "occurred",
    [None, "4466-01-01T00:00:00Z", "1999-12-31T23:59:59Z", "2026-03-02T10:00:06Z", 1e30,
     "12026-01-01T00:00:00Z"],
)  # fmt: skip
def test_absurd_device_time_falls_back_to_received_at_rule_44(
    parser: LineParser, occurred: Any
) -> None:
    row = columns(parser.parse(1, line(occurred_at=occurred)))
    assert row["occurred_at"] == "2026-03-01T10:00:05Z"
    assert row["is_time_corrected"] == "t"


def test_a_late_event_keeps_its_own_date_rule_44(parser: LineParser) -> None:
    row = columns(parser.parse(1, line(occurred_at="2025-10-02T10:00:00Z")))
    assert (row["event_date"], row["is_time_corrected"]) == ("2025-10-02", "f")


def test_a_server_clock_is_believed(parser_of: ParserOf) -> None:
    old = line(event_name="page_viewed", occurred_at="1997-01-01T00:00:00Z")
    assert columns(parser_of("projectflo").parse(1, old))["event_date"] == "1997-01-01"


def test_times_in_any_notation_name_one_instant(parser: LineParser) -> None:
    notations = ["2026-03-01T12:00:00+02:00", "2026-03-01 10:00:00", 1772359200, 1772359200000,
                 "2026-03-01 10:00:00 UTC", "2026-W09-7T10:00:00Z", "20260301T100000Z",
                 "2026-03-01T10Z", "2026-03-01T10:00:00,000Z"]  # fmt: skip
    texts = {
        columns(parser.parse(1, line(occurred_at=value)))["occurred_at"] for value in notations
    }
    assert texts == {"2026-03-01T10:00:00Z"}


def test_without_received_at_the_event_arrived_when_it_happened(parser: LineParser) -> None:
    row = columns(parser.parse(1, line(received_at=None)))
    assert row["received_at"] == row["occurred_at"] == "2026-03-01T10:00:00Z"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"event_id": None}, "missing_field"),
        ({"event_name": None}, "missing_field"),
        ({"event_name": 42}, "wrong_type"),
        ({"event_name": "teleported"}, "unknown_event"),
        ({"occurred_at": None, "received_at": None}, "missing_field"),
        ({"occurred_at": "yesterday", "received_at": None}, "missing_field"),
        ({"received_at": "4466-01-01T00:00:00Z"}, "implausible_time"),
        ({"tenant_id": ["a"]}, "wrong_type"),
        ({"user_id": {"id": 1}}, "wrong_type"),
        ({"event_id": True}, "wrong_type"),
        ({"properties": [1]}, "wrong_type"),
        ({"event_name": "mood_logged", "properties": {"score": "five"}}, "wrong_type"),
        ({"event_name": "mood_logged", "properties": {"score": 4.5}}, "wrong_type"),
        ({"schema_version": "two"}, "wrong_type"),
    ],
)
def test_refusals_have_a_code(parser: LineParser, changes: dict[str, Any], code: str) -> None:
    assert reason(parser.parse(1, line(**changes))) == code


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"{", "truncated_json"),
        (line()[:-20], "truncated_json"),
        (b"not json", "invalid_json"),
        (b"[1]", "not_an_object"),
        (b"\xff\xfe{}", "invalid_utf8"),
        (line().replace(b'"goal_id": 1', b'"goal_id": NaN'), "invalid_number"),
        (line().replace(b'"goal_id": 1', b'"goal_id": 1e400'), "invalid_number"),
        (line().replace(b'"goal_id": 1', b'"x": ' + b"[" * 5000 + b"]" * 5000), "too_deep"),
        (line().replace(b'"goal_id": 1', b'"x": ' + b"[" * 100 + b"]" * 100), "too_deep"),
    ],
)
def test_lines_that_are_no_records(parser: LineParser, raw: bytes, code: str) -> None:
    assert reason(parser.parse(1, raw)) == code


def test_integers_keep_every_digit_rule_47(parser: LineParser) -> None:
    huge = [2**53 + 1, 2**63, 2**64 + 1, -(2**63) - 1, 10**30 + 7]
    row = parser.parse(1, line(properties={"goal_id": huge[2], "list": huge}))
    assert properties(row) == {"goal_id": huge[2], "list": huge}
    assert columns(parser.parse(1, line(user_id=2**64 + 1)))["user_source_id"] == str(2**64 + 1)


def test_characters_no_text_can_hold_are_replaced(parser: LineParser) -> None:
    raw = line(properties={"goal_id": 1, "note": "NUL"}).replace(
        b"NUL", rb"a\u0000b\ud800c\ud83d\ude00"
    )
    assert properties(parser.parse(1, raw))["note"] == "a\ufffdb\ufffdc\U0001f600"


def test_what_looks_like_an_escape_stays_as_it_is(parser: LineParser) -> None:
    texts = {"goal_id": 1, "path": r"C:\u0000\new", "tab": "a\tb\nc", "sep": "a\u2028b"}
    assert properties(parser.parse(1, line(properties=texts))) == texts


def test_unknown_fields_are_kept_and_reported(parser: LineParser) -> None:
    row = parser.parse(1, line(colour="red", properties={"goal_id": 1, "size": 2}))
    assert properties(row) == {"goal_id": 1, "size": 2, "colour": "red"}
    assert parser.drift == {
        ("goal_viewed", "size", "unknown_field"): 1, ("goal_viewed", "colour", "unknown_field"): 1,
    }  # fmt: skip


def test_all_events_of_rostracore_are_declared(parser_of: ParserOf) -> None:
    parser = parser_of("rostracore")
    assert isinstance(parser, EventParser)
    record = {"event_id": 7, "event_name": "roster_generated", "org_id": 3, "user_id": 12,
              "timestamp": "2026-03-01T10:00:00Z", "ip_address": "2001:db8:1:2::3",
              "event_properties": {"algorithm_used": "hybrid", "shift_count": 4}}  # fmt: skip
    row = columns(parser.parse(1, json.dumps(record).encode()))
    assert (row["tenant_source_id"], row["user_source_id"]) == ("3", "12")
    assert row["ip_subnet"] == "2001:db8:1::/48"
    wrong = {**record, "event_properties": {"shift_count": "four"}}
    assert reason(parser.parse(1, json.dumps(wrong).encode())) == "wrong_type"


def test_rentguy_names_follow_the_pattern_and_fields_are_mandatory(parser_of: ParserOf) -> None:
    parser = parser_of("rentguy")
    record: dict[str, Any] = {
        "event": "rentguy.onboarding.step_completed", "eventId": "e1",
        "timestamp": "2026-03-01T10:00:00Z",
        "context": {"module": "onboarding", "tenantId": "tenant-42", "userId": "user-91"},
        "properties": {"stepCode": "kickoff", "durationMs": 8400},
    }  # fmt: skip
    row = parser.parse(1, json.dumps(record).encode())
    assert columns(row)["event_domain"] == "onboarding"
    assert columns(row)["tenant_source_id"] == "tenant-42"
    assert properties(row) == {"stepCode": "kickoff", "durationMs": 8400, "module": "onboarding"}
    assert reason(parser.parse(1, json.dumps({**record, "event": "rentguy.x"}).encode())) == (
        "unknown_event"
    )
    assert isinstance(
        parser.parse(1, json.dumps({**record, "event": "scan.completed"}).encode()), Row
    )
    for field in ("event", "eventId", "timestamp"):
        left = {key: value for key, value in record.items() if key != field}
        assert reason(parser.parse(1, json.dumps(left).encode())) == "missing_field"
    bare = {**record, "context": {"tenantId": "tenant-42"}}
    assert reason(parser.parse(1, json.dumps(bare).encode())) == "missing_field"


def test_samia_tarot_checks_the_domain(parser_of: ParserOf) -> None:
    parser = parser_of("samia_tarot")
    record = {"event_id": "e1", "event_type": "payment_succeeded", "event_domain": "payments",
              "event_timestamp": "2026-03-01T10:00:00Z", "provider": "square", "country_code": "sa",
              "amount_cents": 4500, "metadata": {"is_gold": True}}  # fmt: skip
    row = parser.parse(1, json.dumps(record).encode())
    assert properties(row) == {"provider": "square", "amount_cents": 4500, "is_gold": True}
    assert columns(row)["country_code"] == "SA"
    assert columns(row)["tenant_source_id"] == "samia_tarot"
    wrong = {**record, "event_domain": "calls"}
    assert reason(parser.parse(1, json.dumps(wrong).encode())) == "wrong_domain"


def test_the_row_hash_is_blind_to_arrival_only(parser: LineParser) -> None:
    first, later = (
        parser.parse(1, line()),
        parser.parse(2, line(received_at="2026-03-01T11:00:00Z")),
    )
    other = parser.parse(3, line(properties={"goal_id": 99}))
    assert isinstance(first, Row) and isinstance(later, Row) and isinstance(other, Row)
    assert first.content_hash == later.content_hash != other.content_hash
    assert first.received_us < later.received_us


PLACEHOLDERS = ["undefined", "null", "None", "NaN", 0, "0", "[object Object]",
                "00000000-0000-0000-0000-000000000000"]  # fmt: skip


@pytest.mark.parametrize("said", PLACEHOLDERS)
def test_a_word_for_nothing_identifies_nobody_rule_49(parser: EventParser, said: Any) -> None:
    """In every field of identity, counted line by line, as if the field were not there."""
    without = columns(parser.parse(1, line(user_id=None, session_id=None, tenant_id=None)))
    fields = {"user_id": said, "anonymous_id": said, "session_id": said, "tenant_id": said}
    for number in (1, 2):
        row = columns(parser.parse(number, line(**fields)))
        assert row == without
    assert {place: count for place, count in parser.drift.items() if place[0] == "envelope"} == {
        ("envelope", field, "placeholder_id"): 2 for field in fields
    }
    assert reason(parser.parse(3, line(event_id=said))) == "missing_field"


def test_an_unreadable_device_time_falls_back_to_the_arrival_rule_44(parser: LineParser) -> None:
    row = columns(parser.parse(1, line(occurred_at="half past nine")))
    assert (row["occurred_at"], row["is_time_corrected"]) == ("2026-03-01T10:00:05Z", "t")
    assert reason(parser.parse(2, line(occurred_at="half past nine", received_at=None))) == (
        "missing_field"
    )
