"""What is past its time goes, by the tenant's own day and no earlier; what is held stays; marts keep their history.

Rule 76. Belongs here: raw events, lake, door, log, marts before and after. Does not belong here: which rule holds
(`retention_policies`).
"""

from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from app import cli_hold, erasing, retaining
from app.erasing import Asked
from ingestion.lake.files import from_parquet
from ingestion.load import load_all, reload, rotate_key
from ingestion.quality import reconcile
from ingestion.retention import events, holds, limits
from ingestion.retention.events import Unbuilt
from ingestion.retention.log import DELETED, DROPPED, HELD, Cleanup
from ingestion.values.identity import uuid_text
from tallyhouse.errors import TallyhouseError
from tallyhouse.progress import Reporter
from tests.python.marts.house import ENGAGEMENT, House, assert_equal
from tests.python.marts.test_fulfilment import register, told
from tests.python.marts.upcoach_lines import event, organization, uid

pytestmark = pytest.mark.slow
ZONES = {
    "auckland": "Pacific/Auckland", "amsterdam": "Europe/Amsterdam", "la": "America/Los_Angeles",
}  # fmt: skip
# An event's last microsecond of a day counts as much as its first.
EDGES = {"first": time(0), "last": time(23, 59, 59, 999999)}
KEPT = (
    "intermediate.int_ops__event_arrivals", "intermediate.int_customers__feature_days",
    "intermediate.int_customers__activity_days", "intermediate.int_customers__use_days",
    "intermediate.int_core__anonymous_days", "intermediate.int_core__identifications_daily",
    "intermediate.int_core__tenant_days", "core.fact_events",
)  # fmt: skip
AFTER = (
    "core.fact_sessions", "intermediate.int_engagement__user_days", "engagement.metrics_daily_engagement",
    "engagement.metrics_weekly_engagement", "engagement.metrics_cohort_retention", "engagement.feature_usage_stats",
)  # fmt: skip
MARTS = (*KEPT, *AFTER)
SELECT = (*ENGAGEMENT, *(f"+{table.split('.')[1]}" for table in KEPT))
# 12:00 UTC is midnight in Auckland. In the 90 days before, clocks changed there and in Europe; before the second also
# in America, where it is still the 29th.
MOMENTS = ("2026-06-20T12:00:00+00:00", "2026-05-30T06:59:59+00:00")
MOMENT = datetime.fromisoformat(MOMENTS[0])


def at(tenant: str, day: date, edge: time) -> str:
    local = datetime.combine(day, edge, ZoneInfo(ZONES[tenant]))
    return f"{local.astimezone(UTC).replace(tzinfo=None)}"


def days_ago(tenant: str, as_of: datetime, days: int) -> date:
    return as_of.astimezone(ZoneInfo(ZONES[tenant])).date() - timedelta(days=days)


def edges_of(as_of: datetime, ages: Iterable[int]) -> list[dict[str, Any]]:
    """Of each tenant the first and the last event of days of so many days ago."""
    return [
        event(
            f"{tenant} {age} {name}",
            tenant,
            f"user of {tenant}",
            at(tenant, days_ago(tenant, as_of, age), edge),
        )
        for tenant in ZONES
        for age in ages
        for name, edge in EDGES.items()
    ]


def ids(as_of: datetime, ages: Iterable[int], tenants: Iterable[str] = tuple(ZONES)) -> set[str]:
    return {uid(f"{tenant} {age} {name}") for tenant in tenants for age in ages for name in EDGES}


@pytest.fixture
def house(fresh_database: Callable[..., Any]) -> House:
    house = House(fresh_database("retention", seeded=True))
    house.put(
        "cdc/upcoach/a.jsonl",
        [organization(tenant, "c", "2025-01-01 08:00", zone) for tenant, zone in ZONES.items()],
    )
    return house


def built(house: House, lines: list[dict[str, Any]], name: str = "a") -> None:
    """Loaded and built; UpCoach keeps events for 90 days."""
    house.put(f"events/upcoach/{name}.jsonl", lines)
    house.load()
    house.build(("+retention_policies", *SELECT))
    keep_90_days(house)


def keep_90_days(house: House) -> None:
    with house.warehouse.connect() as conn:
        conn.execute(
            "update governance.retention_policies set retain_for = 90, retain_unit = 'day'"
            " where product = 'upcoach' and dataset = 'raw_events'"
        )


def cleaned(house: House, as_of: datetime = MOMENT, *, is_dry: bool = False) -> Cleanup:
    cleanup = Cleanup(as_of, is_dry)
    with closing(house.warehouse.connect(autocommit=True)) as conn:
        conn.execute("set timezone = 'UTC'")
        retaining.clean_up(house.warehouse.settings, conn, cleanup, Reporter())
    return cleanup


def stored(house: House) -> set[str]:
    rows = [row for (row,) in house.query("select source_event_id from raw_events.events")]
    assert len(rows) == len(set(rows))
    return set(rows)


def in_lake(house: House) -> set[str]:
    files = Path(house.warehouse.settings.lake).rglob("*.parquet")
    return {
        row
        for file in files
        for row in from_parquet(file.read_bytes())["source_event_id"].to_pylist()
    }


def assert_stored(house: House, expected: set[str]) -> None:
    """Table, lake and ledger say the same."""
    assert stored(house) == expected
    assert in_lake(house) == expected
    assert reconcile(house.warehouse.connect, everything=True).differences == ()


def withheld(house: House) -> int:
    ((count,),) = house.query(
        "select coalesce(sum(record_count), 0) from ops.withheld_records where reason_code = 'expired'"
    )
    return int(count)


def held_by(house: House, **what: Any) -> int:
    given = {"product": "upcoach", "tenant_id": None, "dataset": "raw_events", "first_day": None, "last_day": None,
             "reason": "case 7", "by": "ann"}  # fmt: skip
    with house.warehouse.connect() as conn:
        return holds.place(conn, **{**given, **what}).hold_id


@pytest.mark.parametrize("moment", MOMENTS)
def test_rule_76_day_90_stays_and_day_91_goes_in_each_time_zone(house: House, moment: str) -> None:
    as_of = datetime.fromisoformat(moment)
    built(house, edges_of(as_of, (0, 89, 90, 91, 92, 400)))
    before = house.tables(MARTS)
    assert before["core.fact_events"].total() == 36
    dry = cleaned(house, as_of, is_dry=True)
    assert_stored(house, ids(as_of, (0, 89, 90, 91, 92, 400)))
    cleanup = cleaned(house, as_of)
    assert_stored(house, ids(as_of, (0, 89, 90)))
    assert (
        dry.count(DELETED) + dry.count(DROPPED)
        == cleanup.count(DELETED) + cleanup.count(DROPPED)
        == 18
    )
    assert cleanup.count(DROPPED) >= 6  # nothing of a year ago stays
    assert_equal(house.tables(MARTS), before, "marts after the clean-up")
    logged = {
        (tenant, first, last, rows)
        for tenant, first, last, rows in house.query(
            "select tenant_id, min(first_day), max(last_day), sum(row_count) from ops.retention_log"
            " where dataset = 'raw_events' and how in ('rows_deleted', 'partition_dropped') group by tenant_id"
        )
    }
    assert logged == {
        (UUID(uid(tenant)), days_ago(tenant, as_of, 400), days_ago(tenant, as_of, 91), 6)
        for tenant in ZONES
    }
    assert cleaned(house, as_of).gone == []  # a second one has nothing to do
    # the next night lets go the next day, and that alone
    cleaned(house, as_of + timedelta(days=1))
    assert_stored(house, ids(as_of, (0, 89)))


def test_rule_76_what_comes_for_a_closed_day_is_counted_and_what_a_file_brought_stays_out(
    house: House,
) -> None:
    built(house, edges_of(MOMENT, (0, 90, 91, 400)))
    cleaned(house)
    kept = ids(MOMENT, (0, 90))
    late = [
        *(
            event(f"late {tenant}", tenant, "late", at(tenant, days_ago(tenant, MOMENT, 200), time(12)))
            for tenant in ZONES
        ),
        event("new tenant", "elsewhere", "somebody", "2024-01-01 12:00"),  # nothing of its history is gone
        *edges_of(MOMENT, (1, 91, 400)),  # the same events again, in another file
    ]  # fmt: skip
    house.put("events/upcoach/late.jsonl", late)
    report = load_all(house.warehouse.connect, house.warehouse.settings, processes=1)
    assert report.withheld == {"expired": 3 + 12}
    assert "15 expired" in " ".join(report.sentences())
    expected = kept | ids(MOMENT, (1,)) | {uid("new tenant")}
    assert_stored(house, expected)
    assert withheld(house) == 15
    assert house.query("select sum(unaccounted) from ops.source_reconciliation") == [(0,)]
    assert_no_empty_days(house)
    # read again, what is gone stays gone, and what the last day has left on a closed day of UTC stays there
    for _ in range(2):
        reload(house.warehouse.connect, house.warehouse.settings, ["events/upcoach"], processes=1)
        assert_stored(house, expected)
        assert house.query("select sum(unaccounted) from ops.source_reconciliation") == [(0,)]
        assert_no_empty_days(house)
    house.build(SELECT)
    facts = house.tables(["core.fact_events"])
    house.build(SELECT, full_refresh=True)
    assert_equal(house.tables(["core.fact_events"]), facts, "read again")
    # what is left goes in its time
    cleaned(house, MOMENT + timedelta(days=1))
    assert_stored(house, expected - ids(MOMENT, (90,)) - {uid("new tenant")})


def assert_no_empty_days(house: House) -> None:
    """There are partitions of the days that have rows, and no load notes another day."""
    days = {day for (day,) in house.query("select distinct event_date from raw_events.events")}
    partitions = house.query(
        "select inhrelid::regclass::text from pg_inherits where inhparent = 'raw_events.events'::regclass"
    )
    assert {name for (name,) in partitions} == {f"raw_events.events_{day:%Y%m%d}" for day in days}
    noted = house.query(
        "select distinct unnest(event_dates) from ops.load_manifest where source_kind = 'events'"
        " and load_id > (select min(load_id) from ops.load_manifest where source_kind = 'events')"
    )
    assert {day for (day,) in noted} <= days


def test_rule_40_another_body_does_not_replace_what_is_left_on_a_closed_day(house: House) -> None:
    """Marts count the event on its closed day for good, so that it is not counted again on another."""
    first_hours = at("la", days_ago("la", MOMENT, 90), time(0))  # on a day of UTC that is closed
    told_again = at("la", days_ago("la", MOMENT, 60), time(12))
    sent = {"received": at("la", days_ago("la", MOMENT, 30), time(12))}
    of_today = at("la", days_ago("la", MOMENT, 20), time(12))
    built(house, [
        *edges_of(MOMENT, (0, 91)),
        event("left", "la", "user of la", first_hours, **sent),
        event("open", "la", "user of la", of_today, **sent),
    ])  # fmt: skip
    cleaned(house)
    kept = ids(MOMENT, (0,)) | {uid("left"), uid("open")}
    assert_stored(house, kept)
    house.put("events/upcoach/again.jsonl", [
        event("left", "la", "user of la", told_again), event("open", "la", "user of la", told_again),
    ])  # fmt: skip
    house.load()
    assert_stored(house, kept)
    days = dict(house.query("select source_event_id, event_date from raw_events.events"))
    again = date.fromisoformat(told_again[:10])
    assert (days[uid("left")], days[uid("open")]) == (date.fromisoformat(first_hours[:10]), again)
    house.build(SELECT)
    facts = dict(house.query("select event_id::text, count(*) from core.fact_events group by 1"))
    assert set(facts.values()) == {1}
    assert len(facts) == 12 + 2


def test_rule_76_marts_are_those_of_a_full_refresh_after_late_and_new_events(house: House) -> None:
    whole = [*edges_of(MOMENT, (0, 89, 90, 91, 92, 200, 400)), *visits()]
    built(house, whole)
    before = house.tables(MARTS)
    cleaned(house)
    house.build(SELECT)
    assert_equal(house.tables(MARTS), before, "built again")
    house.build(SELECT, full_refresh=True)
    assert_equal(house.tables(MARTS), before, "a full refresh")
    house.put("events/upcoach/late.jsonl", [
        event("open", "la", "user of la", at("la", days_ago("la", MOMENT, 60), time(9)), name="goal_viewed"),
        event("closed", "la", "user of la", at("la", days_ago("la", MOMENT, 100), time(9)), name="goal_viewed"),
        event("now", "amsterdam", "visitor's user", f"{MOMENT:%Y-%m-%d %H:%M}", anonymous="visitor"),
        event("old and first", "elsewhere", "somebody", "2024-01-01 12:00"),
    ])  # fmt: skip
    house.put(
        "cdc/upcoach/b.jsonl", [organization("la", "u", "2026-06-19 08:00", "America/New_York")]
    )
    house.load()
    house.build(SELECT)
    incremental = house.tables(MARTS)
    house.build(SELECT, full_refresh=True)
    assert_equal(house.tables(MARTS), incremental, "after late events")
    facts = {row for (row,) in house.query("select event_id::text from core.fact_events")}
    assert len(facts) == len(whole) + 3  # all but the one for a closed day
    # what is gone next night is counted first, and then kept in turn
    cleaned(house, MOMENT + timedelta(days=60))
    house.build(SELECT, full_refresh=True)
    gone = incremental.pop("core.fact_events")  # older than its own rule of 24 months: one
    assert_equal(house.tables(incremental), incremental, "a second clean-up")
    assert gone.total() - house.rows("core.fact_events").total() == 1
    assert uid("old and first") not in stored(house)


def visits() -> list[dict[str, Any]]:
    """A visitor of long ago, sessions, features."""
    return [
        event("v1", "amsterdam", None, "2025-06-01 10:00", anonymous="visitor", session="s1"),
        event(
            "v2",
            "amsterdam",
            None,
            "2025-06-02 10:00",
            anonymous="visitor",
            name="goal_viewed",
            session="s1",
        ),
        event(
            "v3",
            "auckland",
            "mia",
            "2025-06-01 10:00",
            anonymous="phone-of-mia",
            name="goal_created",
        ),
        event(
            "v4", "auckland", "mia", "2025-06-01 11:00", name="goal_viewed", friend_id=uid("noah")
        ),
        event(
            "v5", "auckland", "noah", "2025-06-01 11:30", name="goal_viewed", friend_id=uid("mia")
        ),
        event("v6", "la", "mia", "2025-06-01 11:30", name="goal_viewed"),
    ]


def test_rule_76_a_legal_hold_wins_until_it_is_lifted(house: House) -> None:
    built(house, edges_of(MOMENT, (0, 91, 150, 200, 400)))
    day = days_ago("auckland", MOMENT, 150)
    number = held_by(house, tenant_id=UUID(uid("auckland")), first_day=day, last_day=day)
    cleanup = cleaned(house)
    assert_stored(house, ids(MOMENT, (0,)) | ids(MOMENT, (150,), ["auckland"]))
    assert cleanup.count(HELD) == 2
    assert house.query("select tenant_id, row_count from ops.retention_log where how = 'held'") == [
        (UUID(uid("auckland")), 2)
    ]
    # held days take late events and are counted as ever, and a file that is read again brings them again
    noon = event("late", "auckland", "user of auckland", at("auckland", day, time(12)))
    house.put("events/upcoach/late.jsonl", [noon])
    house.load()
    reload(house.warehouse.connect, house.warehouse.settings, ["events/upcoach"], processes=1)
    expected = ids(MOMENT, (150,), ["auckland"]) | {uid("late")}
    assert stored(house) >= expected
    house.build(SELECT)
    marts = house.tables(MARTS)
    house.build(SELECT, full_refresh=True)
    assert_equal(house.tables(MARTS), marts, "with held days")
    with house.warehouse.connect() as conn:
        holds.lift(conn, number, "ben")
        with pytest.raises(TallyhouseError, match="No hold"):
            holds.lift(conn, number, "ben")
    cleaned(house)
    assert not stored(house) & expected
    assert_equal(house.tables(MARTS), marts, "after the hold")


def test_nothing_goes_that_no_mart_has_counted(house: House) -> None:
    house.put("events/upcoach/a.jsonl", edges_of(MOMENT, (0, 400)))
    house.load()
    with pytest.raises(Unbuilt, match="tallyhouse run"):
        cleaned(house)
    built(house, [], "b")
    house.put("events/upcoach/c.jsonl", edges_of(MOMENT, (1, 200)))
    house.load()
    with pytest.raises(Unbuilt, match="tallyhouse run"):
        cleaned(house)
    assert_stored(house, ids(MOMENT, (0, 1, 200, 400)))
    house.build(SELECT)
    cleaned(house)
    assert_stored(house, ids(MOMENT, (0, 1)))


def test_nothing_goes_while_marts_speak_as_of_an_earlier_moment(house: House) -> None:
    house.put("events/upcoach/a.jsonl", edges_of(MOMENT, (0, 91, 150, 400)))
    house.load()
    house.build(("+retention_policies", *SELECT), as_of="2026-01-25T00:00:00Z")
    keep_90_days(house)
    with pytest.raises(Unbuilt, match="as of 2026-01-25"):
        cleaned(house)
    assert_stored(house, ids(MOMENT, (0, 91, 150, 400)))
    house.build(SELECT)
    marts = house.tables(MARTS)
    cleaned(house)
    assert_stored(house, ids(MOMENT, (0,)))
    assert_equal(house.tables(MARTS), marts, "marts after the clean-up")


def test_a_day_of_which_more_is_stored_than_counted_stays(house: House) -> None:
    built(house, edges_of(MOMENT, (0, 400)))
    with house.warehouse.connect() as conn:
        conn.execute("update intermediate.int_core__tenant_days set event_count = 0")
    with pytest.raises(Unbuilt, match="marts have counted 0"):
        cleaned(house)
    assert_stored(house, ids(MOMENT, (0, 400)))


def test_rule_76_a_hold_that_is_placed_during_a_clean_up_keeps_what_is_left(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    built(house, edges_of(MOMENT, (0, 91, 150, 400)))
    set_limits, turns = limits.set_limits, []

    def placing(*given: Any) -> None:
        turns.append(len(turns))
        if len(turns) == 3:  # the first day of UTC is gone
            held_by(house)
        set_limits(*given)

    monkeypatch.setattr(events, "DAYS_AT_ONCE", 1)
    monkeypatch.setattr(limits, "set_limits", placing)
    cleaned(house)
    left = stored(house)
    assert left >= ids(MOMENT, (0, 91, 150))
    assert 1 <= len(ids(MOMENT, (400,)) - left) < 6


def test_rule_76_a_day_begins_with_the_first_of_two_midnights(house: House) -> None:
    house.put(
        "cdc/upcoach/b.jsonl",
        [organization("azores", "c", "2025-01-01 08:00", "Atlantic/Azores")],
    )
    built(house, [
        event("day 91", "azores", "ana", "2025-10-25 23:59:59.999999"),
        event("day 90", "azores", "ana", "2025-10-26 00:30"),  # the hour that comes twice
    ])  # fmt: skip
    cleaned(house, datetime(2026, 1, 24, 12, tzinfo=UTC))
    assert_stored(house, {uid("day 90")})
    cleaned(house, datetime(2026, 1, 25, 12, tzinfo=UTC))
    assert_stored(house, set())


def test_a_rotation_says_that_kept_rows_keep_their_tokens(house: House) -> None:
    built(house, edges_of(MOMENT, (0, 91)))
    cleaned(house)
    place = house.warehouse.connect, house.warehouse.settings
    with pytest.raises(TallyhouseError, match="Marts keep rows of days until"):
        rotate_key(*place, processes=1)
    report = rotate_key(*place, processes=1, leaves_gone=True)
    assert any(note.startswith("Marts keep rows of days until") for note in report.notes)
    assert_stored(house, ids(MOMENT, (0,)))


def test_holds_by_command(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    built(house, edges_of(MOMENT, (0,)))
    monkeypatch.setattr(cli_hold, "_open", lambda: house.warehouse)

    def said(*words: str) -> str:
        return CliRunner().invoke(cli_hold.hold, words).output

    case = ("--reason", "case 9")
    assert "Nothing of a tenant" in said("place", "--tenant", uid("nobody"), *case)
    assert "Nothing of a product 'upcaoch'" in said("place", "--product", "upcaoch", *case)
    assert "is no day" in said("place", "--from", "june", *case)
    assert said("list") == "No hold stands.\n"
    placed = said("place", "--tenant", uid("la"), "--from", "2026-01-01", *case)
    assert placed.startswith(
        f"Hold 1: everything of all products, tenant {uid('la')}, 2026-01-01 to today"
    )
    assert said("list") == placed
    assert "lifted by" in said("lift", "1")
    assert said("list") == "No hold stands.\n"
    acts = (
        "select action from governance.analytics_audit_log where resource like 'hold %' order by 1"
    )
    assert len(house.query(acts)) == 2


class Killed(BaseException):
    """The process ended just here."""


@pytest.mark.parametrize("nth", [1, 3, 5])
def test_interrupted_anywhere_the_next_one_completes_it(
    house: House, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    built(house, edges_of(MOMENT, (0, 90, 91, 92, 400)))
    before = house.tables(KEPT)
    note, notes = Cleanup.note, iter(range(nth))

    def dying(self: Cleanup, *args: Any) -> None:
        note(self, *args)
        if next(notes, None) is None:
            raise Killed

    monkeypatch.setattr(Cleanup, "note", dying)
    monkeypatch.setattr("ingestion.retention.events.DAYS_AT_ONCE", 2)
    with pytest.raises(Killed):
        cleaned(house)
    monkeypatch.undo()
    left = stored(house)
    assert ids(MOMENT, (0, 90)) <= left
    assert reconcile(house.warehouse.connect, everything=True).differences == ()
    house.build(SELECT, full_refresh=True)  # of a state in between too
    assert_equal(house.tables(KEPT), before, "half done")
    monkeypatch.setattr(retaining, "write_due", killed)
    with pytest.raises(Killed):  # the table is done, the lake is not
        cleaned(house)
    monkeypatch.undo()
    cleaned(house)
    assert_stored(house, ids(MOMENT, (0, 90)))
    assert_equal(house.tables(KEPT), before, "done")


def killed(*_: Any) -> None:
    raise Killed


def test_rule_75_who_is_erased_leaves_the_kept_rows_too(house: House) -> None:
    built(house, [*edges_of(MOMENT, (0, 400)), *visits()])
    cleaned(house)
    asked = [Asked(uid("mia"), "upcoach", uid("auckland"))]
    subjects, wanted = erasing.take_out(
        house.warehouse.settings, house.warehouse, Reporter(), asked
    )
    house.build(SELECT)
    found = erasing.search.Found()
    with house.warehouse.connect() as conn:
        for table in MARTS:
            assert erasing.search.rows_of(conn, table, wanted) == [], table
        erasing.search.warehouse(conn, wanted, found)
    assert not {place for place, _ in found.rows if not place.startswith("ops.")}
    names = {row for (row,) in house.query("select event_id::text from core.fact_events")}
    facts = house.query("select tenant_id::text, count(*) from core.fact_events where event_date = '2025-06-01'"
                        " group by 1")  # fmt: skip
    assert dict(facts) == {
        uid("amsterdam"): 1,
        uid("auckland"): 1,
        uid("la"): 1,
    }  # noah's, and the other mia's
    assert names
    marts = house.tables(MARTS)
    house.build(SELECT, full_refresh=True)
    assert_equal(house.tables(MARTS), marts, "after the erasure")
    assert subjects


def test_rule_75_payments_of_closed_days_stay_without_whoever_is_erased(house: House) -> None:
    """SAMIA-TAROT keeps its events without the person: what is kept of a closed day becomes what the raw events of an
    open one become."""
    days = ("2025-12-02", "2026-06-10")  # 200 days old, and 10

    def of(client: str, day: str, number: int, **more: str | None) -> list[dict[str, Any]]:
        paid = {"kind": "order", "provider": "stripe", "currency": "EUR", "amount_cents": 4900}
        lines = [told("souk", "order_created", f"{day} 09:00", f"{number} {day}", service_code="tarot"),
                 told("souk", "payment_attempted", f"{day} 09:01", f"{number} {day}", **paid),
                 told("souk", "payment_succeeded", f"{day} 09:02", f"{number} {day}", **paid)]  # fmt: skip
        return [{**line, "user_id": client and uid(client), **more} for line in lines]

    house.put("cdc/samia_tarot/a.jsonl", [register("souk", "c", "2025-01-01 08:00", "UTC")])
    house.put("events/samia_tarot/a.jsonl", [
        line for day in days for line in (
            *of("layla", day, 1, session_id="session of layla"), *of("sara", day, 2), *of("", day, 3),
        )
    ])  # fmt: skip
    house.load()
    select = (*SELECT, "+metrics_daily_payments", "+metrics_daily_fulfillment")
    house.build(("+retention_policies", *select))
    money = ("fulfilment.metrics_daily_payments", "fulfilment.metrics_daily_fulfillment")
    before = house.tables(money)
    assert all(before.values())
    cleaned(house)
    assert house.query("select count(*) from raw_events.events") == [(9,)]
    asked = [Asked(uid("layla"), "samia_tarot", uuid_text("samia_tarot", "tenant", "souk"))]
    _, wanted = erasing.take_out(house.warehouse.settings, house.warehouse, Reporter(), asked)
    for is_full in (False, True):
        house.build(select, full_refresh=is_full)
        assert_equal(house.tables(money), before, "money")
        found = {}
        for day in days:
            found[day] = house.query(
                "select user_id, session_id, is_anonymous, event_name, properties->>'amount_cents', count(*)"
                f" from core.fact_events where date_key = '{day}' group by 1, 2, 3, 4, 5 order by 4, 1"
            ), house.query(
                "select user_id, event_count, visit_count, friction_count from intermediate.int_customers__use_days"
                f" where date_key = '{day}' order by user_id"
            )  # fmt: skip
        assert found[days[0]] == found[days[1]]
        facts, use = found[days[0]]
        assert {(row[0], row[1], row[2]) for row in facts} == {
            (None, None, True),
            (UUID(uid("sara")), None, False),
        }
        assert sum(row[-1] for row in facts) == 9
        assert [row[:3] for row in use] == [(UUID(uid("sara")), 3, 1), (None, 6, 0)]
        looked = erasing.search.Found()
        with house.warehouse.connect() as conn:
            erasing.search.warehouse(conn, wanted, looked)
        assert not {place for place, _ in looked.rows if not place.startswith("ops.")}


def test_rule_45_whom_only_kept_rows_name_stays_out_under_the_id_of_the_source(
    house: House,
) -> None:
    """Models know a user of an id that is no UUID by one that they made of it."""

    def of(name: str, when: str, user: str) -> dict[str, Any]:
        return {**event(name, "la", None, when), "user_id": user}

    built(
        house,
        [
            *(of(f"old {n}", "2025-06-01 10:00", f"U-{n}") for n in (12, 13, 14)),
            *edges_of(MOMENT, (0,)),
        ],
    )
    cleaned(house)
    assert_stored(house, ids(MOMENT, (0,)))
    asked = [Asked("U-12", "upcoach", uid("la")), Asked(uuid_text("upcoach", "user", "U-13"))]
    subjects, wanted = erasing.take_out(
        house.warehouse.settings, house.warehouse, Reporter(), asked
    )
    assert len(subjects) == 2
    with house.warehouse.connect() as conn:
        assert erasing.search.rows_of(conn, "core.fact_events", wanted) == []
    (kept,) = house.query(
        "select user_id::text from core.fact_events where event_date = '2025-06-01'"
    )
    assert kept == (uuid_text("upcoach", "user", "U-14"),)
    again = f"{MOMENT:%Y-%m-%d %H:%M}"
    house.put(
        "events/upcoach/again.jsonl", [of(f"new {n}", again, f"U-{n}") for n in (12, 13, 14, 15)]
    )
    report = load_all(house.warehouse.connect, house.warehouse.settings, processes=1)
    assert report.withheld == {"erased": 2}
    assert_stored(house, ids(MOMENT, (0,)) | {uid("new 14"), uid("new 15")})


def test_refused_records_and_runs_go_by_their_rules(house: House) -> None:
    built(house, edges_of(MOMENT, (0,)))
    with house.warehouse.connect() as conn:
        for number, day in enumerate(("2026-03-21", "2026-03-22", "2026-03-23")):
            conn.execute(
                "insert into ops.rejected_records (load_id, source_kind, source_name, file_path, line_number,"
                " reason_code, reason, record, rejected_at)"
                " values (999, 'events', 'upcoach', 'f', %s, 'r', 'why', 'text', %s)",
                (number, f"{day} 12:00+00"),
            )
        for day in ("2025-06-18", "2025-06-19", "2025-06-20", "2026-06-01"):
            conn.execute(
                "insert into ops.run_log (job_name, started_at, status) values ('load', %s, 'succeeded')",
                (f"{day} 12:00+00",),
            )
    number = held_by(
        house,
        product="upcoach",
        dataset="job_runs",
        first_day=date(2025, 6, 18),
        last_day=date(2025, 6, 18),
    )
    cleaned(house)
    assert house.query(
        "select rejected_at::date::text, record from ops.rejected_records where load_id = 999 order by 1"
    ) == [("2026-03-21", None), ("2026-03-22", "text"), ("2026-03-23", "text")]
    runs = "select started_at::date::text from ops.run_log where job_name = 'load' order by 1"
    assert house.query(runs) == [("2025-06-18",), ("2025-06-20",), ("2026-06-01",)]
    with house.warehouse.connect() as conn:
        holds.lift(conn, number, "ben")
    cleaned(house)
    assert house.query(runs) == [("2025-06-20",), ("2026-06-01",)]


def test_every_model_that_reads_events_keeps_closed_days() -> None:
    root = Path(__file__).parents[4]
    for path in (root / "models").rglob("*.sql"):
        text = path.read_text("utf-8")
        if "ref('stg_events__events')" in text:
            assert "is_open_day(" in text and "open_and_closed_days(" in text, path.name
