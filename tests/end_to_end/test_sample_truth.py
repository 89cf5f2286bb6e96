"""The warehouse and the truth of two samples, computed apart from each other, say the same on every day.

Belongs here: a sample of an autumn, and one of a winter at whose both ends the clocks are changed, loaded and built;
each published number beside its truth, each planted defect beside its treatment. Does not belong here: why a number
is what it is (unit tests).
"""

import csv
import hashlib
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
import pytest

from tests.built_sample import CLOCK_CHANGES, PLAIN, BuiltSample, Sample
from tests.customer_mrr import customer_days, warehouse_customer

pytestmark = pytest.mark.slow

# A level is rounded to whole cents once; a movement is the difference of two such levels.
LEVEL, MOVE = Decimal("0.5000001"), Decimal("0.9999999")
LEVELS = ("opening_mrr_cents", "net_mrr_cents", "at_risk_mrr_cents", "paying_customers")
MOVES = tuple(
    f"{kind}_mrr_cents"
    for kind in ("new", "expansion", "contraction", "churn", "reactivation", "fx")
)
POLICIES = ("standard", "chartmogul", "profitwell", "revenuecat")
Rows = dict[tuple[Any, ...], tuple[Any, ...]]


class Built:
    """A sample and the warehouse that was made of it."""

    def __init__(self, sample: BuiltSample) -> None:
        self.sample = sample

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with self.sample.warehouse.connect() as connection:
            return connection.execute(query).fetchall()

    def truth(self, name: str) -> Iterator[dict[str, str]]:
        with (self.sample.truth / name).open(encoding="utf-8", newline="") as stream:
            yield from csv.DictReader(stream)

    def plants(self, expected: str, kind: str) -> list[dict[str, Any]]:
        lines = (self.sample.truth / "planted.jsonl").read_bytes().splitlines()
        found = (orjson.loads(line) for line in lines)
        return [p for p in found if p["expected"] == expected and p["source_kind"] == kind]


@pytest.fixture(scope="module", params=[PLAIN, CLOCK_CHANGES], ids=lambda sample: sample.name)
def built(request: pytest.FixtureRequest, sample_copy: Callable[..., BuiltSample]) -> Built:
    sample: Sample = request.param
    return Built(sample_copy("truth", sample))


def agree(truth: Rows, found: Rows, tolerance: Decimal = Decimal(0)) -> None:
    """The same keys, and values that differ by no more than the tolerance."""
    assert truth
    wrong = {
        key: (truth.get(key), found.get(key))
        for key in truth.keys() | found.keys()
        if key not in truth
        or key not in found
        or any(
            abs(Decimal(a) - Decimal(b)) > tolerance
            for a, b in zip(truth[key], found[key], strict=True)
        )
    }
    assert not wrong, (
        f"{len(wrong)} of {len(truth)} differ (truth, warehouse): {list(wrong.items())[:5]}"
    )


def test_daily_users(built: Built) -> None:
    truth: Rows = {
        (r["metric_date"], r["product"], r["tenant_id"]): (
            *(int(r["dau"]), int(r["new_users"])),
            int(r["is_complete"] == "true"),
        )
        for r in built.truth("dau_daily.csv")
    }
    query = """
        select metric_date::text, product, tenant_id::text, dau, new_users, is_complete::integer
        from engagement.metrics_daily_engagement where dau > 0
    """
    agree(truth, {row[:3]: row[3:] for row in built.ask(query)})


def test_retention_in_every_observable_cell(built: Built) -> None:
    names = ("product", "tenant_id", "cohort_type", "cohort_start", "period_number", "mode")
    truth: Rows = {
        tuple(r[name] for name in names): (int(r["cohort_size"]), int(r["retained_users"]))
        for r in built.truth("cohort_retention.csv")
    }
    query = f"""
        select {", ".join(f"{name}::text" for name in names)}, cohort_size, retained_users
        from engagement.metrics_cohort_retention where retained_users is not null
    """
    agree(truth, {row[:6]: row[6:] for row in built.ask(query)})


def test_sessions(built: Built) -> None:
    names = ("sessions", "session_users", "events", "session_minutes", "active_minutes")
    truth: Rows = {
        (r["metric_date"], r["product"], r["tenant_id"]): tuple(r[name] for name in names)
        for r in built.truth("sessions_daily.csv")
    }
    query = """
        select date_key::text, product, tenant_id::text, count(*), count(distinct user_id),
            sum(event_count), sum(session_minutes), sum(active_minutes)
        from core.fact_sessions group by 1, 2, 3
    """
    agree(truth, {row[:3]: row[3:] for row in built.ask(query)}, Decimal("0.000001"))


def test_productivity(built: Built) -> None:
    """Counts as they are, a mood to six places, money to the cent."""
    names = ("goals_completed", "habits_checked", "chat_sessions", "tasks_completed")
    names += ("sessions", "active_minutes", "mood_avg")
    # the truth begins with the window, people paid before
    summary = orjson.loads((built.sample.truth / "summary.json").read_bytes())
    first = summary["window"]["start"][:10]
    rows = [r for r in built.truth("fact_productivity.csv") if r["date_key"] >= first]
    measures = ", ".join(f"coalesce({name}, -1)" for name in names)
    query = f"""
        select date_key::text, tenant_id::text, user_id::text, {measures}, revenue_cents
        from coaching.fact_productivity
        where date_key >= '{first}'
    """
    found = built.ask(query)
    keys = [(r["date_key"], r["tenant_id"], user_id(r["user_id"])) for r in rows]
    measured: Rows = {
        key: tuple(Decimal(r[name] or -1) for name in names)
        for key, r in zip(keys, rows, strict=True)
    }
    agree(measured, {row[:3]: row[3:-1] for row in found}, Decimal("0.000001"))
    earned: Rows = {key: (r["revenue_cents"],) for key, r in zip(keys, rows, strict=True)}
    agree(earned, {row[:3]: row[-1:] for row in found}, Decimal("0.5"))


def user_id(source_id: str) -> str:
    """The user of the truth's row; visitors stand there under their anonymous id."""
    if not source_id.startswith("anon-"):
        return source_id
    text = f"upcoach|anonymous|{source_id}"  # the identity convention, written out once more
    return str(UUID(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()))


@pytest.mark.parametrize(("columns", "tolerance"), [(LEVELS, LEVEL), (MOVES, MOVE)])
def test_mrr_and_its_movements_by_product(
    built: Built, columns: tuple[str, ...], tolerance: Decimal
) -> None:
    """Under each policy."""
    truth: Rows = {
        (r["metric_date"], r["product"], r["policy"]): tuple(r[column] for column in columns)
        for r in built.truth("mrr_daily_total.csv")
    }
    assert {key[2] for key in truth} == set(POLICIES)
    first, last = min(truth)[0], max(truth)[0]
    query = f"""
        select metric_date::text, product, policy, {", ".join(columns)}
        from revenue.metrics_daily_mrr where metric_date between '{first}' and '{last}'
    """
    agree(truth, {row[:3]: row[3:] for row in built.ask(query)}, tolerance)


def mrr(row: dict[str, str], policy: str) -> Decimal:
    """What a row of `mrr_daily.csv` says under a policy."""
    return Decimal(row["mrr_cents" if policy == "standard" else f"{policy}_mrr_cents"])


@pytest.mark.parametrize("policy", POLICIES)
def test_mrr_of_every_customer_on_every_day(built: Built, policy: str) -> None:
    """On the days that were over everywhere: the window's first and last day are cut."""
    rows = list(built.truth("mrr_daily.csv"))
    days = sorted({row["metric_date"] for row in rows})
    truth: dict[tuple[Any, ...], Decimal] = {}
    for row in rows:
        if days[1] < row["metric_date"] < days[-1]:
            customer = warehouse_customer(row["product"], row["provider"], row["customer_id"])
            truth[row["metric_date"], customer] = mrr(row, policy)
    first, last = min(day for day, _ in truth), max(day for day, _ in truth)
    query = customer_days([policy], first, last)
    found = {(day, customer): cents for day, _, customer, cents in built.ask(query)}
    differing = {
        key: (found.get(key), truth.get(key))
        for key in found.keys() | truth.keys()
        if abs(found.get(key, Decimal(0)) - truth.get(key, Decimal(0))) > Decimal("0.0001")
    }
    assert len(truth) > 1000
    assert not differing, f"{len(differing)} customer-days differ: {sorted(differing.items())[:3]}"


@pytest.mark.parametrize("built", [PLAIN], indirect=True, ids=lambda sample: sample.name)
def test_under_each_policy_somebody_is_worth_something_else(built: Built) -> None:
    rows = list(built.truth("mrr_daily.csv"))
    for policy in POLICIES[1:]:
        assert any(mrr(row, policy) != mrr(row, "standard") for row in rows), policy


def test_mrr_by_tenant(built: Built) -> None:
    total: dict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    for r in built.truth("mrr_daily.csv"):
        for policy in POLICIES:
            total[r["metric_date"], r["product"], r["tenant_id"], policy] += mrr(r, policy)
    truth: Rows = {key: (value,) for key, value in total.items()}
    query = f"""
        select metric_date::text, product, tenant_id::text, policy, net_mrr_cents
        from revenue.metrics_daily_tenant_mrr
        where metric_date >= '{min(truth)[0]}' and net_mrr_cents <> 0
    """
    agree(truth, {row[:4]: row[4:] for row in built.ask(query)}, Decimal(1))


def test_mrr_of_every_plan_on_every_day(built: Built) -> None:
    """Each item of a subscription is its own plan's; of a plan's countries each is within a cent."""
    truth = {
        (r["metric_date"], r["product"], r["tenant_id"], r["plan"], r["policy"]): (
            Decimal(r["mrr_cents"]),
            int(r["paying_customers"]),
        )
        for r in built.truth("mrr_daily_plan.csv")
    }
    query = f"""
        select metric_date::text, product, tenant_id::text, plan, policy,
            sum(net_mrr_cents), sum(paying_customers), count(*)
        from revenue.metrics_daily_plan_mrr where metric_date >= '{min(truth)[0]}'
        group by 1, 2, 3, 4, 5
    """
    found = {row[:5]: row[5:] for row in built.ask(query)}
    differing = {
        key: (truth.get(key), found.get(key))
        for key in truth.keys() | found.keys()
        if key not in truth
        or key not in found
        or abs(truth[key][0] - found[key][0]) >= found[key][2]
        or truth[key][1] != found[key][1]
    }
    assert not differing, (
        f"{len(differing)} of {len(truth)} plan-days differ: {sorted(differing.items())[:3]}"
    )
    plans = {plan for _, _, _, plan, _ in truth}
    assert {
        "UpCoach storage monthly",
        "UpCoach insights monthly",
        "RentGuy scanner monthly",
    } <= plans
    assert {key[4] for key in truth if key[3] == "RentGuy message monthly"} == {"profitwell"}


def test_cash_and_refunds(built: Built) -> None:
    """What Stripe and the stores moved, each day of each tenant, from the facts at the day's rate."""
    names = ("metric_date", "product", "tenant_id", "provider")
    measures = ("payments", "cash_collected_cents", "refunds", "refunds_cents")
    truth: Rows = {
        tuple(r[name] for name in names): tuple(r[measure] for measure in measures)
        for r in built.truth("cash_daily.csv")
    }
    query = """
        with moved as (
            select product, tenant_id, provider, currency, attempted_at as moved_at,
                amount_cents as paid, null::bigint as refunded
            from revenue.fact_payments where status = 'succeeded'
            union all
            select product, tenant_id, provider, currency, refunded_at, null, amount_cents
            from revenue.fact_refunds
        ), dated as (
            select moved.*, cast(moved_at at time zone timezone as date) as metric_date
            from moved join core.dim_tenant using (tenant_id)
            where provider in ('stripe', 'revenuecat') and coalesce(paid, refunded) > 0
        )
        select metric_date::text, product, tenant_id::text, provider,
            count(paid), coalesce(sum(paid * rate), 0), count(refunded), coalesce(sum(refunded * rate), 0)
        from dated join (
            select rate_date, currency, case when currency = 'usd' then 1 else rate end as rate
            from intermediate.int_revenue__fx_daily
        ) as rates on rates.currency = dated.currency and rates.rate_date = dated.metric_date
        group by 1, 2, 3, 4
    """
    agree(truth, {row[:4]: row[4:] for row in built.ask(query)}, Decimal("0.01"))
    assert sum(Decimal(row[2]) for row in truth.values()) > 0


def test_months_of_revenue(built: Built) -> None:
    """Months that lie in the window whole: the bridge is its days' put together, the close the last one's."""
    total = {
        (r["metric_date"], (r["product"], r["policy"])): r
        for r in built.truth("mrr_daily_total.csv")
    }
    found = built.ask(
        f"""
        select month_start::text, (month_start + interval '1 month - 1 day')::date::text, product, policy,
            opening_mrr_cents, net_mrr_cents, {", ".join(MOVES)}
        from revenue.metrics_monthly_revenue where is_complete
        """
    )
    compared = 0
    for first, last, product, policy, opening, net, *moves in found:
        of = (product, policy)
        if (first, of) not in total or (last, of) not in total:
            continue
        days = [r for (day, name), r in total.items() if name == of and first <= day <= last]
        assert abs(Decimal(total[first, of]["opening_mrr_cents"]) - opening) <= LEVEL
        assert abs(Decimal(total[last, of]["net_mrr_cents"]) - net) <= LEVEL
        for name, value in zip(MOVES, moves, strict=True):
            moved = sum(Decimal(r[name]) for r in days)
            assert abs(moved - value) < len(days), (first, of, name)
        compared += 1
    assert compared >= 3 * len(POLICIES)


def test_who_stayed_through_each_month(built: Built) -> None:
    """Customers of a month's opening, how many left, and what of their MRR was kept, by tenant."""
    paid: dict[tuple[str, str, str], dict[tuple[str, str], tuple[Decimal, str]]] = defaultdict(dict)
    for r in built.truth("mrr_daily.csv"):
        key = (r["metric_date"], r["product"], r["tenant_id"])
        paid[key][r["provider"], r["customer_id"]] = (Decimal(r["mrr_cents"]), r["currency"])
    rates = {
        (currency.lower(), day): Decimal(1) if currency.lower() == "usd" else rate
        for currency, day, rate in built.ask(
            "select currency, rate_date::text, rate from intermediate.int_revenue__fx_daily"
        )
    }
    rows = built.ask(
        """
        select (month_start - 1)::text, (month_start + interval '1 month - 1 day')::date::text, product,
            tenant_id::text, opening_customers, lost_customers, base_mrr_cents, retained_mrr_cents,
            gross_retained_mrr_cents
        from revenue.metrics_monthly_tenant_revenue where policy = 'standard' and is_complete
        """
    )
    compared = lost_in_all = 0
    for before, last, product, tenant, *measured in rows:
        opening = paid.get((before, product, tenant))
        if not opening:
            continue
        closing = paid.get((last, product, tenant), {})
        kept = {}
        for customer, (cents, currency) in closing.items():
            code = currency.lower()
            kept[customer] = cents * rates[code, before] / rates[code, last]
        lost = [customer for customer in opening if customer not in kept]
        expected = (
            Decimal(len(opening)),
            Decimal(len(lost)),
            sum(cents for cents, _ in opening.values()),
            sum(kept.get(customer, Decimal(0)) for customer in opening),
            sum(min(cents, kept.get(c, Decimal(0))) for c, (cents, _) in opening.items()),
        )
        for wanted, value in zip(expected, measured, strict=True):
            assert abs(wanted - value) < Decimal("0.01"), (
                before,
                product,
                tenant,
                expected,
                measured,
            )
        compared, lost_in_all = compared + 1, lost_in_all + len(lost)
    assert compared >= 4
    assert lost_in_all > 0


def test_filled_shifts(built: Built) -> None:
    truth: Rows = {
        (r["shift_id"], r["tenant_id"]): (r["required_count"], r["filled_count"])
        for r in built.truth("shift_fill.csv")
    }
    query = """
        select shift_id::text, tenant_id::text, required_count, filled_count
        from workforce.fact_shifts where status <> 'cancelled'
    """
    agree(truth, {row[:2]: row[2:] for row in built.ask(query)})


WORKFORCE = {
    "workforce_offers": ("fact_shift_assignments", ("shift_id", "employee_id")),
    "workforce_rosters": ("fact_rosters", ("roster_id",)),
    "workforce_daily": ("metrics_daily_workforce", ("metric_date",)),
    "workforce_costs_daily": ("metrics_daily_shift_costs", ("metric_date", "site_id")),
    "workforce_hours_weekly": ("employee_hours", ("week_start", "employee_id")),
    "workforce_fairness_weekly": ("metrics_weekly_fairness", ("week_start",)),
    "workforce_groups_weekly": (
        "metrics_weekly_group_fairness",
        ("week_start", "group_type", "group_name"),
    ),
}
ANSWERS = {"": "-1", "rejected": "0", "accepted": "1"}


@pytest.mark.parametrize("name", WORKFORCE)
def test_workforce(built: Built, name: str) -> None:
    """Counts and amounts as they are, hours and rates to a thousandth, unknown ones (-1) unknown."""
    table, more = WORKFORCE[name]
    rows = list(built.truth(f"{name}.csv"))
    keys = ("tenant_id", *more)
    measures = [column for column in rows[0] if column not in keys]
    truth: Rows = {
        tuple(r[key] for key in keys): tuple(Decimal(ANSWERS.get(r[m], r[m])) for m in measures)
        for r in rows
    }
    asked = {
        "answer": "case answer when 'accepted' then 1 when 'rejected' then 0 end",
        "is_punctual": "is_punctual::integer",
    }
    query = f"""
        select {", ".join(f"{key}::text" for key in keys)},
            {", ".join(f"coalesce({asked.get(m, m)}, -1)" for m in measures)}
        from workforce.{table}
    """
    found = {row[: len(keys)]: row[len(keys) :] for row in built.ask(query)}
    agree(truth, found, Decimal("0.001"))
    assert len({key[0] for key in truth}) >= 4


RENTAL = {
    "rental_equipment_daily": (
        "rental.metrics_daily_equipment",
        ("metric_date", "tenant_id", "category"),
    ),
    "rental_transport_daily": ("rental.metrics_daily_transport", ("metric_date", "tenant_id")),
    "rental_scans_daily": ("rental.metrics_daily_scans", ("metric_date", "tenant_id")),
    "rental_growth_weekly": (
        "rental.metrics_weekly_growth",
        ("week_start", "tenant_id", "channel"),
    ),
    "rental_collections_monthly": (
        "revenue.metrics_monthly_collections where provider = 'rentguy'",
        ("month_start", "tenant_id"),
    ),
}


@pytest.mark.parametrize("name", RENTAL)
def test_rental(built: Built, name: str) -> None:
    """Counts and amounts as they are, hours and minutes to a thousandth, unknown ones (-1) unknown."""
    table, keys = RENTAL[name]
    rows = list(built.truth(f"{name}.csv"))
    measures = [column for column in rows[0] if column not in keys]
    truth: Rows = {
        tuple(r[key] for key in keys): tuple(Decimal(r[m] or -1) for m in measures) for r in rows
    }
    query = f"""
        select {", ".join(f"{key}::text" for key in keys)},
            {", ".join(f"coalesce({m}, -1)" for m in measures)}
        from {table}
    """
    found = {row[: len(keys)]: row[len(keys) :] for row in built.ask(query)}
    agree(truth, found, Decimal("0.001"))
    assert len({key[1] for key in truth}) == 3


def test_rental_invoices(built: Built) -> None:
    """Each invoice and credit note: what is due, what of it was paid, its tax, its day, its state."""
    names = ("status", "amount_due_cents", "amount_paid_cents", "tax_cents", "due_date")
    truth = {
        (r["invoice_id"], r["tenant_id"]): tuple(r[name] for name in names)
        for r in built.truth("rental_invoices.csv")
    }
    query = """
        select invoice_id::text, invoices.tenant_id::text, status, amount_due_cents::text,
            amount_paid_cents::text, tax_cents::text, cast(due_at at time zone timezone as date)::text
        from revenue.fact_invoices as invoices join core.dim_tenant using (tenant_id)
        where provider = 'rentguy'
    """
    assert {row[:2]: row[2:] for row in built.ask(query)} == truth
    assert {"paid", "open", "credited"} <= {row[0] for row in truth.values()}


CARED_FOR = {
    "tickets": ("customers.fact_tickets", ("ticket_id", "tenant_id", "priority")),
    "tickets_daily": ("customers.metrics_daily_tickets", ("metric_date", "tenant_id")),
    "nps_monthly": (
        "customers.metrics_nps where responses > 0",
        ("month_start", "product", "tenant_id"),
    ),
    "csat_monthly": (
        "customers.metrics_csat where responses > 0",
        ("month_start", "product", "tenant_id"),
    ),
    "growth_daily": (
        "engagement.metrics_daily_growth where is_complete",
        ("metric_date", "product", "tenant_id"),
    ),
    "friction_daily": (
        "engagement.metrics_daily_friction",
        ("metric_date", "product", "tenant_id", "friction_kind"),
    ),
}

NUMBERS = {"is_sla_breached": "is_sla_breached::integer"}


@pytest.mark.parametrize("name", CARED_FOR)
def test_customers_growth_and_friction(built: Built, name: str) -> None:
    """Counts as they are, minutes to a thousandth, unknown ones (-1) unknown."""
    table, keys = CARED_FOR[name]
    rows = list(built.truth(f"{name}.csv"))
    measures = [column for column in rows[0] if column not in keys]
    truth: Rows = {
        tuple(r[key] for key in keys): tuple(Decimal(r[m] or -1) for m in measures) for r in rows
    }
    query = f"""
        select {", ".join(f"{key}::text" for key in keys)},
            {", ".join(f"coalesce({NUMBERS.get(m, m)}, -1)" for m in measures)}
        from {table}
    """
    found = {row[: len(keys)]: row[len(keys) :] for row in built.ask(query)}
    agree(truth, found, Decimal("0.001"))


COACHING = {
    "coaching_goals_daily": ("metrics_daily_goals", "metric_date", ("cohort_week",)),
    "coaching_habits_daily": ("metrics_daily_habits", "metric_date", ()),
    "coaching_nudges_hourly": ("metrics_hourly_ai_nudges", "hour_at", ("persona",)),
    "coaching_coaches_daily": ("metrics_daily_coach", "metric_date", ("coach_id",)),
    "coaching_chats_daily": ("metrics_daily_coaching", "metric_date", ()),
}


@pytest.mark.parametrize("name", COACHING)
def test_coaching(built: Built, name: str) -> None:
    """Counts as they are; scores, rates and minutes to a thousandth, unknown ones (-1) unknown."""
    table, when, more = COACHING[name]
    rows = list(built.truth(f"{name}.csv"))
    keys = (when, "tenant_id", *more)
    measures = [column for column in rows[0] if column not in keys]
    # an hour stands in the truth as an instant of UTC
    truth: Rows = {
        (r[when][:13].replace("T", " "), *(r[key] for key in keys[1:])): tuple(
            Decimal(r[m] or -1) for m in measures
        )
        for r in rows
    }
    written = f"to_char({when} at time zone 'UTC', 'YYYY-MM-DD HH24')" if "hour" in when else when
    query = f"""
        select {written}::text, {", ".join(f"{key}::text" for key in keys[1:])},
            {", ".join(f"coalesce({m}, -1)" for m in measures)}
        from coaching.{table}
    """
    found = {row[: len(keys)]: row[len(keys) :] for row in built.ask(query)}
    agree(truth, found, Decimal("0.001"))
    assert len({key[1] for key in truth}) >= 2


def test_the_leaderboard_is_what_the_coaches_days_say(built: Built) -> None:
    """On the last complete day, the one with the highest share of completed goals comes first."""
    days = list(built.truth("coaching_coaches_daily.csv"))
    ranks = built.ask("""
        select last_date::text, tenant_id::text, coach_id::text, clients, active_goals, completed_goals
        from coaching.coach_leaderboard order by tenant_id, rank_number
    """)
    known = {(r["metric_date"], r["tenant_id"], r["coach_id"]): r for r in days}
    names = ("clients", "active_goals", "completed_goals")
    assert {row[:3]: row[3:] for row in ranks} == {
        key: tuple(int(r[name]) for name in names)
        for key, r in known.items()
        if key[0] in {row[0] for row in ranks if row[1] == key[1]} and int(r["clients"])
    }
    for above, below in itertools.pairwise(ranks):
        if above[1] == below[1]:
            assert below[4] == 0 or above[5] * below[4] >= below[5] * above[4], (above, below)


def test_use_as_it_was_known_on_each_day(built: Built) -> None:
    """What health rests on, in every tenant's zone; days on which nothing was known are left out of both."""
    names = ("active_users", "active_days", "user_days", "former_user_days")
    names += ("visit_count", "friction_count", "roster_count", "override_count")
    truth: Rows = {
        (r["metric_date"], r["product"], r["tenant_id"]): tuple(int(r[f"{n}_28"]) for n in names)
        for r in built.truth("known_use_daily.csv")
    }
    query = f"""
        select metric_date::text, product, tenant_id::text, {", ".join(f"{n}_28" for n in names)}
        from intermediate.int_customers__use_windows
        join intermediate.int_engagement__calendar using (product, tenant_id, metric_date)
        where is_complete
    """
    found = {row[:3]: row[3:] for row in built.ask(query)}
    agree(
        {key: row for key, row in truth.items() if any(row)},
        {key: row for key, row in found.items() if any(row)},
    )


FULFILMENT = {
    "fulfilment_daily": ("metrics_daily_fulfillment", ("service_code", "country_code")),
    "fulfilment_readers_daily": ("metrics_daily_reader_fulfillment", ("reader_id",)),
    "payments_daily": ("metrics_daily_payments", ("provider", "country_code", "currency")),
    "calls_daily": ("metrics_daily_calls", ("service_code", "country_code")),
    "content_daily": ("metrics_daily_content", ()),
    "moderation_daily": ("metrics_daily_moderation", ()),
}


@pytest.mark.parametrize("name", FULFILMENT)
def test_fulfilment(built: Built, name: str) -> None:
    """Counts and amounts as they are, durations to the millisecond, unknown ones (-1) unknown."""
    table, more = FULFILMENT[name]
    rows = list(built.truth(f"{name}.csv"))
    keys = ("metric_date", "tenant_id", *more)
    measures = [column for column in rows[0] if column not in keys]
    truth: Rows = {
        tuple(r[key] for key in keys): tuple(Decimal(r[m] or -1) for m in measures) for r in rows
    }
    query = f"""
        select {", ".join(f"{key}::text" for key in keys)},
            {", ".join(f"coalesce({m}, -1)" for m in measures)}
        from fulfilment.{table}
    """
    found = {row[: len(keys)]: row[len(keys) :] for row in built.ask(query)}
    agree(truth, found, Decimal("0.001"))
    assert len({tenant for _, tenant, *_ in truth}) >= 2


def test_the_overview_of_fulfilment_adds_up_what_its_tables_say(built: Built) -> None:
    """Every day of every marketplace, from the truth of orders, payments, calls and users."""
    names = ("orders_created", "orders_completed", "successes", "attempts", "answered", "calls")
    totals: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: dict.fromkeys(names, 0))
    columns = {
        "fulfilment_daily.csv": ("orders_created", "orders_completed"),
        "payments_daily.csv": ("successes", "attempts"),
        "calls_daily.csv": ("calls_answered", "calls_attempted"),
    }
    for (file, told), kept in zip(columns.items(), (names[:2], names[2:4], names[4:]), strict=True):
        for r in built.truth(file):
            for column, name in zip(told, kept, strict=True):
                totals[r["metric_date"], r["tenant_id"]][name] += int(r[column])
    users = {
        (r["metric_date"], r["tenant_id"]): (int(r["dau"]), r["is_complete"] == "true")
        for r in built.truth("dau_daily.csv")
        if r["product"] == "samia_tarot"
    }
    truth: Rows = {}
    for day in users.keys() | totals.keys():
        total, (dau, is_complete) = totals[day], users[day]

        def share(part: str, whole: str, total=total, is_complete=is_complete) -> Decimal:
            known = is_complete and total[whole]
            return Decimal(total[part]) / total[whole] if known else Decimal(-1)

        truth[day] = (
            *(total[name] for name in names[:2]),
            share("successes", "attempts"),
            share("answered", "calls"),
            dau,
        )
    query = """
        select metric_date::text, tenant_id::text, orders_created, orders_completed,
            coalesce(payment_success_rate, -1), coalesce(call_answer_rate, -1), dau
        from fulfilment.metrics_daily_overview where dau > 0
    """
    agree(truth, {row[:2]: row[2:] for row in built.ask(query)}, Decimal("0.000001"))


# name of the truth: table, its keys and measures under the names that the table gives them
PROJECTS = {
    "projects": (
        "profitability_analysis join projects.fact_projects using (tenant_id, project_id)",
        {"project_id": "project_id", "tenant_id": "tenant_id"},
        {
            "revenue_cents": "total_revenue_cents",
            "contributor_costs_cents": "contributor_costs_cents",
            "resource_costs_cents": "resource_costs_cents",
            "estimated_hours": "estimated_hours",
            "actual_hours": "actual_hours",
            "revision_count": "revision_count",
            "scope_change_count": "scope_change_count",
        },
    ),
    "clients_profit": (
        "client_profitability",
        {"client_id": "client_id", "tenant_id": "tenant_id"},
        {"projects": "projects", "revenue_cents": "revenue_cents", "costs_cents": "costs_cents"},
    ),
    "delivery_weekly": (
        "metrics_weekly_delivery",
        {"week_start": "week_start", "tenant_id": "tenant_id"},
        {"due": "deliverables_due", "on_time": "delivered_on_time"},
    ),
    "contributors_weekly": (
        "resource_utilization where resource_type = 'CONTRIBUTOR'",
        {"week_start": "week_start", "tenant_id": "tenant_id", "contributor_id": "resource_id"},
        {"available_hours": "total_available_hours", "worked_hours": "total_utilized_hours"},
    ),
    "sales_monthly": (
        "metrics_monthly_sales",
        {"month_start": "month_start", "tenant_id": "tenant_id"},
        {
            "leads": "leads",
            "sent": "quotes_sent",
            "accepted": "quotes_accepted",
            "pipeline_cents": "pipeline_value_cents",
        },
    ),
    "client_payments_monthly": (
        "metrics_monthly_payments",
        {"month_start": "month_start", "tenant_id": "tenant_id"},
        {"invoices_paid": "invoices_paid"},
    ),
}


@pytest.mark.parametrize("name", PROJECTS)
def test_projects(built: Built, name: str) -> None:
    """Counts, hours and whole cents as they are; the pipeline, which is rounded once, to half a cent."""
    table, keys, measures = PROJECTS[name]
    truth: Rows = {
        tuple(r[key] for key in keys): tuple(Decimal(r[measure]) for measure in measures)
        for r in built.truth(f"{name}.csv")
    }
    columns = [f"{column}::text" for column in keys.values()]
    query = f"select {', '.join([*columns, *measures.values()])} from projects.{table}"
    found = {row[: len(keys)]: row[len(keys) :] for row in built.ask(query)}
    tolerance = LEVEL if name == "sales_monthly" else Decimal("0.000001")
    agree(truth, found, tolerance)
    assert len({key[list(keys).index("tenant_id")] for key in truth}) >= 2


def test_days_until_clients_have_paid(built: Built) -> None:
    """Of months that are over; of the one that runs they are not known yet."""
    days: Rows = {
        (r["month_start"], r["tenant_id"]): (Decimal(r["days_p50"]), Decimal(r["days_p90"]))
        for r in built.truth("client_payments_monthly.csv")
    }
    query = """
        select month_start::text, tenant_id::text, invoice_to_payment_days_p50, invoice_to_payment_days_p90
        from projects.metrics_monthly_payments where is_complete
    """
    known = {row[:2]: row[2:] for row in built.ask(query)}
    running = built.ask(
        "select month_start::text, count(invoice_to_payment_days_p50), count(invoice_to_payment_days_p90)"
        " from projects.metrics_monthly_payments where not is_complete group by 1"
    )
    assert running in ([], [(max(month for month, _ in days), 0, 0)])
    over = {key: row for key, row in days.items() if key[0] not in {month for month, *_ in running}}
    agree(over, known, Decimal("0.000001"))


def test_projects_in_time_and_late(built: Built) -> None:
    truth = {
        (r["project_id"], r["tenant_id"]): (r["delivered_on"] or None, r["is_on_time"] or None)
        for r in built.truth("projects.csv")
    }
    query = """
        select project_id::text, tenant_id::text, delivered_on::text, is_on_time::text
        from projects.fact_projects
    """
    assert {row[:2]: row[2:] for row in built.ask(query)} == truth
    assert {late for _, late in truth.values()} >= {"true", "false"}


def test_rates_of_sales_and_revisions(built: Built) -> None:
    """Where a rate is known it is the truth's; quotes of a short sample are not known yet."""
    sales = {
        (r["month_start"], r["tenant_id"]): (
            Decimal(r["converted"]) / max(1, int(r["leads"])),
            Decimal(r["accepted"]) / max(1, int(r["sent"])),
        )
        for r in built.truth("sales_monthly.csv")
    }
    rounds = {
        (r["week_start"], r["tenant_id"]): Decimal(r["rounds"]) / int(r["accepted"])
        for r in built.truth("delivery_weekly.csv")
        if int(r["accepted"])
    }
    known: Rows = {}
    for place, column in enumerate(("lead_conversion_rate", "quote_to_booking_rate")):
        query = f"""
            select month_start::text, tenant_id::text, {place}, {column}
            from projects.metrics_monthly_sales where {column} is not null
        """
        known |= {row[:3]: row[3:] for row in built.ask(query)}
    rates: Rows = {key: (sales[key[:2]][key[2]],) for key in known}
    agree(rates, known, Decimal("0.000001"))
    query = """
        select week_start::text, tenant_id::text, revision_cycles_avg
        from projects.metrics_weekly_delivery where revision_cycles_avg is not null
    """
    found: Rows = {row[:2]: row[2:] for row in built.ask(query)}
    agree({key: (value,) for key, value in rounds.items()}, found, Decimal("0.000001"))


def test_services_and_contributors_share_what_projects_earned(built: Built) -> None:
    """Each share is rounded to a cent: up to one for each deliverable (and measure), or project, in it."""
    services = {
        (r["month_start"], r["tenant_id"], r["deliverable_type"]): r
        for r in built.truth("services_monthly.csv")
    }
    query = """
        select month_start::text, tenant_id::text, deliverable_type, revenue_cents, costs_cents
        from projects.service_profitability
    """
    found = {row[:3]: row[3:] for row in built.ask(query)}
    assert found.keys() == services.keys()
    for key, (revenue, costs) in found.items():
        cells = int(services[key]["cells"])
        assert abs(revenue - Decimal(services[key]["revenue_cents"])) <= cells, key
        assert abs(costs - Decimal(services[key]["costs_cents"])) <= 2 * cells, key
    people = {
        (r["month_start"], r["tenant_id"], r["contributor_id"]): Decimal(r["revenue_cents"])
        for r in built.truth("contributors_monthly.csv")
    }
    query = """
        select month_start::text, tenant_id::text, contributor_id::text, revenue_generated_cents
        from projects.contributor_roi where revenue_generated_cents <> 0
    """
    earned = {row[:3]: row[3] for row in built.ask(query)}
    assert earned
    for key in earned.keys() | people.keys():
        assert abs(earned.get(key, 0) - people.get(key, Decimal(0))) <= 10, key


def test_living_rows_of_every_source_table(built: Built) -> None:
    for row in built.truth("cdc_state.csv"):
        found = built.ask(f"select count(*) from raw_cdc.{row['product']}__{row['table_name']}")
        assert found[0][0] == int(row["living_rows"]), row


@pytest.mark.parametrize("kind", ["events", "stripe", "revenuecat", "cdc"])
def test_what_must_be_rejected_is_rejected_at_its_place_and_nothing_else(
    built: Built, kind: str
) -> None:
    wanted = {(Path(p["file"]).name, p["line"]) for p in built.plants("rejected", kind)}
    query = f"select file_path, line_number, reason from ops.rejected_records where source_kind = '{kind}'"
    found = {(Path(file).name, line): reason for file, line, reason in built.ask(query)}
    assert wanted
    assert set(found) == wanted
    assert all(found.values())


def test_absurd_times_are_corrected_and_no_other(built: Built) -> None:
    wanted = {p["record_id"] for p in built.plants("dated_by_received_at", "events")}
    query = "select source_event_id, occurred_at = received_at from raw_events.events where is_time_corrected"
    found = dict(built.ask(query))
    assert wanted
    assert set(found) == wanted
    assert all(found.values())


def test_contradictions_are_logged(built: Built) -> None:
    wanted = len(built.plants("conflict_logged_earliest_received_stays", "events"))
    found = built.ask(
        "select sum(conflict_count) from ops.load_manifest where source_kind = 'events'"
    )
    assert wanted
    assert found[0][0] == wanted


def test_a_new_column_is_reported(built: Built) -> None:
    assert built.plants("stored_and_drift_reported", "cdc")
    found = built.ask("select field_name from ops.schema_drift where object_name = 'users'")
    assert ("locale",) in found


def test_the_newest_arrival_is_the_as_of(built: Built) -> None:
    found = built.ask("select max(max_received_at) from ops.source_watermarks")
    assert found[0][0] == built.sample.as_of


def test_experiments_on_every_day(built: Built) -> None:
    counts = (
        *("exposures_a", "exposures_b", "conversions_a", "conversions_b"),
        *("excluded_users", "unknown_variant_users"),
    )
    names = ("metric_date", "tenant_id", "test_id", "metric_name")
    truth: Rows = {
        tuple(r[name] for name in names): (
            *(int(r[count]) for count in counts),
            int(r["is_complete"] == "true"),
        )
        for r in built.truth("experiments_daily.csv")
    }
    query = f"""
        select {", ".join(f"{name}::text" for name in names)}, {", ".join(counts)}, is_complete::integer
        from experiments.metrics_daily_experiments
    """
    agree(truth, {row[:4]: row[4:] for row in built.ask(query)})
    last = f"""
        select {", ".join(f"{name}::text" for name in ("last_date", *names[1:]))}, {", ".join(counts)}
        from experiments.experiment_results where last_date is not null
    """
    found = {row[:4]: row[4:] for row in built.ask(last)}
    assert found and all(truth[key][:-1] == values for key, values in found.items())
    assert {key[1:] for key in truth} == {key[1:] for key in found}


def test_who_saw_which_variant_and_converted(built: Built) -> None:
    truth = {
        (r["test_id"], r["tenant_id"], r["user_id"]): (
            *(r["variant"] or None, r["first_exposed_at"], r["converted_at"] or None),
        )
        for r in built.truth("experiments_users.csv")
    }
    form = 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'
    query = f"""
        select
            test_id::text, tenant_id::text, user_id::text, variant,
            to_char(first_exposed_at at time zone 'UTC', '{form}'),
            to_char(converted_at at time zone 'UTC', '{form}')
        from experiments.fact_experiment_exposures
    """
    assert truth == {row[:3]: row[3:] for row in built.ask(query)}
    assert {variant for variant, _, _ in truth.values()} == {"A", "B", None}


CHANGING = {"Europe/Amsterdam", "America/New_York", "Australia/Sydney", "Atlantic/Azores"}
HOUR = timedelta(hours=1)


def days_of_another_length(zone: ZoneInfo, first: date, last: date) -> Iterator[tuple[Any, ...]]:
    """When each day begins and ends that has not 24 hours, and its hours."""
    for number in range((last - first).days):
        days = (first + timedelta(days=number + more) for more in (0, 1))
        begins, ends = (datetime(*day.timetuple()[:3], tzinfo=zone).astimezone(UTC) for day in days)
        if ends - begins != 24 * HOUR:
            yield begins, ends, (ends - begins) / HOUR


@pytest.mark.parametrize("built", [CLOCK_CHANGES], indirect=True, ids=lambda sample: sample.name)
def test_where_the_clock_changes_things_happened_that_another_offset_would_date_otherwise(
    built: Built,
) -> None:
    """Rule 107: days of 23 and of 25 hours of four zones, with events within an hour of their ends."""
    summary = orjson.loads((built.sample.truth / "summary.json").read_bytes())
    first, last = (date.fromisoformat(summary["window"][end][:10]) for end in ("start", "end"))
    zones = {zone for (zone,) in built.ask("select distinct timezone from core.dim_tenant")}
    found: dict[str, set[float]] = defaultdict(set)
    for name in zones:
        zone = ZoneInfo(name)
        for begins, ends, hours in days_of_another_length(zone, first, last):
            events = built.ask(
                "select occurred_at, date_key from core.fact_events join core.dim_tenant using (tenant_id, product)"
                f" where timezone = '{name}' and occurred_at >= '{begins - HOUR}' and occurred_at < '{ends + HOUR}'"
            )
            offsets = [(at.astimezone(zone).utcoffset()) for at in (begins - HOUR, ends + HOUR)]
            for occurred_at, date_key in events:
                assert date_key == occurred_at.astimezone(zone).date()
                by_offset = {(occurred_at.astimezone(UTC) + offset).date() for offset in offsets}
                if len(by_offset) > 1:
                    found[name].add(hours)
    assert {name for name, hours in found.items() if hours >= {23, 25}} >= CHANGING
