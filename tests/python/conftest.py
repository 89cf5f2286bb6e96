"""Fixtures of the Python tests that more than one folder uses, beside those of `tests/conftest.py`.

Belongs here: an empty, prepared warehouse for each module. Does not belong here: data of one test.
"""

from collections.abc import Callable

import pytest

from tallyhouse.database import Warehouse
from tests.hand_made import HandMade


@pytest.fixture(scope="module")
def hand_made(
    fresh_database: Callable[..., Warehouse], tmp_path_factory: pytest.TempPathFactory
) -> HandMade:
    """A warehouse whose raw rows the module writes itself."""
    target = tmp_path_factory.mktemp("dbt") / "target"
    hand_made = HandMade(fresh_database("models", prepared=True), str(target))
    hand_made.stand_in()
    return hand_made
