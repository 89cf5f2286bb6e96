"""RostraCore: companies that put guards on sites, and pay for a seat per guard through Stripe.

What is odd about its systems: its events come in its own envelope and their last file ends without a
newline; change records carry partition and offset; Stripe files begin with a byte order mark.
"""

from __future__ import annotations

from simulator.files import Folder
from simulator.product import Product, Systems, World
from simulator.products.rostracore.catalogue import ACTIONS, NAME, REMARKS, TENANTS
from simulator.products.rostracore.company import Founder
from simulator.products.rostracore.paying import Seats
from simulator.products.rostracore.shifts import Shifts
from simulator.products.rostracore.tracker import TRACKER
from simulator.products.rostracore.usage import Usage
from simulator.sources.debezium import ChangeLog
from simulator.sources.events import EventStream
from simulator.sources.remarks import add_remarks
from simulator.sources.stripe import StripeAccount
from simulator.timeline import local_days
from simulator.truth.customers.happened import answers_told
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
    for tenant in TENANTS:
        company = founder.found(tenant)
        if company.joined >= limit:
            continue
        seats.run(company)
        usage.run(company, shifts.run(company))
    remarks = add_remarks(stream.events, REMARKS, world.chance(NAME, "remarks"), limit)
    workforce = Workforce(
        NAME,
        noted,
        {t.source_id: local_days(t.timezone, window) for t in TENANTS},
        {t.source_id: t.currency for t in TENANTS},
        world.as_of,
    )
    return Systems(
        stream,
        log,
        account,
        answers=answers_told(remarks),
        truth=lambda _: [shift_fill(NAME, shifts.outcomes), *workforce.tables(stream.events)],
        counts={"shifts": len(shifts.outcomes)},
    )


PRODUCT = Product(NAME, TENANTS, run, ACTIONS)
