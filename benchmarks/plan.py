"""How much is measured, and the stores that several measurements share.

Belongs here: sizes, repetitions, histories loaded once. Does not belong here: a clock.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from app import pipeline
from benchmarks.inputs import WEEKS, History, write_events
from benchmarks.stores import Site, Store

FIRST_NEW_DAY = 7 * WEEKS


class WrongResult(Exception):
    """What was measured did not do its work; its time would mean nothing."""


@dataclass(frozen=True)
class Plan:
    """Sizes in lines of input."""

    events: int = 2_000_000
    large: int = 10_000_000
    one_file: int = 2_400_000  # about 1 GB
    day: int = 20_000
    changes: int = 1_000_000
    billing: int = 1_000_000
    dlt_part: int = 100_000
    samples: int = 3
    days: int = 5
    builds: int = 3
    huge_file: bool = False
    clone: bool = False
    with_large: bool = True
    with_dlt: bool = True

    def scaled(self, by: float) -> "Plan":
        """The same plan with that share of all lines."""
        sizes = ("events", "large", "one_file", "day", "changes", "billing", "dlt_part")
        smaller = {name: max(400, int(getattr(self, name) * by)) for name in sizes}
        return Plan(**{**self.__dict__, **smaller})


@dataclass
class Bench:
    """What every measurement gets: the place, the plan, and the stores that exist already."""

    site: Site
    plan: Plan
    say: Callable[[str], None]
    stores: dict[str, Store] = field(default_factory=dict)
    _next_day: int = FIRST_NEW_DAY

    def landing(self, history: History) -> Path:
        """The folder of a history's files, written when first asked for."""
        folder = self.site.folder / "landing" / history.name
        if not folder.exists():
            self.say(f"writing {history.lines:,} lines ({history.name})")
            size = write_events(folder, history)
            self.say(f"  {size / 1e6:,.0f} MB, {size / history.lines:.0f} bytes a line")
        return folder

    def forget(self, history: History) -> None:
        """Remove a history's files."""
        shutil.rmtree(self.site.folder / "landing" / history.name, ignore_errors=True)

    @property
    def history(self) -> History:
        return History("history", self.plan.events)

    @property
    def large(self) -> History:
        return History("large", self.plan.large)

    def loaded(self, history: History) -> Store:
        """The store that holds a history, loaded now unless a measurement left it behind."""
        if history.name not in self.stores:
            store = self.site.store(history.name)
            self.say(f"loading {history.lines:,} events into {history.name}")
            pipeline.load(store.reading(self.landing(history)), store.warehouse)
            self.check(store, history)
            self.stores[history.name] = store
        return self.stores[history.name]

    def histories(self) -> list[Store]:
        """The stores whose growth is compared: small, then large unless it is left out."""
        wanted = [self.history, self.large] if self.plan.with_large else [self.history]
        return [self.loaded(history) for history in wanted]

    def new_day(self) -> History:
        """One more day, later than all before it."""
        self._next_day += 1
        number = self._next_day - 1
        return History(f"day{number}", self.plan.day, first_day=number, days=1, files=2)

    def check(self, store: Store, history: History) -> str:
        """Every line must be accounted for; returns what became of them as a sentence."""
        found = store.rows(
            "select coalesce(sum(record_count), 0), coalesce(sum(stored_count), 0),"
            " coalesce(sum(duplicate_count), 0), coalesce(sum(rejected_count), 0)"
            " from ops.load_manifest where file_path like %s",
            f"events/%/{history.name}-%",
        )[0]
        records, stored, duplicates, rejected = map(int, found)
        kept = int(store.value("select count(*) from raw_events.events"))
        if records != stored + duplicates + rejected or records < 0.99 * history.lines:
            raise WrongResult(f"{history.name}: of {history.lines} lines {found} are known.")
        if kept < stored:
            raise WrongResult(f"{history.name}: {stored} stored, {kept} in the table.")
        return f"{stored:,} stored, {duplicates:,} duplicates, {rejected:,} rejected"
