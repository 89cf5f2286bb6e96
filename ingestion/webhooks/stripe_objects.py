"""A Stripe object outside an event, as the event that would have told of it.

What `stripe subscriptions list` prints, or a page of the API, holds objects and not events: how each is
now, not how it came to be. Each becomes one event, dated by the newest time that the object itself names,
so that a later export of a changed object adds a version and the same export again adds nothing. Belongs
here: which event, and when. Does not belong here: reading events (`stripe`), tables (`stripe_exports`).
"""

from collections.abc import Callable
from typing import Any

from ingestion.privacy.scrub import name_shown
from ingestion.webhooks.common import NotAnEvent

SNAPSHOT = "snapshot"  # says in the stored event that nobody sent it


def event_of(held: dict[str, Any]) -> dict[str, Any]:
    """The event; its `id` is for whoever knows the content as it is stored to give.

    Raises NotAnEvent where the object has no kind, no id, or no time.
    """
    kind = held.get("object")
    if not isinstance(kind, str) or not kind:
        raise NotAnEvent("not_an_event", "The record is no Stripe object: it has no `object`.")
    object_id = held.get("id")
    if not isinstance(object_id, str) or not object_id:
        named = name_shown(kind)
        what = f"of kind {named!r}" if named else "of some kind"
        raise NotAnEvent(
            "no_id", f"The object {what} has no `id`, so it cannot be told from others."
        )
    kinds = _EVENTS.get(kind)
    return {
        "object": "event",
        SNAPSHOT: True,
        "type": kinds(held) if kinds else f"{kind}.updated",
        "created": _newest_time(held),
        "livemode": held.get("livemode") is not False,
        "data": {"object": held},
    }


def _subscription(held: dict[str, Any]) -> str:
    is_over = held.get("ended_at") or held.get("status") in ("canceled", "incomplete_expired")
    return "customer.subscription." + ("deleted" if is_over else "updated")


def _invoice(held: dict[str, Any]) -> str:
    by_status = {
        "paid": "paid", "void": "voided", "uncollectible": "marked_uncollectible",
        "open": "finalized",
    }  # fmt: skip
    return "invoice." + by_status.get(str(held.get("status")), "updated")


def _charge(held: dict[str, Any]) -> str:
    if held.get("amount_refunded"):
        return "charge.refunded"
    by_status = {"failed": "failed", "pending": "pending"}
    return "charge." + by_status.get(str(held.get("status")), "succeeded")


def _customer(held: dict[str, Any]) -> str:
    return "customer." + ("deleted" if held.get("deleted") is True else "updated")


_EVENTS: dict[str, Callable[[dict[str, Any]], str]] = {
    "subscription": _subscription,
    "invoice": _invoice,
    "charge": _charge,
    "customer": _customer,
    "discount": lambda held: "customer.discount.created",
}
# where an object says when something became of it, beside `created`; ends of periods lie ahead
_TIMES: dict[str, tuple[str, ...]] = {
    "subscription": ("start_date", "current_period_start", "canceled_at", "ended_at"),
    "discount": ("start",),
}
_TIMES_WITHIN = {"invoice": "status_transitions"}
_TIMES_OF_ROWS = {
    "subscription": ("items", "current_period_start"),
    "charge": ("refunds", "created"),
}


def _newest_time(held: dict[str, Any]) -> int | None:
    kind = held["object"]
    found = [held.get(name) for name in ("created", *_TIMES.get(kind, ()))]
    within = held.get(_TIMES_WITHIN.get(kind, ""))
    found += within.values() if isinstance(within, dict) else []
    rows, name = _TIMES_OF_ROWS.get(kind, ("", ""))
    listed = held.get(rows)
    data = listed.get("data") if isinstance(listed, dict) else None
    found += [row.get(name) for row in data or [] if isinstance(row, dict)]
    return max((one for one in found if type(one) is int), default=None)
