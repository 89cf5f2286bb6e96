"""A run that is killed anywhere and started again ends where an undisturbed one does."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from simulator import write_sample
from tallyhouse.database import Warehouse, find_warehouse, open_warehouse
from tallyhouse.settings import Settings
from tests.end_to_end.marts import contents

pytestmark = pytest.mark.slow

TALLYHOUSE = str(Path(sys.executable).parent / "tallyhouse")


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A month of a small sample."""
    out = tmp_path_factory.mktemp("sample")
    write_sample(out, 30, 5, 0.1)
    return out / "landing"


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Settings]]:
    """Makes homes whose servers are stopped afterwards; all share one key of personal data."""
    folder = tmp_path_factory.mktemp("homes")
    made: list[Settings] = []

    def make(name: str) -> Settings:
        values = {"HOME": str(folder / name), "PII_KEY_FILE": str(folder / "pii.key")}
        settings = Settings.from_env({f"TALLYHOUSE_{key}": value for key, value in values.items()})
        made.append(settings)
        return settings

    yield make
    for settings in made:
        warehouse = find_warehouse(settings)
        if warehouse:
            warehouse.stop()


def test_killed_while_loading_and_while_building(
    landing: Path, homes: Callable[[str], Settings]
) -> None:
    calm, shaken = homes("calm"), homes("shaken")
    assert _start(calm, landing).wait() == 0
    expected = contents(open_warehouse(calm))
    assert sum(count for count, _ in expected.values()) > 1000

    warehouse = open_warehouse(shaken)
    warehouse.prepare()
    for moment in (
        "select count(*) >= 20 from ops.load_manifest",
        "select count(*) >= 45 from ops.load_manifest",
        "select to_regclass('core.dim_tenant') is not null",
        "select to_regclass('core.fact_events') is not null",
    ):
        _kill_when(moment, _start(shaken, landing), warehouse)
    os.kill(_server_pid(shaken), signal.SIGKILL)
    assert _start(shaken, landing).wait() == 0
    assert contents(open_warehouse(shaken)) == expected

    again = _start(shaken, landing)
    assert again.wait() == 0
    assert contents(open_warehouse(shaken)) == expected


def _start(settings: Settings, landing: Path) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "TALLYHOUSE_HOME": str(settings.home),
        "TALLYHOUSE_PII_KEY_FILE": str(settings.pii_key_file),
    }
    environment.pop("TALLYHOUSE_DATABASE_URL", None)
    return subprocess.Popen(
        [TALLYHOUSE, "run", "--landing", str(landing)], env=environment, stdout=subprocess.DEVNULL
    )


def _kill_when(question: str, run: subprocess.Popen[bytes], warehouse: Warehouse) -> None:
    """End the run without warning as soon as the question's answer is yes."""
    with warehouse.connect(autocommit=True) as connection:
        while run.poll() is None:
            row = connection.execute(question).fetchone()
            if row and row[0]:
                break
            time.sleep(0.1)
    assert run.poll() is None, "the run ended before it could be killed"
    run.kill()
    run.wait()


def _server_pid(settings: Settings) -> int:
    text = (settings.home / "postgres" / "data" / "postmaster.pid").read_text()
    return int(text.split("\n", 1)[0])
