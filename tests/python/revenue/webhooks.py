"""Webhook bodies as Stripe and RevenueCat write them, with no more in them than a test says.

Belongs here: shapes. Does not belong here: what a body is worth.
"""

from datetime import datetime
from typing import Any


def seconds(at: str) -> int:
    """`2026-02-01` or `2026-02-01T10:00:00`, UTC, in seconds since 1970."""
    return int(
        datetime.fromisoformat(at + ("+00:00" if "T" in at else "T00:00:00+00:00")).timestamp()
    )


def price(
    amount: int, interval: str = "month", currency: str = "usd", **more: Any
) -> dict[str, Any]:
    """A price of the new kind; `plan_of` makes the old kind of it."""
    return {
        "id": f"price_{amount}_{interval}_{currency}",
        "object": "price",
        "currency": currency,
        "unit_amount": amount,
        "recurring": {"interval": interval, "interval_count": 1, "usage_type": "licensed"},
        **more,
    }


def plan_of(price: dict[str, Any]) -> dict[str, Any]:
    recurring = price["recurring"]
    named = {name: price[name] for name in ("tiers", "tiers_mode") if name in price}
    return {
        "id": price["id"],
        "amount": price["unit_amount"],
        "amount_decimal": price.get("unit_amount_decimal"),
        "currency": price["currency"],
        **recurring,
        **named,
    }


def event(name: str, kind: str, at: str, body: dict[str, Any]) -> dict[str, Any]:
    """An event of anything else."""
    return {
        "id": f"evt_{name}",
        "object": "event",
        "type": kind,
        "created": seconds(at),
        "livemode": True,
        "data": {"object": body},
    }


def subscription(
    name: str,
    kind: str,
    at: str,
    *items: dict[str, Any],
    status: str = "active",
    new_shape: bool = True,
    previous: dict[str, Any] | None = None,
    live: bool = True,
    quantity: int = 1,
    **fields: Any,
) -> dict[str, Any]:
    """An event of the subscription `sub_<name>` of `cus_<name>`, whose tenant is `name`."""
    ends = {"current_period_start": seconds(at), "current_period_end": seconds("2027-01-01")}
    listed = [
        {
            "id": f"si_{n}",
            "quantity": quantity,
            **({"price": item, **ends} if new_shape else {"plan": plan_of(item)}),
        }
        for n, item in enumerate(items)
    ]
    subject = {
        "id": f"sub_{name}",
        "object": "subscription",
        "customer": fields.pop("customer", f"cus_{name}"),
        "currency": items[0]["currency"],
        "status": status,
        "items": {"object": "list", "data": listed},
        "metadata": {"tenant_id": fields.pop("tenant", name)},
        "cancel_at_period_end": False,
        "pause_collection": None,
        **({} if new_shape else ends),
        **fields,
    }
    data: dict[str, Any] = {"object": subject}
    if previous is not None:
        data["previous_attributes"] = previous
    return {
        "id": f"evt_{name}_{kind}_{seconds(at)}_{len(str(subject))}",
        "object": "event",
        "type": f"customer.subscription.{kind}",
        "api_version": "2025-03-31.basil" if new_shape else "2020-08-27",
        "created": seconds(at),
        "livemode": live,
        "data": data,
    }


def coupon(
    name: str, made: str = "2025-01-01", kind: str = "created", **terms: Any
) -> dict[str, Any]:
    """An event of a coupon, for ever unless `duration` says otherwise."""
    held = {"id": name, "object": "coupon", "created": seconds(made), "duration": "forever"}
    return event(f"coupon_{name}_{kind}_{made}", f"coupon.{kind}", made, {**held, **terms})


def discount(
    name: str, coupon: str | dict[str, Any], at: str, new_shape: bool = True, **more: Any
) -> dict[str, Any]:
    """The object: its coupon below `source` by id alone (new), or on it as an object (old)."""
    held = {"source": {"type": "coupon", "coupon": coupon}} if new_shape else {"coupon": coupon}
    return {
        "id": f"di_{name}",
        "object": "discount",
        "start": seconds(at),
        "end": None,
        **held,
        **more,
    }


def of_customer(
    customer: str, kind: str, at: str, held: dict[str, Any], subscription: str | None = None
) -> dict[str, Any]:
    """An event of a discount of `cus_<customer>`, or of one of its subscriptions."""
    body = {**held, "customer": f"cus_{customer}", "subscription": subscription}
    return event(f"{held['id']}_{kind}_{customer}_{at}", f"customer.discount.{kind}", at, body)


def invoice(name: str, at: str, price_id: str, quantity: int, amount: int) -> dict[str, Any]:
    """The paid invoice of `cus_<name>` for a month of so many of a price, in dollars."""
    line = {
        "id": f"il_{name}",
        "object": "line_item",
        "amount": amount,
        "currency": "usd",
        "quantity": quantity,
        "pricing": {"type": "price_details", "price_details": {"price": price_id}},
        "period": {"start": seconds(at), "end": seconds(at) + 28 * 86_400},
    }
    subject = {
        "id": f"in_{name}",
        "object": "invoice",
        "customer": f"cus_{name}",
        "currency": "usd",
        "status": "paid",
        "amount_due": amount,
        "amount_paid": amount,
        "total": amount,
        "created": seconds(at),
        "parent": {"subscription_details": {"subscription": f"sub_{name}"}},
        "lines": {"object": "list", "data": [line]},
    }
    return {
        "id": f"evt_{name}_invoice_{seconds(at)}",
        "object": "event",
        "type": "invoice.paid",
        "api_version": "2025-03-31.basil",
        "created": seconds(at),
        "livemode": True,
        "data": {"object": subject},
    }


# where a line of the new API says that it settles a change within a period
PRORATIONS = ("subscription_item_details", "invoice_item_details")


def prorated(
    name: str, at: str, price_id: str, quantity: int, amount: int, home: str
) -> dict[str, Any]:
    """An invoice of the rest of a period alone, of so many of a price."""
    body = invoice(name, at, price_id, quantity, amount)
    body["id"] += f"_{home}"
    held = body["data"]["object"]
    held["id"] += f"_{home}"
    details = {"invoice_item": f"ii_{name}", "proration": True, "subscription": f"sub_{name}"}
    held["lines"]["data"][0]["parent"] = {"type": home, home: details}
    return body


def store(
    name: str, kind: str, at: str, price: float, begins: str, ends: str, **more: Any
) -> dict[str, Any]:
    """A RevenueCat event of the subscription `name`, bought by the user `name` of the tenant `name`."""
    return {
        "api_version": "1.0",
        "event": {
            "id": f"{name}-{kind}-{at}",
            "type": kind,
            "event_timestamp_ms": seconds(at) * 1000,
            "purchased_at_ms": seconds(begins) * 1000,
            "expiration_at_ms": seconds(ends) * 1000,
            "original_transaction_id": name,
            "transaction_id": f"{name}-{begins}",
            "product_id": "pro",
            "period_type": "NORMAL",
            "environment": "PRODUCTION",
            "store": "APP_STORE",
            "app_user_id": name,
            "original_app_user_id": name,
            "aliases": [name],
            "price": price,
            "currency": "USD",
            "subscriber_attributes": {"tenant_id": {"value": name, "updated_at_ms": 1}},
            **more,
        },
    }
