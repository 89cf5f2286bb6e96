"""A product that the sample does not know: lamps, lit every evening. Small enough to count by hand.

Two tenants share the source id of a user. Every day at 18:00 of the tenant's clock u1 lights a lamp in
each, u2 in the first alone. The first pays $29 a month through Stripe from the third day on, the
second's u1 pays $5 a month in an app store. Its tracker calls everything by names of its own.
"""

from __future__ import annotations

from typing import Any

from simulator.catalogue import Tenant
from simulator.files import Folder
from simulator.ledger import Customer
from simulator.product import Product, Systems, World
from simulator.sources.debezium import ChangeLog
from simulator.sources.events import Device, Event, EventStream, Tracker
from simulator.sources.revenuecat import RevenueCatProject, StoreSubscription
from simulator.sources.stripe import StripeAccount
from simulator.sources.subscription import StripeSubscription
from simulator.timeline import DAY, HOUR, SECOND, iso, local_days
from simulator.truth.engagement.use import Session
from simulator.truth.table import Table, entity_uuid

NAME = "lantern"
TENANTS = (
    Tenant("kaap", "Kaap Lamps", "ZA", "Western Cape", "Africa/Johannesburg", "usd", "", "pro", 2),
    Tenant("rijn", "Rijn Lamps", "NL", "Utrecht", "Europe/Amsterdam", "usd", "", "pro", 1),
)
USERS = {"kaap": ("u1", "u2"), "rijn": ("u1",)}


def lamp_event(event: Event) -> dict[str, Any]:
    return {
        "eventId": event.event_id,
        "kind": event.name,
        "when": event.told_at if event.absurd else iso(event.at),
        "arrived": iso(event.received),
        "org": event.tenant_id,
        "person": event.user_id,
        "visit": event.session_id,
        "details": event.properties,
    }


def run(world: World) -> Systems:
    window, limit = world.window, world.limit
    chance = world.chance(NAME)
    tracker = Tracker(
        lamp_event, event_id="eventId", event_name="kind", received_at="arrived",
        properties="details", integer_property="lamp",
    )  # fmt: skip
    stream = EventStream(Folder("events", NAME), tracker)
    log = ChangeLog(NAME, window, limit)
    lit = []
    for tenant in TENANTS:
        days = local_days(tenant.timezone, window)
        log.insert(window.start - DAY, "orgs", {"org": tenant.source_id}, {"name": tenant.name})
        for midnight in days.midnights.tolist():
            at = midnight + 18 * HOUR
            if not window.start <= at < limit:
                continue
            for user in USERS[tenant.source_id]:
                stream.events.append(
                    Event(
                        chance.uuid(), tenant.source_id, user, user, None, chance.uuid(),
                        "lamp_lit", at, at + SECOND, Device("mobile", "Safari", "192.0.2.7", "app"),
                        tenant.country, {"lamp": len(lit)},
                    )
                )  # fmt: skip
                row = {"org": tenant.source_id, "person": user}
                log.insert(at, "lamps", {"lamp": len(lit)}, row)
                lit.append((days.day(at), tenant.source_id))
    account, project = _paying(world)
    return Systems(
        stream, log, account, project, truth=lambda visits: [_lamps(lit, visits)],
        counts={"lamps": len(lit)},
    )  # fmt: skip


def _paying(world: World) -> tuple[StripeAccount, RevenueCatProject]:
    window, limit, ledger = world.window, world.limit, world.ledger
    account = StripeAccount(
        Folder("stripe", "acct_lantern"), window, limit, world.chance("stripe", NAME), window.start
    )
    project = RevenueCatProject(
        NAME, Folder("revenuecat", NAME), {("pro", "month"): 500}, window, limit,
        world.chance("revenuecat", NAME),
    )  # fmt: skip
    start = window.start + 2 * DAY + 12 * HOUR
    kaap = Customer("stripe", NAME, "kaap", "", "cus_kaap")
    ledger.opens(kaap, local_days("Africa/Johannesburg", window))
    price = {"id": "price_1", "product": "prod_pro", "nickname": "Lantern pro", "currency": "usd",
             "interval": "month", "amount": 2900, "created": 0}  # fmt: skip
    owner = {"tenant_id": "kaap"}
    StripeSubscription(
        account, ledger, kaap, price, 1, "lamps@example.org", "Kaap Lamps", owner
    ).start(start)
    rijn = Customer("revenuecat", NAME, "rijn", "u1", "u1")
    ledger.opens(rijn, local_days("Europe/Amsterdam", window))
    StoreSubscription(project, ledger, rijn, "pro", "month", "usd", "NL", False, owner).start(start)
    return account, project


def _lamps(lit: list[tuple[Any, str]], visits: list[Session]) -> Table:
    keys = sorted(set(lit))
    return Table(
        name="lamps_lit",
        grain="day × tenant with light",
        meaning="lamps lit; visits in which it happened",
        header=("metric_date", "tenant_id", "lamps", "visits"),
        rows=[
            (
                day,
                entity_uuid(NAME, "tenant", tenant),
                lit.count((day, tenant)),
                sum(1 for v in visits if (v.day, v.tenant_id) == (day, tenant)),
            )
            for day, tenant in keys
        ],
    )


PRODUCT = Product(NAME, TENANTS, run)
