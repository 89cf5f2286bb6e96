"""Rental through the ordinary loader: change data, events and CSV, split, shuffled, doubled and late.

Belongs here: what comes of sources that arrive in any way (rules 40, 44, 48, 67), and the rules' own cases
from landing folder to mart. Does not belong here: why a number is what it is (unit tests), all of a
sample's days (truth).
"""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tallyhouse.database import Warehouse
from tests.python.marts.house import House, assert_equal, assert_full_refresh_changes_nothing
from tests.python.marts.rentguy_lines import Line, company, row
from tests.python.marts.upcoach_lines import at, iso, uid

pytestmark = pytest.mark.slow

INCREMENTAL = (
    "rental.fact_scans",
    "rental.metrics_daily_scans",
    "intermediate.int_rental__calendar",
    "intermediate.int_rental__lead_events",
)
TABLES = (
    *INCREMENTAL,
    "rental.dim_equipment",
    "rental.fact_equipment_days",
    "rental.metrics_daily_equipment",
    "rental.fact_bookings",
    "rental.fact_transports",
    "rental.metrics_daily_transport",
    "rental.fact_leads",
    "rental.metrics_weekly_growth",
    "revenue.fact_invoices",
    "revenue.fact_payments",
    "revenue.metrics_monthly_collections",
)
SELECT = ("+path:models/marts/rental", "+metrics_monthly_collections")


def known_answers(tenant: str) -> list[Line]:
    """The cases of rules 106 to 111, in the numbers that every company counts from 1."""

    def add(table: str, number: int, committed: str, **columns: Any) -> Line:
        return row(tenant, table, "c", number, committed, **columns)

    service = {"acquired_at": "2026-03-28 23:00:00", "retired_at": "2026-03-29 22:00:00"}
    item = {"equipment_id": 1, "status": "planned", "customer_id": 1}
    moved = {"planned_departure_at": "2026-03-30 10:00:00"}
    away = {"departed_at": "2026-03-30 10:00:00"}
    bill = {"customer_id": 2, "booking_id": 1, "kind": "invoice", "status": "sent"}
    paid = {"invoice_id": 1, "customer_id": 2, "status": "succeeded", "amount": "50.00"}
    return [
        add("equipment", 1, "2026-03-01 08:00", category="Lifts", **service),
        # 8 to 12 and 10 to 14 by the clock of Amsterdam, on its day of 23 hours
        add("bookings", 1, "2026-03-20 08:00", **item, starts_at="2026-03-29 06:00:00",
            ends_at="2026-03-29 10:00:00"),
        add("bookings", 2, "2026-03-20 09:00", **item, starts_at="2026-03-29 08:00:00",
            ends_at="2026-03-29 12:00:00"),
        add("bookings", 3, "2026-03-20 10:00", **item | {"status": "cancelled"},
            starts_at="2026-03-29 14:00:00", ends_at="2026-03-29 20:00:00",
            cancelled_at="2026-03-29 13:59:59"),
        add("transports", 1, "2026-03-20 11:00", status="planned",
            planned_departure_at="2026-03-30 06:00:00"),
        row(tenant, "transports", "u", 1, "2026-03-30 04:00", status="planned", **moved),
        row(tenant, "transports", "u", 1, "2026-03-30 10:00", status="departed", **moved, **away),
        add("customers", 1, "2026-03-28 08:00", email="ADA@example.org", created_at="2026-03-28 08:00:00"),
        add("invoices", 1, "2026-02-01 08:00", **bill, net_amount="100.00", tax_amount="0.00",
            issued_at="2026-02-01 08:00:00", due_on="2026-03-01"),
        add("payments", 1, "2026-03-20 08:00", **paid, attempted_at="2026-03-20 08:00:00"),
        add("payments", 2, "2026-04-05 08:00", **paid, attempted_at="2026-04-05 08:00:00"),
    ]  # fmt: skip


def random_scans() -> list[Line]:
    """Scans of two companies with the same numbers of equipment, over three weeks."""
    chance, lines = random.Random(106), []
    for number in range(150):
        tenant = ("klok", "slot")[number % 2]
        when = datetime(2026, 3, 15) + timedelta(minutes=chance.randrange(21 * 24 * 60))
        name = chance.choice(["scan.completed", "scan.completed", "scan.exception"])
        lines.append(
            {
                "event": name,
                "eventId": uid(f"{tenant} scan {number}"),
                "timestamp": iso(at(f"{when}")),
                "receivedAt": iso(at(f"{when}") + timedelta(seconds=2)),
                "context": {"module": "scanning", "tenantId": tenant, "userId": f"user-{tenant}"},
                "properties": {
                    "equipmentId": chance.randrange(1, 4),
                    "statusBefore": "available",
                    "statusAfter": chance.choice(["available", "rented"]),
                },
            }
        )
    return lines


FORMS = """form_id;submitted_at;exported_at;company;channel;country;name;email;phone;message
1;2026-03-23T10:00:00Z;2026-03-23T11:00:00Z;{tenant};trade_show;NL;"A; B";Ada@example.org;;"When?"
"""
STAGES = """change_id,changed_at,exported_at,company,stage,channel,email,phone,owner
1,2026-03-24T10:00:00Z,2026-03-24T11:00:00Z,{tenant},Qualified,google_ads,ada@example.org,,"B, C"
"""


@pytest.fixture(scope="module")
def house(fresh_database: Callable[..., Warehouse]) -> House:
    """Three loads with a build after each; scans come in no order, many of them again."""
    house = House(fresh_database("rental", seeded=True))
    scans, chance = random_scans(), random.Random(48)
    chance.shuffle(scans)
    changes = [
        company("klok", "c", "2026-01-01 00:00", "Europe/Amsterdam", "EUR"),
        *known_answers("klok"),
        company("slot", "c", "2026-04-05 09:00", "Asia/Tokyo", "JPY"),
        *known_answers("slot"),
        company("slot", "u", "2026-04-06 09:00", "America/Denver", "JPY"),
    ]
    again = [*scans[100:], *scans[:100:3]]
    csv = {0: ("leads", FORMS, "klok"), 1: ("crm", STAGES, "klok"), 2: ("leads", FORMS, "slot")}
    for number, (some, rows) in enumerate(
        [(scans[:50], changes[:6]), (scans[50:100], changes[6:14]), (again, changes[14:])]
    ):
        house.put(f"events/rentguy/{number}.jsonl", some)
        house.put(f"cdc/rentguy/{number}.jsonl", rows)
        folder, text, tenant = csv[number]
        file = house.landing / "events" / "rentguy" / folder / f"{number}.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.format(tenant=tenant), "utf-8")
        house.load()
        house.build(SELECT)
    return house


def test_loads_in_any_order_end_in_the_rows_of_a_full_refresh(house: House) -> None:
    incremental = assert_full_refresh_changes_nothing(house, SELECT, TABLES, "after three loads")
    assert sum(incremental["rental.fact_scans"].values()) == 150


def of_klok(house: House, columns: str, table: str) -> list[tuple[Any, ...]]:
    tenant = "select tenant_id from core.dim_tenant where tenant_label = 'klok'"
    return sorted(house.query(f"select {columns} from {table} where tenant_id = ({tenant})"))


def test_rules_106_107_109_a_day_of_23_hours(house: House) -> None:
    columns = "date_key::text, available_hours::float, booked_hours::float"
    found = of_klok(house, columns, "rental.fact_equipment_days")
    assert found == [("2026-03-29", 23.0, 6.0)]
    double = of_klok(house, "is_double_booked", "rental.fact_bookings")
    assert [row[0] for row in double] == [False, True, True]


def test_rule_108_planned_anew_two_hours_before(house: House) -> None:
    columns = "date_key::text, delay_minutes::float, is_on_time"
    assert of_klok(house, columns, "rental.fact_transports") == [("2026-03-30", 240.0, False)]


def test_rule_110_a_form_and_the_crm_tell_of_one_person(house: House) -> None:
    """First told of at a fair, qualified a day later, a customer on the 28th."""
    columns = "week_start::text, channel, leads, qualified_leads, customers_won"
    assert of_klok(house, columns, "rental.metrics_weekly_growth") == [
        ("2026-03-23", "events", 1, 1, 1)
    ]


def test_rule_111_half_is_collected_in_time(house: House) -> None:
    columns = "month_start::text, currency, amount_due_cents, amount_collected_cents"
    assert of_klok(house, columns, "revenue.metrics_monthly_collections") == [
        ("2026-03-01", "eur", 10000, 5000)
    ]


def test_rule_118_the_same_numbers_elsewhere_change_nothing(house: House) -> None:
    """The other company's rows are its own: its day of 29 March has 24 hours, its money no cents."""
    query = """
        select count(distinct tenant_id), count(*) from rental.dim_equipment
        union all
        select count(distinct tenant_id), count(*) from revenue.fact_invoices
        union all
        select count(distinct tenant_id), count(*) from rental.fact_leads
    """
    assert house.query(query) == [(2, 2)] * 3
    due = house.query("select sum(amount_due_cents) from revenue.fact_invoices group by currency")
    assert sorted(row[0] for row in due) == [100, 10000]


def test_rule_67_nothing_from_after_as_of(house: House) -> None:
    """At 09:00 UTC of 29 March: three hours booked so far, nobody paid twice, nothing departed."""
    before = house.tables(TABLES)
    house.build(SELECT, as_of="2026-03-29 09:00:00")
    columns = "date_key::text, available_hours::float, booked_hours::float, is_complete"
    found = of_klok(house, columns, "rental.fact_equipment_days")
    assert found == [("2026-03-29", 10.0, 3.0, False)]
    assert of_klok(house, "is_on_time", "rental.fact_transports") == [(None,)]
    assert of_klok(house, "amount_paid_cents", "revenue.fact_invoices") == [(5000,)]
    assert house.query("select max(scanned_at) <= '2026-03-29 09:00Z' from rental.fact_scans") == [
        (True,)
    ]
    house.build(SELECT)
    assert_equal(house.tables(TABLES), before, "back to the newest arrival")
