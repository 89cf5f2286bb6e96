"""`tallyhouse run`: what it prints, what a second run changes (nothing), what a full refresh does."""

from collections.abc import Callable

import pytest

from tests.end_to_end.conftest import Undisturbed
from tests.end_to_end.marts import contents, places

pytestmark = pytest.mark.slow


def test_the_summary_says_what_came_out_and_status_says_it_again(
    undisturbed: Callable[[], Undisturbed],
) -> None:
    said = undisturbed().printed.lower()
    for word in (
        "stored",
        "rejected because",
        "mrr",
        "dau",
        "retention",
        "baseline",
        "tests passed",
    ):
        assert word in said, undisturbed().printed
    assert "MRR" in undisturbed().house.good("status")


def test_a_second_run_writes_no_row_anywhere(undisturbed: Callable[[], Undisturbed]) -> None:
    before = places(undisturbed().house.warehouse())
    assert len(before) > 60
    assert "Nothing new" in undisturbed().house.good("run")
    assert places(undisturbed().house.warehouse()) == before


def test_full_refresh_ends_in_the_same_marts(undisturbed: Callable[[], Undisturbed]) -> None:
    undisturbed().house.good("run", "--full-refresh")
    assert contents(undisturbed().house.warehouse()) == undisturbed().marts
