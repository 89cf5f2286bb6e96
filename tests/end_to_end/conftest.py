"""One tiny sample and one undisturbed run of it, shared by the tests that compare with it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from simulator import write_sample
from tests.end_to_end.house import House
from tests.end_to_end.marts import contents

DAYS, SEED, SCALE = 45, 5, 0.06


@dataclass(frozen=True)
class Undisturbed:
    """The run that others are compared with."""

    house: House
    printed: str
    marts: dict[str, tuple[int, str]]


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `landing` and `truth`."""
    out = tmp_path_factory.mktemp("sample")
    write_sample(out, DAYS, SEED, SCALE)
    return out


@pytest.fixture(scope="session")
def new_house(
    tmp_path_factory: pytest.TempPathFactory, sample: Path
) -> Iterator[Callable[..., House]]:
    """Make houses, each with a copy of the sample's landing folder unless told otherwise.

    All share one key of personal data: tokens are part of what is compared.
    """
    made: list[House] = []
    key_file = tmp_path_factory.mktemp("key") / "pii.key"

    def make(*, filled: bool = True) -> House:
        folder = tmp_path_factory.mktemp("house")
        house = House(folder / "home", folder / "landing", key_file)
        if filled:
            shutil.copytree(sample / "landing", house.landing)
        else:
            house.landing.mkdir()
        made.append(house)
        return house

    yield make
    for house in made:
        house.stop()


@pytest.fixture(scope="session")
def undisturbed(new_house: Callable[..., House]) -> Undisturbed:
    """The sample loaded, built and learned from in one go."""
    house = new_house()
    printed = house.good("run")
    return Undisturbed(house, printed, contents(house.warehouse()))
