"""Whose a store subscription was on each Monday, from the few events that still decide it, against all of them.

Belongs here: that what is left out decides nothing, and that little is left. Does not belong here: whose it is (unit
tests).
"""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.python.marts.house import House, assert_equal
from tests.python.marts.rentguy_lines import Line
from tests.python.marts.upcoach_lines import event

pytestmark = pytest.mark.slow

PROJECTS = ("upcoach", "second")
BEGIN, WEEKS = datetime(2026, 1, 5, tzinfo=UTC), 20
FAMILIES, EVENTS = 80, 1200
DERIVED = ("int_customers__store_payers_as_of", "int_customers__store_customers_as_of")
TYPES = (
    *["INITIAL_PURCHASE", "EXPIRATION", "REFUND_REVERSED"],
    *["RENEWAL"] * 3,
    *["CANCELLATION"] * 6,
    *["UNCANCELLATION", "BILLING_ISSUE", "TRANSFER", "SUBSCRIBER_ALIAS", "PRODUCT_CHANGE", "TEST"],
)
EVERYTHING = """
    create table intermediate.everything_told as
    select
        weeks.as_of_at, told.project as account, told.product,
        weeks.as_of_date::text || '|' || told.project as project,
        told.event_id, told.event_type, told.environment, told.user_source_id,
        told.original_user_source_id, told.aliases, told.transferred_from, told.transferred_to,
        told.subscription_source_id, told.tenant_source_id, told.reason, told.price_usd,
        told.occurred_at
    from intermediate.int_customers__weeks as weeks
    inner join staging.stg_revenuecat__events as told on told.received_at <= weeks.as_of_at
"""


def somebody(chance: random.Random, family: int) -> str:
    """Families keep to themselves, so that an alias or a transfer joins few."""
    return chance.choice(["$RCAnonymousID:{}", "ann-{}", "bob-{}"]).format(family)


def told(chance: random.Random, number: int) -> Line:
    """An event of few people and subscriptions, so that much of what it says was said before."""
    family, kind = chance.randrange(FAMILIES), chance.choice(TYPES)
    when = BEGIN + timedelta(hours=6 * chance.randrange(WEEKS * 28))
    body: dict[str, Any] = {
        "id": f"e{number}",
        "type": kind,
        "event_timestamp_ms": int(when.timestamp() * 1000),
        "environment": chance.choice(["PRODUCTION"] * 5 + ["SANDBOX"]),
        "store": "APP_STORE",
    }
    if kind == "TRANSFER":
        givers = [somebody(chance, family) for _ in range(chance.randrange(1, 3))]
        return {
            "event": body
            | {"transferred_from": givers, "transferred_to": [somebody(chance, family)]}
        }
    user = somebody(chance, family)
    aliases = [user, somebody(chance, family)] if chance.random() < 0.03 else [user]
    body |= {"app_user_id": user, "original_app_user_id": user, "aliases": aliases}
    if chance.random() < 0.3:
        tenant = {"value": chance.choice(["kompas", "umoya"]), "updated_at_ms": 1}
        body["subscriber_attributes"] = {"tenant_id": tenant}
    if kind not in ("SUBSCRIBER_ALIAS", "TEST"):
        body |= {
            "original_transaction_id": f"s{family}-{chance.choice([0, 0, 0, 1, 1, 2, 3])}",
            "product_id": "pro",
            "price": chance.choice([-10, 0, 10]),
        }
    if kind == "CANCELLATION":
        body["cancel_reason"] = chance.choice(["CUSTOMER_SUPPORT", "UNSUBSCRIBE"])
    return {"event": body}


@pytest.fixture(scope="module")
def house(fresh_database: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> House:
    """Two projects whose ids repeat; half of the events arrive up to ten weeks after they happened."""
    house, chance = House(fresh_database("store_customers", seeded=True)), random.Random(80)
    house.put("events/upcoach/a.jsonl", [event("first", "kompas", "ann", "2025-12-01 00:00:00")])
    for project in PROJECTS:
        house.put(
            f"revenuecat/{project}/a.jsonl", [told(chance, number) for number in range(EVENTS)]
        )
    contracts = tmp_path_factory.mktemp("contracts")
    second = "kind: webhooks\nprovider: revenuecat\nprojects: {second: {product: upcoach}}\n"
    (contracts / "revenuecat.yml").write_text(second, "utf-8")
    house.load([contracts])
    with house.warehouse.connect() as connection:
        connection.execute(
            "update raw_revenuecat.events set received_at = occurred_at"
            " + case when hashtext(event_id) % 2 = 0 then interval '0' else"
            " (abs(hashtext(event_id)) % 70) * interval '1 day' end"
        )
    house.build([f"+{DERIVED[1]}"], as_of=f"{BEGIN + timedelta(weeks=WEEKS):%Y-%m-%dT%H:%M:%SZ}")
    return house


def test_what_is_left_out_decides_nothing(house: House) -> None:
    found = {name: house.rows(f"intermediate.{name}") for name in DERIVED}
    assert all(sum(rows.values()) > 100 for rows in found.values())
    folder = house.warehouse.settings.home / "target/compiled/tallyhouse/models"
    with house.warehouse.connect() as connection:
        connection.execute(EVERYTHING)
        for name in DERIVED:
            query = next(folder.rglob(f"{name}.sql")).read_text("utf-8")
            query = query.replace('"int_customers__store_events_as_of"', '"everything_told"')
            query = query.replace(f'"{DERIVED[0]}"', f'"all_{DERIVED[0]}"')
            connection.execute(f'create table intermediate."all_{name}" as {query}'.encode())
    expected = {name: house.rows(f'intermediate."all_{name}"') for name in DERIVED}
    assert_equal(found, expected, "from all events that were known")


def test_what_says_the_same_again_is_left_out(house: House) -> None:
    """At the end less is left than was told."""
    [(rows, known)] = house.query(
        "select count(*), (select count(*) from staging.stg_revenuecat__events"
        " where event_type <> 'TRANSFER' and received_at <= as_of_at)"
        " from intermediate.int_customers__store_events_as_of"
        " where event_type <> 'TRANSFER'"
        " and as_of_at = (select max(as_of_at) from intermediate.int_customers__weeks)"
        " group by as_of_at"
    )
    assert rows < known
