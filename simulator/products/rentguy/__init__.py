"""RentGuy: rental companies that lend out equipment, move it, bill it, and win customers.

What is odd about its systems: events come in the contract of its document, the scanners' among them;
every company counts its own rows from 1; the marketing sites and the CRM export their leads as CSV,
one with semicolons, one with commas.
"""

from __future__ import annotations

from dataclasses import replace

from simulator.files import Folder
from simulator.product import Product, Systems, World
from simulator.products.rentguy.bookings import Bookings
from simulator.products.rentguy.catalogue import ACTIONS, COMPANIES, NAME, TENANTS
from simulator.products.rentguy.depot import Depot
from simulator.products.rentguy.leads import CHANGE, FORM, Leads, csv_line
from simulator.products.rentguy.paying import subscribe
from simulator.products.rentguy.support import Support
from simulator.products.rentguy.tracker import TRACKER
from simulator.products.rentguy.usage import Usage
from simulator.sources.debezium import ChangeLog
from simulator.sources.events import EventStream
from simulator.sources.stripe import StripeAccount
from simulator.timeline import local_days
from simulator.truth.customers.tables import Support as SupportTruth
from simulator.truth.rental.happened import Happened
from simulator.truth.rental.tables import Rental


def run(world: World) -> Systems:
    window, limit = world.window, world.limit
    stream = EventStream(Folder("events", NAME), TRACKER)
    log, happened = ChangeLog(NAME, window, limit), Happened()
    account = StripeAccount(
        Folder("stripe", f"acct_{NAME}"), window, limit, world.chance("stripe", NAME), window.start
    )
    forms = Folder("events", f"{NAME}/leads", extension="forms.csv", header=csv_line(FORM, ";"))
    changes = Folder("events", f"{NAME}/crm", extension="crm.csv", header=csv_line(CHANGE, ","))
    tenants = [world.tenant(tenant) for tenant in TENANTS]
    for company, tenant in zip(COMPANIES, tenants, strict=True):
        depot = Depot(replace(company, tenant=tenant), world, log, stream.events, happened)
        if depot.joined >= limit:
            continue
        depot.found()
        subscribe(depot, account)
        Leads(depot, forms, changes).run()
        for part in (Bookings(depot), Support(depot), Usage(depot)):
            part.run()
    calendars = {t.source_id: local_days(t.timezone, window) for t in tenants}
    truth = Rental(NAME, happened, calendars, world.as_of)
    support = SupportTruth(NAME, happened.tickets, calendars, world.as_of)
    return Systems(
        stream,
        log,
        account,
        exports=(forms, changes),
        answers=happened.answers,
        truth=lambda _: [*truth.tables(), *support.tables()],
        counts={"bookings": len(happened.bookings), "leads": len(happened.leads)},
    )


PRODUCT = Product(NAME, TENANTS, run, ACTIONS)
