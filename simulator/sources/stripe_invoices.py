"""Stripe's invoices and charges in both API shapes.

Until 2025-03-31 an invoice names its `subscription`; after it, its `parent`. Shapes only.
"""

from __future__ import annotations

from typing import Any

from simulator.sources.stripe_objects import price_object, seconds
from simulator.timeline import SECOND


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
            "paid_at": seconds(invoice["paid_at"]),
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
