"""kill -9 of Postgres, the postmaster and every backend, in mid-load: the next run heals."""

import contextlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from ingestion.storing.ledger import LOADER_LOCK
from tallyhouse.errors import TallyhouseError
from tests.end_to_end.house import COMMAND, House
from tests.patience import PATIENCE
from tests.python.ingestion.faults.conftest import State, Trial, children

pytestmark = pytest.mark.slow


@pytest.fixture
def house(tmp_path: Path, sample: Path, key_file: Path) -> Iterator[House]:
    """An installation with a server of its own, over the sample."""
    house = House(tmp_path / "home", sample, key_file)
    house.good("db", "start")
    yield house
    house.stop()


def test_killed_in_mid_load(house: House, clean: State) -> None:
    chance = random.Random(9)
    for wanted in (1, 12, 25):
        load = subprocess.Popen(
            [COMMAND, "load"], env=house.environment, stderr=subprocess.PIPE, text=True
        )
        wait_for_files(house, load, wanted)
        time.sleep(chance.uniform(0, 0.1))
        kill_postgres(house)
        _, told = load.communicate(timeout=PATIENCE)
        assert load.returncode == 1, told
        assert "run again" in told and "Traceback" not in told
        house.good("db", "start")
        Trial(house.warehouse()).assert_sound()
    house.good("load")
    Trial(house.warehouse()).assert_like(clean)


def test_one_backend_killed(house: House, clean: State) -> None:
    """The postmaster ends all other sessions, recovers and rolls back by itself."""
    load = subprocess.Popen(
        [COMMAND, "load"], env=house.environment, stderr=subprocess.PIPE, text=True
    )
    wait_for_files(house, load, 3)
    for pid in loading_backends(house):
        os.kill(pid, signal.SIGKILL)
    _, told = load.communicate(timeout=PATIENCE)
    assert load.returncode == 1 and "run again" in told, told
    house.good("load")
    Trial(house.warehouse()).assert_like(clean)


def loading_backends(house: House) -> list[int]:
    """The server's processes that hold the lock of loaders."""
    with house.warehouse().connect(autocommit=True) as conn:
        query = "select pid from pg_locks where locktype = 'advisory' and granted and objid = %s"
        return [pid for (pid,) in conn.execute(query, [LOADER_LOCK]).fetchall()]


def wait_for_files(house: House, load: "subprocess.Popen[str]", wanted: int) -> None:
    """Until so many files are in the ledger."""
    while load.poll() is None:
        with (
            contextlib.suppress(psycopg.Error, TallyhouseError, AssertionError),
            house.warehouse().connect(autocommit=True) as conn,
        ):
            while load.poll() is None:
                row = conn.execute("select count(*) from ops.load_manifest").fetchone()
                if row and row[0] >= wanted:
                    return
        time.sleep(0.02)
    raise AssertionError("the load ended before the server could be killed")


def kill_postgres(house: House) -> None:
    """kill -9 of all processes of the house's server at once."""
    server = house.warehouse().server
    address = server.running() if server else None
    assert address is not None
    found = [address.pid, *children(address.pid)]
    for pid in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
