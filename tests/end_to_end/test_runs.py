"""`tallyhouse run`: what it prints, what a second run changes (nothing), what a full refresh does."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app.run_log import lost_relations
from tallyhouse.settings import PROJECT_ROOT
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


def test_what_a_contract_change_took_away_is_built_without_any_new_file(
    undisturbed: Callable[[], Undisturbed], tmp_path: Path
) -> None:
    """A typed column is made anew, and the staging views on it go; the marts stay as they were."""
    text = (PROJECT_ROOT / "contracts/cdc/rostracore.yml").read_text()
    assert "      required_count: integer\n" in text
    changed = text.replace("      required_count: integer\n", "      required_count: bigint\n")
    (tmp_path / "rostracore.yml").write_text(changed)
    house = replace(undisturbed().house, contracts=str(tmp_path))
    said = house.good("load")
    assert "tallyhouse reload cdc/rostracore --table shifts" in said
    with house.warehouse().connect() as connection:
        assert "stg_rostracore__shifts" in lost_relations(connection, PROJECT_ROOT)
    assert "Nothing new" not in house.good("run")
    with house.warehouse().connect() as connection:
        assert lost_relations(connection, PROJECT_ROOT) == []
    assert contents(house.warehouse()) == undisturbed().marts
