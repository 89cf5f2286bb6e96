"""Histories in which half of all events belong to one customer of each provider.

Belongs here: how much of what there is. Does not belong here: shapes of webhooks, what building them costs.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.python.marts.house import House
from tests.python.revenue.webhooks import price, seconds, store, subscription

BEGIN = datetime(2017, 1, 1, tzinfo=UTC)
EVENTS_OF_OTHERS = 10
TENANT = "everybody"


def put_long_histories(house: House, events: int) -> None:
    """Of `events` three quarters are Stripe's; half of each provider's are one customer's."""
    of_stripe = events * 3 // 4
    house.put("stripe/acct_upcoach/long.jsonl", _stripe(of_stripe))
    house.put("revenuecat/upcoach/long.jsonl", _store(events - of_stripe))


def _stripe(events: int) -> Iterator[dict[str, Any]]:
    giant = events // 2
    yield from _stripe_customer("giant", giant, timedelta(minutes=95))
    for number in range((events - giant) // EVENTS_OF_OTHERS):
        yield from _stripe_customer(f"small{number}", EVENTS_OF_OTHERS, timedelta(days=100))


def _stripe_customer(name: str, events: int, step: timedelta) -> Iterator[dict[str, Any]]:
    """Changes of quantity, coupons and currency of subscriptions, and their invoices and charges.

    Of every other coupon only an invoice tells.
    """
    for n in range(events // 5):
        at = _at(n * 3, step)
        plan = price(1000 + n % 3, currency="usd" if n % 4 else "eur")
        kind = "updated" if n else "created"
        yield subscription(name, kind, at, plan, quantity=1 + n % 5, previous={}, tenant=TENANT)
        at = _at(n * 3 + 1, step)
        whole = {"id": f"di_{n}", "coupon": {"id": "c", "duration": "forever", "percent_off": 10}}
        discounts = [f"di_{name}_{n}"] if n % 2 else [whole]
        yield subscription(
            name, "updated", at, plan, discounts=discounts, previous={}, tenant=TENANT
        )
        at = _at(n * 3 + 2, step)
        status = "past_due" if n % 7 == 0 else "active"
        yield subscription(name, "updated", at, plan, status=status, previous={}, tenant=TENANT)
        billed = _lines(name, n, plan, at) if n % 2 else {}
        for kind, more in (
            ("invoice", {"amount_paid": 1000, "amount_due": 1000, "status": "paid", **billed}),
            ("charge", {"amount": 1000, "status": "succeeded", "paid": True}),
        ):
            yield {
                "id": f"evt_{kind}_{name}_{n}",
                "object": "event",
                "type": {"invoice": "invoice.paid", "charge": "charge.succeeded"}[kind],
                "created": seconds(at),
                "livemode": True,
                "data": {
                    "object": {
                        "id": f"{kind}_{name}_{n}",
                        "object": kind,
                        "customer": f"cus_{name}",
                        "currency": "usd",
                        "created": seconds(at),
                        **more,
                    }
                },
            }


def _lines(name: str, n: int, plan: dict[str, Any], at: str) -> dict[str, Any]:
    """What an invoice took off for a discount of which nobody else tells."""
    line = {
        "amount": plan["unit_amount"],
        "currency": plan["currency"],
        "quantity": 1,
        "price": plan,
        "period": {"start": seconds(at), "end": seconds(at) + 86_400},
        "discount_amounts": [{"amount": 100, "discount": f"di_{name}_{n}"}],
    }
    total = plan["unit_amount"] - 100
    return {"subscription": f"sub_{name}", "total": total, "lines": {"data": [line]}}


def _store(events: int) -> Iterator[dict[str, Any]]:
    giant = events // 2
    yield from _store_customer("store_giant", giant, timedelta(hours=3))
    for number in range((events - giant) // EVENTS_OF_OTHERS):
        yield from _store_customer(f"store{number}", EVENTS_OF_OTHERS, timedelta(days=30))


def _store_customer(name: str, events: int, step: timedelta) -> Iterator[dict[str, Any]]:
    for n in range(events):
        at, ends = _at(n, step), _at(n + 1, step)
        kind = "RENEWAL" if n else "INITIAL_PURCHASE"
        yield store(name, kind, at, 5 + n % 3, at, ends, subscriber_attributes={})


def _at(n: int, step: timedelta) -> str:
    return (BEGIN + n * step).strftime("%Y-%m-%dT%H:%M:%S")
