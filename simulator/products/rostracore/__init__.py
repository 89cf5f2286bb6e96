"""RostraCore: companies that put guards on sites, and pay for a seat per guard through Stripe.

What is odd about its systems: its events come in its own envelope and their last file ends without a
newline; change records carry partition and offset; Stripe files begin with a byte order mark.
"""

from __future__ import annotations

from functools import partial

from simulator.files import Folder
from simulator.product import Product, Systems, World
from simulator.products.rostracore.catalogue import (
    ACTIONS,
    METRICS,
    NAME,
    PRIMARY_METRIC,
    REMARKS,
    TENANTS,
)
from simulator.products.rostracore.company import Founder
from simulator.products.rostracore.experiments import Experiments
from simulator.products.rostracore.paying import Seats
from simulator.products.rostracore.shifts import Outcome, Shifts
from simulator.products.rostracore.tracker import TRACKER
from simulator.products.rostracore.usage import Usage
from simulator.sources.debezium import ChangeLog
from simulator.sources.events import EventStream
from simulator.sources.remarks import add_remarks
from simulator.sources.stripe import StripeAccount
from simulator.timeline import local_days
from simulator.truth.customers.happened import answers_told
from simulator.truth.engagement.use import Session
from simulator.truth.experiments.happened import Trial
from simulator.truth.experiments.tables import Experiments as Tried
from simulator.truth.table import Table
from simulator.truth.workforce.happened import Happened
from simulator.truth.workforce.shift_fill import shift_fill
from simulator.truth.workforce.tables import Workforce


def run(world: World) -> Systems:
    window, limit, seed = world.window, world.limit, world.seed
    account = StripeAccount(
        Folder("stripe", "acct_rostracore", daily_tail=0, always_plain=True, byte_order_mark=True),
        window,
        limit,
        world.chance("stripe", NAME),
        moved_at=window.start,
    )
    stream = EventStream(Folder("events", NAME, unterminated=True), TRACKER)
    log = ChangeLog(NAME, window, limit, numbered=True)
    noted = Happened()
    founder = Founder(window, limit, log, seed, world.scale, noted)
    seats = Seats(window, limit, account, world.ledger, seed)
    shifts = Shifts(window, limit, log, seed, noted)
    usage = Usage(window, limit, stream.events, seed)
    companies = []
    tenants = [world.tenant(tenant) for tenant in TENANTS]
    for tenant in tenants:
        company = founder.found(tenant)
        if company.joined >= limit:
            continue
        seats.run(company)
        usage.run(company, shifts.run(company))
        companies.append(company)
    experiments = Experiments(window, limit, log, stream.events, seed)
    experiments.run(companies)
    remarks = add_remarks(stream.events, REMARKS, world.chance(NAME, "remarks"), limit)
    workforce = Workforce(
        NAME,
        noted,
        {t.source_id: local_days(t.timezone, window) for t in tenants},
        {t.source_id: t.currency for t in tenants},
        world.as_of,
    )
    return Systems(
        stream,
        log,
        account,
        answers=answers_told(remarks),
        truth=partial(_truth, world, stream, shifts.outcomes, experiments.trials, workforce),
        counts={"shifts": len(shifts.outcomes)},
    )


def _truth(
    world: World,
    stream: EventStream,
    outcomes: list[Outcome],
    trials: list[Trial],
    workforce: Workforce,
    _: list[Session],
) -> list[Table]:
    tenants = map(world.tenant, TENANTS)
    calendars = {t.source_id: local_days(t.timezone, world.window) for t in tenants}
    tried = Tried(NAME, trials, METRICS, PRIMARY_METRIC, calendars, world.as_of)
    return [
        shift_fill(NAME, outcomes),
        *tried.tables(stream.events),
        *workforce.tables(stream.events),
    ]


PRODUCT = Product(NAME, TENANTS, run, ACTIONS)
