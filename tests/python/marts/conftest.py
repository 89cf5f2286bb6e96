"""Empty warehouses and the real data sets, for the tests of the marts.

Belongs here: fixtures. Does not belong here: what a warehouse in a test can do (`house`).
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tallyhouse.database import Warehouse
from tallyhouse.settings import PROJECT_ROOT
from tests.python.marts.house import House

SHARED_DATA = PROJECT_ROOT.parent / "shared" / "data"


@pytest.fixture(autouse=True, scope="session")
def _target_of_this_worker(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Two workers must not write the same compiled project."""
    os.environ["DBT_TARGET_PATH"] = str(tmp_path_factory.mktemp("target"))


@pytest.fixture
def new_house(fresh_database: Callable[..., Warehouse]) -> Callable[[str], House]:
    """A factory of empty warehouses: `new_house("retention")`."""
    return lambda label: House(fresh_database(label, prepared=True))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real data sets, where they are."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"{SHARED_DATA} is not there: the known answers of real data are not compared")
    return SHARED_DATA
