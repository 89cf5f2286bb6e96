"""No model of revenue does more than its input asks for, however much of it is one customer's.

Not by the clock: the plan of each model tells how many rows its steps looked at. What compares a
customer's changes with each other looks at their square. Belongs here: bounds. Does not belong here:
histories, seconds.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.python.marts.house import House
from tests.python.revenue.conftest import REVENUE
from tests.python.revenue.long_histories import put_long_histories

pytestmark = pytest.mark.slow

EVENTS = 8_000
ROWS_OF_AN_EVENT = 100  # a customer's month is weighed against ten years of months
AS_OF = "2026-09-01T12:00:00Z"


@pytest.fixture(scope="module")
def house(new_house: Callable[[str], House]) -> House:
    house = new_house("long_histories")
    put_long_histories(house, EVENTS)
    house.load()
    house.build(REVENUE, as_of=AS_OF)
    return house


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def looked_at(node: dict[str, Any]) -> int:
    """Rows that a step gave or threw away, over all its repetitions."""
    thrown_away = sum(value for key, value in node.items() if key.startswith("Rows Removed by"))
    return int((node["Actual Rows"] + thrown_away) * node["Actual Loops"])


def test_no_step_weighs_a_history_against_itself(house: House) -> None:
    """Of 3,000 events of one customer there are nine million pairs, of its 600 invoices and charges 360,000."""
    policies = house.query("select count(*) from reference.mrr_policies where is_computed")[0][0]
    by_policy = {
        name
        for (name,) in house.query(
            "select table_name from information_schema.columns where column_name = 'policy'"
        )
    }
    heaviest: dict[str, float] = {}
    folder = house.warehouse.settings.home / "target/compiled/tallyhouse/models"
    with house.warehouse.connect() as connection:
        for file in sorted(folder.glob("*/revenue/*.sql")):
            query = f"explain (analyze, timing off, format json) {file.read_text('utf-8')}"
            answer = connection.execute(query.encode()).fetchone()
            assert answer is not None
            rows = max(looked_at(node) for node in nodes(answer[0][0]["Plan"]))
            heaviest[file.stem] = rows / EVENTS / (policies if file.stem in by_policy else 1)
    assert len(heaviest) > 40
    del heaviest[
        "int_revenue__fx_daily"
    ]  # made of days and currencies, however many events there are
    assert {name: rows for name, rows in heaviest.items() if rows > ROWS_OF_AN_EVENT} == {}
