"""What the tests of Dagster's steps and history share: a warehouse of which the environment tells.

Belongs here: what more than one file here needs. Does not belong here: what is built in it.
"""

from collections.abc import Callable

import pytest

from tallyhouse.database import Warehouse


@pytest.fixture
def warehouse(
    fresh_database: Callable[..., Warehouse], monkeypatch: pytest.MonkeyPatch
) -> Warehouse:
    """A database of which the environment tells, as a run of Dagster or of the command line finds it."""
    warehouse = fresh_database("told", seeded=True)
    monkeypatch.setenv("TALLYHOUSE_HOME", str(warehouse.settings.home))
    monkeypatch.setenv("TALLYHOUSE_DATABASE_URL", warehouse.url)
    return warehouse
