"""RevenueCat webhooks: whose, which, what is kept of them and what must not be."""

import json
from typing import Any

from ingestion.parsing.source import LineParser
from ingestion.values.outcomes import Rejected, Row
from ingestion.webhooks.revenuecat import COLUMNS

EVENT: dict[str, Any] = {
    "id": "12345678-1234-1234-1234-123456789012", "type": "RENEWAL", "store": "APP_STORE",
    "environment": "PRODUCTION", "event_timestamp_ms": 1_658_726_378_679, "price": 4.99,
    "app_user_id": "u1", "original_app_user_id": "$RCAnonymousID:87", "aliases": ["u1", "a@b.org"],
    "transaction_id": "4111111111111111", "expiration_at_ms": 1_601_121_000_008,
    "subscriber_attributes": {
        "$email": {"updated_at_ms": 1, "value": "ann@example.org"},
        "$ip": {"updated_at_ms": 1, "value": "196.25.1.1"},
        "favourite": {"updated_at_ms": 1, "value": "write to ann@example.org"},
        "tenant_id": {"updated_at_ms": 1, "value": "t1"},
    },
}  # fmt: skip


def parse(parser: LineParser, **changes: Any) -> Row | Rejected:
    body = {"api_version": "1.0", "event": {**EVENT, **changes}}
    outcome = parser.parse(1, json.dumps(body).encode())
    assert isinstance(outcome, Row | Rejected)
    return outcome


def stored(parser: LineParser, **changes: Any) -> dict[str, Any]:
    outcome = parse(parser, **changes)
    assert isinstance(outcome, Row), outcome
    found: dict[str, Any] = dict(zip(COLUMNS, outcome.copy.split("\t"), strict=True))
    found["payload"] = json.loads(found["payload"])
    return found


def test_columns_of_an_event(revenuecat: LineParser) -> None:
    row = stored(revenuecat)
    assert (row["project"], row["product"]) == ("upcoach", "upcoach")
    assert row["occurred_at"] == "2022-07-25 05:19:38.679000+00:00"
    assert (row["app_user_id"], row["original_app_user_id"]) == ("u1", "$RCAnonymousID:87")
    assert (row["environment"], row["store"]) == ("PRODUCTION", "APP_STORE")


def test_attributes_lose_the_person_and_keep_the_rest(revenuecat: LineParser) -> None:
    row = stored(revenuecat)
    attributes = row["payload"]["event"]["subscriber_attributes"]
    assert attributes["$email"]["value"].startswith("tok_")
    assert attributes["$ip"]["value"] is None
    assert attributes["tenant_id"]["value"] == "t1"
    assert "example.org" not in json.dumps(row["payload"])


def test_attributes_and_fields_of_no_list_are_sealed_and_counted(revenuecat: LineParser) -> None:
    event = stored(
        revenuecat, nickname="Annie", experiments=[{"experiment_id": "e", "who": "Ann"}]
    )["payload"]["event"]
    assert event["subscriber_attributes"]["favourite"]["value"].startswith("sealed_")
    assert event["subscriber_attributes"]["favourite"]["updated_at_ms"] == 1
    assert event["nickname"].startswith("sealed_")
    assert event["experiments"][0]["experiment_id"] == "e"
    assert event["experiments"][0]["who"].startswith("sealed_")
    counted = {field for _, field, kind in revenuecat.drift if kind == "unlisted_field"}
    assert counted == {"favourite", "nickname", "who"}


def test_numbers_and_ids_stay_even_where_they_look_like_cards(revenuecat: LineParser) -> None:
    event = stored(revenuecat)["payload"]["event"]
    assert event["transaction_id"] == "4111111111111111"
    assert event["expiration_at_ms"] == 1_601_121_000_008
    assert event["price"] == 4.99


def test_a_user_id_that_is_an_e_mail_address_becomes_a_token(revenuecat: LineParser) -> None:
    row = stored(revenuecat, app_user_id="Ann@example.org")
    assert row["app_user_id"].startswith("tok_")
    assert json.loads(row["aliases"])[1].startswith("tok_")


def test_a_transfer_has_no_user_of_its_own(revenuecat: LineParser) -> None:
    """Rule 32."""
    outcome = parse(
        revenuecat, type="TRANSFER", app_user_id=None, transferred_from=["a"], transferred_to=["b"]
    )
    assert isinstance(outcome, Row) and outcome.touch is not None
    assert outcome.touch.entity_id == "revenuecat:upcoach:b"


def test_unknown_types_are_stored(revenuecat: LineParser) -> None:
    """Rule 36."""
    assert stored(revenuecat, type="SOMETHING_NEW")["event_type"] == "SOMETHING_NEW"


def test_what_cannot_be_stored_says_why(revenuecat: LineParser) -> None:
    reasons = {
        "no_id": parse(revenuecat, id=""),
        "no_type": parse(revenuecat, type=None),
        "bad_time": parse(revenuecat, event_timestamp_ms=None),
        "absurd_time": parse(revenuecat, event_timestamp_ms=78_789_789_798_798),
        "not_an_event": revenuecat.parse(1, b'{"api_version": "1.0"}'),
    }
    for code, outcome in reasons.items():
        assert isinstance(outcome, Rejected) and outcome.reason_code == code
