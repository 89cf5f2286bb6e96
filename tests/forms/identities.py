"""Ids of events and of people, webhooks, and contracts that cannot be used.

Belongs here: what identifies, and what identifies nobody. Does not belong here: ids made of columns
(`delimited`).
"""

import json
from typing import Any

from tests.forms import Form, Outcome
from tests.forms.records import CONTRACT, record

READ, REFUSED, ASIDE = Outcome.READ, Outcome.REFUSED, Outcome.KEPT_ASIDE
IDS, HOOKS, FAULTS = "Ids", "Webhooks", "Contracts"
STRIPE = "kind: webhooks\nprovider: stripe\naccounts: {PRODUCT: {product: PRODUCT}}\n"
REVENUECAT = "kind: webhooks\nprovider: revenuecat\nprojects: {PRODUCT: {product: PRODUCT}}\n"
NOBODY = {
    "object": "event", "id": "evt_nobody", "type": "customer.created", "created": 1772359200,
    "livemode": True, "data": {"object": {
        "object": "customer", "id": "cus_1", "metadata": {"user_id": "undefined"},
    }},
}  # fmt: skip


def person(
    name: str, user_id: Any, stored: str | None, outcome: Outcome = READ, sentence: str = ""
) -> Form:
    """An event's user id, as it is stored."""
    files = {"events/PRODUCT/a.jsonl": record(user_id=user_id)}
    rows = () if outcome is REFUSED else ({"user_source_id": stored},)
    return Form(name, IDS, "events", files, CONTRACT, outcome, sentence, rows)


def stripe(name: str, outcome: Outcome, sentence: str = "", **changes: Any) -> Form:
    """A Stripe event with changes; a change to None leaves the field out."""
    event = {"object": "event", "id": f"evt_{abs(hash_of(name))}", "type": "customer.created",
             "created": 1772359200, "livemode": True,
             "data": {"object": {"object": "customer", "id": "cus_1"}}, **changes}  # fmt: skip
    body = json.dumps({key: value for key, value in event.items() if value is not None}).encode()
    rows = ({"event_type": "customer.created", "customer_id": "cus_1"},) if outcome is READ else ()
    return Form(name, HOOKS, "stripe", {"stripe/PRODUCT/a.jsonl": body}, STRIPE, outcome, sentence,
                rows)  # fmt: skip


LISTED_EVENT = {
    "object": "event", "id": "evt_listed", "type": "customer.created", "created": 1772359200,
    "livemode": True, "data": {"object": {"object": "customer", "id": "cus_1"}},
}  # fmt: skip
SUBSCRIPTION = {
    "object": "subscription", "id": "sub_1", "customer": "cus_1", "status": "active",
    "created": 1772359200, "current_period_start": 1775037600, "cancel_at": 1893456000,
}  # fmt: skip
EXPORT = (
    "id,Customer ID,Plan,Quantity,Currency,Interval,Amount,Status,Coupon,Created (UTC),"
    "Current Period Start (UTC)\n"
    "sub_1,cus_1,pro,1,eur,month,9.99,active,,2026-03-01 10:00,2026-04-01 10:00\n"
)
BEGUN = "2026-04-01 10:00:00+00"  # the newest time that it names and that is past


def listed(
    name: str, data: list[dict[str, Any]], sentence: str = "", *, lines: bool = False
) -> Form:
    """Objects on lines of their own, or in a page as the API and its command line print them."""
    page = {"object": "list", "data": data, "has_more": False, "url": "/v1/subscriptions"}
    body = b"\n".join(json.dumps(one).encode() for one in data)
    if not lines:
        body = json.dumps(page, indent=2).encode()
    rows = [
        {"event_type": "customer.created", "customer_id": "cus_1"}
        if one["object"] == "event"
        else {"event_type": "customer.subscription.updated", "object_id": one["id"],
              "created_at": BEGUN, "customer_id": "cus_1", "payload.data.object.has_more": None}
        for one in data
    ]  # fmt: skip
    outcome = REFUSED if sentence else READ
    return Form(name, HOOKS, "stripe", {"stripe/PRODUCT/a.json": body}, STRIPE, outcome, sentence,
                () if sentence else tuple(rows))  # fmt: skip


def hash_of(text: str) -> int:
    """The same number for the same text in every run."""
    return sum(place * byte for place, byte in enumerate(text.encode(), 1))


def revenuecat(name: str, outcome: Outcome, sentence: str = "", **changes: Any) -> Form:
    """A RevenueCat webhook with changes."""
    event = {"id": f"rc-{hash_of(name)}", "type": "RENEWAL", "app_user_id": "ada",
             "event_timestamp_ms": 1772359200000, "environment": "PRODUCTION", **changes}  # fmt: skip
    body = json.dumps({"event": {k: v for k, v in event.items() if v is not None}}).encode()
    rows = ({"event_type": "RENEWAL", "app_user_id": "ada"},) if outcome is READ else ()
    return Form(name, HOOKS, "revenuecat", {"revenuecat/PRODUCT/a.jsonl": body}, REVENUECAT, outcome,
                sentence, rows)  # fmt: skip


def fault(name: str, said: str, sentence: str) -> Form:
    """A contract that cannot be used; its files wait."""
    files = {"events/PRODUCT/a.jsonl": record()}
    return Form(name, FAULTS, "events", files, CONTRACT + said, REFUSED, sentence)


FORMS = (
    person("a text", "u1", "u1"),
    person("a whole number", 17, "17"),
    person("no user", None, None),
    person("a number with a fraction", 1.5, None, REFUSED, "user_id is a number;"),
    person("`undefined`", "undefined", None, ASIDE, "envelope user_id placeholder_id"),
    person("`[object Object]`", "[object Object]", None, ASIDE, "envelope user_id placeholder_id"),
    person("an id of nothing but blanks", " \u200b ", None, ASIDE, "envelope user_id placeholder_id"),
    person("the nil UUID", "00000000-0000-0000-0000-000000000000", None, ASIDE,
           "envelope user_id placeholder_id"),
    Form("no event id", IDS, "events", {"events/PRODUCT/a.jsonl": record(event_id=None)}, CONTRACT,
         REFUSED, "The record has no event id."),
    stripe("an Event object", READ),
    listed("an object as the API lists it", [SUBSCRIPTION], lines=True),
    listed("a page of a list of objects", [SUBSCRIPTION, {**SUBSCRIPTION, "id": "sub_2"}]),
    listed("a page of a list of events", [LISTED_EVENT]),
    Form("an export of subscriptions (CSV of the Dashboard)", HOOKS, "stripe",
         {"stripe/PRODUCT/a.csv": EXPORT.encode()}, STRIPE, READ, "",
         ({"event_type": "customer.subscription.updated", "object_id": "sub_1",
           "created_at": BEGUN, "payload.data.object.plan.amount": "999"},)),
    Form("a row of it with a coupon", HOOKS, "stripe",
         {"stripe/PRODUCT/a.csv": EXPORT.replace(",,", ",SPRING,").encode()}, STRIPE, REFUSED,
         "The subscription has a coupon, and the export does not say what it is worth."),
    Form("a CSV with the columns of no export that is read", HOOKS, "stripe",
         {"stripe/PRODUCT/a.csv": b"id,Amount Due\nin_1,5.00\n"}, STRIPE, REFUSED,
         "The columns are those of no export that is read."),
    listed("an object without a time", [{"object": "invoice", "id": "in_1"}],
           "`created` is missing or not a whole number."),
    stripe("a Stripe line of no kind", REFUSED, "The record is no Stripe object", object=None),
    stripe("a `livemode` that is a text", REFUSED, "`livemode` is neither true nor false", livemode="true"),
    stripe("an event without `livemode`", REFUSED, "`livemode` is neither true nor false", livemode=None),
    stripe("an event without `data.object`", REFUSED, "The event has no `data.object`.", data=None),
    stripe("an account that nobody declared", REFUSED,
           "Nobody declared the Stripe account 'acct_other'.", account="acct_other"),
    revenuecat("a RevenueCat webhook", READ),
    Form("metadata whose `user_id` is a word for nothing", HOOKS, "stripe",
         {"stripe/PRODUCT/a.jsonl": json.dumps(NOBODY).encode()}, STRIPE, ASIDE,
         "metadata user_id placeholder_id",
         ({"payload.data.object.metadata.user_id": None, "customer_id": "cus_1"},)),
    revenuecat("a time that is a text", REFUSED,
               "`event_timestamp_ms` is missing or not a whole number.",
               event_timestamp_ms="yesterday"),
    fault("a time zone that is none", "timezone: Europe/Londn\n",
          "timezone: 'Europe/Londn' is no IANA time zone such as Europe/Amsterdam. 1 file waits"),
    fault("a key that no contract has", "colour: red\n",
          "colour: no contract has such a key. 1 file waits for it."),
    fault("a key that stands twice", "clock: device\n",
          "cannot be read in line 5: the key 'clock' stands twice. 1 file waits for it."),
    fault("an encoding that nobody knows", "format: {type: csv, encoding: latin-99}\n",
          "format.encoding: 'latin-99' is no encoding that is known."),
)  # fmt: skip
