"""Puts the sample together: worlds, sources, plants, files, truth.

What belongs here: the order of making things and the report. What does not: any of their contents.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from simulator import catalogue
from simulator.chance import Chance
from simulator.files import Folder, FolderReport
from simulator.ledger import Ledger
from simulator.plants.cdc import plant_changes
from simulator.plants.events import plant_events
from simulator.plants.webhooks import plant_store, plant_stripe
from simulator.rostracore.company import Founder
from simulator.rostracore.paying import Seats
from simulator.rostracore.shifts import Outcome, Shifts
from simulator.rostracore.usage import Usage
from simulator.sources.debezium import ChangeLog, Envelope
from simulator.sources.events import Event
from simulator.sources.revenuecat import RevenueCatProject
from simulator.sources.stripe import StripeAccount
from simulator.timeline import DAY, DEFAULT_END, HOUR, MINUTE, SECOND, Window, iso
from simulator.truth.facts import Facts
from simulator.truth.writing import write_truth
from simulator.upcoach.activity import Activity
from simulator.upcoach.paying import Fate, Payers
from simulator.upcoach.people import make_people
from simulator.upcoach.tables import Tables

PRODUCTS = ("rostracore", "upcoach")


@dataclass
class SampleReport:
    """What was written, for the person who asked for it."""

    out: Path
    as_of: datetime
    files: int
    lines: int
    size_bytes: int
    planted: int
    folders: list[FolderReport]

    @property
    def landing(self) -> Path:
        return self.out / "landing"

    @property
    def truth(self) -> Path:
        return self.out / "truth"


@dataclass
class World:
    """Everything that happened, before and beside the files."""

    window: Window
    limit: int
    ledger: Ledger
    facts: Facts
    events: dict[str, list[Event]]
    logs: dict[str, ChangeLog]
    shifts: list[Outcome] = field(default_factory=list)
    fates: list[Fate] = field(default_factory=list)


def write_sample(
    out: Path, days: int = 180, seed: int = 7, scale: float = 1.0, end: datetime = DEFAULT_END
) -> SampleReport:
    """Writes `out/landing` and `out/truth`. Equal arguments give equal bytes.

    `days` is the length of the window that ends at `end`; `scale` multiplies people, sites and
    guards. Raises ValueError for a window or a scale that makes no sample.
    """
    if days < 7:
        raise ValueError(f"a sample needs at least 7 days, not {days}: ask for --days 7 or more")
    if not 0 < scale <= 50:
        raise ValueError(f"the scale {scale} is not between 0 and 50: ask for --scale 1 or so")
    window = Window.ending(end, days)
    as_of = window.end - 30 * SECOND
    with _undisturbed():
        world, folders = _simulate(window, seed, scale)
        reports = [folder.write(out / "landing", window) for folder in folders]
        write_truth(out / "truth", world, reports, as_of)
    return SampleReport(
        out=out,
        as_of=datetime.fromtimestamp(as_of / SECOND, UTC),
        files=sum(r.files for r in reports),
        lines=sum(r.lines for r in reports),
        size_bytes=sum(r.size_bytes for r in reports),
        planted=sum(len(r.planted) for r in reports),
        folders=reports,
    )


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Without the cycle collector: a million small lasting objects, none of them in a cycle."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _simulate(window: Window, seed: int, scale: float) -> tuple[World, list[Folder]]:
    limit = window.end - 2 * MINUTE
    logs = {p: ChangeLog(p, window, limit, numbered=p == "rostracore") for p in PRODUCTS}
    world = World(window, limit, Ledger(limit), Facts(limit), {p: [] for p in PRODUCTS}, logs)
    moved = window.start + window.days // 2 * DAY + 3 * HOUR
    money = {
        p: Folder(
            "stripe",
            catalogue.ACCOUNTS[p],
            always_plain=p == "rostracore",
            daily_tail=0,
            byte_order_mark=p == "rostracore",
        )
        for p in PRODUCTS
    }
    accounts = {
        p: StripeAccount(
            money[p],
            window,
            limit,
            Chance(seed, "stripe", p),
            moved if p == "upcoach" else window.start,
        )
        for p in PRODUCTS
    }
    store = Folder("revenuecat", "upcoach", daily_tail=0, always_plain=True)
    project = RevenueCatProject(store, window, limit, Chance(seed, "revenuecat"))
    _upcoach(world, accounts["upcoach"], project, seed, scale)
    _rostracore(world, accounts["rostracore"], seed, scale)
    plant_store(project, world.ledger, Chance(seed, "plants", "revenuecat"))
    project.close()
    folders: list[Folder] = []
    for product in PRODUCTS:
        account = accounts[product]
        plant_stripe(account, Chance(seed, "plants", "stripe", product))
        account.close()
        told = Folder("events", product, unterminated=product == "rostracore")
        plant_events(product, world, told, Chance(seed, "plants", "events", product))
        changes = Folder("cdc", product)
        envelope = Envelope(logs[product], changes, Chance(seed, "debezium", product))
        envelope.write()
        plant_changes(envelope, Chance(seed, "plants", "cdc", product))
        folders += [told, changes, money[product]]
    return world, [*folders, store]


def _upcoach(
    world: World, account: StripeAccount, project: RevenueCatProject, seed: int, scale: float
) -> None:
    log = world.logs["upcoach"]
    tables = Tables(log, Chance(seed, "upcoach", "tables"))
    for tenant in catalogue.UPCOACH:
        tables.organization(
            tenant, world.window.start + tenant.joined(world.window.days) * DAY + 6 * HOUR
        )
    people = make_people(world.window, seed, scale)
    payers = Payers(world.window, world.limit, account, project, world.ledger, seed)
    payers.run(people)
    world.fates = payers.fates
    for person in people:
        tables.person(person)
    Activity(world.window, world.limit, tables, world.facts, world.events["upcoach"], seed).run(
        people
    )


def _rostracore(world: World, account: StripeAccount, seed: int, scale: float) -> None:
    window, limit, log = world.window, world.limit, world.logs["rostracore"]
    founder = Founder(window, limit, log, seed, scale)
    seats = Seats(window, limit, account, world.ledger, seed)
    shifts = Shifts(window, limit, log, seed)
    usage = Usage(window, limit, world.events["rostracore"], seed)
    for tenant in catalogue.ROSTRACORE:
        company = founder.found(tenant)
        if company.joined >= limit:
            continue
        seats.run(company)
        usage.run(company, shifts.run(company))
    world.shifts = shifts.outcomes


def describe(report: SampleReport) -> str:
    """One sentence for the terminal."""
    return (
        f"{report.lines:,} lines in {report.files} files ({report.size_bytes / 1e6:.1f} MB), "
        f"{report.planted} planted defects, as of {iso(int(report.as_of.timestamp()) * SECOND)}, in {report.out}"
    )
