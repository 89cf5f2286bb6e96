"""Webhooks that nobody here made up: the revenue models take whatever their providers ever sent (rule 36)."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from ingestion.values.identity import uuid_text
from tests.python.marts.house import House
from tests.python.revenue.conftest import REVENUE
from tests.shared_data import shared

pytestmark = pytest.mark.slow


def stripe_events() -> list[dict[str, Any]]:
    """The recorded events as if live, each with an id of its own, and recorded subscriptions as events."""
    events = []
    for number, path in enumerate(sorted(shared("stripe/ruby_mock_webhooks").glob("*.json"))):
        event = json.loads(path.read_text("utf-8"))
        events.append({**event, "id": f"evt_{number}", "livemode": True})
    for path in sorted(shared("stripe/dj_stripe").glob("subscription_*.json")):
        subject = json.loads(path.read_text("utf-8"))
        events.append(
            {
                "id": f"evt_{path.stem}",
                "object": "event",
                "type": "customer.subscription.created",
                "created": subject["created"],
                "livemode": True,
                "data": {"object": {**subject, "status": "active", "ended_at": None}},
            }
        )
    return events


def store_events() -> list[dict[str, Any]]:
    bodies = []
    for number, path in enumerate(sorted(shared("revenuecat/docs_2024").glob("*.json"))):
        body = json.loads(path.read_text("utf-8"))
        body["event"]["id"] = f"event-{number}"
        bodies.append(body)
    return bodies


@pytest.fixture(scope="module")
def house(new_house: Callable[[str], House]) -> House:
    house = new_house("fixtures")
    house.put("stripe/acct_rentguy/recorded.jsonl", stripe_events())
    house.put("revenuecat/upcoach/recorded.jsonl", store_events())
    house.load()
    house.build((*REVENUE, "path:models/staging/stripe"), as_of="2024-06-01T00:00:00Z")
    return house


def test_every_event_reaches_staging(house: House) -> None:
    (staged,) = house.query(
        "select (select count(*) from staging.stg_stripe__events)"
        " + (select count(*) from staging.stg_revenuecat__events)"
        " + (select count(distinct (load_id, line_number)) from ops.rejected_records)"
    )
    assert staged == (len(stripe_events()) + len(store_events()),)


@pytest.mark.parametrize(
    ("number", "cents"),
    [
        (1, Decimal(2000) / Decimal("1.15")),
        (2, Decimal(4000) / Decimal("1.15")),
        (3, 2000),
        (4, 6000),
    ],
)
def test_recorded_subscriptions_are_worth_what_their_plans_say(
    house: House, number: int, cents: Decimal
) -> None:
    """dj-stripe's own: plans of 20.00 and 40.00 a month, two with 15 % tax inside, the fourth with both."""
    source_id = f"acct_rentguy|sub_fakefakefakefakefake{number:04}"
    found = house.query(
        "select mrr_source_cents from revenue.fact_subscription_periods where policy = 'standard' "
        f"and subscription_id = '{uuid_text('rentguy', 'subscription', source_id)}'"
    )
    assert [round(value, 6) for (value,) in found] == [round(Decimal(cents), 6)]
