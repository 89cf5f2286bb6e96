"""The truth agrees with itself, and with sums that can be done by hand."""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from simulator import SampleReport
from simulator.fx import Rates
from simulator.ledger import Customer, Ledger, Part
from simulator.sources.events import Device, Event
from simulator.timeline import DAY, DEFAULT_END, HOUR, MINUTE, Window, local_days
from simulator.truth.engagement import use
from simulator.truth.revenue.policies import POLICIES
from simulator.truth.revenue.valuing import MOVES, Valued, value_days
from simulator.truth.table import entity_uuid

CENT = Decimal("0.0001")


def rows(sample: SampleReport, name: str) -> list[dict[str, str]]:
    with (sample.truth / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_mrr_bridges_every_day(sample: SampleReport) -> None:
    closing: dict[tuple[str, str], Decimal] = {}
    for row in rows(sample, "mrr_daily_total.csv"):
        value = {name: Decimal(row[f"{name}_mrr_cents"]) for name in ("opening", *MOVES, "net")}
        bridged = value["opening"] + value["new"] + value["reactivation"] + value["expansion"]
        bridged += value["fx"] - value["contraction"] - value["churn"]
        assert abs(bridged - value["net"]) < CENT, row
        of = (row["product"], row["policy"])
        assert abs(closing.get(of, value["opening"]) - value["opening"]) < CENT, row
        closing[of] = value["net"]
    policies = {policy.name for policy in POLICIES}
    assert set(closing) >= {(p, name) for p in ("rostracore", "upcoach") for name in policies}


def test_customers_add_up_to_the_total_and_so_do_plans(sample: SampleReport) -> None:
    total: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    customers: dict[tuple[str, ...], int] = defaultdict(int)
    for row in rows(sample, "mrr_daily.csv"):
        for policy in POLICIES:
            key = (row["metric_date"], row["product"], policy.name)
            mrr = row["mrr_cents" if policy.name == "standard" else f"{policy.name}_mrr_cents"]
            total[key] += Decimal(mrr)
            customers[key] += Decimal(mrr) > 0
    plans: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    for row in rows(sample, "mrr_daily_plan.csv"):
        plans[row["metric_date"], row["product"], row["policy"]] += Decimal(row["mrr_cents"])
    for row in rows(sample, "mrr_daily_total.csv"):
        key = (row["metric_date"], row["product"], row["policy"])
        assert abs(total[key] - Decimal(row["net_mrr_cents"])) < CENT
        assert abs(plans[key] - Decimal(row["net_mrr_cents"])) < CENT
        assert customers[key] == int(row["paying_customers"])


def test_new_users_add_up_to_the_cohorts(sample: SampleReport) -> None:
    new: dict[tuple[str, str], int] = {
        (r["tenant_id"], r["metric_date"]): int(r["new_users"])
        for r in rows(sample, "dau_daily.csv")
    }
    for row in rows(sample, "cohort_retention.csv"):
        if row["cohort_type"] == "day" and row["period_number"] == "0":
            assert int(row["cohort_size"]) == new[row["tenant_id"], row["cohort_start"]]
            assert row["retained_users"] == row["cohort_size"]


def test_unbounded_is_never_below_bounded_and_never_rises(sample: SampleReport) -> None:
    bounded: dict[tuple[str, ...], int] = {}
    last: dict[tuple[str, ...], int] = {}
    keys = ("tenant_id", "cohort_type", "cohort_start")
    for row in rows(sample, "cohort_retention.csv"):
        cohort = tuple(row[k] for k in keys)
        retained = int(row["retained_users"])
        assert retained <= int(row["cohort_size"])
        if row["mode"] == "bounded":
            bounded[(*cohort, row["period_number"])] = retained
        else:
            assert retained >= bounded[(*cohort, row["period_number"])]
            assert retained <= last.get(cohort, retained)
            last[cohort] = retained


def test_daily_users_have_sessions(sample: SampleReport) -> None:
    users = {
        (r["tenant_id"], r["metric_date"]): int(r["dau"]) for r in rows(sample, "dau_daily.csv")
    }
    for row in rows(sample, "sessions_daily.csv"):
        assert int(row["session_users"]) <= users[row["tenant_id"], row["metric_date"]]
        assert int(row["sessions"]) >= int(row["session_users"])
        assert int(row["active_minutes"]) >= int(row["sessions"])


# --- by hand --------------------------------------------------------------------------------------
WINDOW = Window.ending(DEFAULT_END, 30)


def ledger_of(*changes: tuple[float, str, int, str]) -> Ledger:
    """(day of the window, subscription, monthly minor units, currency) for one customer in UTC."""
    book = Ledger(WINDOW.end)
    customer = Customer("stripe", "upcoach", "t", "u", "c")
    book.opens(customer, local_days("UTC", WINDOW))
    for day, name, amount, currency in changes:
        parts = [Part(f"plan {name}", Fraction(amount))]
        book.worth(customer, name, WINDOW.start + int(day * DAY), parts, currency)
    return book


def valued(book: Ledger) -> Valued:
    return value_days(book, Rates.read(), WINDOW.first_date, WINDOW.end - MINUTE)


def moves_of(book: Ledger, policy: str = "standard") -> dict[tuple[str, int], Decimal]:
    return {
        (kind, (day - WINDOW.first_date).days): amount
        for (day, _, of), total in valued(book).products.items()
        for kind, amount in total.moves.items()
        if amount and of == policy
    }


def plans_of(book: Ledger, policy: str, day: int) -> dict[str, tuple[Decimal, int]]:
    """What each plan is worth on a day of the window, and who pays for it."""
    return {
        plan: (total.mrr, total.customers)
        for (date_key, _, _, plan, of), total in valued(book).plans.items()
        if of == policy and (date_key - WINDOW.first_date).days == day
    }


def test_rule_20_a_second_subscription_is_expansion_and_the_last_end_is_churn() -> None:
    book = ledger_of(
        (1.5, "a", 1000, "usd"), (3.5, "b", 500, "usd"), (5.5, "a", 0, "usd"), (7.5, "b", 0, "usd"),
        (9.5, "d", 700, "usd"),
    )  # fmt: skip
    assert moves_of(book) == {
        ("new", 1): 1000, ("expansion", 3): 500, ("contraction", 5): 1000, ("churn", 7): 500,
        ("reactivation", 9): 700,
    }  # fmt: skip


def test_rule_20_changes_within_an_hour_are_one() -> None:
    minute = 1 / 1440
    thought_again = (
        (1.5, "a", 1000, "usd"),
        (3.5, "a", 3000, "usd"),
        (3.5 + 59 * minute, "a", 1000, "usd"),
    )
    assert moves_of(ledger_of(*thought_again)) == {("new", 1): 1000}
    apart = (
        (1.5, "a", 1000, "usd"),
        (3.5, "a", 3000, "usd"),
        (3.5 + 61 * minute, "a", 1000, "usd"),
    )
    assert moves_of(ledger_of(*apart)) == {
        ("new", 1): 1000, ("expansion", 3): 2000, ("contraction", 3): 2000,
    }  # fmt: skip


def test_rule_23_a_weekend_takes_fridays_rate_and_the_change_is_fx() -> None:
    rates = Rates.read()
    friday, saturday, monday = date(2026, 10, 16), date(2026, 10, 17), date(2026, 10, 19)
    assert rates.factor("gbp", saturday) == rates.factor("gbp", friday)
    assert rates.factor("gbp", monday) != rates.factor("gbp", friday)
    moves = moves_of(ledger_of((0.5, "a", 1000, "gbp")))
    by_rate = rates.factor("gbp", monday) - rates.factor("gbp", friday)
    days = (monday - WINDOW.first_date).days
    assert abs(moves["fx", days] - 1000 * by_rate) < CENT
    assert ("fx", days - 1) not in moves


def test_rule_5_a_yen_has_no_cents() -> None:
    rates = Rates.read()
    first = valued(ledger_of((0.5, "a", 1000, "jpy"))).customers[0]
    mrr = first.mrr["standard"]
    assert abs(mrr - 1000 * 100 * rates.factor("jpy", first.day)) < CENT
    assert 500 < mrr < 1000  # a thousand yen are between five and ten dollars


def items_of(*changes: tuple[float, list[Part]]) -> Ledger:
    """(day of the window, what one subscription in dollars costs from then on)."""
    book = ledger_of()
    customer = next(iter(book.calendars))
    for day, parts in changes:
        book.worth(customer, "s", WINDOW.start + int(day * DAY), parts, "usd")
    return book


def test_rule_20_an_item_more_is_expansion_and_one_less_contraction_and_a_swap_moves_plans() -> (
    None
):
    base, seats, desks = (Part(p, Fraction(n)) for p, n in
                          (("base", 3000), ("seats", 500), ("desks", 500)))  # fmt: skip
    book = items_of((1.5, [base]), (3.5, [base, seats]), (5.5, [base, desks]), (7.5, [base]))
    moved = {("new", 1): 3000, ("expansion", 3): 500, ("contraction", 7): 500}
    assert all(moves_of(book, policy.name) == moved for policy in POLICIES)
    assert plans_of(book, "standard", 4) == {"base": (3000, 1), "seats": (500, 1)}
    assert plans_of(book, "chartmogul", 5) == {"base": (3000, 1), "desks": (500, 1)}
    assert plans_of(book, "standard", 7) == {"base": (3000, 1)}


def test_rules_1_6_and_13_say_what_each_policy_counts() -> None:
    """A half off 1,200 a year for its first ten days, 10 a week, and 7 of usage until the next bill."""
    until = WINDOW.start + int(11.5 * DAY)
    parts = [
        Part("year", Fraction(120_000), "year", 50, until),
        Part("week", Fraction(1000), "week"),
    ]
    used = Part("calls", Fraction(700), is_usage=True)
    book = items_of((1.5, parts), (5.5, [*parts, used]), (8.5, parts))
    week, month_of_four = Fraction(52_000, 12), Fraction(4000)
    expected = {
        "standard": {1: 10_000 + week, 11: 10_000 + week},
        "chartmogul": {1: 5000 + week, 8: 5000 + week, 11: 10_000 + week},
        "profitwell": {4: 10_000 + week, 5: 10_700 + week, 7: 10_700 + week, 8: 10_000 + week},
        "revenuecat": {5: 10_000 + month_of_four},
    }
    for policy, days in expected.items():
        for day, worth in days.items():
            found = sum(mrr for mrr, _ in plans_of(book, policy, day).values())
            assert abs(found - worth.numerator / Decimal(worth.denominator)) < CENT, (policy, day)
    assert moves_of(book, "chartmogul").keys() == {("new", 1), ("expansion", 11)}
    assert moves_of(book, "profitwell").keys() == {("new", 1), ("expansion", 5), ("contraction", 8)}


def test_rule_8_what_is_at_risk_of_a_customer_is_what_standard_counts() -> None:
    """Unpaid usage counts for one policy alone, until a plan comes to it."""
    book = ledger_of()
    customer, used = next(iter(book.calendars)), Part("calls", Fraction(700), is_usage=True)
    for day, parts in ((1, [used]), (2, [used, Part("base", Fraction(3000))])):
        book.worth(customer, "s", WINDOW.start + day * DAY, parts, "usd", at_risk=True)
    first, second = valued(book).customers[:2]
    assert (first.mrr, first.at_risk) == ({"profitwell": 700}, 0)
    assert (second.mrr["standard"], second.mrr["profitwell"], second.at_risk) == (3000, 3700, 3000)


def test_a_currency_without_a_rate_is_an_error_that_names_it() -> None:
    with pytest.raises(LookupError, match="XAU"):
        Rates.read().factor("xau", date(2026, 10, 16))


def event(
    user: str, at: int, session: str | None = None, name: str = "app_opened", received: int = 0
) -> Event:
    device = Device("mobile", "Safari", "192.0.2.1", "app")
    told = Event("e", "t", user, user, None, session, name, at, received or at, device, "NL")
    told.absurd = bool(received)
    return told


def test_rule_60_a_day_is_the_tenants_calendar_day() -> None:
    days = {"t": local_days("Africa/Johannesburg", WINDOW)}
    first = WINDOW.start + 15 * HOUR + 59 * MINUTE  # 17:59 in Johannesburg
    table = use.active_days([event("u", first), event("u", first + 23 * HOUR + MINUTE)], days)
    found = {(kind, number): kept for _, kind, _, number, mode, _, kept in
             use.retention(table, {"t": date(2026, 10, 28)}) if mode == "bounded"}  # fmt: skip
    assert found["day", 1] == 1
    assert found["day", 2] == 0


def test_rule_44_an_absurd_time_falls_back_to_the_arrival() -> None:
    days = {"t": local_days("UTC", WINDOW)}
    at = WINDOW.start + 3 * DAY
    table = use.active_days([event("u", at, received=at + 2 * DAY)], days)
    assert table["t"]["u"] == {(WINDOW.first_date.toordinal()) + 5}


def test_rule_61_a_period_that_is_not_over_is_absent() -> None:
    days = {"t": local_days("UTC", WINDOW)}
    table = use.active_days([event("u", WINDOW.end - 3 * DAY)], days)
    horizon = date(2026, 10, 27)
    found = {(kind, number) for _, kind, _, number, *_ in use.retention(table, {"t": horizon})}
    assert found == {("day", 0), ("day", 1)}


def test_sessions_split_after_thirty_minutes_and_may_cross_midnight() -> None:
    days = {"t": local_days("UTC", WINDOW)}
    late = WINDOW.start + 3 * DAY - 10 * MINUTE
    loose = [event("u", late), event("u", late + 30 * MINUTE), event("u", late + 61 * MINUTE)]
    named = [event("u", late + 5 * MINUTE, "s"), event("u", late + 5 * HOUR, "s")]
    passive = [event("u", late + 9 * HOUR, name="notification_sent")]
    found = use.sessions(loose + named + passive, days)
    lengths = sorted((v.day, (v.ended - v.started) // MINUTE, v.events) for v in found)
    second, third = days["t"].day(late), days["t"].day(late + HOUR)
    assert lengths == [(second, 30, 2), (second, 295, 2), (third, 0, 1)]


def test_identity_convention() -> None:
    known = "5c0ac4e0-0001-4a00-8000-000000000001"
    assert entity_uuid("upcoach", "tenant", known) == known
    # md5('rostracore|tenant|1')
    assert entity_uuid("rostracore", "tenant", "1") == "258d4999-3cc7-e1cb-b943-621afb0f1a37"


def test_every_file_of_the_truth_is_explained(sample: SampleReport) -> None:
    page = Path(sample.truth / "README.md").read_text(encoding="utf-8")
    for path in sample.truth.iterdir():
        if path.name != "README.md":
            assert f"`{path.name}`" in page
