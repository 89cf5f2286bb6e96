"""One tiny sample and one undisturbed run of it, shared by the tests that compare with it."""

from __future__ import annotations

import contextlib
import functools
import json
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from simulator import write_sample
from tallyhouse.database import Warehouse
from tests.building import PARSED, parsed_once
from tests.end_to_end.house import House
from tests.end_to_end.marts import contents
from tests.keys import put_key
from tests.once import made_once, users

DAYS, SEED, SCALE = 45, 5, 0.06


@dataclass(frozen=True)
class Undisturbed:
    """The run that others are compared with."""

    house: House
    printed: str
    marts: dict[str, tuple[int, str]]


@pytest.fixture(scope="session")
def sample(session_folder: Path) -> Path:
    """A folder with `landing` and `truth`."""
    return made_once(session_folder / "sample", lambda out: write_sample(out, DAYS, SEED, SCALE))


@pytest.fixture(scope="session")
def key_file(session_folder: Path) -> Path:
    """The key of personal data that all houses share: tokens are part of what is compared."""
    key = secrets.token_bytes(32)
    return made_once(session_folder / "pii.key", lambda path: put_key(path, key))


@pytest.fixture(scope="session")
def read_for(warehouse_server: Warehouse) -> Callable[[House], None]:
    """Give a house what dbt read of the project's files, which takes it longer than a small build."""

    def give(house: House) -> None:
        target = house.home / "target"
        target.mkdir(parents=True)
        shutil.copy(parsed_once(warehouse_server), target / PARSED)

    return give


@pytest.fixture(scope="module")
def new_house(
    tmp_path_factory: pytest.TempPathFactory,
    sample: Path,
    key_file: Path,
    read_for: Callable[[House], None],
) -> Iterator[Callable[..., House]]:
    """Make houses, each with a copy of the sample's landing folder unless told otherwise.

    They are gone when their module ends, also those beside one that cannot be stopped.
    """

    def make(*, filled: bool = True) -> House:
        folder = tmp_path_factory.mktemp("house")
        house = House(folder / "home", folder / "landing", key_file)
        read_for(house)
        if filled:
            shutil.copytree(sample / "landing", house.landing)
        else:
            house.landing.mkdir()
        stack.callback(remove, house)
        return house

    def remove(house: House) -> None:
        house.stop()
        shutil.rmtree(house.home.parent)

    with contextlib.ExitStack() as stack:
        yield make


@pytest.fixture(scope="session")
def undisturbed(
    session_folder: Path, sample: Path, key_file: Path, read_for: Callable[[House], None]
) -> Iterator[Callable[[], Undisturbed]]:
    """The sample loaded, built and learned from in one go, by the first worker that asks for it.

    A test asks when it comes to compare, so that what it compares is made beside it.
    """
    folder = session_folder / "undisturbed"
    folder.mkdir(exist_ok=True)
    with users(folder, +1):
        house = House(folder / "home", folder / "landing", key_file)

    def run(out: Path) -> None:
        read_for(house)
        shutil.copytree(sample / "landing", house.landing)
        printed = house.good("run", dbt_tests=True)
        out.mkdir()
        found = {"printed": printed, "marts": contents(house.warehouse())}
        (out / "found.json").write_text(json.dumps(found), "utf-8")

    @functools.cache
    def ask() -> Undisturbed:
        found = json.loads((made_once(folder / "run", run) / "found.json").read_text("utf-8"))
        house.good("db", "start")  # a worker that left may have been the last one
        marts = {name: (count, mark) for name, (count, mark) in found["marts"].items()}
        return Undisturbed(house, found["printed"], marts)

    yield ask
    with users(folder, -1) as left:
        if left == 0:
            house.stop()
