"""Stripe events: whose, which, what is kept of them and what must not be."""

import copy
import json
from typing import Any

import pytest

from ingestion.parsing.source import LineParser
from ingestion.privacy.tokens import Tokeniser
from ingestion.values.identity import uuid_text
from ingestion.values.outcomes import Rejected, Row
from ingestion.webhooks.stripe import COLUMNS

EVENT: dict[str, Any] = {
    "id": "evt_1", "object": "event", "api_version": "2020-08-27", "created": 1_700_000_000,
    "type": "customer.updated", "livemode": True, "pending_webhooks": 2,
    "data": {
        "object": {
            "id": "cus_1", "object": "customer", "email": "Ann@example.org", "name": "Ann Example",
            "phone": "+27 82 555 0100", "balance": -1200, "description": "call ann@example.org",
            "address": {"line1": "1 Long Street", "country": "ZA", "postal_code": "8001"},
            "metadata": {"tenant_id": "t1", "user_id": "u1", "email": "ann@example.org"},
            "invoice_settings": {"default_payment_method": "pm_12345678901234"},
        },
        "previous_attributes": {"email": "old@example.org"},
    },
}  # fmt: skip


def line(event: Any) -> bytes:
    return json.dumps(event).encode()


def changed(path: str, value: Any) -> dict[str, Any]:
    event = copy.deepcopy(EVENT)
    *outer, last = path.split("/")
    place: Any = event
    for name in outer:
        place = place[name]
    place[last] = value
    return event


def stored(parser: LineParser, event: Any) -> dict[str, Any]:
    outcome = parser.parse(1, line(event))
    assert isinstance(outcome, Row), outcome
    fields = outcome.copy.replace("\\\\", "\\").split("\t")
    found: dict[str, Any] = dict(zip(COLUMNS, fields, strict=True))
    found["payload"] = json.loads(found["payload"])
    return found


def rejected(parser: LineParser, event: Any) -> Rejected:
    outcome = parser.parse(1, line(event))
    assert isinstance(outcome, Rejected), outcome
    return outcome


def test_columns_of_an_event(stripe: LineParser) -> None:
    row = stored(stripe, EVENT)
    assert row["account"] == "acct_upcoach" and row["product"] == "upcoach"
    assert row["event_date"] == "2023-11-14"
    assert row["created_at"] == row["received_at"] == "2023-11-14 22:13:20+00:00"
    assert (row["object_type"], row["object_id"], row["customer_id"]) == (
        "customer",
        "cus_1",
        "cus_1",
    )
    assert row["livemode"] == "t"


def test_nobody_can_be_recognised_in_what_is_stored(stripe: LineParser) -> None:
    row = stored(stripe, EVENT)
    text = json.dumps(row["payload"]).lower()
    for personal in ("ann", "example.org", "555", "long street", "8001"):
        assert personal not in text
    customer = row["payload"]["data"]["object"]
    assert customer["email"].startswith("tok_")
    assert customer["address"] == {"country": "ZA"}


def test_amounts_ids_and_the_products_own_ids_stay(stripe: LineParser) -> None:
    customer = stored(stripe, EVENT)["payload"]["data"]["object"]
    assert customer["balance"] == -1200
    assert customer["metadata"]["tenant_id"] == "t1" and customer["metadata"]["user_id"] == "u1"
    assert customer["invoice_settings"]["default_payment_method"] == "pm_12345678901234"


def test_a_products_name_is_no_persons(stripe: LineParser) -> None:
    product = {"id": "prod_1", "object": "product", "name": "Gold plan"}
    row = stored(stripe, changed("data/object", product))
    assert row["payload"]["data"]["object"]["name"] == "Gold plan"
    assert row["customer_id"] == "\\N"


def test_one_e_mail_in_two_tenants_has_two_tokens(stripe: LineParser) -> None:
    """Rule 74."""
    here = stored(stripe, EVENT)["payload"]["data"]["object"]["email"]
    there = stored(stripe, changed("data/object/metadata/tenant_id", "t2"))
    assert there["payload"]["data"]["object"]["email"] != here


def test_a_field_of_no_list_is_sealed_and_counted(stripe: LineParser) -> None:
    """Rule 36 for what nobody knows: it is stored, lies open nowhere, and is told."""
    customer = stored(stripe, changed("data/object/shoe", "Ann's 43"))["payload"]["data"]["object"]
    assert customer["shoe"].startswith("sealed_") and customer["description"].startswith("sealed_")
    sealer, tenant = Tokeniser(b"k" * 32).sealer, uuid_text("upcoach", "tenant", "t1")
    assert sealer.open(tenant, "shoe", customer["shoe"]) == "Ann's 43"
    assert stripe.drift["customer", "shoe", "unlisted_field"] == 1
    assert not any(field == "description" for _, field, _ in stripe.drift)


def test_of_metadata_the_products_ids_alone_stay(stripe: LineParser) -> None:
    given = {
        "tenant_id": "t1",
        "user_id": "u1",
        "status": "Ann is ill",
        "age": 43,
        "ann@x.example": "y",
    }
    held = stored(stripe, changed("data/object/metadata", given))["payload"]["data"]["object"][
        "metadata"
    ]
    token = Tokeniser(b"k" * 32).token(uuid_text("upcoach", "tenant", "t1"), "ann@x.example")
    assert held.keys() == {"tenant_id", "user_id", "status", "age", token}
    assert (held["tenant_id"], held["user_id"]) == ("t1", "u1")
    assert all(held[name].startswith("sealed_") for name in ("status", "age", token))


def test_what_an_object_was_before_is_hidden_as_it_is(stripe: LineParser) -> None:
    before = {"name": "Ann Old", "email": "old@x.example", "balance": 5, "metadata": {"note": "Ann"},
              "invoice_settings": {"footer": "Ann Old"}}  # fmt: skip
    event = changed("data/previous_attributes", before)
    found = stored(stripe, event)["payload"]["data"]["previous_attributes"]
    assert found["balance"] == 5
    assert found["name"].startswith("tok_") and found["email"].startswith("tok_")
    assert found["metadata"]["note"].startswith("sealed_")
    assert found["invoice_settings"]["footer"].startswith("sealed_")
    plan = changed("data/object", {"id": "plan_1", "object": "plan", "nickname": "Gold"})
    plan["data"]["previous_attributes"] = {"nickname": "Silver"}
    assert stored(stripe, plan)["payload"]["data"]["previous_attributes"] == {"nickname": "Silver"}


@pytest.mark.parametrize(
    "person", ["0821234567", "+27821234567", "8001015009087", "111222333", "ann%40x.example"]
)
def test_a_products_id_that_is_a_persons_number_is_keyed(stripe: LineParser, person: str) -> None:
    event = changed("data/object/metadata", {"tenant_id": "t1", "user_id": person})
    held = stored(stripe, event)["payload"]["data"]["object"]["metadata"]
    assert held["user_id"].startswith("tok_")
    if person.isdigit():
        event = changed("data/object/metadata", {"tenant_id": "t1", "user_id": int(person)})
        again = stored(stripe, event)["payload"]["data"]["object"]["metadata"]
        assert (again == held) is not person.startswith("0")


def test_a_redelivery_of_what_is_sealed_is_the_same_record(stripe: LineParser) -> None:
    first, again = (stripe.parse(n, line(changed("data/object/shoe", "43"))) for n in (1, 2))
    assert isinstance(first, Row) and isinstance(again, Row)
    assert first.content_hash == again.content_hash


def test_identity_is_account_and_id(stripe: LineParser) -> None:
    """Rules 40 and 41: again, with fewer deliveries pending, is the same record."""
    first = stripe.parse(1, line(EVENT))
    again = stripe.parse(2, line(changed("pending_webhooks", 0)))
    other_body = stripe.parse(3, line(changed("data/object/balance", 0)))
    other_account = stripe.parse(4, line({**EVENT, "account": "acct_rentguy"}))
    assert isinstance(first, Row) and isinstance(again, Row)
    assert isinstance(other_body, Row) and isinstance(other_account, Row)
    assert (again.key, again.content_hash) == (first.key, first.content_hash)
    assert other_body.key == first.key and other_body.content_hash != first.content_hash
    assert other_account.key != first.key


def test_a_connect_events_account_wins(stripe: LineParser) -> None:
    row = stored(stripe, {**EVENT, "account": "acct_rentguy"})
    assert (row["account"], row["product"]) == ("acct_rentguy", "rentguy")


def test_an_undeclared_account_is_told_where_to_be_declared(stripe: LineParser) -> None:
    refusal = rejected(stripe, {**EVENT, "account": "acct_nobody"})
    assert refusal.reason_code == "undeclared_account"
    assert "acct_nobody" in refusal.reason and "contracts/webhooks/stripe.yml" in refusal.reason


def test_test_mode_is_stored_as_such(stripe: LineParser) -> None:
    assert stored(stripe, changed("livemode", False))["livemode"] == "f"


def test_what_is_no_event_says_why(stripe: LineParser) -> None:
    assert rejected(stripe, {"id": "cus_1", "created": 1_700_000_000}).reason_code == "not_an_event"
    assert rejected(stripe, {**EVENT, "id": None}).reason_code == "no_id"
    assert rejected(stripe, {**EVENT, "type": ""}).reason_code == "no_type"
    assert rejected(stripe, {**EVENT, "created": "today"}).reason_code == "bad_time"
    assert rejected(stripe, {**EVENT, "created": 10**15}).reason_code == "absurd_time"
    assert rejected(stripe, {**EVENT, "data": []}).reason_code == "no_object"
    assert rejected(stripe, [1]).reason_code == "not_an_object"


def test_text_the_database_cannot_hold_is_replaced(stripe: LineParser) -> None:
    row = stored(stripe, changed("data/object/code", "a\x00b"))
    assert row["payload"]["data"]["object"]["code"] == "a\ufffdb"


def test_deep_nesting_is_refused(stripe: LineParser) -> None:
    deep: Any = 1
    for _ in range(200):
        deep = {"a": deep}
    assert rejected(stripe, changed("data/object/metadata", deep)).reason_code == "too_deep"
