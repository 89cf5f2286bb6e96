"""A refusal that comes after the raw events of its time are gone takes the person out of what marts keep of that time.

Belongs here: kept rows, with and without rows of core.fact_events. Does not belong here: events that are stored
(`tests/python/ingestion/consent`), closing days (`test_retention`, `test_event_facts`).
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from ingestion.load import load_all, reload
from tests.python.ingestion.retention.test_event_facts import (
    SOME,
    SOME_BUILT,
    facts,
    under_their_ids,
)
from tests.python.ingestion.retention.test_retention import MOMENT, cleaned
from tests.python.marts.house import House, assert_equal
from tests.python.marts.test_consent import NORTH, SOUTH, answer
from tests.python.marts.upcoach_lines import event, organization, uid

pytestmark = pytest.mark.slow
TABLES = (
    *SOME, "intermediate.int_customers__activity_days", "intermediate.int_coaching__active_days",
    "intermediate.int_engagement__user_action_days", "intermediate.int_core__identifications_daily",
)  # fmt: skip
BUILT = (*SOME_BUILT, *(f"+{table.split('.')[1]}" for table in TABLES))
ALL = (*TABLES, "core.fact_events")


def of(
    tenant: str, user: str | None, when: str, name: str = "survey_answered", **more: Any
) -> dict[str, Any]:
    return event(f"{tenant} {user} {when}", tenant, user, when, name=name, **more)


@pytest.fixture
def house(fresh_database: Callable[..., Any]) -> House:
    """Ann, Ben and Carol in two tenants, half a year ago and ten days ago; nobody has been asked anything."""
    house = House(fresh_database("late_refusals", seeded=True))
    house.put("cdc/upcoach/a.jsonl", [
        organization(tenant, "c", "2025-01-01 08:00", "Africa/Johannesburg") for tenant in (NORTH, SOUTH)
    ])  # fmt: skip
    house.put("events/upcoach/a.jsonl", under_their_ids(
        line
        for tenant in (NORTH, SOUTH)
        for line in (
            of(tenant, "ann", "2025-12-01 10:00", session="s1"), of(tenant, "ann", "2025-12-01 12:00", session="s1"),
            of(tenant, "ann", "2025-12-02 12:00"), of(tenant, "ann", "2025-12-06 12:00"),
            of(tenant, "ann", "2026-06-10 12:00"),
            of(tenant, "ben", "2025-12-01 12:00"), of(tenant, "ben", "2026-06-10 12:00"),
            of(tenant, "carol", "2025-12-01 10:00"), of(tenant, "carol", "2025-12-03 12:00", anonymous="phone"),
        )
    ))  # fmt: skip
    house.load()
    house.build(("+retention_policies", *BUILT))
    return house


def refused(house: House) -> list[str]:
    """In the north Ann withdrew before noon of the first day and agreed again on the fifth; Carol withdrew, too."""
    house.put("cdc/upcoach/b.jsonl", [
        answer(NORTH, "ann", "c", "2025-11-01 09:00", True), answer(NORTH, "ann", "u", "2025-12-01 11:00", False),
        answer(NORTH, "ann", "u", "2025-12-05 09:00", True),
        answer(NORTH, "carol", "c", "2025-11-01 09:00", True), answer(NORTH, "carol", "u", "2025-12-01 11:00", False),
    ])  # fmt: skip
    return load_all(house.warehouse.connect, house.warehouse.settings, processes=1).notes


def keep(house: House, *datasets: str) -> None:
    with house.warehouse.connect() as conn:
        conn.execute(
            "update governance.retention_policies set retain_for = 90, retain_unit = 'day'"
            " where product = 'upcoach' and dataset = any(%s)",
            (list(datasets),),
        )


def days_of(house: House, table: str, day: str) -> dict[tuple[str, str], list[str]]:
    """Days by tenant and user that a table has before the year 2026."""
    names = {uid(name): name for name in (NORTH, SOUTH, "ann", "ben", "carol")}
    found: dict[tuple[str, str], list[str]] = {}
    for tenant, user, on in house.query(
        f"select distinct tenant_id::text, user_id::text, to_char({day}, 'MM-DD') from {table}"
        f" where user_id is not null and {day} < '2026-01-01' order by 3"
    ):
        found.setdefault((names[tenant], names[user]), []).append(on)
    return found


EVERY = {"ann": ["12-01", "12-02", "12-06"], "ben": ["12-01"], "carol": ["12-01", "12-03"]}


def expected(ann: list[str], carol: list[str]) -> dict[tuple[str, str], list[str]]:
    north = {"ann": ann, "ben": EVERY["ben"], "carol": carol}
    found = {(NORTH, name): days for name, days in north.items()}
    found |= {(SOUTH, name): days for name, days in EVERY.items()}
    return {whose: days for whose, days in found.items() if days}


def assert_full_refresh_is_the_same(house: House) -> None:
    house.build(BUILT)
    incremental = house.tables(ALL)
    house.build(BUILT, full_refresh=True)
    assert_equal(house.tables(ALL), incremental, "a full refresh")


def test_what_marts_keep_of_the_time_of_a_refusal_goes_with_it(house: House) -> None:
    """While single events are there, to the instant; what was counted by the day, with the day."""
    keep(house, "raw_events")
    cleaned(house)
    notes = refused(house)
    assert any("that marts keep of days whose events are gone went" in note for note in notes)
    gone = {
        uid(f"{NORTH} {user} {when}")
        for user, when in (("ann", "2025-12-01 12:00"), ("ann", "2025-12-02 12:00"), ("carol", "2025-12-03 12:00"))
    }  # fmt: skip
    for is_reloaded in (False, True):
        if is_reloaded:
            reload(
                house.warehouse.connect, house.warehouse.settings, ["events/upcoach"], processes=1
            )
        assert_full_refresh_is_the_same(house)
        assert len(facts(house)) == 18 - 3
        assert not facts(house) & gone
        # nobody can split what was counted of ann's first day; of carol's nothing was refused
        by_day = expected(ann=["12-06"], carol=["12-01"])
        assert days_of(house, "intermediate.int_customers__use_days", "event_date") == by_day
        assert (
            days_of(house, "intermediate.int_customers__activity_days", "activity_date") == by_day
        )
        exact = expected(ann=["12-01", "12-06"], carol=["12-01"])
        assert days_of(house, "intermediate.int_engagement__user_days", "date_key") == exact
        assert days_of(house, "intermediate.int_core__user_days", "event_date") == exact
        known = "select tenant_id::text from intermediate.int_core__identifications_daily where anonymous_id = 'phone'"
        assert house.query(known) == [(uid(SOUTH),)]
        visits = house.query(
            "select event_count from core.fact_sessions where session_id = 's1' order by 1"
        )
        assert visits == [(1,), (2,)]


def test_where_single_events_are_gone_a_day_that_was_refused_in_part_goes_whole(
    house: House,
) -> None:
    keep(house, "raw_events", "event_facts")
    cleaned(house)
    assert len(facts(house)) == 4
    refused(house)
    assert_full_refresh_is_the_same(house)
    by_day = expected(ann=["12-06"], carol=[])
    for table in (
        "intermediate.int_engagement__user_days",
        "intermediate.int_engagement__user_action_days",
    ):
        assert days_of(house, table, "date_key") == by_day, table
    for table in ("intermediate.int_core__user_days", "intermediate.int_coaching__active_days"):
        assert days_of(house, table, "event_date") == by_day, table
    # a row of one event goes by its instant
    exact = expected(ann=["12-01", "12-06"], carol=["12-01"])
    assert days_of(house, "intermediate.int_customers__survey_events", "date_key") == exact
    sessions = house.query("select tenant_id::text from core.fact_sessions where session_id = 's1'")
    assert sessions == [(uid(SOUTH),)]


def test_what_a_session_reached_of_open_days_is_counted_anew_when_it_goes(house: House) -> None:
    """Over the last midnight of UTC that is gone, with the session's id and without."""
    keep(house, "raw_events", "event_facts")
    day = MOMENT.date() - timedelta(days=91)  # it ends in Johannesburg's day 90
    night = f"{day + timedelta(days=1)}"
    house.put("events/upcoach/night.jsonl", under_their_ids(
        line
        for tenant in (NORTH, SOUTH)
        for line in (
            *(of(tenant, "ann", f"{day} {at}") for at in ("12:00", "23:40", "23:55")),
            *(of(tenant, "ann", f"{night} {at}") for at in ("00:10", "00:15")),
            *(of(tenant, "dora", f"{at}", session="s2") for at in (f"{day} 23:40", f"{night} 00:10")),
            of(tenant, "ed", f"{night} 03:00", session="s2"), of(tenant, None, f"{night} 02:00", session="s2"),
        )
    ))  # fmt: skip
    house.load()
    house.build(BUILT)
    cleaned(house)
    sessions = (
        "select user_id::text, event_count from core.fact_sessions"
        f" where tenant_id = '{uid(NORTH)}' and ended_at >= '{night} 00:00+00' and ended_at < '{night} 12:00+00'"
    )
    whole = {(uid("ann"), 4), (uid("dora"), 3), (uid("ed"), 1)}
    assert set(house.query(sessions)) == whole
    house.put("events/upcoach/later.jsonl", under_their_ids(
        [of(NORTH, "dora", "2026-06-01 12:00", session="s2")]
    ))  # fmt: skip
    house.load()
    assert_full_refresh_is_the_same(house)
    assert set(house.query(sessions)) == whole  # what comes later under the id is in no session
    house.put("cdc/upcoach/b.jsonl", [
        line
        for user in ("ann", "dora")
        for line in (
            answer(NORTH, user, "c", "2025-11-01 09:00", True), answer(NORTH, user, "u", f"{day} 13:00", False),
            answer(NORTH, user, "u", f"{night} 00:05", True),
        )
    ])  # fmt: skip
    house.load()
    assert_full_refresh_is_the_same(house)
    found = "select user_id::text, event_count from core.fact_sessions where session_id = 's2' and tenant_id = "
    assert set(house.query(f"{found}'{uid(NORTH)}'")) == {(uid("dora"), 3), (uid("ed"), 1)}
    assert set(house.query(sessions)) == {(uid("ann"), 2), (uid("ed"), 1)}
    assert set(house.query(f"{found}'{uid(SOUTH)}'")) == {(uid("dora"), 3), (uid("ed"), 1)}


def test_a_refusal_of_an_open_time_leaves_kept_rows_alone(house: House) -> None:
    keep(house, "raw_events", "event_facts")
    cleaned(house)
    before = house.tables(
        ("intermediate.int_core__user_days", "intermediate.int_customers__use_days")
    )
    house.put("cdc/upcoach/b.jsonl", [
        answer(NORTH, "ben", "c", "2025-01-01 09:00", True), answer(NORTH, "ben", "u", "2026-06-01 09:00", False),
    ])  # fmt: skip
    notes = load_all(house.warehouse.connect, house.warehouse.settings, processes=1).notes
    assert not any("that marts keep" in note for note in notes)
    assert any("1 stored event was taken out" in note for note in notes)
    assert_full_refresh_is_the_same(house)
    left = house.tables(before)
    for table, rows in before.items():
        assert (rows - left[table]).total() == 1 and not left[table] - rows, table
