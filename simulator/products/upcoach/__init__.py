"""UpCoach: people who are coached, and those who pay for it through Stripe or in an app store.

What is odd about its systems: half-way through the window its Stripe account moves to the newer API.
"""

from __future__ import annotations

from functools import partial

from simulator.files import Folder
from simulator.product import Product, Systems, World
from simulator.products.upcoach.activity import Activity
from simulator.products.upcoach.catalogue import ACTIONS, NAME, PROMISED_MINUTES, REMARKS, TENANTS
from simulator.products.upcoach.paying import Payers
from simulator.products.upcoach.people import make_people
from simulator.products.upcoach.prices import STORE_LABELS, STORE_PRICES
from simulator.products.upcoach.tables import Tables
from simulator.sources.debezium import ChangeLog
from simulator.sources.events import EventStream, Tracker
from simulator.sources.remarks import add_remarks
from simulator.sources.revenuecat import RevenueCatProject
from simulator.sources.stripe import StripeAccount
from simulator.timeline import DAY, HOUR, local_days
from simulator.truth.coaching.productivity import productivity
from simulator.truth.coaching.tables import Coaching
from simulator.truth.coaching.work import Work
from simulator.truth.customers.happened import answers_told
from simulator.truth.engagement.use import Session
from simulator.truth.table import Table


def run(world: World) -> Systems:
    window, limit, ledger, seed = world.window, world.limit, world.ledger, world.seed
    account = StripeAccount(
        Folder("stripe", "acct_upcoach", daily_tail=0),
        window,
        limit,
        world.chance("stripe", NAME),
        moved_at=window.start + window.days // 2 * DAY + 3 * HOUR,
    )
    project = RevenueCatProject(
        NAME,
        Folder("revenuecat", "upcoach", daily_tail=0, always_plain=True),
        STORE_PRICES,
        window,
        limit,
        world.chance("revenuecat"),
        STORE_LABELS,
    )
    stream = EventStream(
        Folder("events", NAME), Tracker(integer_property="goal_id", text_property="screen")
    )
    log = ChangeLog(NAME, window, limit)
    tables = Tables(log, world.chance(NAME, "tables"))
    tenants = [world.tenant(tenant) for tenant in TENANTS]
    for tenant in tenants:
        tables.organization(tenant, window.start + tenant.joined(window.days) * DAY + 6 * HOUR)
    people = make_people(tenants, window, seed, world.scale)
    Payers(window, limit, account, project, ledger, seed).run(people)
    for person in people:
        tables.person(person)
    activity = Activity(window, limit, tables, Work(limit), stream.events, seed)
    activity.run(people)
    remarks = add_remarks(stream.events, REMARKS, world.chance(NAME, "remarks"), limit)
    return Systems(
        stream,
        log,
        account,
        project,
        answers=answers_told(remarks),
        truth=partial(_truth, world, activity),
    )


def _truth(world: World, activity: Activity, visits: list[Session]) -> list[Table]:
    tenants = [world.tenant(tenant) for tenant in TENANTS]
    coaching = Coaching(
        NAME,
        activity.tables.happened,
        days={t.source_id: local_days(t.timezone, world.window) for t in tenants},
        promised={t.source_id: PROMISED_MINUTES[t.plan] for t in tenants},
        as_of=world.as_of,
    )
    return [
        productivity(
            NAME,
            activity.work,
            visits,
            world.ledger,
            world.rates,
            world.window.start,
            {event.user for event in activity.events if event.user == event.anonymous_id},
            people="UpCoach user",
        ),
        *coaching.tables(activity.events),
    ]


PRODUCT = Product(NAME, TENANTS, run, ACTIONS)
