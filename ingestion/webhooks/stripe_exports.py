"""A row of an export of Stripe's Dashboard (CSV), as the object that the API would list.

The exports of subscriptions and of payments hold what MRR and cash are made of, and are known by their
columns. A row whose amount would be a guess is refused: with a coupon, the export names it and not its
worth. Belongs here: columns, amounts, times of the exports. Does not belong here: what becomes of an
object (`stripe_objects`).
"""

import csv
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from ingestion.values.outcomes import Rejected
from ingestion.webhooks.common import NotAnEvent

Reader = Callable[[bytes], "dict[str, Any] | Rejected"]

# Currencies that Stripe counts in whole units or in thousandths, https://docs.stripe.com/currencies
_WHOLE = frozenset({
    *("bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga"),
    *("pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf"),
})  # fmt: skip
_THOUSANDTHS = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
_AMOUNT = re.compile(r"-?\d+(?:\.\d+)?")
_GROUPED = re.compile(r"-?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_COMMA = re.compile(r"-?\d+,\d{1,2}")  # of a country that writes 9,99
_INTERVAL = re.compile(r"(?:every )?(?:(\d+) )?(day|week|month|year)s?", re.IGNORECASE)
_METADATA = re.compile(r"(.+) \(metadata\)")
_STATUSES = {  # of a payment: status of the charge, whether it is captured
    "paid": ("succeeded", True),
    "succeeded": ("succeeded", True),
    "refunded": ("succeeded", True),
    "partial refund": ("succeeded", True),
    "partially refunded": ("succeeded", True),
    "disputed": ("succeeded", True),
    "uncaptured": ("succeeded", False),
    "pending": ("pending", False),
    "failed": ("failed", False),
    "blocked": ("failed", False),
    "canceled": ("failed", False),
}


def is_export(path: str) -> bool:
    """Whether a file's name says that it is a table; what it is packed in may follow."""
    return ".csv" in path.rsplit("/", 1)[-1].lower()


def reader(header: bytes) -> Reader:
    """What reads a row below this header; every row is refused where nobody knows the columns."""
    try:
        columns = _cells(header)
    except ValueError:
        columns = []
    known = set(columns)
    if {"id", "Customer ID", "Status", "Interval", "Current Period Start (UTC)"} <= known:
        make = _subscription
    elif {"id", "Amount", "Amount Refunded", "Currency", "Status", "Created date (UTC)"} <= known:
        make = _charge
    else:
        return lambda line: Rejected("unknown_export", _unknown(known))

    def read(line: bytes) -> dict[str, Any] | Rejected:
        try:
            cells = _cells(line)
        except ValueError as error:
            return Rejected("invalid_csv", f"The row cannot be read: {error}.")
        if len(cells) != len(columns):
            return Rejected(
                "invalid_csv", f"The row has {len(cells)} fields, the header {len(columns)}."
            )
        row = {
            name: cell.strip() for name, cell in zip(columns, cells, strict=True) if cell.strip()
        }
        try:
            return make(row)
        except NotAnEvent as other:
            return other.outcome

    return read


def _cells(line: bytes) -> list[str]:
    try:
        text = line.decode("utf-8-sig").rstrip("\r\n")
        return next(csv.reader([text], strict=True), [])
    except csv.Error as error:
        raise ValueError(str(error)) from error


def _unknown(columns: set[str]) -> str:
    if any(name.startswith(("Created", "Current Period Start")) and "(UTC)" not in name
           for name in columns):  # fmt: skip
        return "The export's times are not in UTC. Choose UTC as the time zone of the export."
    return (
        "The columns are those of no export that is read. Export subscriptions or payments of the"
        " Dashboard, with all columns, or list others with Stripe's command line:"
        " `stripe invoices list`."
    )


def _subscription(row: Mapping[str, str]) -> dict[str, Any]:
    if "Coupon" in row:
        raise NotAnEvent(
            "unknown_discount",
            "The subscription has a coupon, and the export does not say what it is worth. List it"
            " with Stripe's command line: `stripe subscriptions list`.",
        )
    currency = _currency(row)
    interval = _INTERVAL.fullmatch(row.get("Interval", ""))
    if interval is None:
        raise NotAnEvent("bad_interval", "`Interval` is no number of days, weeks, months or years.")
    if "Amount" not in row:
        raise NotAnEvent(
            "no_amount",
            "The row has no `Amount`: its price has tiers or several items. List it with Stripe's"
            " command line: `stripe subscriptions list`.",
        )
    quantity = row.get("Quantity", "1")
    if not quantity.isdecimal():
        raise NotAnEvent("bad_quantity", "`Quantity` is no whole number.")
    return {
        "object": "subscription",
        "id": row.get("id"),
        "customer": row.get("Customer ID"),
        "customer_email": row.get("Customer Email"),
        "status": row["Status"].lower().replace(" ", "_") if "Status" in row else None,
        "currency": currency,
        "quantity": int(quantity),
        "plan": {
            "object": "plan",
            "id": row.get("Plan"),
            "product": row.get("Product"),
            "amount": _minor(row, "Amount", currency),
            "currency": currency,
            "interval": interval[2].lower(),
            "interval_count": int(interval[1] or 1),
        },
        "created": _time(row, "Created (UTC)"),
        "start_date": _time(row, "Start Date (UTC)") or _time(row, "Start (UTC)"),
        "current_period_start": _time(row, "Current Period Start (UTC)"),
        "current_period_end": _time(row, "Current Period End (UTC)"),
        "trial_start": _time(row, "Trial Start (UTC)"),
        "trial_end": _time(row, "Trial End (UTC)"),
        "canceled_at": _time(row, "Canceled At (UTC)"),
        "ended_at": _time(row, "Ended At (UTC)"),
        "cancel_at_period_end": row.get("Cancel At Period End", "").lower() == "true",
        "metadata": _metadata(row),
        "livemode": True,
    }


def _charge(row: Mapping[str, str]) -> dict[str, Any]:
    currency = _currency(row)
    known = _STATUSES.get(row.get("Status", "").lower())
    if known is None:
        raise NotAnEvent("bad_status", "`Status` is none that a payment of the export has.")
    status, is_captured = known
    refunded = _minor(row, "Amount Refunded", currency)
    refunded_at = _time(row, "Refunded date (UTC)")
    return {
        "object": "charge",
        "id": row.get("id"),
        "customer": row.get("Customer ID"),
        "receipt_email": row.get("Customer Email"),
        "invoice": row.get("Invoice ID"),
        "payment_intent": row.get("PaymentIntent ID"),
        "status": status,
        "paid": status == "succeeded",
        "captured": is_captured and row.get("Captured", "true").lower() == "true",
        "currency": currency,
        "amount": _minor(row, "Amount", currency),
        "amount_refunded": refunded,
        "refunds": {"object": "list", "data": [{"created": refunded_at}] if refunded_at else []},
        "created": _time(row, "Created date (UTC)"),
        "metadata": _metadata(row),
        "livemode": row.get("Mode", "Live").lower() != "test",
    }


def _metadata(row: Mapping[str, str]) -> dict[str, str]:
    found = ((_METADATA.fullmatch(name), cell) for name, cell in row.items())
    return {name[1]: cell for name, cell in found if name}


def _currency(row: Mapping[str, str]) -> str:
    currency = row.get("Currency", "").lower()
    if len(currency) != 3 or not currency.isascii() or not currency.isalpha():
        raise NotAnEvent("bad_currency", "`Currency` is no code of three letters.")
    return currency


def _minor(row: Mapping[str, str], name: str, currency: str) -> int:
    """An amount in the units that the API counts in, exactly."""
    text = row.get(name, "0")
    places = 0 if currency in _WHOLE else 3 if currency in _THOUSANDTHS else 2
    if _GROUPED.fullmatch(text) and (places < 3 or "." in text):
        text = text.replace(",", "")
    elif _COMMA.fullmatch(text):
        text = text.replace(",", ".")
    value = Decimal(text) * 10**places if _AMOUNT.fullmatch(text) else None
    if value is None or value != value.to_integral_value():
        raise NotAnEvent(
            "bad_amount", f"`{name}` is no amount of {currency.upper()}, as in 1234.50."
        )
    return int(value)


def _time(row: Mapping[str, str], name: str) -> int | None:
    text = row.get(name)
    if text is None:
        return None
    try:
        return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())
    except ValueError as error:
        raise NotAnEvent("bad_time", f"`{name}` is no time, as in 2026-03-01 10:00.") from error
