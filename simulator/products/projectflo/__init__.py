"""ProjectFlo: studios that produce videos, for clients who change their minds and pay late.

What is odd about its systems: every studio counts its own projects, clients and invoices from 1, so
keys of rows have two columns; yen have no cents in a table whose amounts do; dates are plain days of
the studio's calendar, while the log's clock is UTC.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from simulator.files import Folder
from simulator.product import Product, Systems, World
from simulator.products.projectflo.billing import Billing
from simulator.products.projectflo.catalogue import ACTIONS, NAME, STUDIOS, TENANTS, Studio
from simulator.products.projectflo.office import Office
from simulator.products.projectflo.paying import pay_seats
from simulator.products.projectflo.people import People
from simulator.products.projectflo.production import Production
from simulator.products.projectflo.sales import Sales
from simulator.products.projectflo.usage import Usage
from simulator.sources.debezium import ChangeLog
from simulator.sources.events import EventStream, Tracker
from simulator.sources.stripe import StripeAccount
from simulator.timeline import local_days
from simulator.truth.projects.happened import Happened
from simulator.truth.projects.tables import Projects


def run(world: World) -> Systems:
    window, limit = world.window, world.limit
    stream = EventStream(Folder("events", NAME), Tracker(is_server=True))
    log = ChangeLog(NAME, window, limit, numbered=True)
    account = StripeAccount(
        Folder("stripe", "acct_projectflo", daily_tail=0),
        window,
        limit,
        world.chance("stripe", NAME),
        moved_at=window.start,
    )
    happened = Happened()
    studios = [replace(studio, tenant=world.tenant(studio.tenant)) for studio in STUDIOS]
    for studio in studios:
        people = _live(studio, world, log, stream, happened)
        pay_seats(studio, world, account, len(people.all))
    tenants = [studio.tenant for studio in studios]
    calendars = {t.source_id: local_days(t.timezone, window) for t in tenants}
    currencies = {t.source_id: t.currency for t in tenants}
    truth = Projects(NAME, happened, calendars, currencies, world.rates, world.as_of)
    return Systems(
        stream,
        log,
        account,
        answers=happened.answers,
        truth=lambda _: truth.tables(),
        counts={"projects": len(happened.projects), "quotes": len(happened.quotes)},
    )


def _live(
    studio: Studio, world: World, log: ChangeLog, stream: EventStream, happened: Happened
) -> People:
    """One studio from the first day of the window to its end."""
    office = Office(studio, world, log, stream.events, happened)
    people = People(office)
    people.gather()
    producer = people.all[0].user_id
    production = Production(office, people, Billing(office, producer), producer)
    Sales(office, production, producer).open()
    usage = Usage(office, people)
    first = office.days.day(world.window.start) + timedelta(days=1)
    office.when(office.at(first, 17.0), production.work_day)
    office.when(office.at(first, 8.0), usage.day)
    office.live()
    return people


PRODUCT = Product(NAME, TENANTS, run, ACTIONS)
