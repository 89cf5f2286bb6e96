"""The ledger of subscriptions rebuilt by customer: however its records come, the rows of a full refresh.

What no customer's own record says comes last of all: the tiers of a price, a coupon, the time zone of a tenant.
Belongs here: equality with a full refresh. Does not belong here: what the rows are worth (`test_rules`).
"""

import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from tests.python.marts.house import House, assert_full_refresh_changes_nothing
from tests.python.marts.upcoach_lines import organization, uid
from tests.python.revenue.webhooks import (
    coupon,
    discount,
    event,
    invoice,
    of_customer,
    price,
    seconds,
    store,
    subscription,
)

pytestmark = pytest.mark.slow

LEDGER = (
    "+int_revenue__customer_months",
    "+int_revenue__stripe_arrivals",
    "+fact_subscription_periods",
    "+fact_mrr_movements",
    "+int_revenue__policy_differences",
    "+int_revenue__plan_changes",
)
BY_CUSTOMER = (
    "stripe_versions", "stripe_owners", "stripe_customers", "stripe_invoice_lines", "stripe_price_tiers",
    "stripe_items", "stripe_billed_prices", "stripe_item_amounts", "stripe_discount_mentions", "stripe_coupons",
    "stripe_discounts", "stripe_temporary_discounts", "stripe_customer_discounts", "stripe_prices",
    "stripe_invoices", "stripe_usage_lines", "stripe_item_states", "stripe_states", "stripe_names",
    "revenuecat_states", "revenuecat_owners", "subscription_states", "due_states", "subscription_periods",
    "mrr_changes", "customer_balances", "mrr_movements", "fx_movements", "policy_differences", "plan_changes",
    "customer_months", "stripe_arrivals",
)  # fmt: skip
TABLES = [f"intermediate.int_revenue__{name}" for name in BY_CUSTOMER] + [
    "revenue.fact_subscription_periods",
    "revenue.fact_mrr_movements",
]
ACCOUNTS = ("acct_upcoach", "acct_rentguy")
TENANTS = ("kompas", "umoya")
TIERED = {**price(1, "month"), "id": "price_tiered", "unit_amount": None, "tiers_mode": "volume"}
UNLISTED = {**TIERED, "id": "price_unlisted"}
METERED = {**price(7), "id": "price_metered"}
METERED["recurring"] = {**METERED["recurring"], "usage_type": "metered"}
PRICES = (
    price(1000), price(2000), price(12000, "year"), price(900, currency="eur"), TIERED, UNLISTED, METERED,
)  # fmt: skip
Lines = dict[str, list[dict[str, Any]]]


def day(number: int) -> str:
    return (date(2026, 1, 1) + timedelta(days=number)).isoformat()


def life(
    chance: random.Random, name: str, tenant: str, new_shape: bool
) -> Iterator[dict[str, Any]]:
    """A subscription that begins, changes, is billed and may end; discounts of every kind on the way."""
    at = chance.randrange(150)
    begun = day(at)
    for number in range(chance.randint(1, 5)):
        items = chance.sample(PRICES, chance.randint(1, 2))
        items = [one for one in items if one["currency"] == items[0]["currency"]]
        fields: dict[str, Any] = {"start_date": seconds(begun), "tenant": uid(tenant)}
        if chance.random() < 0.5:
            fields["discounts"] = list(held(chance, name, begun))
        if chance.random() < 0.1:  # a list of subscriptions shows whom on request
            fields["customer"] = {"id": f"cus_{name}", "object": "customer"}
        if chance.random() < 0.2:
            fields["default_tax_rates"] = [{"percentage": 20, "inclusive": True}]
        is_last = chance.random() < 0.2
        kind = "deleted" if is_last else "updated" if number else "created"
        if is_last:
            fields |= {"status": "canceled", "ended_at": seconds(day(at))}
        else:
            fields["status"] = chance.choice(["active", "active", "active", "past_due", "trialing"])
        previous = {"quantity": chance.randint(1, 3)} if kind == "updated" else None
        clock = f"{day(at)}T{chance.randrange(24):02}:{chance.randrange(60):02}:00"
        yield subscription(
            name, kind, clock, *items,
            new_shape=new_shape, quantity=chance.randint(1, 3), previous=previous, **fields,
        )  # fmt: skip
        for place, item in enumerate(items):
            amount = chance.choice([700, 1400, 2100])
            bill = invoice(
                name, f"{day(at)}T0{number}:3{place}:00", item["id"], chance.randint(1, 3), amount
            )
            bill["data"]["object"]["id"] = f"in_{name}_{number}_{place}"
            yield bill
        if is_last:
            return
        at += chance.randint(0, 40)


def held(chance: random.Random, name: str, begun: str) -> Iterator[Any]:
    """An object of its own, one that names its coupon by id, or an id whose object comes elsewhere."""
    for number in range(chance.randint(1, 2)):
        kind = chance.randrange(3)
        if kind == 0:
            terms = {
                "percent_off": chance.choice([10, 25]),
                "duration": chance.choice(["forever", "once"]),
            }
            yield discount(f"{name}_{number}", {"id": f"c_{name}", **terms}, begun, new_shape=False)
        elif kind == 1:
            yield discount(f"{name}_{number}", chance.choice(["c_shared", "c_lost"]), begun)
        else:
            yield f"di_{name}_elsewhere"


def stripe(chance: random.Random) -> Lines:
    told: Lines = {account: [] for account in ACCOUNTS}
    for number in range(60):
        account, tenant = ACCOUNTS[number % 2], TENANTS[number // 2 % 2]
        lines, name = (
            told[account],
            f"s{number // 2}",
        )  # both accounts call their customers the same
        lines.extend(life(chance, name, tenant, new_shape=number % 4 < 2))
        lines.append(event(f"cus_{name}", "customer.created", day(0), {
            "id": f"cus_{name}", "object": "customer", "metadata": {"tenant_id": uid(tenant)} if number % 3 else {},
        }))  # fmt: skip
        elsewhere = discount(f"{name}_elsewhere", "c_shared", day(20))
        if chance.random() < 0.4:
            lines.append(of_customer(name, "created", day(20), elsewhere, f"sub_{name}"))
        if chance.random() < 0.3:
            terms = {
                "id": f"cc_{name}",
                "percent_off": 50,
                "duration": "repeating",
                "duration_in_months": 2,
            }
            given = discount(f"{name}_own", terms, day(30), new_shape=False)
            lines.append(of_customer(name, "created", day(30), given))
    return told


def last_words() -> Lines:
    """What is told of all customers when they have told everything themselves."""
    tiers = [{"up_to": 1, "unit_amount": 500}, {"up_to": None, "unit_amount": 400}]
    listed = {"id": "price_tiered", "object": "price", "tiers_mode": "volume", "tiers": tiers}
    return {
        "acct_upcoach": [
            event("listed", "price.updated", day(200), listed),
            coupon("c_shared", "2026-01-01", percent_off=30),
        ],
        "acct_rentguy": [
            coupon("c_shared", "2026-01-01", amount_off=150, currency="usd"),
            coupon("c_lost", "2026-01-01", percent_off=5, duration="once"),
        ],
    }


def stores(chance: random.Random) -> list[dict[str, Any]]:
    lines = []
    for number in range(20):
        name, at = f"u{number}", chance.randrange(150)
        for period in range(chance.randint(1, 4)):
            begins, ends = day(at + 30 * period), day(at + 30 * (period + 1))
            kind = "RENEWAL" if period else "INITIAL_PURCHASE"
            lines.append(store(name, kind, begins, 9.99, begins, ends))
        if chance.random() < 0.4:
            lines.append(store(name, "EXPIRATION", ends, 0, begins, ends))
    return lines


def in_parts(
    chance: random.Random, lines: list[dict[str, Any]], parts: int
) -> list[list[dict[str, Any]]]:
    """Each line in one of so many files, some in two, in any order."""
    files: list[list[dict[str, Any]]] = [[] for _ in range(parts)]
    for line in chance.sample(lines, len(lines)):
        for file in chance.sample(files, 2 if chance.random() < 0.1 else 1):
            file.append(line)
    return files


def test_by_customer_as_in_a_full_refresh(new_house: Callable[[str], House]) -> None:
    house, chance = new_house("by_customer"), random.Random(18)
    told = {f"stripe/{account}": lines for account, lines in stripe(chance).items()}
    told["revenuecat/upcoach"] = stores(chance)
    steps: list[Lines] = [{} for _ in range(3)]
    for folder, lines in told.items():
        for step, part in zip(steps, in_parts(chance, lines, len(steps)), strict=True):
            step[folder] = part
    zone = organization("kompas", "c", f"{day(200)}T00:00:00.000000Z", "Asia/Tokyo")
    steps.append({f"stripe/{account}": lines for account, lines in last_words().items()})
    steps.append({"cdc/upcoach": [zone]})
    for number, step in enumerate(steps):
        for folder, lines in step.items():
            house.put(f"{folder}/{number}.jsonl", lines)
        house.load()
        house.build(LEDGER)
        assert number == 0 or house.is_partly_written_anew("revenue.fact_mrr_movements"), number
    assert_full_refresh_changes_nothing(house, LEDGER, TABLES, "after everything was told")
    owners = "select distinct customer_source_id from intermediate.int_revenue__stripe_owners"
    assert {customer[:4] for (customer,) in house.query(owners)} == {"cus_"}
