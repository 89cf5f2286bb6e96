"""A run that is killed anywhere and started again ends where an undisturbed one does."""

import os
import signal
import subprocess
import time
from collections.abc import Callable

import pytest

from tallyhouse.database import Warehouse
from tests.end_to_end.conftest import Undisturbed
from tests.end_to_end.house import COMMAND, House
from tests.end_to_end.marts import contents

pytestmark = pytest.mark.slow

MOMENTS = (
    "select count(*) >= 20 from ops.load_manifest",
    "select count(*) >= 45 from ops.load_manifest",
    "select to_regclass('core.dim_tenant') is not null",
    "select to_regclass('core.fact_events') is not null",
)


def test_killed_while_loading_and_while_building(
    undisturbed: Callable[[], Undisturbed], new_house: Callable[..., House]
) -> None:
    house = new_house()
    house.good("db", "start")
    for moment in MOMENTS:
        _kill_when(moment, house)
    _kill_the_server(house.warehouse())
    house.good("run")
    assert contents(house.warehouse()) == undisturbed().marts


def _kill_when(question: str, house: House) -> None:
    """Start a run and end it without warning as soon as the question's answer is yes."""
    run = subprocess.Popen([COMMAND, "run"], env=house.environment, stdout=subprocess.DEVNULL)
    with house.warehouse().connect(autocommit=True) as connection:
        while run.poll() is None:
            row = connection.execute(question).fetchone()
            if row and row[0]:
                break
            time.sleep(0.1)
    assert run.poll() is None, "the run ended before it could be killed"
    run.kill()
    run.wait()


def _kill_the_server(warehouse: Warehouse) -> None:
    """kill -9 on Postgres itself."""
    assert warehouse.server is not None
    address = warehouse.server.running()
    assert address is not None
    os.kill(address.pid, signal.SIGKILL)
