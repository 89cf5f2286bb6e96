"""Stripe's customers, prices and subscriptions in both API shapes.

Until 2025-03-31 a subscription carries `current_period_*` and `plan`; after it the items carry the
period. Shapes only: what they hold is decided in `subscription`. Invoices: `stripe_invoices`.
"""

from __future__ import annotations

from typing import Any

from simulator.sources.lines import Item
from simulator.timeline import SECOND


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
        "usage_type": price.get("usage_type", "licensed"),
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
    period = {
        "current_period_end": sub.period_end // SECOND,
        "current_period_start": sub.period_start // SECOND,
    }
    items = [item_object(sub, item, period if new else None) for item in sub.items]
    body: dict[str, Any] = {
        "id": sub.subscription_id,
        "object": "subscription",
        "application_fee_percent": None,
        "billing_cycle_anchor": sub.anchor // SECOND,
        "cancel_at": seconds(sub.cancel_at),
        "cancel_at_period_end": sub.cancel_at_period_end,
        "canceled_at": seconds(sub.canceled_at),
        "collection_method": "charge_automatically",
        "created": sub.created // SECOND,
        "currency": sub.price["currency"],
        "customer": sub.customer_id,
        "days_until_due": None,
        "default_tax_rates": [],
        "ended_at": seconds(sub.ended_at),
        "items": {
            "object": "list",
            "data": items,
            "has_more": False,
            "total_count": len(items),
            "url": f"/v1/subscription_items?subscription={sub.subscription_id}",
        },
        "latest_invoice": sub.latest_invoice,
        "livemode": True,
        "metadata": sub.metadata,
        "pause_collection": {"behavior": "void", "resumes_at": None} if sub.paused else None,
        "schedule": None,
        "start_date": sub.created // SECOND,
        "status": sub.status,
        "test_clock": None,
        "trial_end": seconds(sub.trial_end),
        "trial_start": seconds(sub.trial_start),
    }
    if new:
        body |= {
            "discounts": [sub.discount["id"]] if sub.discount else [],
            "cancellation_details": {"comment": None, "feedback": None, "reason": sub.reason},
        }
    else:
        # of several items none is the subscription's
        only = items[0] if len(items) == 1 else {"plan": None, "quantity": None}
        body |= {
            **period,
            "discount": sub.discount,
            "plan": only["plan"],
            "quantity": only.get("quantity"),
        }
    return body


def item_object(sub: Any, item: Item, period: dict[str, int] | None) -> dict[str, Any]:
    """One item; the new shape has the `period` on it."""
    price, plan = price_object(item.price, period is not None)
    body = {
        "id": item.item_id,
        "object": "subscription_item",
        "created": (item.created or sub.created) // SECOND,
        "metadata": {},
        "price": price,
        "plan": plan,
        "quantity": item.quantity,
        "subscription": sub.subscription_id,
        "tax_rates": [],
    }
    if item.is_metered:
        del body["quantity"]
    return body if period is None else {**body, **period, "discounts": []}


def seconds(instant: int | None) -> int | None:
    return None if instant is None else instant // SECOND


def discount_object(
    sub: Any, discount_id: str, at: int, percent: int, duration: str
) -> dict[str, Any]:
    return {
        "id": discount_id,
        "object": "discount",
        "checkout_session": None,
        "coupon": {
            "id": f"{duration}{percent}",
            "object": "coupon",
            "amount_off": None,
            "created": sub.price["created"],
            "currency": None,
            "duration": duration,
            "duration_in_months": None,
            "livemode": True,
            "metadata": {},
            "name": f"{percent} % off, {duration}",
            "percent_off": float(percent),
            "valid": True,
        },
        "customer": sub.customer_id,
        "end": None,
        "invoice": None,
        "invoice_item": None,
        "promotion_code": None,
        "start": at // SECOND,
        "subscription": sub.subscription_id,
    }
