"""What a product is to the sample: who its tenants are, and how to let it live through a window.

What belongs here: what a product is given (`World`) and what it gives back (`Systems`). What does not:
any product; those lie in `simulator/products/<name>/` and are found there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from simulator.catalogue import Tenant
from simulator.chance import Chance
from simulator.files import Folder
from simulator.fx import Rates
from simulator.ledger import Ledger
from simulator.sources.debezium import ChangeLog
from simulator.sources.events import EventStream
from simulator.sources.revenuecat import RevenueCatProject
from simulator.sources.stripe import StripeAccount
from simulator.timeline import MINUTE, SECOND, Window
from simulator.truth.customers.happened import Answer
from simulator.truth.engagement.actions import Actions
from simulator.truth.engagement.use import Session
from simulator.truth.table import Table


@dataclass(frozen=True)
class World:
    """What all products of one sample share. Nothing happens at or after `limit`.

    `zones`: the time zone of a product's catalogue → the one in which its tenants live here.
    """

    window: Window
    seed: int
    scale: float
    rates: Rates
    ledger: Ledger
    zones: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, window: Window, seed: int, scale: float, zones: Mapping[str, str]) -> World:
        return cls(window, seed, scale, Rates.read(), Ledger(window.end - 2 * MINUTE), zones)

    @property
    def limit(self) -> int:
        return self.ledger.limit

    @property
    def as_of(self) -> int:
        """The newest arrival in the sample."""
        return self.window.end - 30 * SECOND

    def tenant(self, tenant: Tenant) -> Tenant:
        """A tenant of a catalogue, in the time zone in which it lives here."""
        return replace(tenant, timezone=self.zones.get(tenant.timezone, tenant.timezone))

    def chance(self, *purpose: object) -> Chance:
        return Chance(self.seed, *purpose)


def _nothing(_: list[Session]) -> Iterable[Table]:
    return ()


@dataclass(frozen=True)
class Systems:
    """The source systems of one product after its run, and what only its own world knows.

    A system that the product does not have is left out. `truth` is asked once the events stand as
    they were told, and gets the sessions that a right warehouse finds in them; it returns the tables
    that this product alone has (`simulator/truth/<domain>/`). `exports` are folders that it filled and
    planted itself, line by line. `answers` are what customers said when they were asked. `counts` go into the summary.
    """

    events: EventStream | None = None
    changes: ChangeLog | None = None
    stripe: StripeAccount | None = None
    revenuecat: RevenueCatProject | None = None
    exports: tuple[Folder, ...] = ()
    answers: Iterable[Answer] = ()
    truth: Callable[[list[Session]], Iterable[Table]] = _nothing
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Product:
    """A product: its folder's name, its tenants, and its life in a world.

    `run` enters what is paid into the world's ledger while it happens; the truth about revenue, use
    and rows is made for every product alike. `actions`: what its people can do.
    """

    name: str
    tenants: tuple[Tenant, ...]
    run: Callable[[World], Systems]
    actions: Actions = field(default_factory=Actions)
