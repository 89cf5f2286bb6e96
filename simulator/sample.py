"""Puts the sample together: products, plants, files, truth.

What belongs here: the order of making things and the report. What does not: any of their contents.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import available_timezones

from simulator.files import Folder, FolderReport
from simulator.plants.cdc import plant_changes
from simulator.plants.events import plant_events
from simulator.plants.webhooks import plant_store, plant_stripe
from simulator.product import Product, Systems, World
from simulator.products import find_products
from simulator.sources.debezium import Envelope
from simulator.timeline import DEFAULT_END, SECOND, Window, iso
from simulator.truth_writing import write_truth


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


def write_sample(
    out: Path, days: int = 180, seed: int = 7, scale: float = 1.0, end: datetime = DEFAULT_END,
    zones: Mapping[str, str] | None = None,
) -> SampleReport:  # fmt: skip
    """Writes `out/landing` and `out/truth`. Equal arguments give equal bytes.

    `days` is the length of the window that ends at `end`; `scale` multiplies people, sites and
    guards. `zones` moves tenants: the time zone of a product's catalogue → the one they live in.
    Raises ValueError for a window, a scale or zones that make no sample.
    """
    if days < 7:
        raise ValueError(f"a sample needs at least 7 days, not {days}: ask for --days 7 or more")
    if not 0 < scale <= 50:
        raise ValueError(f"the scale {scale} is not between 0 and 50: ask for --scale 1 or so")
    window = Window.ending(end, days)
    products = find_products()
    _must_be_lived_in(zones or {}, products)
    world = World.of(window, seed, scale, zones or {})
    with _undisturbed():
        lived = [(product, product.run(world)) for product in products]
        _close(world, lived)
        folders = [f for product, systems in lived for f in _filed(world, product, systems)]
        reports = [folder.write(out / "landing", window) for folder in folders]
        write_truth(out / "truth", world, lived, reports)
    return SampleReport(
        out=out,
        as_of=datetime.fromtimestamp(world.as_of / SECOND, UTC),
        files=sum(r.files for r in reports),
        lines=sum(r.lines for r in reports),
        size_bytes=sum(r.size_bytes for r in reports),
        planted=sum(len(r.planted) for r in reports),
        folders=reports,
    )


def _must_be_lived_in(zones: Mapping[str, str], products: list[Product]) -> None:
    """Nobody moves out of a zone in which no tenant lives, and nobody into one that does not exist."""
    homes = {tenant.timezone for product in products for tenant in product.tenants}
    for zone, other in zones.items():
        if zone not in homes:
            raise ValueError(f"no tenant lives in {zone}; they live in {', '.join(sorted(homes))}")
        if other not in available_timezones():
            raise ValueError(f"{other} is not a time zone: name one like Europe/Amsterdam")


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


def _close(world: World, lived: list[tuple[Product, Systems]]) -> None:
    """The newest event of the last product arrives as the sample's newest record."""
    told = [s.events.events for _, s in lived if s.events is not None and s.events.events]
    if told:
        newest = max(told[-1], key=lambda event: (event.at, event.event_id))
        newest.received = world.as_of


def _filed(world: World, product: Product, systems: Systems) -> Iterator[Folder]:
    """The folders of one product's systems, with every record filed and every defect planted."""
    if systems.events is not None:
        plant_events(systems.events, world.limit, world.chance("plants", "events", product.name))
        yield systems.events.folder
    yield from systems.exports
    if systems.changes is not None:
        folder = Folder("cdc", product.name)
        envelope = Envelope(systems.changes, folder, world.chance("debezium", product.name))
        envelope.write()
        plant_changes(envelope, world.chance("plants", "cdc", product.name))
        yield folder
    if systems.stripe is not None:
        plant_stripe(systems.stripe, world.chance("plants", "stripe", product.name))
        systems.stripe.close()
        yield systems.stripe.folder
    if systems.revenuecat is not None:
        plant_store(systems.revenuecat, world.ledger, world.chance("plants", "revenuecat"))
        systems.revenuecat.close()
        yield systems.revenuecat.folder


def describe(report: SampleReport) -> str:
    """One sentence for the terminal."""
    return (
        f"{report.lines:,} lines in {report.files} files ({report.size_bytes / 1e6:.1f} MB), "
        f"{report.planted} planted defects, as of {iso(int(report.as_of.timestamp()) * SECOND)}, in {report.out}"
    )
