"""Stripe webhooks in bulk: subscriptions that begin, renew, change plan, end and come back.

A subscription's life is a function of its number alone, so a longer history holds a shorter one whole,
and one more day can hold the same events on both. Belongs here: that stream. Does not belong here: the
oddities of real accounts (`simulator`), what the events are worth (`revenue_sql`).
"""

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import orjson

from benchmarks.inputs import written

ACCOUNTS = ("acct_upcoach", "acct_rentguy")
TENANTS = 4  # of each account
DAYS = 364
NEW_DAYS = 8  # days after the history that are told one by one
START = datetime(2025, 7, 7, tzinfo=UTC)
MONTH, DAY = 30 * 86_400, 86_400  # seconds; a period of thirty days needs no calendar here
EVENTS_EACH = 17.4  # events of a subscriber within the history, measured
FILE_DAYS = 28
SHAPE = (
    f"two accounts with {TENANTS} tenants each over {DAYS} days; a subscriber has a customer, a subscription of"
    " one item (one of four monthly prices or a yearly one, up to three of it), and each month a renewal, a"
    " charge and a paid invoice; 12 % of the renewals change the plan a day later, 6 % end it, and a third of"
    " those come back under a new subscription; API versions old and new by half"
)
PRICES = (1_200, 2_400, 6_000, 12_000)  # dollars' cents a month; twelfths stay whole
Event = tuple[int, dict[str, Any]]


@dataclass(frozen=True)
class Billing:
    """So many subscribers; `day` is one more day after the history, of as many."""

    name: str
    subscribers: int
    day: int | None = None

    @property
    def last_date(self) -> date:
        return (START + timedelta(days=DAYS + (self.day or -1))).date()


def of_events(name: str, events: int) -> Billing:
    """The history of about so many events."""
    return Billing(name, max(TENANTS, round(events / EVENTS_EACH)))


def write(landing: Path, billing: Billing) -> int:
    """Write the files of a history or of a day below `landing`; returns how many events."""
    for account in ACCOUNTS:
        (landing / "stripe" / account).mkdir(parents=True, exist_ok=True)
    parts = os.cpu_count() or 1
    size = -(-billing.subscribers // parts)
    jobs = [
        (landing, billing, part, range(part * size, min((part + 1) * size, billing.subscribers)))
        for part in range(parts)
    ]
    return written(_write_part, jobs, is_little=billing.subscribers < 2_000)


def _write_part(landing: Path, billing: Billing, part: int, numbers: range) -> int:
    """The events of some subscribers, into a file for each four weeks."""
    begins = int(START.timestamp())
    first = begins + DAY * (0 if billing.day is None else DAYS + billing.day)
    end = begins + DAY * DAYS if billing.day is None else first + DAY
    told = 0
    lines: dict[Path, list[bytes]] = {}
    for number in numbers:
        account = ACCOUNTS[number % len(ACCOUNTS)]
        for at, event in _life(number):
            if first <= at < end:
                file = f"{billing.name}-{(at - first) // (FILE_DAYS * DAY):02}-{part}.jsonl"
                path = landing / "stripe" / account / file
                lines.setdefault(path, []).append(orjson.dumps(event) + b"\n")
                told += 1
        if number % 1_000 == 0:
            _append(lines)
    _append(lines)
    return told


def _append(lines: dict[Path, list[bytes]]) -> None:
    for path, some in lines.items():
        with path.open("ab") as file:
            file.writelines(some)
    lines.clear()


def _life(number: int) -> Iterator[Event]:
    """All that Stripe tells of one subscriber, in order."""
    chance = random.Random(number)
    end = int(START.timestamp()) + DAY * (DAYS + NEW_DAYS)
    teller = _Teller(number)
    at = int(START.timestamp()) + int(chance.random() * DAY * (DAYS + NEW_DAYS))
    yield teller.customer(at)
    for contract in count():
        price, quantity = chance.choice(PRICES), chance.randint(1, 3)
        yearly = chance.random() < 0.1
        subscription = _Subscription(f"{number}_{contract}", at + 2, price, quantity, yearly)
        yield from teller.period(subscription, "created", at + 2)
        while True:
            at += MONTH
            if at >= end:
                return
            draw = chance.random()
            if draw < 0.06:
                yield teller.subscription(subscription, "deleted", at, ended=True)
                break
            if not yearly:
                yield from teller.period(subscription, "updated", at)
            if draw < 0.18:
                before = subscription.price
                subscription.price = chance.choice([one for one in PRICES if one != before])
                yield teller.subscription(subscription, "updated", at + DAY, before=before)
        if chance.random() > 1 / 3:
            return
        at += chance.randint(3, 20) * DAY
        if at >= end:
            return


@dataclass
class _Subscription:
    name: str
    began: int
    price: int
    quantity: int
    yearly: bool

    @property
    def amount(self) -> int:
        return self.price * (12 if self.yearly else 1)


class _Teller:
    """The bodies, in the API version of the subscriber's account."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._new = number % 4 < 2
        self._tenant = f"0000000{number % len(ACCOUNTS)}-0000-4000-8000-{number % 8 // 2:012}"

    def customer(self, at: int) -> Event:
        named = {"tenant_id": self._tenant}
        return self._event(
            "customer.created", at, {"id": self._customer, "object": "customer", "created": at,
                                     "currency": "usd", "livemode": True, "metadata": named},
        )  # fmt: skip

    def period(self, subscription: _Subscription, kind: str, at: int) -> Iterator[Event]:
        """A subscription begins or renews, is charged and its invoice paid."""
        yield self.subscription(subscription, kind, at)
        money = subscription.amount * subscription.quantity
        name = f"{subscription.name}_{at}"
        shared = {"currency": "usd", "customer": self._customer, "created": at, "livemode": True}
        yield self._event(
            "charge.succeeded",
            at + 2,
            {"id": f"ch_{name}", "object": "charge", "amount": money, "amount_captured": money,
             "amount_refunded": 0, "captured": True, "paid": True, "status": "succeeded",
             "invoice": f"in_{name}", "payment_intent": f"pi_{name}", "metadata": {}, **shared},
        )  # fmt: skip
        whose = f"sub_{subscription.name}"
        parent: dict[str, Any] = (
            {"parent": {"subscription_details": {"subscription": whose}}}
            if self._new
            else {"subscription": whose}
        )
        line = {"id": f"il_{name}", "object": "line_item", "amount": money, "currency": "usd",
                "quantity": subscription.quantity, "proration": False,
                "price": _price(subscription),
                "period": {"start": at, "end": at + MONTH}}  # fmt: skip
        yield self._event(
            "invoice.paid",
            at + 4,
            {"id": f"in_{name}", "object": "invoice", "status": "paid", "amount_due": money,
             "amount_paid": money, "total": money, "charge": f"ch_{name}",
             "billing_reason": "subscription_cycle", "lines": {"object": "list", "data": [line]},
             "status_transitions": {"finalized_at": at + 3, "paid_at": at + 4}, **parent, **shared},
        )  # fmt: skip

    def subscription(
        self, subscription: _Subscription, kind: str, at: int, before: int | None = None,
        ended: bool = False,
    ) -> Event:  # fmt: skip
        ends = {"current_period_start": at, "current_period_end": at + MONTH}
        price = _price(subscription)
        item: dict[str, Any] = {"id": f"si_{subscription.name}", "object": "subscription_item",
                "quantity": subscription.quantity, "price": price, "tax_rates": []}  # fmt: skip
        shape: dict[str, Any] = {"discounts": []} if self._new else {"discount": None, **ends}
        body: dict[str, Any] = {
            "id": f"sub_{subscription.name}", "object": "subscription", "customer": self._customer,
            "currency": "usd", "status": "canceled" if ended else "active",
            "created": subscription.began, "start_date": subscription.began,
            "cancel_at_period_end": False, "canceled_at": at if ended else None,
            "ended_at": at if ended else None, "pause_collection": None, "trial_end": None,
            "default_tax_rates": [], "livemode": True, "metadata": {"tenant_id": self._tenant},
            "items": {"object": "list", "data": [item | (ends if self._new else {})]},
            **shape,
        }  # fmt: skip
        previous: dict[str, Any] | None = None
        if before is not None:
            old = _Subscription(
                subscription.name, 0, before, subscription.quantity, subscription.yearly
            )
            previous = {"items": {"data": [item | {"price": _price(old)}]}}
        elif kind == "updated":
            previous = {"latest_invoice": "in_before"}
        return self._event(f"customer.subscription.{kind}", at, body, previous)

    @property
    def _customer(self) -> str:
        return f"cus_{self._number}"

    def _event(
        self, kind: str, at: int, body: dict[str, Any], previous: dict[str, Any] | None = None
    ) -> Event:
        data: dict[str, Any] = {"object": body}
        if previous is not None:
            data["previous_attributes"] = previous
        return at, {
            "id": f"evt_{self._number}_{kind[-14:]}_{at}",
            "object": "event",
            "api_version": "2025-03-31.basil" if self._new else "2020-08-27",
            "type": kind,
            "created": at,
            "livemode": True,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "data": data,
        }


def _price(subscription: _Subscription) -> dict[str, Any]:
    interval = "year" if subscription.yearly else "month"
    return {
        "id": f"price_{subscription.price}_{interval}",
        "object": "price",
        "currency": "usd",
        "unit_amount": subscription.amount,
        "billing_scheme": "per_unit",
        "recurring": {"interval": interval, "interval_count": 1, "usage_type": "licensed"},
        "tax_behavior": "unspecified",
        "type": "recurring",
    }
