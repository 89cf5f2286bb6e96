"""A sample of every source, loaded and built once per session: the database that tests copy.

Belongs here: how the original comes about, and what lies beside a copy of it. Does not belong here:
copying (`templates`), what must be in it.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from app import pipeline
from simulator import write_sample
from tallyhouse.database import Warehouse
from tests.building import NO_SEEDS, NO_TESTS, run_dbt

DAYS, SEED, SCALE = 75, 23, 0.15
AS_OF = "as_of"


@dataclass(frozen=True)
class BuiltSample:
    """A copy of the built sample, a test module's own, and what the simulator says of its truth.

    Its lake is empty and its landing folder too: what was loaded is in the database alone.
    """

    warehouse: Warehouse
    truth: Path
    as_of: datetime


def build_sample(warehouse: Warehouse) -> None:
    """Write the sample into the warehouse's home, load all of it and build every model."""
    home = warehouse.settings.home
    report = write_sample(home, DAYS, SEED, SCALE)
    pipeline.load(warehouse.settings, warehouse)
    outcome = run_dbt(warehouse, "build", *NO_TESTS, *NO_SEEDS)
    assert outcome.success, outcome.failures
    (home / AS_OF).write_text(report.as_of.isoformat(), "utf-8")


def copy_of_sample(copy: Warehouse, original: Path) -> BuiltSample:
    """What lies in a copied database, with the key of personal data that the original was loaded with."""
    settings = replace(copy.settings, pii_key_file=original / "pii.key")
    as_of = datetime.fromisoformat((original / AS_OF).read_text("utf-8"))
    return BuiltSample(replace(copy, settings=settings), original / "truth", as_of)
