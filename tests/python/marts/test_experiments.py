"""Experiments: through the ordinary loader in any order, statistics beside scipy's, and what peeking does.

Belongs here: what comes of sources that arrive in any way (rule 65), numbers of the marts against a library,
false alarms of both intervals. Does not belong here: why a number is what it is (unit tests), all of a
sample's days (truth).
"""

import math
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from scipy import integrate, stats

from ingestion.values.identity import uuid_text
from tallyhouse.database import Warehouse
from tests.python.marts.house import House, assert_full_refresh_changes_nothing
from tests.python.marts.rostracore_lines import event, organization, row

pytestmark = pytest.mark.slow

MARTS = (
    "dim_experiment",
    "fact_experiment_exposures",
    "metrics_daily_experiments",
    "experiment_results",
)
TABLES = ("intermediate.int_experiments__events", *(f"experiments.{mart}" for mart in MARTS))
SELECT = tuple(f"+{mart}" for mart in MARTS)
TENANTS = (1, 2)
ALPHA = 0.05
Line = dict[str, Any]
Counts = tuple[int, int, int, int, int, float]  # exposed, converted, planned, share of B


def experiment(number: int, tenant: int | None, name: str, **more: Any) -> Line:
    days = {
        key: (datetime.fromisoformat(day) - datetime(1970, 1, 1)).days
        for key, day in (("start_date", "2026-06-01"), ("end_date", "2026-06-20"))
    }
    told = {"test_name": name, "status": "running", "planned_users_per_variant": 3, **days, **more}
    return row("ab_tests", "c", "2026-05-30 08:00:00", {"test_id": number}, tenant, **told)


def shown(user: int, tenant: int, occurred: str, variant: str | None, **more: Any) -> Line:
    told = {"test_name": "wizard"} | ({} if variant is None else {"variant": variant})
    name = f"shown {user} {occurred}"
    return event(name, tenant, user, occurred, "experiment_exposed", **told, **more)


def referral(user: int, tenant: int, occurred: str, **more: Any) -> Line:
    return event(f"sent {user} {occurred}", tenant, user, occurred, "referral_sent", **more)


def known_answers(tenant: int) -> tuple[list[Line], list[Line]]:
    """What comes in time, and what comes three weeks late; users count from 100 times the tenant."""
    one, both, before, untold = (100 * tenant + number for number in range(4))
    late = {"received": "2026-06-29 08:00:00"}
    return [
        shown(one, tenant, "2026-06-03 09:00:00", "B"),
        referral(one, tenant, "2026-06-04 09:00:00"),
        shown(both, tenant, "2026-06-02 09:00:00", "A"),
        referral(both, tenant, "2026-06-02 10:00:00"),
        referral(before, tenant, "2026-06-02 08:59:59"),
        shown(before, tenant, "2026-06-02 09:00:00", "A"),
        shown(untold, tenant, "2026-06-05 09:00:00", None),
        shown(one, tenant, "2026-06-25 09:00:00", "A"),
    ], [
        referral(one, tenant, "2026-06-02 09:00:00", **late),
        shown(both, tenant, "2026-06-04 09:00:00", "B", **late),
        shown(one, tenant, "2026-06-02 12:00:00", "B", **late),
    ]  # fmt: skip


def random_events() -> list[Line]:
    """Three weeks of a test of all tenants, some exposures without a variant, some a fortnight late."""
    chance, lines = random.Random(71), []
    for number in range(240):
        tenant = TENANTS[number % 2]
        user = 100 * tenant + 50 + chance.randrange(30)
        moment = datetime(2026, 6, 1) + timedelta(minutes=chance.randrange(21 * 24 * 60))
        late = timedelta(days=14 if chance.random() < 0.1 else 0, seconds=2)
        name = chance.choice(["experiment_exposed", "experiment_exposed", "referral_sent"])
        told = {}
        if name == "experiment_exposed":
            variant = "AB"[user % 2] if chance.random() < 0.95 else "AB"[1 - user % 2]
            told = {"test_name": "all"} | ({"variant": variant} if chance.random() < 0.8 else {})
        received = f"{moment + late}"
        lines.append(
            event(f"r{number}", tenant, user, f"{moment}", name, received=received, **told)
        )
    return lines


@pytest.fixture(scope="module")
def house(fresh_database: Callable[..., Warehouse]) -> House:
    """Three loads with a build after each; a test, a time zone and late events come with the last."""
    house = House(fresh_database("experiments", seeded=True))
    events, chance = random_events(), random.Random(72)
    for tenant in TENANTS:
        events += known_answers(tenant)[0]
    chance.shuffle(events)
    last = [line for tenant in TENANTS for line in known_answers(tenant)[1]]
    changes = [
        organization(1, "c", "2026-05-01 00:00:00", "UTC"),
        experiment(1, 1, "wizard"),
        experiment(3, None, "all", planned_users_per_variant=5, primary_metric="referral_sent"),
        *(
            row("ab_test_assignments", "c", "2026-06-01 00:00:00", {"assignment_id": user}, tenant,
                test_id=tenant, user_id=user, variant="A", assigned_at="2026-06-01T00:00:00Z")
            for tenant in TENANTS
            for user in (100 * tenant + 3,)
        ),
        organization(2, "c", "2026-06-21 00:00:00", "America/New_York"),
        experiment(2, 2, "wizard"),
        organization(2, "u", "2026-06-22 00:00:00", "Asia/Tokyo"),
    ]  # fmt: skip
    for number, (some, rows) in enumerate(
        [
            (events[:90], changes[:3]),
            (events[90:180], changes[3:6]),
            ([*events[180:], *events[:90:3], *last], changes[6:]),
        ]
    ):
        house.put(f"events/rostracore/{number}.jsonl", some)
        house.put(f"cdc/rostracore/{number}.jsonl", rows)
        house.load()
        house.build(SELECT)
    return house


def test_loads_in_any_order_end_in_the_rows_of_a_full_refresh(house: House) -> None:
    assert_full_refresh_changes_nothing(house, SELECT, TABLES, "after three loads")


def test_a_test_of_the_product_counts_the_users_of_all_tenants(house: House) -> None:
    """Whose exposures name no variant at all were never assigned either; the others are told apart."""
    found = house.query(
        "select r.exposures_a + r.exposures_b + r.excluded_users + r.unknown_variant_users, count(*), "
        "count(distinct f.tenant_id) from experiments.experiment_results as r "
        "join experiments.fact_experiment_exposures as f "
        "on f.test_id = r.test_id and f.test_tenant_id = r.tenant_id "
        "where r.test_name = 'all' and r.is_primary group by 1"
    )
    assert len(found) == 1
    counted, users, tenants = found[0]
    assert counted == users > 30
    assert tenants == len(TENANTS)


@pytest.mark.parametrize("tenant", TENANTS)
def test_who_saw_what_and_converted_after_it(house: House, tenant: str) -> None:
    """Known three weeks late: one saw B a day earlier, another saw both."""
    columns = "variant, first_exposed_at::text, converted_at::text, is_excluded"
    found = house.query(
        f"select user_id::text, {columns} from experiments.fact_experiment_exposures "
        f"where test_name = 'wizard' and test_tenant_id = '{uuid_text('rostracore', 'tenant', f'{tenant}')}'"
    )
    one, both, before, untold = (
        uuid_text("rostracore", "user", f"{100 * int(tenant) + number}") for number in range(4)
    )
    assert sorted(found) == sorted(
        [
            (one, "B", "2026-06-02 12:00:00+00", "2026-06-04 09:00:00+00", False),
            (both, None, "2026-06-02 09:00:00+00", "2026-06-02 10:00:00+00", True),
            (before, "A", "2026-06-02 09:00:00+00", None, False),
            (untold, "A", "2026-06-05 09:00:00+00", None, False),
        ]
    )


def random_counts() -> list[Counts]:
    """Two hundred tests from a handful of users to thousands, some with a split that is no chance."""
    chance, found = random.Random(73), list[Counts]()
    for number in range(200):
        size = int(10 ** chance.uniform(0.5, 3.3))
        share = chance.choice([0.5, 0.5, 0.2, 0.9])
        told = share if chance.random() < 0.7 else chance.uniform(0.1, 0.9)
        exposed_b = min(size - 1, max(1, round(size * told + chance.gauss(0, 1) * size**0.5 / 2)))
        exposed_a = size - exposed_b
        rate = chance.choice([0.0, 0.01, 0.1, 0.5, 1.0]) if number % 10 == 0 else chance.random()
        lift = chance.uniform(-0.1, 0.1) if 0 < rate < 1 else 0
        converted = [
            sum(chance.random() < p for _ in range(n))
            for p, n in ((rate, exposed_a), (rate + lift, exposed_b))
        ]
        found.append((exposed_a, exposed_b, *converted, chance.choice([20, 200, 2000]), share))
    return found


def sequential_radius(counts: Any, alpha: float = ALPHA) -> Any:
    """Half the width of the confidence sequence; numbers or arrays of them, as docs/experiments.md says."""
    n_a, n_b, x_a, x_b, planned = counts[:5]
    limit = -2 * math.log(alpha)
    information = (limit + math.log(limit + 1)) * n_a * n_b / (n_a + n_b) / (planned / 2)
    p_a, p_b = (x_a + 1) / (n_a + 2), (x_b + 1) / (n_b + 2)
    variance = p_a * (1 - p_a) / n_a + p_b * (1 - p_b) / n_b
    return np.sqrt(variance * (1 + information) / information * (np.log1p(information) + limit))


def of_scipy(counts: Counts) -> dict[str, float | None]:
    """What scipy says about the counts of one test."""
    n_a, n_b, x_a, x_b, _, share = counts
    rate_a, rate_b, n = x_a / n_a, x_b / n_b, n_a + n_b
    wilson_a = stats.binomtest(x_a, n_a).proportion_ci(1 - ALPHA, "wilson")
    wilson_b = stats.binomtest(x_b, n_b).proportion_ci(1 - ALPHA, "wilson")
    lift, radius = rate_b - rate_a, float(sequential_radius(counts))
    table = [[x_a, n_a - x_a], [x_b, n_b - x_b]]
    is_one_rate = x_a + x_b in (0, n)
    return {
        "lift": lift,
        "relative_lift": lift / rate_a if rate_a else None,
        "ci_low": lift - math.hypot(rate_b - wilson_b.low, wilson_a.high - rate_a),
        "ci_high": lift + math.hypot(wilson_b.high - rate_b, rate_a - wilson_a.low),
        "p_value": None if is_one_rate else stats.chi2_contingency(table, correction=False).pvalue,
        "sequential_ci_low": max(-1, lift - radius),
        "sequential_ci_high": min(1, lift + radius),
        "srm_p_value": stats.chisquare([n_a, n_b], [n * (1 - share), n * share]).pvalue,
    }


def fill(house: House, counts: list[Counts]) -> None:
    """The private steps before the mart, as if so many users had seen and done it on one day."""
    tests, users, conversions = [], [], []
    for number, (n_a, n_b, x_a, x_b, planned, share) in enumerate(counts):
        tenant, test = f"md5('tenant {number % 2}')::uuid", f"md5('{number}')::uuid"
        tests.append(
            f"('rostracore', {tenant}, {test}, '{number}', 'referral_sent', {planned}, {share})"
        )
        for variant, exposed, converted in (("A", n_a, x_a), ("B", n_b, x_b)):
            user = f"{tenant}, {test}, {tenant}, md5('{variant}' || n)::uuid"
            users.append(
                f"select 'rostracore', {user}, '{variant}', date '2026-06-02' "
                f"from generate_series(1, {exposed}) as n"
            )
            conversions.append(
                f"select {user}, 'referral_sent', date '2026-06-02' "
                f"from generate_series(1, {converted}) as n"
            )
    key = "test_tenant_id, test_id, tenant_id, user_id"
    rows = {
        "tests (product, tenant_id, test_id, test_name, primary_metric, planned_users_per_variant, "
        "traffic_share_b)": f"values {', '.join(tests)}",
        f"users (product, {key}, first_variant, first_exposed_date)": " union all ".join(users),
        f"conversions ({key}, metric_name, converted_date)": " union all ".join(conversions),
    }
    with house.warehouse.connect() as connection:
        for table, made in rows.items():
            name = table.split()[0]
            connection.execute(f"truncate intermediate.int_experiments__{name}".encode())
            connection.execute(f"insert into intermediate.int_experiments__{table} {made}".encode())


def test_statistics_are_those_of_scipy_on_200_random_data_sets(house: House) -> None:
    counts = random_counts()
    fill(house, counts)
    house.build(["metrics_daily_experiments", "experiment_results"])
    names = list(of_scipy(counts[0]))
    columns = "exposures_a, exposures_b, conversions_a, conversions_b"
    found = {
        int(name): (counted, values)
        for name, *counted, values in house.query(
            f"select test_name, {columns}, array[{', '.join(names)}] "
            "from experiments.experiment_results where is_primary"
        )
    }
    assert len(found) == 200
    wrong = []
    for number, told in enumerate(counts):
        counted, values = found[number]
        assert tuple(counted) == told[:4]
        for (name, expected), value in zip(of_scipy(told).items(), values, strict=True):
            if (expected is None) != (value is None) or (
                expected is not None and abs(float(value) - expected) > 1e-9
            ):
                wrong.append((told, name, expected, value))
    assert not wrong, f"{len(wrong)} statistics differ: {wrong[:5]}"
    winners = dict(
        house.query("select winner, count(*) from experiments.experiment_results group by 1")
    )
    assert winners.keys() == {"A", "B", "inconclusive"}


def test_the_sequential_interval_is_the_likelihood_ratio_over_a_mixture_of_lifts() -> None:
    """At its ends the ratio, integrated over a normal prior of lifts, is 1 / alpha: so Ville's inequality bounds it."""
    for counts in ((200, 180, 20, 30, 500), (40, 60, 9, 30, 20)):
        n_a, n_b, x_a, x_b, planned = counts
        p_a, p_b = (x_a + 1) / (n_a + 2), (x_b + 1) / (n_b + 2)
        variance = p_a * (1 - p_a) / n_a + p_b * (1 - p_b) / n_b
        limit = -2 * math.log(ALPHA)
        information = (limit + math.log(limit + 1)) * n_a * n_b / (n_a + n_b) / (planned / 2)
        spread = math.sqrt(information * variance)
        radius = float(sequential_radius(counts))

        def ratio(
            lift: float, radius: float = radius, variance: float = variance, spread: float = spread
        ) -> float:
            loss = radius**2 - (radius - lift) ** 2
            return float(math.exp(loss / (2 * variance)) * stats.norm.pdf(lift, scale=spread))

        mixed, _ = integrate.quad(ratio, -8 * spread, 8 * spread, points=[radius], limit=200)
        assert mixed == pytest.approx(1 / ALPHA, rel=1e-6)


PEEKS = [
    (rate, daily, planned)
    for rate in (0.02, 0.1, 0.5)
    for daily in (5, 50, 500)
    for planned in (200, 5000)
]


def false_alarms(rate: float, daily: int, planned: int, days: int = 60, runs: int = 4000) -> Any:
    """Shares of runs without any difference in which some day says there is one, both intervals at once, and
    in which the fixed one says so on the last day alone."""
    chance = np.random.default_rng(74)
    size = daily * np.arange(1, days + 1)
    a, b = (chance.binomial(daily, rate, (runs, days)).cumsum(axis=1) for _ in range(2))
    lift = np.abs(b - a) / size
    pooled = (a + b) / (2 * size)
    with np.errstate(divide="ignore", invalid="ignore"):
        fixed = lift / np.sqrt(pooled * (1 - pooled) * 2 / size) > stats.norm.isf(ALPHA / 2)
    sequential = lift > sequential_radius((size, size, a, b, planned))
    return sequential.any(axis=1).mean(), fixed.any(axis=1).mean(), fixed[:, -1].mean()


def test_whoever_looks_every_day_is_not_lied_to() -> None:
    """Sixty daily looks at no difference: the sequential interval errs in at most 5 % of the tests, the
    fixed one in a fifth and more, although it keeps its 5 % for a single look."""
    found = {peek: false_alarms(*peek) for peek in PEEKS}
    for peek, (sequential, peeked, once) in found.items():
        assert sequential <= 0.05, peek
        assert peeked > 0.15, peek
        assert once < 0.065, peek
