"""Empty warehouses and the real data sets, for the tests of the marts.

Belongs here: fixtures. Does not belong here: what a warehouse in a test can do (`house`).
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from tallyhouse.database import Warehouse
from tests.python.marts.house import House
from tests.shared_data import shared


@pytest.fixture
def new_house(fresh_database: Callable[..., Warehouse]) -> Callable[[str], House]:
    """A factory of empty warehouses: `new_house("retention")`."""
    return lambda label: House(fresh_database(label, seeded=True))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real data sets, where they are."""
    return shared(".")
