"""The core models built load by load: affected days alone, and always what a full refresh gives.

Rules 44 (late data), 48 (convergence), 63 (anonymous becomes user) and the tenant's time zone.
"""

from datetime import date

import pytest

from app.building import days_to_rebuild
from tests.building import NO_TESTS, run_dbt
from tests.hand_made import CORE, HandMade, uuid_of

pytestmark = pytest.mark.slow

MARTS = ("core.dim_tenant", "core.dim_user", "core.fact_events")
EARLY = {"id": "e1", "tenant": "north", "visitor": "v1", "at": "2026-01-01T23:30:00+00:00"}
OTHERS = {"id": "e2", "tenant": "south", "visitor": "v1", "at": "2026-01-01T23:30:00+00:00"}
LOGIN = {
    "id": "e3",
    "tenant": "north",
    "visitor": "v1",
    "user": "ada",
    "at": "2026-03-01T08:00:00+00:00",
}
LATE = {"id": "e4", "tenant": "south", "user": "bob", "at": "2025-08-01T08:00:00+00:00"}


def user_of(warehouse: HandMade, event: str) -> object:
    return warehouse.rows(
        "select user_id from core.fact_events where event_id = %s", uuid_of(event)
    )[0][0]


def equals_full_refresh(warehouse: HandMade) -> bool:
    incremental = warehouse.contents(*MARTS)
    warehouse.build(*CORE, "--full-refresh")
    return warehouse.contents(*MARTS) == incremental


def rewritten(warehouse: HandMade) -> set[object]:
    """Events whose rows the newest build wrote."""
    newest = "(select max(xmin::text::bigint) from core.fact_events)"
    rows = warehouse.rows(
        f"select event_id from core.fact_events where xmin::text::bigint = {newest}"
    )
    return {row[0] for row in rows}


def test_load_by_load(hand_made: HandMade) -> None:
    hand_made.load(EARLY, OTHERS)
    hand_made.build(*CORE)
    anonymous = user_of(hand_made, "e1")
    assert anonymous is not None

    # the visitor of one tenant logs in two months later: its first day is rebuilt, no others'
    hand_made.load(LOGIN)
    hand_made.build(*CORE)
    assert user_of(hand_made, "e1") == uuid_of("ada")
    assert user_of(hand_made, "e2") == anonymous
    assert rewritten(hand_made) == {uuid_of("e1"), uuid_of("e3")}
    users = hand_made.rows(
        "select user_id, signup_date from core.dim_user where tenant_id = %s", uuid_of("north")
    )
    assert users == [(uuid_of("ada"), date(2026, 1, 1))]
    assert equals_full_refresh(hand_made)

    # an event five months late lands on its own date
    hand_made.load(LATE)
    hand_made.build(*CORE)
    assert rewritten(hand_made) == {uuid_of("e4")}
    assert equals_full_refresh(hand_made)

    # the tenant moves to another time zone: every day of it, and only of it, is dated anew
    hand_made.organization("north", "Africa/Johannesburg")
    hand_made.load()
    hand_made.build(*CORE)
    assert rewritten(hand_made) == {uuid_of("e1"), uuid_of("e3")}
    dates = hand_made.rows(
        "select date_key from core.fact_events where event_id in (%s, %s) order by tenant_id = %s",
        uuid_of("e1"),
        uuid_of("e2"),
        uuid_of("north"),
    )
    assert dates == [(date(2026, 1, 1),), (date(2026, 1, 2),)]
    assert equals_full_refresh(hand_made)

    # the log-in turns out to be another body of something else: what it said is taken back
    hand_made.load(gone=[LOGIN])
    hand_made.build(*CORE)
    assert user_of(hand_made, "e1") == anonymous
    assert hand_made.rows("select 1 from core.fact_events where event_id = %s", uuid_of("e3")) == []
    assert equals_full_refresh(hand_made)

    # nothing new: nothing is written
    before = hand_made.rows("select event_id, xmin::text from core.fact_events order by 1")
    hand_made.load()
    hand_made.build(*CORE)
    assert hand_made.rows("select event_id, xmin::text from core.fact_events order by 1") == before


def test_days_that_somebody_asks_for_are_rebuilt_in_sessions_too(hand_made: HandMade) -> None:
    """A session that somebody lost, and one that somebody made up, on days near midnight: `--days` brings
    back what a full refresh gives; the tenant's days are not those of UTC."""
    sessions = (*CORE, "fact_sessions")
    hand_made.organization("east", "Africa/Johannesburg")
    hand_made.load(
        {"id": "s1", "tenant": "east", "user": "eve", "at": "2026-01-01T23:30:00+00:00"},
        {"id": "s2", "tenant": "east", "user": "eve", "at": "2026-01-03T08:00:00+00:00"},
        {"id": "s3", "tenant": "west", "user": "wim", "at": "2026-01-01T23:30:00+00:00"},
    )
    reference = run_dbt(
        hand_made.warehouse, "build", "-s", "+dim_date", "engagement_event_roles", *NO_TESTS
    )
    assert reference.success, reference.failures
    hand_made.build(*sessions)
    before = hand_made.contents("core.fact_sessions")
    own_day = "where tenant_id = %s and date_key = %s"
    with hand_made.warehouse.connect() as connection:
        lost = connection.execute(
            f"delete from core.fact_sessions {own_day}", [uuid_of("east"), date(2026, 1, 2)]
        )
        changed = connection.execute(
            f"update core.fact_sessions set event_count = 99 {own_day}",
            [uuid_of("west"), date(2026, 1, 1)],
        )
    assert (lost.rowcount, changed.rowcount) == (1, 1)
    assert hand_made.contents("core.fact_sessions") != before
    hand_made.build(*sessions, *days_to_rebuild(date(2026, 1, 1), date(2026, 1, 2)))
    assert hand_made.contents("core.fact_sessions") == before
