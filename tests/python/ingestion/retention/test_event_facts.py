"""Rows of core.fact_events go by their own rule, after the raw events; what is computed from them keeps its history.

Rule 76. Belongs here: the table of single events that marts hold, and all that reads it. Does not belong here: raw
events and the lake (`test_retention`).
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app import erasing
from app.erasing import Asked
from ingestion.retention import holds
from ingestion.retention.events import Unbuilt
from ingestion.retention.log import DELETED, HELD
from ingestion.values.identity import uuid_text
from tallyhouse.progress import Reporter
from tests.python.ingestion.retention.test_retention import (
    KEPT,
    MOMENT,
    MOMENTS,
    SELECT,
    ZONES,
    at,
    cleaned,
    days_ago,
    edges_of,
    held_by,
    ids,
    in_lake,
    stored,
)  # fmt: skip
from tests.python.marts.house import House, assert_equal
from tests.python.marts.test_fulfilment import register, told
from tests.python.marts.upcoach_lines import event, organization, uid

pytestmark = pytest.mark.slow
FACTS = "core.fact_events"
READERS = (
    "core.fact_sessions", "intermediate.int_core__user_days", "intermediate.int_coaching__active_days",
    "intermediate.int_customers__survey_events", "intermediate.int_engagement__daily_messages",
    "intermediate.int_engagement__growth_days", "intermediate.int_engagement__user_action_days",
    "intermediate.int_engagement__user_days", "intermediate.int_experiments__events",
    "intermediate.int_fulfilment__events", "intermediate.int_ops__timed_events",
    "intermediate.int_rental__lead_events", "intermediate.int_workforce__roster_overrides",
    "engagement.metrics_daily_friction", "engagement.metrics_hourly_engagement", "rental.fact_scans",
)  # fmt: skip
OF_OTHER_PRODUCTS = {
    "intermediate.int_fulfilment__events", "intermediate.int_rental__lead_events",
    "intermediate.int_workforce__roster_overrides", "rental.fact_scans", "intermediate.int_ops__timed_events",
}  # fmt: skip
AFTER = (
    "core.dim_user", "intermediate.int_core__event_users", "engagement.metrics_daily_engagement",
    "engagement.metrics_weekly_engagement", "engagement.metrics_cohort_retention", "engagement.feature_usage_stats",
)  # fmt: skip
MARTS = tuple(table for table in (*KEPT, *READERS, *AFTER) if table != FACTS)
BUILT = (*SELECT, *(f"+{table.split('.')[1]}" for table in (*READERS, "core.dim_user")))
# What suffices where it is of no interest which models read facts: one by each calendar, sessions, rows of one event.
SOME = (
    "core.fact_sessions", "intermediate.int_core__user_days", "intermediate.int_engagement__user_days",
    "intermediate.int_customers__survey_events", "intermediate.int_customers__use_days",
)  # fmt: skip
SOME_BUILT = tuple(f"+{table.split('.')[1]}" for table in SOME)
KEPT_DAYS = 120  # of facts; of raw events 90


@pytest.fixture
def house(fresh_database: Callable[..., Any]) -> House:
    house = House(fresh_database("event_facts", seeded=True))
    house.put(
        "cdc/upcoach/a.jsonl",
        [organization(tenant, "c", "2024-01-01 08:00", zone) for tenant, zone in ZONES.items()],
    )
    return house


def built(
    house: House,
    lines: list[dict[str, Any]],
    days: int = KEPT_DAYS,
    select: Iterable[str] = SOME_BUILT,
) -> None:
    """Loaded and built; UpCoach keeps raw events for 90 days and rows of them in marts for some more."""
    house.put("events/upcoach/a.jsonl", under_their_ids(lines))
    house.load()
    house.build(("+retention_policies", *select))
    with house.warehouse.connect() as conn:
        for dataset, kept in (("raw_events", 90), ("event_facts", days)):
            conn.execute(
                "update governance.retention_policies set retain_for = %s, retain_unit = 'day'"
                " where product = 'upcoach' and dataset = %s",
                (kept, dataset),
            )


def under_their_ids(lines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Events of the default source keep the ids that they were given."""
    return [{name: value for name, value in line.items() if name != "source"} for line in lines]


def facts(house: House) -> set[str]:
    return {row for (row,) in house.query(f"select event_id::text from {FACTS}")}


def assert_same(
    house: House, expected: dict[str, Any], what: str, select: Iterable[str] = SOME_BUILT
) -> None:
    """What is computed is as it was, as it stands, built again and built anew."""
    assert_equal(house.tables(expected), expected, what)
    house.build(select)
    assert_equal(house.tables(expected), expected, f"{what}, built again")
    house.build(select, full_refresh=True)
    assert_equal(house.tables(expected), expected, f"{what}, built anew")


def of_every_kind(tenant: str, day: date) -> list[dict[str, Any]]:
    """Events that each of UpCoach's readers computes something from."""

    def one(name: str, minute: int, user: str | None = "kim", **more: Any) -> dict[str, Any]:
        when = at(tenant, day, time(9, minute))
        return event(f"{name} {tenant} {day} {user}", tenant, user, when, name=name, **more)

    return [
        one("notification_sent", 1), one("survey_answered", 2, survey="nps", score=9),
        one("experiment_exposed", 3, test_name="onboarding", variant="B"), one("invite_sent", 4),
        one("help_accessed", 5), one("goal_viewed", 6), one("goal_viewed", 7, user=None, anonymous="visitor"),
    ]  # fmt: skip


@pytest.mark.parametrize("moment", MOMENTS)
def test_rule_76_day_120_stays_and_day_121_goes_and_what_was_computed_stays(
    house: House, moment: str
) -> None:
    as_of = datetime.fromisoformat(moment)
    ages = (0, 90, 91, 119, 120, 121, 122, 400)
    kinds = [
        line
        for tenant in ZONES
        for age in (10, 130)
        for line in of_every_kind(tenant, days_ago(tenant, as_of, age))
    ]
    old = {line["event_id"] for line in kinds if line["occurred_at"] < "2026-03-01"}
    built(house, [*edges_of(as_of, ages), *kinds], select=BUILT)
    before = house.tables(MARTS)
    assert {table for table in READERS if not before[table]} == OF_OTHER_PRODUCTS
    dry = cleaned(house, as_of, is_dry=True)
    assert facts(house) == ids(as_of, ages) | {line["event_id"] for line in kinds}
    cleanup = cleaned(house, as_of)
    gone = ids(as_of, (121, 122, 400)) | old
    kept = (ids(as_of, ages) | {line["event_id"] for line in kinds}) - gone
    assert facts(house) == kept
    assert dry.count(DELETED, "event_facts") == cleanup.count(DELETED, "event_facts") == len(gone)
    logged = house.query(
        "select tenant_id, first_day, last_day, row_count from ops.retention_log where dataset = 'event_facts'"
    )
    assert set(logged) == {
        (UUID(uid(tenant)), days_ago(tenant, as_of, 400), days_ago(tenant, as_of, 121), 6 + 7)
        for tenant in ZONES
    }
    assert_same(house, before, "after the clean-up", BUILT)
    assert facts(house) == kept
    assert cleaned(house, as_of).gone == []
    # the next night lets go the next day, and that alone
    cleaned(house, as_of + timedelta(days=1))
    assert facts(house) == kept - ids(as_of, (120,))
    assert_same(house, before, "after the next night", BUILT)


def test_rule_76_raw_events_and_facts_of_one_age_go_in_one_night(house: House) -> None:
    built(house, edges_of(MOMENT, (0, 90, 91, 400)), days=90)
    before = house.tables(SOME)
    dry = cleaned(house, is_dry=True)
    assert dry.count(DELETED, "event_facts") == 12
    cleaned(house)
    assert stored(house) == facts(house) == ids(MOMENT, (0, 90))
    assert_same(house, before, "after the clean-up")


def test_facts_do_not_go_before_their_raw_events(house: House) -> None:
    """A build would make them again."""
    built(house, edges_of(MOMENT, (0, 40, 90, 91)), days=30)
    before = house.tables(SOME)
    cleaned(house)
    # the hours of day 90 that lie on a day of UTC that is closed
    left = facts(house)
    assert ids(MOMENT, (0, 40)) <= left
    assert not left & ids(MOMENT, (91,))
    assert_same(house, before, "after the clean-up")
    assert facts(house) == left


def sitting(
    name: str, first: datetime, minutes: Iterable[int], **more: Any
) -> list[dict[str, Any]]:
    return [
        event(f"{name} {n}", "amsterdam", name, f"{(first + timedelta(minutes=n)).replace(tzinfo=None)}", **more)
        for n in minutes
    ]  # fmt: skip


def test_a_session_over_the_last_midnight_stays_one(house: House) -> None:
    """It began on a day that is gone; what it reaches of one that stays is not a session of its own."""
    midnight = datetime.fromisoformat(at("amsterdam", days_ago("amsterdam", MOMENT, 120), time(0)))
    evening = midnight - timedelta(minutes=20)
    next_day = midnight.date() + timedelta(days=1)
    before_utc_midnight = datetime.combine(next_day, time(0)) - timedelta(minutes=10)
    built(house, [
        *sitting("derived", evening, (0, 15, 30, 45)),
        *sitting("given", evening, (0, 40, 60 * 30), session="s-over-midnight"),
        *sitting("beside", midnight, (150, 160), session="s-over-midnight"),  # on a day that stays
        *sitting("after", midnight, (5, 10)),
        *sitting("utc", before_utc_midnight, (0, 20)),
        *edges_of(MOMENT, (0, 400)),
    ])  # fmt: skip
    before = house.tables(SOME)
    (whole,) = house.query(
        "select event_count from core.fact_sessions where user_id = '" + uid("derived") + "'"
    )
    assert whole == (4,)
    cleaned(house)
    assert {uid("derived 30"), uid("given 40"), uid("after 5")} <= facts(house)
    assert uid("derived 15") not in facts(house)
    assert_same(house, before, "after the clean-up")
    # days beside them change
    house.put("events/upcoach/late.jsonl", [
        event("late", "amsterdam", "given", at("amsterdam", days_ago("amsterdam", MOMENT, 60), time(9)),
              session="s-over-midnight"),
        event("known now", "amsterdam", "after", f"{MOMENT:%Y-%m-%d %H:%M}", anonymous="visitor"),
    ])  # fmt: skip
    house.put(
        "cdc/upcoach/b.jsonl", [organization("la", "u", "2026-06-19 08:00", "America/New_York")]
    )
    house.load()
    house.build(SOME_BUILT)
    incremental = house.tables((*SOME, FACTS))
    house.build(SOME_BUILT, full_refresh=True)
    assert_equal(house.tables((*SOME, FACTS)), incremental, "after late events")
    sessions = "select user_id::text, event_count from core.fact_sessions where session_id = 's-over-midnight'"
    assert set(house.query(sessions)) == {(uid("given"), 3), (uid("beside"), 2)}


@pytest.mark.parametrize("dataset", ["event_facts", "raw_events"])
def test_rule_76_a_legal_hold_keeps_facts_until_it_is_lifted(house: House, dataset: str) -> None:
    ages = (0, 130, 150, 400)
    built(house, edges_of(MOMENT, ages))
    before = house.tables(SOME)
    day = days_ago("la", MOMENT, 150)
    number = held_by(house, dataset=dataset, tenant_id=UUID(uid("la")), first_day=day, last_day=day)
    cleanup = cleaned(house)
    assert facts(house) == ids(MOMENT, (0,)) | ids(MOMENT, (150,), ["la"])
    assert cleanup.count(HELD, "event_facts") == 2
    assert_same(house, before, "held")
    with house.warehouse.connect() as conn:
        holds.lift(conn, number, "ben")
    cleaned(house)
    assert facts(house) == ids(MOMENT, (0,))
    assert_same(house, before, "lifted")


def test_nothing_goes_before_all_that_reads_it_has_followed(house: House) -> None:
    built(house, edges_of(MOMENT, (0, 400)))
    before = house.tables(SOME)
    with house.warehouse.connect() as conn:
        conn.execute(
            "update ops.model_reads set build_id = build_id - 1"
            " where model_name = 'core.fact_sessions' and upstream_name = 'core.fact_events'"
        )
    with pytest.raises(
        Unbuilt, match=r"core\.fact_sessions did not follow.*let go, raw events too"
    ):
        cleaned(house)
    assert facts(house) == ids(MOMENT, (0, 400))
    # what is no part of it does not wait
    assert stored(house) == in_lake(house) == ids(MOMENT, (0,))
    with house.warehouse.connect() as conn:
        conn.execute(
            "update ops.model_watermarks set history_columns = null where model_name = 'core.fact_sessions'"
        )
    with pytest.raises(Unbuilt, match=r"core\.fact_sessions would lose days"):
        cleaned(house)
    assert facts(house) == ids(MOMENT, (0, 400))
    house.build(SOME_BUILT, full_refresh=True)
    cleaned(house)
    assert facts(house) == ids(MOMENT, (0,))
    assert_same(house, before, "after the clean-up")


def test_rule_75_who_is_erased_leaves_what_was_computed_of_gone_facts(house: House) -> None:
    lines = [
        *edges_of(MOMENT, (0, 400)),
        *of_every_kind("auckland", date(2025, 6, 1)), *of_every_kind("la", date(2025, 6, 1)),
        event("next to kim", "auckland", "noah", "2025-06-01 09:30", name="goal_viewed", session="s1"),
    ]  # fmt: skip
    built(house, lines, select=BUILT)
    cleaned(house)
    assert facts(house) == ids(MOMENT, (0,))
    # only what was computed knows her
    asked = [Asked(uid("kim"), "upcoach", uid("auckland"))]
    subjects, wanted = erasing.take_out(
        house.warehouse.settings, house.warehouse, Reporter(), asked
    )
    assert subjects
    house.build(BUILT)
    found = erasing.search.Found()
    with house.warehouse.connect() as conn:
        erasing.search.warehouse(conn, wanted, found)
    assert not {place for place, _ in found.rows if not place.startswith("ops.")}
    marts = house.tables(MARTS)
    house.build(BUILT, full_refresh=True)
    assert_equal(house.tables(MARTS), marts, "after the erasure")
    days = "select tenant_id::text, user_id::text from intermediate.int_core__user_days where event_date < '2025-06-03'"
    users = {row for row in house.query(days) if row[1] in {uid("kim"), uid("noah")}}
    # the other kim, and who was next to her
    assert users == {(uid("la"), uid("kim")), (uid("auckland"), uid("noah"))}


def test_rule_75_payments_whose_facts_are_gone_stay_without_the_client_and_with_another_reader(
    house: House,
) -> None:
    days = ("2025-12-02", "2026-06-10")  # 200 days old, and 10
    tenants = ("souk", "bazaar")

    def of(tenant: str, client: str, day: str) -> list[dict[str, Any]]:
        paid = {"kind": "order", "provider": "stripe", "currency": "EUR", "amount_cents": 4900}
        entity = f"{client} {day}"
        lines = [told(tenant, "order_created", f"{day} 09:00", entity, service_code="tarot"),
                 told(tenant, "order_assigned", f"{day} 09:01", entity, reader_id=uid("zara")),
                 told(tenant, "payment_succeeded", f"{day} 09:02", entity, **paid)]  # fmt: skip
        return [{**line, "user_id": uid(client)} for line in lines]

    lines = [
        line
        for tenant in tenants
        for day in days
        for client in ("layla", "sara")
        for line in of(tenant, client, day)
    ]
    lines += [
        {**told(tenant, "order_created", "2026-06-12 09:00", "own"), "user_id": uid("zara")}
        for tenant in tenants
    ]
    for tenant in tenants:
        house.put(
            f"cdc/samia_tarot/{tenant}.jsonl", [register(tenant, "c", "2025-01-01 08:00", "UTC")]
        )
    house.put("events/samia_tarot/a.jsonl", lines)
    house.load()
    money = ("fulfilment.metrics_daily_payments", "fulfilment.metrics_daily_fulfillment")
    select = (
        *SELECT,
        "+metrics_daily_payments",
        "+metrics_daily_fulfillment",
        "+metrics_daily_reader_fulfillment",
    )
    house.build(("+retention_policies", *select))
    with house.warehouse.connect() as conn:
        conn.execute(
            "update governance.retention_policies set retain_for = 90, retain_unit = 'day'"
            " where product = 'samia_tarot' and dataset = 'event_facts'"
        )
    before = house.tables(money)
    assert all(before.values())
    cleaned(house)
    assert house.query(f"select count(*) from {FACTS}") == [(14,)]
    souk = uuid_text("samia_tarot", "tenant", "souk")
    asked = [Asked(uid(name), "samia_tarot", souk) for name in ("layla", "zara")]
    _, wanted = erasing.take_out(house.warehouse.settings, house.warehouse, Reporter(), asked)
    for is_full in (False, True):
        house.build(select, full_refresh=is_full)
        assert_equal(house.tables(money), before, "money")
        steps = {
            day: house.query(
                "select tenant_id, event_name, user_id, reader_id from intermediate.int_fulfilment__events"
                f" where date_key = '{day}' order by 1, 2, 3"
            )
            for day in days
        }
        assert steps[days[0]] == steps[days[1]]  # what is kept is as what is made again
        in_souk = [row for row in steps[days[0]] if row[0] == UUID(souk)]
        assert len(in_souk) == 6
        assert {user for _, _, user, _ in in_souk} == {None, UUID(uid("sara"))}
        assert UUID(uid("zara")) not in {reader for *_, reader in in_souk}
        assert UUID(uid("zara")) in {row[3] for row in steps[days[0]] if row[0] != UUID(souk)}
        looked = erasing.search.Found()
        with house.warehouse.connect() as conn:
            erasing.search.warehouse(conn, wanted, looked)
        assert not {place for place, _ in looked.rows if not place.startswith("ops.")}


def test_every_model_that_reads_facts_keeps_closed_days() -> None:
    root = Path(__file__).parents[4]
    readers = {
        path.stem: text
        for path in (root / "models").rglob("*.sql")
        if "ref('fact_events')" in (text := path.read_text("utf-8"))
    }
    assert set(readers) == {table.split(".")[1] for table in READERS}
    for name, text in readers.items():
        assert "'closed_with': 'facts'" in text, name
        assert "is_open_day(" in text and "open_and_closed_days(" in text, name
