"""A refusal or a consent that comes after the events: the marts follow without a full refresh.

Belongs here: what models make of events that left and came back. Does not belong here: which do (`ingestion.consent`).
"""

from collections.abc import Callable
from typing import Any

import pytest

from tests.python.marts.house import House, assert_full_refresh_changes_nothing
from tests.python.marts.upcoach_lines import change, event, organization, uid

pytestmark = pytest.mark.slow
NORTH, SOUTH = "north", "south"
SELECT = ("+metrics_daily_engagement", "+metrics_cohort_retention", "+fact_sessions", "+consents")
FOLLOWED = (
    "core.fact_events",
    "core.fact_sessions",
    "intermediate.int_engagement__user_days",
    "intermediate.int_engagement__users",
    "engagement.metrics_daily_engagement",
    "engagement.metrics_cohort_retention",
)


def answer(tenant: str, user: str, op: str, committed: str, consented: bool) -> dict[str, Any]:
    row = {"organization_id": uid(tenant), "is_consented": consented, "role": "client",
           "signup_at": "2026-03-01T08:00:00Z"}  # fmt: skip
    return change("users", op, committed, row, {"id": uid(user)})


def active(house: House) -> list[tuple[Any, ...]]:
    """Day, tenant, who was active."""
    names = {uid(name): name for name in (NORTH, SOUTH)}
    found = house.query(
        "select metric_date::text, tenant_id::text, dau, new_users from engagement.metrics_daily_engagement"
        " where dau > 0 order by 1, 2"
    )
    return sorted((day, names[tenant], dau, new) for day, tenant, dau, new in found)


def test_marts_follow_answers_that_come_after_the_events(
    fresh_database: Callable[..., Any],
) -> None:
    """Ann looked around by device, signed up and came back; Ben came too. The same ids live in the south."""
    house = House(fresh_database("consent_marts", seeded=True))
    house.put("events/upcoach/a.jsonl", [
        line
        for tenant in (NORTH, SOUTH)
        for line in (
            event(f"{tenant}0", tenant, None, "2026-03-01 10:00", anonymous="phone-of-ann"),
            event(f"{tenant}1", tenant, "ann", "2026-03-02 10:00", anonymous="phone-of-ann", session="s1"),
            event(f"{tenant}2", tenant, "ann", "2026-03-03 10:00", session="s2"),
            event(f"{tenant}3", tenant, "ben", "2026-03-03 11:00", session="s3"),
            event(f"{tenant}4", tenant, "ben", "2026-03-05 11:00", session="s4"),
        )
    ])  # fmt: skip
    house.put("cdc/upcoach/a.jsonl", [organization(NORTH, "c", "2026-02-01 08:00", "Africa/Johannesburg"),
                                      organization(SOUTH, "c", "2026-02-01 08:00", "Africa/Johannesburg")])  # fmt: skip
    house.load()
    house.build(SELECT)
    south = [
        ("2026-03-01", SOUTH, 1, 1),
        ("2026-03-02", SOUTH, 1, 0),
        ("2026-03-03", SOUTH, 2, 1),
        ("2026-03-05", SOUTH, 1, 0),
    ]
    north = [(day, NORTH, dau, new) for day, _, dau, new in south]
    assert active(house) == sorted(north + south)

    # ann refused from the first, ben withdrew on the 4th: the device of the 1st is nobody's
    house.put("cdc/upcoach/b.jsonl", [
        answer(NORTH, "ann", "c", "2026-03-02 09:00", False),
        answer(NORTH, "ben", "c", "2026-03-02 09:00", True), answer(NORTH, "ben", "u", "2026-03-04 09:00", False),
    ])  # fmt: skip
    house.load()
    house.build(SELECT)
    left = [("2026-03-01", NORTH, 1, 1), ("2026-03-03", NORTH, 1, 1)]
    assert active(house) == sorted(left + south)
    assert_full_refresh_changes_nothing(house, SELECT, FOLLOWED, "a refusal after the events")
    said = "select consent, valid_from::date::text, is_current from governance.consents order by subject_id, valid_from"
    told = {uid("ann"): [("refused", "2026-03-02", True)],
            uid("ben"): [("given", "2026-03-02", False), ("refused", "2026-03-04", True)]}  # fmt: skip
    assert house.query(said) == [row for user in sorted(told) for row in told[user]]

    # ann turns out to have agreed on the 2nd, shortly after she had been asked
    house.put("cdc/upcoach/c.jsonl", [answer(NORTH, "ann", "u", "2026-03-02 09:30", True)])
    house.load()
    house.build(SELECT)
    again = [("2026-03-01", NORTH, 1, 1), ("2026-03-02", NORTH, 1, 0), ("2026-03-03", NORTH, 2, 1)]
    assert active(house) == sorted(again + south)
    assert_full_refresh_changes_nothing(house, SELECT, FOLLOWED, "a consent after the events")
