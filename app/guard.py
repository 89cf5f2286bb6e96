"""The guard between loading and building: landed tables are held against their suites first.

`building` leaves out what reads a table that does not meet its suite. Belongs here: when the tables
are looked at, and where the pages lie. Does not belong here: what is expected of them
(`ingestion.quality`).
"""

from pathlib import Path

from ingestion import quality
from tallyhouse.database import Warehouse
from tallyhouse.settings import Settings


def pages(settings: Settings) -> Path:
    """The folder of Great Expectations' Data Docs."""
    return settings.home / "data_docs"


def is_due(warehouse: Warehouse) -> bool:
    """Whether something was loaded that was not looked at yet, or is broken."""
    with warehouse.connect() as connection:
        return quality.awaits_check(connection)


def check(settings: Settings, warehouse: Warehouse) -> list[quality.LandedCheck]:
    """Hold what was loaded since each table was last found good against all suites."""
    return quality.check_new(warehouse.connect, warehouse.url, pages(settings))
