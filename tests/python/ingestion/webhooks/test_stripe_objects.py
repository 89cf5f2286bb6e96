"""Objects as Stripe's API lists them: which event each becomes, when, and as which version."""

from typing import Any

import pytest

from ingestion.parsing.source import LineParser
from ingestion.webhooks.stripe_objects import event_of
from tests.python.ingestion.webhooks.test_stripe import rejected, stored

BEGUN = 1_700_000_000
DAY = 86_400
SUBSCRIPTION = {
    "object": "subscription", "id": "sub_1", "customer": "cus_1", "status": "active",
    "created": BEGUN, "start_date": BEGUN, "livemode": True, "trial_end": BEGUN + 900 * DAY,
    "items": {"object": "list", "data": [
        {"id": "si_1", "object": "subscription_item", "created": BEGUN, "quantity": 2,
         "current_period_start": BEGUN + 30 * DAY, "current_period_end": BEGUN + 60 * DAY},
    ]},
}  # fmt: skip


def sent(kind: str, **fields: Any) -> tuple[str, int | None]:
    """Type and time of what an object of this kind becomes."""
    event = event_of({"object": kind, "id": "x_1", "created": BEGUN, **fields})
    return event["type"], event["created"]


@pytest.mark.parametrize(
    ("kind", "fields", "event_type", "days"),
    [
        ("subscription", {"status": "active"}, "customer.subscription.updated", 0),
        ("subscription", {"current_period_start": BEGUN + 60 * DAY, "cancel_at": BEGUN + 99 * DAY},
         "customer.subscription.updated", 60),
        ("subscription", {"status": "canceled", "canceled_at": BEGUN + 5 * DAY,
                          "ended_at": BEGUN + 7 * DAY}, "customer.subscription.deleted", 7),
        ("invoice", {"status": "open", "status_transitions": {"finalized_at": BEGUN + DAY,
                     "paid_at": None}, "due_date": BEGUN + 30 * DAY}, "invoice.finalized", 1),
        ("invoice", {"status": "paid", "status_transitions": {"finalized_at": BEGUN + DAY,
                     "paid_at": BEGUN + 9 * DAY}}, "invoice.paid", 9),
        ("invoice", {"status": "draft"}, "invoice.updated", 0),
        ("charge", {"status": "succeeded", "amount_refunded": 0}, "charge.succeeded", 0),
        ("charge", {"status": "failed"}, "charge.failed", 0),
        ("charge", {"status": "succeeded", "amount_refunded": 500, "refunds": {
            "data": [{"created": BEGUN + 3 * DAY}]}}, "charge.refunded", 3),
        ("customer", {"deleted": True}, "customer.deleted", 0),
        ("discount", {"created": None, "start": BEGUN}, "customer.discount.created", 0),
        ("tax_rate", {}, "tax_rate.updated", 0),
    ],
)  # fmt: skip
def test_an_object_becomes_the_event_that_would_have_told_of_it(
    kind: str, fields: dict[str, Any], event_type: str, days: int
) -> None:
    assert sent(kind, **fields) == (event_type, BEGUN + days * DAY)


def test_the_same_export_again_is_a_duplicate_and_a_changed_object_a_version(
    stripe: LineParser,
) -> None:
    row = stored(stripe, SUBSCRIPTION)
    assert row["event_id"].startswith("sub_1@") and row["created_at"].startswith("2023-12-14")
    assert (row["object_id"], row["customer_id"], row["livemode"]) == ("sub_1", "cus_1", "t")
    assert row["payload"]["id"] == row["event_id"] and row["payload"]["snapshot"] is True
    assert stored(stripe, SUBSCRIPTION)["event_id"] == row["event_id"]
    changed = stored(stripe, {**SUBSCRIPTION, "status": "past_due"})
    assert changed["event_id"] != row["event_id"] and changed["object_id"] == "sub_1"


def test_what_cannot_be_dated_or_named_is_refused(stripe: LineParser) -> None:
    assert rejected(stripe, {"object": "card", "id": "card_1"}).reason_code == "bad_time"
    assert rejected(stripe, {"object": "invoice", "created": BEGUN}).reason_code == "no_id"
    assert rejected(stripe, {"id": "in_1", "created": BEGUN}).reason_code == "not_an_event"
