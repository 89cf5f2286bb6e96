"""Writes `truth/`: the tables, the list of plants, a summary and a page that says what each means."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from simulator.files import FolderReport
from simulator.product import Product, Systems, World
from simulator.timeline import local_days
from simulator.truth.consent import leave_out_refused
from simulator.truth.customers.tables import Customers
from simulator.truth.engagement.tables import Use
from simulator.truth.landed import living_rows, write_planted, write_summary
from simulator.truth.readme import page
from simulator.truth.revenue.tables import revenue_tables
from simulator.truth.table import Table
from tallyhouse.closed_files import make_closed_folder


def write_truth(
    root: Path, world: World, lived: list[tuple[Product, Systems]], reports: list[FolderReport]
) -> None:
    """Call once everything is planted and filed: what an event's plants changed is true, too."""
    make_closed_folder(root)
    use, customers, of_products = Use(), Customers(), dict[str, Table]()
    counts: Counter[str] = Counter()
    told = {p.name: len(s.events.events) for p, s in lived if s.events is not None}
    ids = {event.event_id for _, s in lived if s.events is not None for event in s.events.events}
    refused: dict[str, int] = {}
    for product, systems in lived:
        sessions = []
        if systems.events is not None and systems.changes is not None:
            count = leave_out_refused(systems.events.events, systems.changes)
            refused |= {product.name: count} if count else {}
        tenants = map(world.tenant, product.tenants)
        calendars = {t.source_id: local_days(t.timezone, world.window) for t in tenants}
        customers.add(product.name, systems.answers, calendars)
        if systems.events is not None:
            sessions = use.add(
                product.name, systems.events.events, calendars, world.as_of, product.actions
            )
            customers.hear(product.name, systems.events.events, calendars, world.as_of)
        for table in systems.truth(sessions):
            if table.name in of_products:
                raise ValueError(f"{table.file} of {product.name} is another product's, too")
            of_products[table.name] = table
        counts.update(systems.counts)
    ledger = world.ledger
    tables = [
        *revenue_tables(ledger, world.rates, world.window.first_date, world.as_of),
        *use.tables(),
        *customers.tables(),
        *(of_products[name] for name in sorted(of_products)),
        living_rows(s.changes for _, s in lived if s.changes is not None),
    ]
    for table in tables:
        table.write(root)
    (root / "README.md").write_text(page(tables), encoding="utf-8")
    ids -= {event.event_id for _, s in lived if s.events is not None for event in s.events.events}
    planted = write_planted(root, reports, ids)
    counted = {
        "distinct_events": told,
        "events_without_consent": refused,
        "subscriptions_ended": len(ledger.ends),
        "paying_customers_ever": len(ledger.entries),
        **counts,
    }
    write_summary(root, world.window, world.as_of, reports, counted, planted)
