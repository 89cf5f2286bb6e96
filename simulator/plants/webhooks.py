"""Defects planted among Stripe and RevenueCat webhooks: repeats, disorder, tests, unknown kinds.

None of them moves MRR: what counts is in the ledger already. Only the one-off purchase is paid.
"""

from __future__ import annotations

from typing import Any

import orjson

from simulator.chance import Chance
from simulator.files import Plant, encode
from simulator.ledger import Customer, Ledger
from simulator.sources.revenuecat import RevenueCatProject
from simulator.sources.stripe import StripeAccount
from simulator.timeline import DAY, HOUR, SECOND, local_days


def plant_stripe(account: StripeAccount, chance: Chance) -> None:
    folder = account.folder
    told = list(folder.lines)
    updated = b'"type":"customer.subscription.updated"'
    first = next((n for n, entry in enumerate(told) if updated in entry[2]), None)
    for number, (place, _, line) in enumerate(told):
        draw = chance.uniform() if number != first else 0.02
        if draw < 0.008:
            again = place + int(chance.between(0.01, 30) * DAY)
            folder.add(again, line, Plant("duplicate", "ignored_as_duplicate", _id(line)))
        elif 0.01 < draw < 0.03 and updated in line:
            folder.lines[number] = (place - int(chance.between(1, 40) * HOUR), number, line)
            folder.plants[number].append(Plant("out_of_order", "stored", _id(line)))
        elif 0.03 < draw < 0.032:
            body = orjson.loads(line) | {"pending_webhooks": 3}
            folder.add(
                place + 3 * HOUR,
                encode(body),
                Plant("redelivered", "ignored_as_duplicate", _id(line), "pending_webhooks"),
            )
    created = [e for e in told if b'"type":"customer.subscription.created"' in e[2]]
    for place, _, line in created[:: max(1, len(created) // 4)]:
        body = orjson.loads(line)
        token = chance.token(20)
        body["id"], body["livemode"] = f"evt_t{token}", False
        body["data"]["object"] |= {
            "id": f"sub_t{token}",
            "customer": f"cus_t{token[:14]}",
            "livemode": False,
        }
        folder.add(place, encode(body), Plant("test_mode", "stored_not_counted", body["id"]))
    if told:
        _extras(account, told, chance)


def _extras(account: StripeAccount, told: list[tuple[int, int, bytes]], chance: Chance) -> None:
    folder = account.folder
    place, _, line = told[len(told) // 2]
    body = orjson.loads(line)
    unknown = {
        **body,
        "id": f"evt_u{chance.token(20)}",
        "type": "billing.mystery.created",
        "data": {"object": {"id": "mys_1", "object": "billing.mystery"}},
    }
    folder.add(place, encode(unknown), Plant("unknown_event_type", "stored", unknown["id"]))
    folder.add(place, line[: len(line) // 2], Plant("truncated_json", "rejected"))
    nameless = {name: value for name, value in body.items() if name != "id"}
    folder.add(place, encode(nameless), Plant("missing_id", "rejected"))
    folder.add(place, b'"just a string"', Plant("not_an_object", "rejected"))


def plant_store(project: RevenueCatProject, ledger: Ledger, chance: Chance) -> None:
    folder = project.folder
    told = list(folder.lines)
    for number, (place, _, line) in enumerate(told):
        draw = chance.uniform()
        if draw < 0.01:
            again = place + int(chance.between(0.01, 30) * DAY)
            folder.add(
                again,
                line,
                Plant("duplicate", "ignored_as_duplicate", orjson.loads(line)["event"]["id"]),
            )
        elif draw < 0.03:
            folder.lines[number] = (place - int(chance.between(1, 40) * HOUR), number, line)
            folder.plants[number].append(
                Plant("out_of_order", "stored", orjson.loads(line)["event"]["id"])
            )
    bought = [e for e in told if b'"type":"INITIAL_PURCHASE"' in e[2]]
    if bought:
        for name, change in UNCOUNTED:
            event = _uncounted(project, chance.pick(bought), name, change, chance)
            if event["type"] == "NON_RENEWING_PURCHASE":
                _paid_once(project, ledger, event)
        place, _, line = bought[len(bought) // 2]
        folder.add(place, line[: len(line) // 2], Plant("truncated_json", "rejected"))
        folder.add(
            place,
            b'{"event":{"type":"RENEWAL"},"api_version":"1.0"}',
            Plant("missing_id", "rejected"),
        )


def _uncounted(
    project: RevenueCatProject,
    bought: tuple[int, int, bytes],
    name: str,
    change: dict[str, Any],
    chance: Chance,
) -> dict[str, Any]:
    place, _, line = bought
    body = orjson.loads(line)
    user = f"{name}-{chance.token(8)}"
    body["event"] |= {
        "id": chance.uuid().upper(),
        "app_user_id": user,
        "original_app_user_id": user,
        "aliases": [user],
        "original_transaction_id": chance.token(14),
        "subscriber_attributes": {},
        "event_timestamp_ms": body["event"]["event_timestamp_ms"] + 2 * SECOND,
        **change,
    }
    if body["event"]["type"] == "NON_RENEWING_PURCHASE":
        body["event"]["product_id"] = f"{project.product}.session.single"
    project.folder.add(
        place + 3 * SECOND,
        encode(body),
        Plant(name, "stored_not_counted", body["event"]["id"]),
    )
    event: dict[str, Any] = body["event"]
    return event


def _paid_once(project: RevenueCatProject, ledger: Ledger, event: dict[str, Any]) -> None:
    """A stranger's one-off purchase: cash of the project itself, no MRR (rule 33)."""
    name, user = project.folder.source_name, event["app_user_id"]
    buyer = Customer("revenuecat", project.product, name, user, user)
    ledger.opens(buyer, local_days("UTC", project.window))
    ledger.paid(buyer, event["event_timestamp_ms"], round(event["price"] * 100), "usd")


UNCOUNTED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("sandbox", {"environment": "SANDBOX"}),
    ("family_share", {"is_family_share": True}),
    (
        "promotional",
        {
            "store": "PROMOTIONAL",
            "period_type": "PROMOTIONAL",
            "price": 0,
            "price_in_purchased_currency": 0,
        },
    ),
    (
        "one_off_purchase",
        {
            "type": "NON_RENEWING_PURCHASE",
            "expiration_at_ms": None,
        },
    ),
    (
        "temporary_grant",
        {"type": "TEMPORARY_ENTITLEMENT_GRANT", "price": 0, "price_in_purchased_currency": 0},
    ),
    (
        "unknown_event_type",
        {"type": "EXPERIMENT_ENROLLMENT", "price": 0, "price_in_purchased_currency": 0},
    ),
)


def _id(line: bytes) -> str:
    return str(orjson.loads(line)["id"])
