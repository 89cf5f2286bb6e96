"""Rule 48 once more: all of a source in a single file ends in the same marts.

Apart from `test_convergence`, whose test is the longest of all, so that both run at once.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Undisturbed
from tests.end_to_end.deliveries import assert_same_marts, sources, write
from tests.end_to_end.house import House

pytestmark = pytest.mark.slow


def test_one_file_per_source(
    sample: Path, undisturbed: Callable[[], Undisturbed], new_house: Callable[..., House]
) -> None:
    house = new_house(filled=False)
    for name, source in sources(sample / "landing").items():
        write(house.landing / name / source.file("all"), source.part(source.lines))
    house.good("run")
    assert_same_marts(house, undisturbed())
