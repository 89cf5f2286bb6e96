"""SAMIA-TAROT: marketplaces on which readers sell readings, and clients call them.

What is odd about its systems: events come from its servers, in the columns of its document; only their
first one about an order tells the service; one marketplace names no payments. Its database sends
nothing but the register of marketplaces. Money moves through several providers, so it has no Stripe
account of its own here.
"""

from __future__ import annotations

from dataclasses import replace

from simulator.files import Folder
from simulator.product import Product, Systems, World
from simulator.products.samia_tarot.calls import Calls
from simulator.products.samia_tarot.catalogue import ACTIONS, MARKETPLACES, NAME, TENANTS
from simulator.products.samia_tarot.content import Content
from simulator.products.samia_tarot.orders import Orders
from simulator.products.samia_tarot.shop import Shop
from simulator.products.samia_tarot.tracker import TRACKER
from simulator.sources.debezium import ChangeLog
from simulator.sources.events import EventStream
from simulator.timeline import DAY, iso_micros, local_days
from simulator.truth.fulfilment.happened import Happened
from simulator.truth.fulfilment.tables import Fulfilment


def run(world: World) -> Systems:
    window = world.window
    stream, log, happened = (
        EventStream(Folder("events", NAME), TRACKER),
        ChangeLog(NAME, window, world.limit),
        Happened(),
    )
    tenants = [world.tenant(tenant) for tenant in TENANTS]
    for market, tenant in zip(MARKETPLACES, tenants, strict=True):
        founded = window.start + tenant.joined(window.days) * DAY
        row = {
            "name": tenant.name,
            "country_code": tenant.country,
            "region": tenant.region,
            "timezone": tenant.timezone,
            "currency": tenant.currency,
            "industry": tenant.industry,
            "plan": tenant.plan,
            "size_band": "large" if market.readers > 6 else "small",
            "created_at": iso_micros(founded),
        }
        # what is registered lies in the connector's snapshot
        log.insert(window.start - DAY, "organizations", {"id": tenant.source_id}, row)
        shop = Shop(replace(market, tenant=tenant), world, stream.events, happened)
        for part in (Orders(shop), Calls(shop), Content(shop)):
            part.run()
    calendars = {t.source_id: local_days(t.timezone, window) for t in tenants}
    truth = Fulfilment(NAME, happened, calendars, world.as_of)
    return Systems(
        stream,
        log,
        truth=lambda _: truth.tables(),
        counts={"orders": len(happened.orders), "calls": len(happened.calls)},
    )


PRODUCT = Product(NAME, TENANTS, run, ACTIONS)
