"""Fixtures of the Python tests that more than one folder uses, beside those of `tests/conftest.py`.

Belongs here: an empty, prepared warehouse for each module, a bucket. Does not belong here: data of one test.
"""

from collections.abc import Callable, Iterator

import pytest

from tallyhouse.database import Warehouse
from tests.hand_made import HandMade
from tests.python.object_store import FaultyLine, ObjectStore


@pytest.fixture(scope="module")
def hand_made(fresh_database: Callable[..., Warehouse]) -> HandMade:
    """A warehouse whose raw rows the module writes itself."""
    hand_made = HandMade(fresh_database("models", prepared=True))
    hand_made.stand_in()
    return hand_made


@pytest.fixture(scope="session")
def served_store() -> Iterator[ObjectStore]:
    store = ObjectStore()
    yield store
    store.stop()


@pytest.fixture
def store(served_store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """An empty bucket, reached by what the environment says."""
    served_store.clear()
    for name, value in served_store.environment().items():
        monkeypatch.setenv(name, value)
    return served_store


@pytest.fixture
def line(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyLine]:
    """The only way to the store, which breaks on demand. Nobody tries twice."""
    line = FaultyLine(store)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{line.port}")
    yield line
    line.stop()
