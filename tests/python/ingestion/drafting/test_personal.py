"""What looks like personal data is marked, said, and never shown."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.drafting.personal import by_name, kind_of
from tests.python.ingestion.drafting.conftest import Drafted, change, drafted

# made up, each valid by its own check
EMAIL, PHONE, CARD = "nobody.q@example.org", "+31 20 555 0123", "4111 1111 1111 1111"
IBAN, ADDRESS, ZA_ID = "NL91 ABNA 0417 1643 00", "203.0.113.77", "8001015009087"


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        ("email", "token"), ("contactEmail", "token"), ("phone", "token"), ("mobile", "token"),
        ("full_name", "token"), ("username", "token"), ("street_address", "token"),
        ("postcode", "token"), ("birth_date", "token"), ("dob", "token"), ("iban", "token"),
        ("ip", "token"), ("passport_number", "token"), ("id_number", "token"), ("gender", "token"),
        ("name", "token"), ("password_hash", "drop"), ("api_key", "drop"), ("notes", "drop"),
        ("body", "drop"), ("journal", "drop"), ("status", None), ("amount", None),
        ("product_code", None), ("created_at", None), ("tokens", None), ("file_name", None),
    ],
)  # fmt: skip
def test_names(name: str, mark: str | None) -> None:
    verdict = by_name(name, "orders")
    assert (verdict.mark if verdict else None) == mark


def test_a_bare_name_is_in_doubt_unless_the_table_is_about_people() -> None:
    about_people, about_things = by_name("name", "customers"), by_name("name", "sites")
    assert about_people is not None and "doubt" not in about_people.reason
    assert about_things is not None and "in doubt" in about_things.reason


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (EMAIL, "email"), (PHONE, "phone"), (CARD, "number"), (ZA_ID, "number"), (IBAN, "iban"),
        ("NL92ABNA0417164300", None), (ADDRESS, "ip"), ("2001:db8::1", "ip"), ("1.2.3", None),
        ("4111111111111112", None), ("A-1042", None), ("open", None),
        (f"call {PHONE} please", "inside"),
    ],
)  # fmt: skip
def test_values(value: str, kind: str | None) -> None:
    assert kind_of(value) == kind


@pytest.mark.parametrize("value", [EMAIL, PHONE, CARD, IBAN, ADDRESS, ZA_ID])
def test_a_column_of_any_name_is_marked_by_its_values(
    value: str, draft_of: Callable[..., Drafted]
) -> None:
    rows = [change("orders", {"id": n, "field_9": value}) for n in range(4)]
    column = draft_of(rows).columns("orders")["field_9"]
    assert column == {"type": "text", "personal": "token"}
    events = [
        {"event_id": str(n), "event_name": "seen", "occurred_at": "2026-03-01T10:00:00Z",
         "properties": {"field_9": value}}
        for n in range(4)
    ]  # fmt: skip
    assert draft_of(events, "e.jsonl").properties("seen")["field_9"]["personal"] == "token"


def test_free_text_is_dropped_and_said(draft_of: Callable[..., Drafted]) -> None:
    prose = "I met an old friend today and we talked"
    made = draft_of([change("entries", {"id": n, "field_9": prose}) for n in range(4)])
    assert made.columns("entries")["field_9"]["personal"] == "drop"
    assert any("entries.field_9" in sentence for sentence in made.sentences)


def test_a_token_is_text_whatever_the_source_has(draft_of: Callable[..., Drafted]) -> None:
    rows = [
        change("users", {"id": n, "phone": 31205550123, "birth_date": 11016, "score": 5})
        for n in range(3)
    ]
    columns = draft_of(rows).columns("users")
    assert columns["phone"] == {"type": "text", "personal": "token"}
    assert columns["birth_date"] == {"type": "date", "personal": "drop"}
    assert columns["score"] == {"type": "bigint"}


def test_where_somebody_lives_is_rounded(draft_of: Callable[..., Drafted]) -> None:
    """The loader rounds a coordinate of an event by its name."""
    row = {"home_latitude": -33.924869, "home_longitude": "18.424055", "latitude": 5.25}
    made = draft_of([change("guards", {"id": n, **row}) for n in range(3)]).columns("guards")
    for name in row:
        assert made[name]["personal"] == "round", name
    site = draft_of([change("sites", {"id": n, **row}) for n in range(3)]).columns("sites")
    assert site["home_latitude"]["personal"] == "round" and "personal" not in site["latitude"]


def test_a_key_is_never_dropped(draft_of: Callable[..., Drafted]) -> None:
    rows = [
        change("logins", {"secret": f"s{n}", "n": n}, key={"secret": f"s{n}"}) for n in range(3)
    ]
    made = draft_of(rows)
    assert made.body["tables"]["logins"]["primary_key"] == ["secret"]
    assert made.columns("logins")["secret"] == {"type": "text", "personal": "token"}


PEOPLE = st.one_of(
    st.emails(),
    st.integers(10**8, 10**9 - 1).map(lambda n: f"+27 {n}"),
    st.just(CARD),
    st.just(IBAN),
    st.ip_addresses().map(str),
    st.text("abcdefgh ", min_size=8, max_size=40).filter(lambda text: len(text.strip()) > 7),
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(PEOPLE, min_size=1, max_size=5), PEOPLE, st.booleans())
def test_no_value_of_the_sample_stands_in_the_draft(
    values: list[str], name: str, is_event: bool
) -> None:
    """Neither as a value nor where data took the place of a name: event names, keys of objects."""
    records: list[dict[str, Any]]
    if is_event:
        records = [
            {"event_id": str(n), "event_name": name if "@" in name else "seen", "user_id": value,
             "occurred_at": "2026-03-01T10:00:00Z", "context": {"ip": value},
             "properties": {"who": value, "n": n, **({value: 1} if "@" in value else {})}}
            for n, value in enumerate(values)
        ]  # fmt: skip
    else:
        records = [
            change("users", {"id": n, "who": value, "email": value, "tags": [value]})
            for n, value in enumerate(values)
        ]
    with tempfile.TemporaryDirectory() as folder:
        made = drafted(Path(folder), records)
    shown = made.text + "\n".join(made.sentences)
    for value in (*values, *([name] if "@" in name else [])):
        assert value not in shown
    assert "rejected" in made.sentences[-1] and "none rejected" in made.sentences[-1]
