"""Samples of every source, each loaded and built once per session: the databases that tests copy.

Belongs here: how the original comes about, and what lies beside a copy of it. Does not belong here:
copying (`templates`), what must be in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from app import pipeline
from simulator import write_sample
from simulator.timeline import DEFAULT_END
from tallyhouse.database import Warehouse
from tests.building import NO_SEEDS, NO_TESTS, run_dbt

AS_OF = "as_of"


@dataclass(frozen=True)
class Sample:
    """What the simulator is asked for; `name` is that of the database."""

    name: str
    days: int
    seed: int
    scale: float
    end: datetime = DEFAULT_END
    zones: Mapping[str, str] = field(default_factory=dict)


PLAIN = Sample("built_sample", 75, 23, 0.15)
# Clocks change in Australia (5 October, 5 April), Europe (26 October, 29 March) and America (2 November, 8 March);
# on the Azores at midnight, so that a day begins twice, or an hour late.
CLOCK_CHANGES = Sample(
    "clock_changes", 196, 29, 0.1, datetime(2026, 4, 11, tzinfo=UTC),
    {"Asia/Tokyo": "Australia/Sydney", "Asia/Riyadh": "Atlantic/Azores"},
)  # fmt: skip


@dataclass(frozen=True)
class BuiltSample:
    """A copy of a built sample, a test module's own, and what the simulator says of its truth.

    Its lake is empty and its landing folder too: what was loaded is in the database alone.
    """

    warehouse: Warehouse
    truth: Path
    as_of: datetime


def build_sample(warehouse: Warehouse, sample: Sample = PLAIN) -> None:
    """Write the sample into the warehouse's home, load all of it and build every model."""
    home = warehouse.settings.home
    report = write_sample(home, sample.days, sample.seed, sample.scale, sample.end, sample.zones)
    pipeline.load(warehouse.settings, warehouse)
    outcome = run_dbt(warehouse, "build", *NO_TESTS, *NO_SEEDS)
    assert outcome.success, outcome.failures
    (home / AS_OF).write_text(report.as_of.isoformat(), "utf-8")


def copy_of_sample(copy: Warehouse, original: Path) -> BuiltSample:
    """What lies in a copied database, with the key of personal data that the original was loaded with."""
    settings = replace(copy.settings, pii_key_file=original / "pii.key")
    as_of = datetime.fromisoformat((original / AS_OF).read_text("utf-8"))
    return BuiltSample(replace(copy, settings=settings), original / "truth", as_of)
