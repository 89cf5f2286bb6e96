"""Coaching through the ordinary loader: change data and events, split, shuffled, doubled and late.

Belongs here: what comes of sources that arrive in any way (rules 40, 44, 48), and the cases of the
metrics from landing folder to mart. Does not belong here: why a number is what it is (unit tests), all of
a sample's days (truth).
"""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tallyhouse.database import Warehouse
from tests.python.marts.house import House, assert_full_refresh_changes_nothing
from tests.python.marts.upcoach_lines import at, change, event, iso, organization, owned, uid

pytestmark = pytest.mark.slow

MARTS = (
    "metrics_daily_goals",
    "metrics_daily_habits",
    "metrics_hourly_ai_nudges",
    "metrics_daily_coach",
    "metrics_daily_coaching",
    "coach_leaderboard",
)
TABLES = ("intermediate.int_coaching__active_days", *(f"coaching.{mart}" for mart in MARTS))
SELECT = tuple(f"+{mart}" for mart in MARTS)
Line = dict[str, Any]


def when(text: str) -> str:
    return iso(at(text))


def person(user: str, tenant: str, op: str, committed: str, coach: str | None) -> Line:
    row = {
        "organization_id": uid(tenant),
        "coach_id": uid(coach) if coach else None,
        "role": "client",
        "plan": "pro",
        "signup_at": when("2026-06-01 08:00:00"),
    }
    return change("users", op, committed, row, {"id": uid(user)})


def message(tenant: str, number: int, chat: int, sent: str, user: str, role: str) -> Line:
    row = {
        "chat_session_id": chat,
        "organization_id": uid(tenant),
        "sender_id": uid(user),
        "sender_role": role,
        "sent_at": when(sent),
    }
    return change("chat_messages", "c", sent, row, {"id": number})


def known_answers(tenant: str, first: int) -> list[Line]:
    """One client's fortnight; ids count from `first`, because one table holds both tenants' rows."""
    client, coach, other = f"{tenant}-client", f"{tenant}-coach", f"{tenant}-other"

    def add(table: str, committed: str, number: int = 0, op: str = "c", **row: Any) -> Line:
        return owned(table, op, committed, first + number, tenant, client, **row)

    goal = {"title": "Run", "status": "active", "created_at": when("2026-06-02 09:00:00")}
    done = {"status": "completed", "completed_at": when("2026-06-04 09:00:00")}
    habit = {"name": "Read", "cadence": "daily", "created_at": when("2026-06-01 09:00:00")}
    chat = {"coach_id": uid(coach), "persona": "coach", "started_at": when("2026-06-05 09:00:00")}
    return [
        person(client, tenant, "c", "2026-06-01 08:00:00", coach),
        add("goals", "2026-06-02 09:00:00", 0, **goal),
        add("goals", "2026-06-02 09:01:00", 1, **goal),
        add("goals", "2026-06-04 09:00:00", 0, "u", **{**goal, **done}),
        add("goals", "2026-06-06 09:00:00", 1, "d"),
        add("habits", "2026-06-01 09:00:00", **habit),
        *(
            change(
                "habit_checkins",
                "c",
                f"2026-06-{day:02d} 19:00:00",
                {"user_id": uid(client), "organization_id": uid(tenant), "count": 1},
                {"habit_id": first, "day": (datetime(2026, 6, day) - datetime(1970, 1, 1)).days},
            )
            for day in (1, 2, 4, 5)
        ),
        add("chat_sessions", "2026-06-05 09:30:00", **chat, rating=4),
        message(tenant, first, first, "2026-06-05 09:00:00", client, "client"),
        message(tenant, first + 1, first, "2026-06-05 09:01:00", client, "client"),
        message(tenant, first + 2, first, "2026-06-05 09:50:00", coach, "coach"),
        add("ai_nudges", "2026-06-07 10:00:00", 0, persona="friend", sent_at=when("2026-06-07 10:00:00")),
        add("ai_nudges", "2026-06-08 10:00:00", 1, persona="friend", sent_at=when("2026-06-08 10:00:00")),
        person(client, tenant, "u", "2026-06-08 12:00:00", other),
    ]  # fmt: skip


def random_events() -> list[Line]:
    """Three weeks of two tenants, some events told twice, some a fortnight late."""
    chance, lines = random.Random(61), []
    for number in range(200):
        tenant = ("kompas", "umoya")[number % 2]
        moment = datetime(2026, 6, 1) + timedelta(minutes=chance.randrange(21 * 24 * 60))
        name = chance.choice(["app_opened", "goal_viewed", "notification_sent"])
        late = timedelta(days=14 if chance.random() < 0.1 else 0, seconds=2)
        user = f"{tenant}-{chance.randrange(4)}"
        lines.append(
            event(f"r{number}", tenant, user, f"{moment}", name=name, received=f"{moment + late}")
        )
    return lines


@pytest.fixture(scope="module")
def house(fresh_database: Callable[..., Warehouse]) -> House:
    """Three loads with a build after each; what answers the first nudge comes with the last."""
    house = House(fresh_database("coaching", seeded=True))
    events, chance = random_events(), random.Random(62)
    chance.shuffle(events)
    answers = [
        event("late", t, f"{t}-client", "2026-06-08 09:59:59", received="2026-06-29 08:00:00")
        for t in ("kompas", "umoya")
    ]
    told = event("told", "kompas", "kompas-client", "2026-06-08 12:00:00", name="notification_sent")
    changes = [
        organization("kompas", "c", "2026-05-01 00:00", "UTC"),
        *known_answers("kompas", 1),
        organization("umoya", "c", "2026-06-21 00:00", "America/New_York"),
        *known_answers("umoya", 101),
        organization("umoya", "u", "2026-06-22 00:00", "Asia/Tokyo"),
    ]
    for number, (some, rows) in enumerate(
        [
            (events[:80], changes[:9]),
            (events[80:140], changes[9:30]),
            ([*events[140:], *events[:80:3], told, *answers], changes[30:]),
        ]
    ):
        house.put(f"events/upcoach/{number}.jsonl", some)
        house.put(f"cdc/upcoach/{number}.jsonl", rows)
        house.load()
        house.build(SELECT)
    return house


def of(house: House, tenant: str, columns: str, table: str, where: str = "true") -> list[Any]:
    return sorted(
        house.query(
            f"select {columns} from coaching.{table} where tenant_id = '{uid(tenant)}' and {where}"
        )
    )


def test_loads_in_any_order_end_in_the_rows_of_a_full_refresh(house: House) -> None:
    assert_full_refresh_changes_nothing(house, SELECT, TABLES, "after three loads")


@pytest.mark.parametrize("tenant", ["kompas", "umoya"])
def test_goals_until_their_row_is_deleted(house: House, tenant: str) -> None:
    """Two from 2 June, one completed on the 4th, the other gone on the 6th; the week began on the 1st."""
    columns = "metric_date::text, cohort_week::text, active_goals, completed_goals"
    where = "metric_date in ('2026-06-03', '2026-06-05', '2026-06-07')"
    assert of(house, tenant, columns, "metrics_daily_goals", where) == [
        ("2026-06-03", "2026-06-01", 2, 0),
        ("2026-06-05", "2026-06-01", 2, 1),
        ("2026-06-07", "2026-06-01", 1, 1),
    ]


@pytest.mark.parametrize("tenant", ["kompas", "umoya"])
def test_habits_done_and_in_a_row(house: House, tenant: str) -> None:
    """Done on four of the five days to 5 June, the last two in a row: 70 × 4/5 + 30 × 2/7."""
    columns = "due, done, round(habit_adherence_score, 2)::float, avg_streak_days::float"
    found = of(house, tenant, columns, "metrics_daily_habits", "metric_date = '2026-06-05'")
    assert found == [(5, 4, 64.57, 2.0)]


@pytest.mark.parametrize("tenant", ["kompas", "umoya"])
def test_a_nudge_is_answered_by_an_event_that_comes_weeks_later(house: House, tenant: str) -> None:
    """What happened a second before the 24 hours were over counts; what is sent to the user does not."""
    columns = "hour_at::text, nudges_sent, nudges_engaged, ai_nudge_effectiveness::float"
    assert of(house, tenant, columns, "metrics_hourly_ai_nudges") == [
        ("2026-06-07 10:00:00+00", 1, 1, 1.0),
        ("2026-06-08 10:00:00+00", 1, 0, 0.0),
    ]


@pytest.mark.parametrize("tenant", ["kompas", "umoya"])
def test_a_client_and_their_goals_go_over_to_another_coach(house: House, tenant: str) -> None:
    columns = "metric_date::text, coach_id::text, clients, active_goals, completed_goals"
    where = "metric_date in ('2026-06-07', '2026-06-09')"
    coach, other = uid(f"{tenant}-coach"), uid(f"{tenant}-other")
    assert of(house, tenant, columns, "metrics_daily_coach", where) == sorted(
        [
            ("2026-06-07", coach, 1, 1, 1),
            ("2026-06-09", coach, 0, 0, 0),
            ("2026-06-09", other, 1, 1, 1),
        ]
    )
    ranked = of(house, tenant, "coach_id::text, rank_number, clients", "coach_leaderboard")
    assert ranked == [(other, 1, 1)]


@pytest.mark.parametrize("tenant", ["kompas", "umoya"])
def test_an_answer_is_waited_for_since_the_first_message(house: House, tenant: str) -> None:
    columns = "chat_sessions, message_response_minutes_median::float, chat_response_sla_rate::float"
    columns += ", ai_session_satisfaction::float"
    assert of(house, tenant, columns, "metrics_daily_coaching") == [(1, 50.0, 1.0, 4.0)]
