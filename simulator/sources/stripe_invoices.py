"""Stripe's invoices and charges in both API shapes.

Until 2025-03-31 an invoice names its `subscription`; after it, its `parent`. Shapes only.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from simulator.sources.lines import Line
from simulator.sources.stripe_objects import price_object, seconds
from simulator.timeline import SECOND


def invoice_object(sub: Any, invoice: dict[str, Any], new: bool) -> dict[str, Any]:
    amount, paid = invoice["amount"], invoice["paid"]
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
        body["parent"] = {
            "type": "subscription_details",
            "quote_details": None,
            "subscription_details": {"metadata": sub.metadata, "subscription": sub.subscription_id},
        }
    else:
        body |= {
            "charge": invoice["charge"],
            "discount": None,
            "paid": paid,
            "subscription": sub.subscription_id,
            "tax": None,
        }
    body["lines"] = {
        "object": "list",
        "data": [
            line_object(sub, line_id(invoice["id"], place), line, new)
            for place, line in enumerate(invoice["lines"])
        ],
        "has_more": False,
        "total_count": len(invoice["lines"]),
        "url": f"/v1/invoices/{invoice['id']}/lines",
    }
    return body


def line_id(invoice_id: str, place: int) -> str:
    return f"il_{invoice_id[3:]}{place or ''}"


def line_object(sub: Any, name: str, line: Line, new: bool) -> dict[str, Any]:
    """A line of a whole period, or a proration: part of one, charged or given back."""
    price, plan = price_object(line.price, new)
    is_proration = line.invoice_item is not None
    body: dict[str, Any] = {
        "id": name,
        "object": "line_item",
        "amount": line.amount,
        "currency": line.price["currency"],
        "description": line.text,
        "discountable": not is_proration,
        "discounts": [],
        "livemode": True,
        "metadata": {},
        "period": {"end": line.end // SECOND, "start": line.start // SECOND},
        "quantity": line.quantity,
    }
    details: dict[str, Any] = {
        "proration": is_proration,
        "subscription": sub.subscription_id,
        "subscription_item": line.item_id,
    }
    if is_proration:
        credited = None
        if line.credited:
            invoice, billed = line.credited
            credited = {"invoice": invoice, "invoice_line_items": [billed]}
        details |= {
            "invoice_item": line.invoice_item,
            "proration_details": {"credited_items": credited},
        }
    if not new:
        kind = "invoiceitem" if is_proration else "subscription"
        return {**body, "plan": plan, "price": price, **details, "type": kind}
    unit = str(line.price["amount"])
    if is_proration:
        unit = format(round(Decimal(line.amount) / line.quantity, 12).normalize(), "f")
    return {
        **body,
        "parent": {
            "type": "subscription_item_details",
            "invoice_item_details": None,
            "subscription_item_details": details,
        },
        "pricing": {
            "type": "price_details",
            "unit_amount_decimal": unit,
            "price_details": {"price": line.price["id"], "product": line.price["product"]},
        },
    }


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
