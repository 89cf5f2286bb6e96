"""A Stripe account's webhook log: event objects, one a line, in the API shape of their day.

What belongs here: the event envelope and the account's objects in both shapes (`current_period_*`,
`plan` and `invoice.subscription` before the account moved to 2025-03-31, items and `parent` after).
What does not: who subscribes, pays or leaves (the products), and the truth (the ledger).
"""

from __future__ import annotations

from typing import Any

from simulator.chance import Chance
from simulator.files import Folder, Plant, encode
from simulator.timeline import SECOND, Window

OLD_API, NEW_API = "2020-08-27", "2025-03-31.basil"


class StripeAccount:
    """Writes the events of one account. Events before the window go to the history file."""

    def __init__(
        self, folder: Folder, window: Window, limit: int, chance: Chance, moved_at: int
    ) -> None:
        self.folder, self.window, self.limit, self.chance = folder, window, limit, chance
        self.moved_at = moved_at
        self.count: dict[str, int] = {}
        self.history: list[tuple[int, int, bytes]] = []

    def is_new(self, at: int) -> bool:
        return at >= self.moved_at

    def emit(
        self,
        kind: str,
        at: int,
        subject: dict[str, Any],
        previous: dict[str, Any] | None = None,
        place: int | None = None,
        plant: Plant | None = None,
        **envelope: Any,
    ) -> bytes | None:
        """One event. `place` is where it is filed when the delivery was late; returns the line."""
        if at >= self.limit:
            return None
        data: dict[str, Any] = {"object": subject}
        if previous is not None:
            data["previous_attributes"] = previous
        event = {
            "id": f"evt_1{self.chance.token(23)}",
            "object": "event",
            "api_version": NEW_API if self.is_new(at) else OLD_API,
            "created": at // SECOND,
            "data": data,
            "livemode": True,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": kind,
            **envelope,
        }
        line = encode(event)
        self.count[kind] = self.count.get(kind, 0) + 1
        if at < self.window.start:
            self.history.append((at, len(self.history), line))
        else:
            if plant is not None:
                plant = Plant(plant.name, plant.expected, event["id"], plant.detail)  # type: ignore[arg-type]
            self.folder.add(at + 1500 if place is None else place, line, plant)
        return line

    def close(self) -> None:
        self.folder.history = [line for _, _, line in sorted(self.history, key=lambda e: e[:2])]


def customer_object(
    customer_id: str, at: int, email: str, name: str, currency: str, metadata: dict[str, str]
) -> dict[str, Any]:
    return {
        "id": customer_id,
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": at // SECOND,
        "currency": currency,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": email,
        "livemode": True,
        "metadata": metadata,
        "name": name,
        "phone": None,
        "preferred_locales": [],
        "tax_exempt": "none",
        "test_clock": None,
    }


def price_object(price: dict[str, Any], new: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """The price and the older `plan` of the same thing."""
    recurring = {
        "interval": price["interval"],
        "interval_count": 1,
        "trial_period_days": None,
        "usage_type": "licensed",
    }
    recurring |= {"meter": None} if new else {"aggregate_usage": None}
    shared = {
        "active": True,
        "billing_scheme": "per_unit",
        "created": price["created"],
        "currency": price["currency"],
        "livemode": True,
        "metadata": {},
        "nickname": price["nickname"],
        "product": price["product"],
        "tiers_mode": None,
    }
    body = {
        "id": price["id"],
        "object": "price",
        **shared,
        "lookup_key": None,
        "recurring": recurring,
        "tax_behavior": "unspecified",
        "transform_quantity": None,
        "type": "recurring",
        "unit_amount": price["amount"],
        "unit_amount_decimal": str(price["amount"]),
    }
    plan = {
        "id": price["id"],
        "object": "plan",
        **shared,
        "amount": price["amount"],
        "amount_decimal": str(price["amount"]),
        "transform_usage": None,
        **recurring,
    }
    return body, plan


def subscription_object(sub: Any, new: bool) -> dict[str, Any]:
    """The subscription as it stands, in the new or the old shape."""
    price, plan = price_object(sub.price, new)
    period = {
        "current_period_end": sub.period_end // SECOND,
        "current_period_start": sub.period_start // SECOND,
    }
    item = {
        "id": sub.item_id,
        "object": "subscription_item",
        "created": sub.created // SECOND,
        "metadata": {},
        "price": price,
        "plan": plan,
        "quantity": sub.quantity,
        "subscription": sub.subscription_id,
        "tax_rates": [],
    }
    if new:
        item |= {**period, "discounts": []}
    body: dict[str, Any] = {
        "id": sub.subscription_id,
        "object": "subscription",
        "application_fee_percent": None,
        "billing_cycle_anchor": sub.anchor // SECOND,
        "cancel_at": _second(sub.cancel_at),
        "cancel_at_period_end": sub.cancel_at_period_end,
        "canceled_at": _second(sub.canceled_at),
        "collection_method": "charge_automatically",
        "created": sub.created // SECOND,
        "currency": sub.price["currency"],
        "customer": sub.customer_id,
        "days_until_due": None,
        "default_tax_rates": [],
        "ended_at": _second(sub.ended_at),
        "items": {
            "object": "list",
            "data": [item],
            "has_more": False,
            "total_count": 1,
            "url": f"/v1/subscription_items?subscription={sub.subscription_id}",
        },
        "latest_invoice": sub.latest_invoice,
        "livemode": True,
        "metadata": sub.metadata,
        "pause_collection": None,
        "schedule": None,
        "start_date": sub.created // SECOND,
        "status": sub.status,
        "test_clock": None,
        "trial_end": _second(sub.trial_end),
        "trial_start": _second(sub.trial_start),
    }
    if new:
        body |= {
            "discounts": [],
            "cancellation_details": {"comment": None, "feedback": None, "reason": sub.reason},
        }
    else:
        body |= {**period, "discount": None, "plan": plan, "quantity": sub.quantity}
    return body


def invoice_object(sub: Any, invoice: dict[str, Any], new: bool) -> dict[str, Any]:
    price, plan = price_object(sub.price, new)
    amount, paid = invoice["amount"], invoice["paid"]
    line: dict[str, Any] = {
        "id": f"il_{invoice['id'][3:]}",
        "object": "line_item",
        "amount": amount,
        "currency": sub.price["currency"],
        "description": f"{sub.quantity} × {sub.price['nickname']}",
        "discountable": True,
        "discounts": [],
        "livemode": True,
        "metadata": {},
        "period": {"end": sub.period_end // SECOND, "start": sub.period_start // SECOND},
        "quantity": sub.quantity,
    }
    body: dict[str, Any] = {
        "id": invoice["id"],
        "object": "invoice",
        "amount_due": amount,
        "amount_paid": amount if paid else 0,
        "amount_remaining": 0 if paid else amount,
        "attempt_count": invoice["attempts"],
        "attempted": invoice["attempts"] > 0,
        "auto_advance": not paid,
        "billing_reason": invoice["reason"],
        "collection_method": "charge_automatically",
        "created": invoice["created"] // SECOND,
        "currency": sub.price["currency"],
        "customer": sub.customer_id,
        "customer_email": None,
        "due_date": None,
        "livemode": True,
        "metadata": {},
        "number": invoice["number"],
        "period_end": sub.period_end // SECOND,
        "period_start": sub.period_start // SECOND,
        "status": "paid" if paid else "open",
        "subtotal": amount,
        "total": amount,
        "status_transitions": {
            "finalized_at": invoice["created"] // SECOND,
            "paid_at": _second(invoice["paid_at"]),
            "voided_at": None,
            "marked_uncollectible_at": None,
        },
    }
    if new:
        line |= {
            "parent": {
                "type": "subscription_item_details",
                "invoice_item_details": None,
                "subscription_item_details": {
                    "proration": False,
                    "subscription": sub.subscription_id,
                    "subscription_item": sub.item_id,
                },
            },
            "pricing": {
                "type": "price_details",
                "unit_amount_decimal": str(sub.price["amount"]),
                "price_details": {"price": sub.price["id"], "product": sub.price["product"]},
            },
        }
        body["parent"] = {
            "type": "subscription_details",
            "quote_details": None,
            "subscription_details": {"metadata": sub.metadata, "subscription": sub.subscription_id},
        }
    else:
        line |= {
            "plan": plan,
            "price": price,
            "proration": False,
            "subscription": sub.subscription_id,
            "subscription_item": sub.item_id,
            "type": "subscription",
        }
        body |= {
            "charge": invoice["charge"],
            "discount": None,
            "paid": paid,
            "subscription": sub.subscription_id,
            "tax": None,
        }
    body["lines"] = {
        "object": "list",
        "data": [line],
        "has_more": False,
        "total_count": 1,
        "url": f"/v1/invoices/{invoice['id']}/lines",
    }
    return body


def charge_object(sub: Any, invoice: dict[str, Any], at: int, refunded: int = 0) -> dict[str, Any]:
    amount, good = invoice["amount"], invoice["paid"]
    return {
        "id": invoice["charge"],
        "object": "charge",
        "amount": amount,
        "amount_captured": amount if good else 0,
        "amount_refunded": refunded,
        "billing_details": {"address": None, "email": sub.email, "name": sub.name, "phone": None},
        "captured": good,
        "created": at // SECOND,
        "currency": sub.price["currency"],
        "customer": sub.customer_id,
        "disputed": False,
        "failure_code": None if good else "card_declined",
        "failure_message": None if good else "Your card was declined.",
        "invoice": invoice["id"],
        "livemode": True,
        "metadata": {},
        "paid": good,
        "payment_intent": f"pi_{invoice['charge'][3:]}",
        "refunded": refunded >= amount > 0,
        "status": "succeeded" if good else "failed",
    }


def _second(instant: int | None) -> int | None:
    return None if instant is None else instant // SECOND
