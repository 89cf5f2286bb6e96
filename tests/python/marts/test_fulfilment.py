"""Fulfilment through the ordinary loader: split, shuffled, doubled and late, and days of 25 hours.

Belongs here: what comes of events that arrive in any way (rules 40, 44, 48, 67), and of days that are
rebuilt because somebody asks. Does not belong here: why a number is what it is (unit tests), all of a
sample's days (truth).
"""

import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from orchestration.defs.transformation.days import REBUILT_DAYS
from tallyhouse.database import Warehouse
from tests.python.marts.house import House, assert_equal, assert_full_refresh_changes_nothing
from tests.python.marts.upcoach_lines import at, change, iso, uid
from tests.python.orchestration.test_definitions import load_repository

pytestmark = pytest.mark.slow

MARTS = (
    "metrics_daily_fulfillment",
    "metrics_daily_reader_fulfillment",
    "metrics_daily_payments",
    "metrics_daily_calls",
    "metrics_daily_content",
    "metrics_daily_moderation",
)
SELECT = tuple(f"+{mart}" for mart in MARTS)
TABLES = (
    *(f"fulfilment.{mart}" for mart in MARTS),
    "intermediate.int_fulfilment__calendar",
    "intermediate.int_fulfilment__events",
    "intermediate.int_fulfilment__order_steps",
    "intermediate.int_fulfilment__payments",
    "intermediate.int_fulfilment__calls",
)
DOMAINS = {
    "order": "orders",
    "payment": "payments",
    "refund": "payments",
    "call": "calls",
    "content": "moderation",
    "moderation": "moderation",
    "horoscope": "content",
}
Line = dict[str, Any]


def told(
    tenant: str, name: str, when: str, entity: object, received: str = "", **fields: Any
) -> Line:
    """One event in the document's columns; its id follows from what it tells."""
    kind = fields.pop("kind", name.split("_", maxsplit=1)[0])
    columns = {
        key: fields.pop(key)
        for key in ("provider", "service_code", "amount_cents", "currency", "duration_seconds")
        if key in fields
    }
    return {
        "event_id": uid(f"{tenant} {name} {entity} {when}"),
        "event_domain": DOMAINS[name.split("_", maxsplit=1)[0]],
        "event_type": name,
        "event_timestamp": iso(at(when)),
        "received_at": iso(at(received) if received else at(when) + timedelta(seconds=2)),
        "tenant_id": tenant,
        "user_id": uid(f"client of {tenant}"),
        "country_code": fields.pop("country", None),
        "entity_type": kind,
        "entity_id": entity,
        "metadata": fields,
        **columns,
    }


def register(tenant: str, op: str, committed: str, timezone: str) -> Line:
    """A change of the register of marketplaces."""
    row = {"name": tenant, "timezone": timezone, "created_at": "2026-01-01T00:00:00.000000Z"}
    return change("organizations", op, committed, row, {"id": tenant}, "samia_tarot")


def random_lives() -> list[Line]:
    """Orders, payments, calls and horoscopes of two tenants with the same numbers, over three weeks."""
    chance, lines = random.Random(100), []
    start = datetime(2026, 3, 20)
    for number in range(1, 41):
        tenant = ("souk", "gracht")[number % 2]
        order = number // 2
        when = start + timedelta(minutes=chance.randrange(20 * 24 * 60))

        def next_time(low: int, high: int) -> str:
            nonlocal when
            when += timedelta(minutes=chance.randrange(low, high))
            return f"{when}"

        def tell(name: str, low: int, high: int, entity: object = order, **more: Any) -> None:
            lines.append(told(tenant, name, next_time(low, high), entity, **more))  # noqa: B023

        tell("order_created", 0, 1, service_code=chance.choice(["tarot", "dream"]), country="SA")
        provider = "stripe"
        for _ in range(chance.randrange(1, 4)):
            paid = {"kind": "order", "provider": provider, "currency": "EUR", "amount_cents": 4900}
            tell("payment_attempted", 1, 30, **paid)
            if chance.random() < 0.9:
                answer = chance.choice(["payment_succeeded", "payment_failed", "payment_failed"])
                tell(answer, 1, 1600, **paid)
            provider = chance.choice(["stripe", "square"])
        tell("order_assigned", 1, 900, reader_id=f"r{chance.randrange(3)}")
        for _ in range(chance.randrange(3)):
            tell("order_submitted", 1, 900)
            tell(chance.choice(["order_approved", "order_rejected"]), 1, 900)
        if chance.random() < 0.7:
            tell("order_completed", 1, 900)
        if chance.random() < 0.2:
            tell("order_cancelled", 1, 900)
            tell("refund_issued", 1, 2000, kind="order", amount_cents=1000)
        call = f"c{order}"
        tell("call_started", 1, 90, call, service_code="tarot")
        if chance.random() < 0.7:
            tell("call_answered", 1, 2, call)
            tell(chance.choice(["call_ended", "call_dropped"]), 1, 90, call)
        day = f"{when + timedelta(days=1):%Y-%m-%d}"
        sign = {"zodiac_sign": chance.choice(["leo", "virgo"]), "horoscope_date": day}
        tell("horoscope_uploaded", 1, 90, f"h{order}", **sign)
        tell("horoscope_approved", 1, 90, f"h{order}", **sign)
        tell("horoscope_published", 1, 90, f"h{order}", **sign)
        tell("content_flagged", 1, 90, f"p{order}")
        tell("moderation_decision", 1, 3000, f"p{order}", kind="content")
    return lines


def known_answers() -> list[Line]:
    """Rules 100 and 102 in a tenant of their own, whose 25 October has 25 hours."""
    pay = {"kind": "order", "currency": "EUR", "amount_cents": 4900, "country": "NL"}
    return [
        # 25 October in Amsterdam runs from 22:00 UTC of the 24th until 23:00 UTC of the 25th
        told("klok", "order_created", "2026-10-24 22:00:00", 1, service_code="tarot", country="NL"),
        told("klok", "order_assigned", "2026-10-24 22:05:00", 1, reader_id="r1"),
        told("klok", "order_assigned", "2026-10-24 22:30:00", 1, reader_id="r2"),
        told("klok", "order_completed", "2026-10-25 22:59:59", 1),
        told("klok", "order_created", "2026-10-25 22:50:00", 2, service_code="tarot", country="NL"),
        told("klok", "order_completed", "2026-10-25 23:10:00", 2),
        told("klok", "payment_attempted", "2026-10-24 22:01:00", 1, provider="stripe", **pay),
        told("klok", "payment_failed", "2026-10-24 22:02:00", 1, provider="stripe", **pay),
        told("klok", "payment_attempted", "2026-10-25 22:58:00", 1, provider="square", **pay),
        told("klok", "payment_succeeded", "2026-10-25 23:02:00", 1, provider="square", **pay),
        told("klok", "horoscope_published", "2026-10-27 12:00:00", 1, zodiac_sign="leo"),
    ]


@pytest.fixture(scope="module")
def house(fresh_database: Callable[..., Warehouse]) -> House:
    """Three loads with a build after each; events come in no order, many of them again."""
    house = House(fresh_database("fulfilment", seeded=True))
    lines, chance = random_lives() + known_answers(), random.Random(48)
    # the body that was received first counts: one order's completion was another day's
    first = next(line for line in lines if line["event_type"] == "order_completed")
    earlier = {**first, "event_timestamp": "2026-03-01T10:00:00Z", "metadata": {"note": "early"}}
    earlier["received_at"] = "2026-02-28T10:00:00Z"
    chance.shuffle(lines)
    third = len(lines) // 3
    loads = [
        lines[:third],
        lines[third : 2 * third],
        [*lines[2 * third :], earlier, *lines[:third:3]],
    ]
    zones = [
        [register("klok", "c", "2026-01-01 00:00", "Europe/Amsterdam")],
        [register("souk", "c", "2026-01-01 00:01", "Asia/Riyadh")],
        [register("souk", "u", "2026-04-01 00:00", "America/New_York")],
    ]
    for number, (load, zone) in enumerate(zip(loads, zones, strict=True)):
        house.put(f"events/samia_tarot/{number}.jsonl", load)
        house.put(f"cdc/samia_tarot/{number}.jsonl", zone)
        house.load()
        house.build(SELECT)
    return house


def test_loads_in_any_order_end_in_the_rows_of_a_full_refresh(house: House) -> None:
    incremental = assert_full_refresh_changes_nothing(house, SELECT, TABLES, "after three loads")
    filled = {name for name, rows in incremental.items() if sum(rows.values()) >= 10}
    assert filled == set(TABLES)


def klok(house: House, columns: str, mart: str) -> list[tuple[Any, ...]]:
    tenant = "select tenant_id from core.dim_tenant where tenant_label = 'klok'"
    query = (
        f"select metric_date::text, {columns} from fulfilment.{mart} where tenant_id = ({tenant})"
    )
    return sorted(house.query(query))


def test_rule_100_and_a_day_of_25_hours(house: House) -> None:
    """Both ends of the long day lie in it; an hour after it is the next one."""
    columns = "orders_created, orders_assigned, orders_completed, ttf_response_seconds_avg, "
    columns += "ttf_delivery_seconds_avg"
    assert klok(house, columns, "metrics_daily_fulfillment") == [
        ("2026-10-25", 2, 1, 1, 300, 24 * 3600 + 59 * 60 + 59),
        ("2026-10-26", 0, 0, 1, None, 1200),
    ]


def test_rule_102_and_an_answer_after_midnight(house: House) -> None:
    """The success of 00:02 is that of the attempt of 23:58; square follows stripe's failure."""
    columns = "provider, attempts, successes, failures, fallback_attempts, amount_cents"
    assert klok(house, columns, "metrics_daily_payments") == [
        ("2026-10-25", "square", 1, 1, 0, 1, 4900),
        ("2026-10-25", "stripe", 1, 0, 1, 0, 0),
    ]


def test_rule_67_nothing_from_after_as_of(house: House) -> None:
    """At 22:59 UTC of the long day its second order is there, its end and the payment's are not."""
    before = house.tables(TABLES)
    house.build(SELECT, as_of="2026-10-25 22:59:00")
    columns = "orders_created, orders_completed, ttf_response_seconds_avg, is_complete"
    found = klok(house, columns, "metrics_daily_fulfillment")
    assert found == [("2026-10-25", 2, 0, 300, False)]
    paid = klok(house, "provider, attempts, successes", "metrics_daily_payments")
    assert paid == [("2026-10-25", "square", 1, 0), ("2026-10-25", "stripe", 1, 0)]
    assert klok(house, "signs_published", "metrics_daily_content") == []
    house.build(SELECT)
    assert_equal(house.tables(TABLES), before, "back to the newest arrival")


def rewritten_days(house: House, table: str, day: str) -> set[str]:
    """The days of the rows that the newest build of the table wrote."""
    newest = f"(select max(xmin::text::bigint) from {table})"
    rows = house.query(
        f"select distinct {day}::text from {table} where xmin::text::bigint = {newest}"
    )
    return {row[0] for row in rows}


def test_asked_for_days_are_rebuilt_to_the_same_rows_and_no_others(house: House) -> None:
    """What somebody spoiled by hand is right again; the document's delete-and-insert of a day."""
    before = house.tables(TABLES)
    in_days = "between '2026-03-26' and '2026-03-28'"
    with house.warehouse.connect() as connection:
        for statement in (
            f"delete from fulfilment.metrics_daily_payments where metric_date {in_days}",
            f"update fulfilment.metrics_daily_calls set calls_answered = 99 where metric_date {in_days}",
            f"update intermediate.int_fulfilment__order_steps set seconds = 7 where date_key {in_days}",
            f"delete from core.fact_events where date_key {in_days}",
        ):
            assert connection.execute(statement.encode()).rowcount > 0
    assert house.tables(TABLES) != before
    house.build(SELECT, days=(date(2026, 3, 26), date(2026, 3, 28)))
    assert_equal(house.tables(TABLES), before, "rebuilt days")
    written = rewritten_days(house, "fulfilment.metrics_daily_payments", "metric_date")
    assert written & {"2026-03-26", "2026-03-27", "2026-03-28"}  # days without payments have no row
    assert all("2026-03-24" <= day <= "2026-03-30" for day in written)


def test_days_chosen_in_dagster_are_rebuilt_to_the_same_rows(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backfill is one run over its days, and says of each table that it was built."""
    before = house.tables(TABLES)
    in_days = "between '2026-03-26' and '2026-03-28'"
    with house.warehouse.connect() as connection:
        for statement in (
            f"update fulfilment.metrics_daily_calls set calls_answered = 99 where metric_date {in_days}",
            f"delete from intermediate.int_fulfilment__events where date_key {in_days}",
            f"delete from core.fact_events where date_key {in_days}",
        ):
            assert connection.execute(statement.encode()).rowcount > 0
    assert house.tables(TABLES) != before
    monkeypatch.setenv("TALLYHOUSE_HOME", str(house.warehouse.settings.home))
    monkeypatch.setenv("TALLYHOUSE_DATABASE_URL", house.warehouse.url)
    monkeypatch.setenv("DBT_INDIRECT_SELECTION", "empty")  # rows are what is looked at
    days = {
        "dagster/asset_partition_range_start": "2026-03-26",
        "dagster/asset_partition_range_end": "2026-03-28",
    }
    chosen = {"ops": {"ops__rebuilt_days": {"config": {"select": " ".join(SELECT)}}}}
    with dg.instance_for_test() as instance:
        rebuild = load_repository().get_job("rebuild_days")
        result = rebuild.execute_in_process(instance=instance, run_config=chosen, tags=days)
        assert result.success
        rebuilt = instance.get_materialized_partitions(REBUILT_DAYS)
        assert rebuilt == {"2026-03-26", "2026-03-27", "2026-03-28"}
        calls = instance.get_latest_materialization_event(
            dg.AssetKey(["fulfilment", "metrics_daily_calls"])
        )
        assert calls is not None
    assert_equal(house.tables(TABLES), before, "rebuilt days")
