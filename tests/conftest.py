"""Fixtures that every test may use: one real Postgres for the whole session, fresh databases in it.

Belongs here: what more than one folder of tests needs. Does not belong here: data of one test.
"""

import gc
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import hypothesis
import pytest

from tallyhouse.database import Warehouse, open_warehouse
from tallyhouse.settings import Settings
from tests.built_sample import PLAIN, BuiltSample, Sample, build_sample, copy_of_sample
from tests.once import users
from tests.templates import EMPTY, Templates

# the folders of few but long tests come first, a domain after the other, so that two workers end together
LONG_FIRST = (
    "end_to_end",
    "python/marts",
    "python/models",
    "python/governance",
    "python/revenue",
    "python/ml",
)
TESTS = Path(__file__).parent

# reading dbt's project makes a million objects at once, which Python's rule would look through a thousand times
gc.set_threshold(50_000, 10, 10)

# a slow machine is no fault of an example
hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.load_profile("house")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put long files first: a worker that begins one when the other has ended works alone."""
    items.sort(key=lambda item: _turn(item.path.relative_to(TESTS).as_posix()))


def _turn(path: str) -> int:
    places = (n for n, folder in enumerate(LONG_FIRST) if path.startswith(f"{folder}/"))
    return next(places, len(LONG_FIRST))


@pytest.fixture(scope="session", autouse=True)
def _no_files_of_the_account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing is read from or written to the folders of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        yield


@pytest.fixture(scope="session")
def session_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder of this test session, the same one for all its workers."""
    base = tmp_path_factory.getbasetemp()
    return base if worker_id == "master" else base.parent


@pytest.fixture(scope="session")
def warehouse_server(session_folder: Path) -> Iterator[Warehouse]:
    """The session's embedded server, shared by its workers, stopped by the last one to leave.

    Its home is a pytest folder (0700), so under root each session also proves that the server's
    account gets there. The database `tallyhouse` in it is empty: take a `fresh_database`. Tests that
    kill a server, or fill its disk, start one of their own, which waits for the disk as ever.
    """
    home = session_folder / "warehouse"
    home.mkdir(exist_ok=True)
    settings = Settings.from_env({"TALLYHOUSE_HOME": str(home)})
    with users(home, +1):
        warehouse = open_warehouse(settings)
        _spare_the_disk(warehouse)
    yield warehouse
    with users(home, -1) as left:
        if left == 0:
            warehouse.stop()


@pytest.fixture(scope="module")
def templates(warehouse_server: Warehouse, session_folder: Path) -> Iterator[Templates]:
    """Databases of the session's server that are made once and copied; copies live as long as their module."""
    templates = Templates(warehouse_server, session_folder)
    yield templates
    templates.drop_copies()


@pytest.fixture(scope="module")
def fresh_database(templates: Templates) -> Callable[..., Warehouse]:
    """A factory of databases without rows of any source, each with its own home.

    `fresh_database("cdc")` is empty; with `prepared=True` it has raw tables, with `seeded=True` the
    reference data too.
    """

    def make(label: str = "test", *, prepared: bool = False, seeded: bool = False) -> Warehouse:
        if seeded:
            return templates.copy(templates.seeded(), label)
        return templates.copy(templates.prepared() if prepared else EMPTY, label)

    return make


@pytest.fixture(scope="module")
def sample_copy(templates: Templates) -> Callable[..., BuiltSample]:
    """A factory of copies of a built sample: `sample_copy("truth")`; each belongs to who asked."""

    def make(label: str, sample: Sample = PLAIN) -> BuiltSample:
        fill = partial(build_sample, sample=sample)
        original = templates.made(sample.name, templates.seeded(), fill)
        return copy_of_sample(templates.copy(original, label), templates.home(original))

    return make


def _spare_the_disk(server: Warehouse) -> None:
    """No test outlives this machine; what was committed still survives the server's own end."""
    with server.database("postgres").connect(autocommit=True) as connection:
        connection.execute("alter system set fsync = off")
        connection.execute("alter system set full_page_writes = off")
        connection.execute("select pg_reload_conf()")
