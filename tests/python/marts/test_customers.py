"""Support, surveys, growth and friction through the ordinary loader: split, shuffled, doubled and late.

Belongs here: what comes of sources that arrive in any way (rules 44, 48, 63, 67), and tickets from landing folder to
mart. Does not belong here: why a number is what it is (unit tests), all of a sample's days (truth).
"""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tallyhouse.database import Warehouse
from tests.python.marts.house import House, assert_equal, assert_full_refresh_changes_nothing
from tests.python.marts.rentguy_lines import Line, company, row
from tests.python.marts.upcoach_lines import event, organization, uid

pytestmark = pytest.mark.slow

INCREMENTAL = (
    "intermediate.int_customers__survey_events",
    "intermediate.int_customers__use_days",
    "intermediate.int_customers__use_windows",
    "intermediate.int_engagement__daily_actives",
    "intermediate.int_engagement__growth_days",
    "engagement.metrics_daily_growth",
    "engagement.metrics_daily_friction",
)
TABLES = (
    *INCREMENTAL,
    "customers.fact_tickets",
    "customers.metrics_daily_tickets",
    "customers.metrics_nps",
    "customers.metrics_csat",
    "customers.customer_health_scores",
)
SELECT = tuple(f"+{table.split('.')[1]}" for table in TABLES)


def told() -> list[Line]:
    """What two coaching companies' people do over ten weeks; some of it is heard of up to 400 days late."""
    chance, lines = random.Random(115), []
    names = ("app_opened", "invite_sent", "invite_accepted", "referral_sent", "survey_answered")
    names += ("error_encountered", "help_accessed", "form_abandoned")
    for number in range(240):
        tenant = chance.choice(["kompas", "umoya"])
        when = datetime(2026, 3, 1) + timedelta(minutes=chance.randrange(70 * 24 * 60))
        late = timedelta(days=chance.choice([0, 0, 0, 0, 3, 60, 400]))
        name, visitor = chance.choice(names), chance.random() < 0.2
        answer: dict[str, Any] = {}
        if name == "survey_answered":
            answer = {"survey": chance.choice(["nps", "CSAT"]), "score": chance.randrange(6)}
        lines.append(
            event(
                f"{tenant} {number}",
                tenant,
                None if visitor else f"{tenant}-{chance.randrange(6)}",
                f"{when}",
                name=name,
                session=f"s{when:%j}" if chance.random() < 0.5 else None,
                anonymous=f"visitor-{tenant}-{chance.randrange(3)}" if visitor else None,
                received=f"{when + late + timedelta(seconds=2)}",
                **answer,
            )
        )
    # a visitor turns out to be somebody, at the very end
    known = "2026-05-12 08:00:00"
    lines.append(event("known", "kompas", "kompas-1", known, anonymous="visitor-kompas-1"))
    return lines


def asked(tenant: str) -> list[Line]:
    """A ticket that is resolved, opened anew and resolved; one that stands open; a customer who answers twice."""
    ticket = {"customer_id": 1, "priority": "P2", "opened_at": "2026-03-28 12:00:00"}
    answered = {"first_response_at": "2026-03-28 15:00:00"}
    resolved = {"resolved_at": "2026-03-29 12:00:00"}
    anew = {"reopened_at": "2026-03-31 12:00:00"}
    again = {"first_response_at": "2026-03-31 13:00:00", "resolved_at": "2026-04-01 12:00:00"}

    def moved(committed: str, **columns: Any) -> Line:
        return row(tenant, "tickets", "u", 1, committed, **ticket, **columns)

    return [
        row(tenant, "tickets", "c", 1, "2026-03-28 12:00", **ticket, status="open"),
        moved("2026-03-28 15:00", status="answered", **answered),
        moved("2026-03-29 12:00", status="resolved", **answered, **resolved),
        moved("2026-03-31 12:00", status="open", **answered, **resolved, **anew),
        moved("2026-04-01 12:00", status="resolved", **again, **anew),
        row(tenant, "tickets", "c", 2, "2026-03-30 12:00", customer_id=2, priority="low",
            status="open", opened_at="2026-03-30 12:00:00"),
        row(tenant, "nps_responses", "c", 1, "2026-03-02 10:00", customer_id=1, score=3,
            responded_at="2026-03-02 10:00:00"),
        row(tenant, "nps_responses", "c", 2, "2026-03-31 10:00", customer_id=1, score=9,
            responded_at="2026-03-31 10:00:00"),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def house(fresh_database: Callable[..., Warehouse]) -> House:
    """Four loads with a build after each; events come in no order, many of them again."""
    house = House(fresh_database("customers", seeded=True))
    lines, chance = told(), random.Random(48)
    chance.shuffle(lines)
    changes = [
        company("klok", "c", "2026-01-01 00:00", "Europe/Amsterdam", "EUR"),
        *asked("klok"),
        company("slot", "c", "2026-04-05 09:00", "Asia/Tokyo", "JPY"),
        *asked("slot"),
    ]
    zones = [organization("umoya", "c", "2026-05-20 00:00", "America/New_York")]
    parts = [
        (lines[:80], changes[:4], []),
        (lines[80:160], changes[4:12], []),
        (lines[160:], changes[12:], zones),
        (lines[::5], [], [organization("umoya", "u", "2026-05-21 00:00", "Asia/Tokyo")]),
    ]
    for number, (some, rows, organizations) in enumerate(parts):
        house.put(f"events/upcoach/{number}.jsonl", some)
        house.put(f"cdc/rentguy/{number}.jsonl", rows)
        house.put(f"cdc/upcoach/{number}.jsonl", organizations)
        house.load()
        house.build(SELECT)
    return house


def test_loads_in_any_order_end_in_the_rows_of_a_full_refresh(house: House) -> None:
    assert_full_refresh_changes_nothing(house, SELECT, TABLES, "after four loads")


def of_klok(house: House, columns: str, table: str) -> list[tuple[Any, ...]]:
    tenant = "select tenant_id from core.dim_tenant where tenant_label = 'klok'"
    return sorted(house.query(f"select {columns} from {table} where tenant_id = ({tenant})"))


def test_a_reopened_ticket_keeps_its_first_response_and_resolves_anew(house: House) -> None:
    """Four days in UTC, though Amsterdam's clocks changed in between; high allows a day."""
    columns = (
        "reopen_count, first_response_minutes::float, resolution_minutes::float, is_sla_breached"
    )
    assert of_klok(house, f"priority, {columns}", "customers.fact_tickets") == [
        ("high", 1, 180.0, 5760.0, True),
        ("low", 0, None, None, True),
    ]


def test_the_backlog_of_each_day_is_what_stood_open_then(house: House) -> None:
    columns = "metric_date::text, opened, reopened, resolved, backlog, sla_breached"
    daily = (
        "(select * from customers.metrics_daily_tickets where metric_date < '2026-04-03') as daily"
    )
    found = of_klok(house, columns, daily)
    assert found == [
        ("2026-03-28", 1, 0, 0, 1, 0),
        ("2026-03-29", 0, 0, 1, 0, 0),
        ("2026-03-30", 1, 0, 0, 1, 0),
        ("2026-03-31", 0, 1, 0, 2, 0),
        ("2026-04-01", 0, 0, 1, 1, 1),
        ("2026-04-02", 0, 0, 0, 1, 0),
    ]


def test_rule_115_the_last_answer_of_the_month(house: House) -> None:
    found = of_klok(house, "month_start::text, responses, nps::integer", "customers.metrics_nps")
    assert found[0] == ("2026-03-01", 1, 100)
    assert all(row[1:] == (0, None) for row in found[1:])


def test_rule_67_nothing_from_after_as_of(house: House) -> None:
    """At noon of 30 March nothing was opened anew yet, and the customer had answered once."""
    before = house.tables(TABLES)
    house.build(SELECT, as_of="2026-03-30 12:00:00")
    columns = "priority, reopen_count, resolution_minutes::float"
    found = of_klok(house, columns, "customers.fact_tickets")
    assert found == [("high", 0, 1440.0), ("low", 0, None)]
    assert of_klok(house, "responses, detractors, nps", "customers.metrics_nps") == [(1, 1, None)]
    assert house.query("select max(metric_date)::text from engagement.metrics_daily_growth") == [
        ("2026-03-30",)
    ]
    house.build(SELECT)
    assert_equal(house.tables(TABLES), before, "back to the newest arrival")


def test_a_days_health_is_what_was_known_by_its_end(house: House) -> None:
    """As of 30 April, before much was heard and a visitor was known by name: the same scores for ever after.

    Kompas alone, whose calendar nobody changes later.
    """
    query = """
        select metric_date::text, overall_score, usage_score, satisfaction_score, growth_score,
            recommendations::text
        from customers.customer_health_scores
        join core.dim_tenant using (tenant_id, product)
        where metric_date < '2026-04-30' and timezone = 'UTC' order by 1
    """
    now = house.query(query)
    house.build(SELECT, as_of="2026-04-30 00:00:00")
    then = house.query(query.replace("timezone = 'UTC'", f"tenant_id = '{uid('kompas')}'"))
    house.build(SELECT)
    assert then == now
    assert len(then) > 50
    assert all(value is not None for value in then[-1])
