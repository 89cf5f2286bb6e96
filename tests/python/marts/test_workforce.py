"""Guards' work through the ordinary loader: change data and events, split, shuffled, doubled and late.

Belongs here: what comes of sources that arrive in any way (rules 40, 44, 48), and the cases of the
metrics from landing folder to mart. Does not belong here: why a number is what it is (unit tests), all of
a sample's days (truth).
"""

import random
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from ingestion.values.identity import uuid_text
from tallyhouse.database import Warehouse
from tests.python.marts.house import House, assert_full_refresh_changes_nothing
from tests.python.marts.rostracore_lines import change, day, organization, override, when

pytestmark = pytest.mark.slow

MARTS = (
    "fact_shift_assignments",
    "fact_rosters",
    "metrics_daily_workforce",
    "metrics_daily_shift_costs",
    "employee_hours",
    "metrics_weekly_fairness",
    "metrics_weekly_group_fairness",
)
TABLES = ("intermediate.int_workforce__roster_overrides", *(f"workforce.{mart}" for mart in MARTS))
SELECT = tuple(f"+{mart}" for mart in MARTS)
COMPANIES = (1, 2)
Line = dict[str, Any]


def identity(kind: str, number: int) -> UUID:
    return UUID(uuid_text("rostracore", kind, str(number)))


def known_answers(org: int, wall: Callable[[str], str]) -> list[Line]:
    """A fortnight of two guards and one site; `wall` turns the company's clock into UTC, ids count from org × 100."""
    first = org * 100
    works = ("2026-06-05 22:00", "2026-06-06 08:30")

    def add(
        table: str, key: str, committed: str, number: int = 0, op: str = "c", **row: Any
    ) -> Line:
        return change(table, op, committed, {key: first + number}, {"org_id": org, **row})

    def employee(number: int, op: str, hired: str, last: str | None) -> Line:
        dates = {"hired_on": day(hired), "terminated_on": day(last) if last else None}
        return add(
            "employees", "employee_id", "2026-06-01 06:00", number, op, status="active", **dates
        )

    def shift(number: int, op: str, status: str, starts: str, ends: str) -> Line:
        row = {
            "site_id": first,
            "roster_id": first,
            "required_skill": "patrol",
            "starts_at": when(wall(starts)),
            "ends_at": when(wall(ends)),
            "required_count": 1,
            "posted_at": when("2026-06-01 12:00"),
            "budget_amount": "600.00",
            "status": status,
        }
        return add("shifts", "shift_id", "2026-06-01 12:00", number, op, **row)

    def offer(number: int, op: str, shift: int, employee: int, status: str, **row: Any) -> Line:
        told = {
            "shift_id": first + shift,
            "employee_id": first + employee,
            "status": status,
            "offered_at": when(wall("2026-06-02 09:00")),
            "responded_at": None if status == "offered" else when(wall("2026-06-02 10:00")),
        }
        key = "assignment_id"
        committed = "2026-06-02 09:00" if op == "c" else "2026-06-03 09:00"
        return add("shift_assignments", key, committed, number, op, **told, **row)

    roster = {
        "algorithm": "milp",
        "shift_count": 2,
        "duration_seconds": "3600.00",
        "violation_count": 0,
        "created_at": when(wall("2026-06-01 10:00")),
    }
    confirmed = {"status": "confirmed", "confirmed_at": when(wall("2026-06-01 11:00"))}
    worked = {
        "regular_cost": "800.00",
        "overtime_cost": "250.00",
        "started_at": when(wall("2026-06-05 22:06")),
        "ended_at": when(wall("2026-06-06 08:36")),
    }
    return [
        employee(1, "c", "2026-01-01", None),
        employee(2, "c", "2026-06-05", None),
        add("sites", "site_id", "2026-06-01 06:00", name="Harbour"),
        add("rosters", "roster_id", "2026-06-01 10:00", **roster, status="draft"),
        shift(1, "c", "open", *works),
        shift(2, "c", "open", "2026-06-08 08:00", "2026-06-08 16:00"),
        shift(3, "c", "cancelled", "2026-06-07 08:00", "2026-06-07 16:00"),
        offer(1, "c", 1, 1, "offered"),
        offer(2, "c", 1, 2, "rejected"),
        add("rosters", "roster_id", "2026-06-01 11:00", op="u", **roster, **confirmed),
        offer(1, "u", 1, 1, "accepted", regular_cost="800.00", overtime_cost="250.00"),
        offer(1, "u", 1, 1, "completed", **worked),
        offer(3, "c", 2, 2, "accepted", regular_cost="800.00"),
        employee(2, "u", "2026-06-05", "2026-06-12"),
        offer(2, "u", 1, 2, "cancelled"),
    ]


def johannesburg(text: str) -> str:
    """Two hours before its clock, in UTC; the days of the cases do not begin before two."""
    date, hour = text.split()
    hours, minutes = hour.split(":")
    return f"{date} {int(hours) - 2:02d}:{minutes}"


@pytest.fixture(scope="module")
def house(fresh_database: Callable[..., Warehouse]) -> House:
    """Three loads with a build after each, most lines told twice; the second company's zone comes last."""
    house = House(fresh_database("workforce", seeded=True))
    changes = [
        organization(1, "c", "2026-05-01 00:00", "Africa/Johannesburg", "zar"),
        *known_answers(1, johannesburg),
        *known_answers(2, lambda text: text),
        organization(2, "c", "2026-05-01 00:00", "UTC", "jpy"),
    ]
    # of each company's two overrides the first is told three weeks late
    events = [
        override(10 * org + number, org, "2026-06-01 10:05", 100 * org, received)
        for org in COMPANIES
        for number, received in enumerate(["2026-06-24 00:00", "2026-06-01 10:06"])
    ]
    chance = random.Random(71)
    for number, (rows, told) in enumerate(
        [(changes[4:20], events[1:2]), (changes[:12], events[3:]), (changes[12:], events)]
    ):
        shuffled = [*rows, *chance.sample(rows, 4)]
        house.put(f"cdc/rostracore/{number}.jsonl", shuffled)
        house.put(f"events/rostracore/{number}.jsonl", told)
        house.load()
        house.build(SELECT)
    return house


def of(house: House, org: int, columns: str, table: str, where: str = "true") -> list[Any]:
    tenant = identity("tenant", org)
    return sorted(
        house.query(
            f"select {columns} from workforce.{table} where tenant_id = '{tenant}' and {where}"
        )
    )


def test_loads_in_any_order_end_in_the_rows_of_a_full_refresh(house: House) -> None:
    assert_full_refresh_changes_nothing(house, SELECT, TABLES, "after three loads")


@pytest.mark.parametrize("org", COMPANIES)
def test_an_offer_is_answered_worked_and_paid(house: House, org: int) -> None:
    """Six minutes late, 10.5 hours; what was refused and then withdrawn stays refused."""
    unit = 1 if org == 2 else 100
    columns = "answer, hours::float, overtime_hours::float, cost_cents, is_punctual, is_over"
    assert of(house, org, columns, "fact_shift_assignments", "answer = 'accepted'") == [
        ("accepted", 8.0, 0.0, 800 * unit, None, True),
        ("accepted", 10.5, 2.5, 1050 * unit, False, True),
    ]
    assert of(house, org, "answer, status, hours", "fact_shift_assignments", "hours is null") == [
        ("rejected", "cancelled", None)
    ]


@pytest.mark.parametrize("org", COMPANIES)
def test_a_roster_and_an_override_that_comes_weeks_later(house: House, org: int) -> None:
    """Both places filled, two of three answers yes, both shifts changed by hand, 10.5 and 8 hours planned."""
    columns = (
        "fill_rate::float, round(acceptance_rate, 4)::float, override_count, override_rate::float"
    )
    columns += ", round(fairness_gini, 4)::float, is_compliant, is_settled"
    # (10.5 − 8) ÷ (2 × 18.5), the mean difference of two guards over twice their mean
    expected = (1.0, 0.6667, 2, 1.0, 0.0676, True, True)
    assert of(house, org, columns, "fact_rosters") == [expected]


@pytest.mark.parametrize("org", COMPANIES)
def test_a_shift_over_midnight_costs_and_counts_on_both_days(house: House, org: int) -> None:
    """114 of 630 minutes before midnight, of the plan 120; the rest after it, to the cent."""
    unit = 1 if org == 2 else 100
    columns = (
        "metric_date::text, regular_cost_cents, overtime_cost_cents, budget_cents, shift_count"
    )
    before = [round(amount * unit * 114 / 630) for amount in (800, 250)]
    budget = round(600 * unit * 120 / 630)
    where = "metric_date < '2026-06-08'"
    assert of(house, org, columns, "metrics_daily_shift_costs", where) == [
        ("2026-06-05", *before, budget, 1),
        ("2026-06-06", 800 * unit - before[0], 250 * unit - before[1], 600 * unit - budget, 0),
    ]
    columns = "metric_date::text, active_guards, worked_hours::float, fill_rate::float"
    where = "metric_date between '2026-06-04' and '2026-06-07'"
    assert of(house, org, columns, "metrics_daily_workforce", where) == [
        ("2026-06-04", 0, 0.0, None),
        ("2026-06-05", 1, 1.9, 1.0),
        ("2026-06-06", 1, 8.6, None),
        ("2026-06-07", 0, 0.0, None),
    ]


@pytest.mark.parametrize("org", COMPANIES)
def test_a_day_saves_what_its_rosters_saved(house: House, org: int) -> None:
    """Six hours by hand less one, at 180 rand or 2,500 yen."""
    columns = "time_saved_hours::float, cost_savings_cents, compliance_rate::float"
    saved = {1: 90000, 2: 12500}[org]
    where = "metric_date = '2026-06-01'"
    assert of(house, org, columns, "metrics_daily_workforce", where) == [(5.0, saved, 1.0)]


@pytest.mark.parametrize("org", COMPANIES)
def test_weeks_of_guards_who_came_and_went(house: House, org: int) -> None:
    """The second guard is there from 5 to 12 June, so in the first two weeks and not in the third."""
    columns = "week_start::text, hours::float, overtime_hours::float, weekend_hours::float"
    where = "week_start <= '2026-06-15'"
    assert of(house, org, columns, "employee_hours", where) == [
        ("2026-06-01", 0.0, 0.0, 0.0),
        ("2026-06-01", 10.5, 2.5, 8.6),
        ("2026-06-08", 0.0, 0.0, 0.0),
        ("2026-06-08", 8.0, 0.0, 0.0),
        ("2026-06-15", 0.0, 0.0, 0.0),
    ]
    columns = "week_start::text, employees_available, fairness_gini::float"
    assert of(house, org, columns, "metrics_weekly_fairness", where) == [
        ("2026-06-01", 2, 0.5),
        ("2026-06-08", 2, 0.5),
        ("2026-06-15", 1, 0.0),
    ]
