"""Rule 48: any split of the same input, in any order, with any repetition, ends in the same marts."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Undisturbed
from tests.end_to_end.deliveries import assert_same_marts, cut, sources, write
from tests.end_to_end.house import House

pytestmark = pytest.mark.slow


def test_forty_files_shuffled_each_given_twice_and_built_in_between(
    sample: Path, undisturbed: Callable[[], Undisturbed], new_house: Callable[..., House]
) -> None:
    house = new_house(filled=False)
    chance = random.Random(48)
    waiting: list[tuple[Path, list[bytes]]] = []
    for name, source in sources(sample / "landing").items():
        for number, part in enumerate(cut(source.lines, 40)):
            file = house.landing / name / source.file(f"part-{number}")
            waiting.append((file, source.part(part)))
    chance.shuffle(waiting)
    first, second, last = waiting[:5], waiting[5 : len(waiting) // 2], waiting[len(waiting) // 2 :]
    # the last time with the same records again, in files of another content
    again = [
        (path.with_name(f"{path.stem}-again{path.suffix}.gz"), [*lines, b""])
        for path, lines in waiting
    ]
    for batch in (first, second, [*last, *again]):
        for path, lines in batch:
            write(path, lines)
        house.good("run", dbt_tests=batch is not second)
    assert_same_marts(house, undisturbed())
