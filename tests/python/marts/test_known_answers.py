"""Real event data with answers that others worked out, through the ordinary loader and contracts.

Belongs here: comparisons with the expected files. The data lies outside the project; where it is
absent these tests are skipped.
"""

import csv
import gzip
import shutil
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tallyhouse.database import Warehouse
from tallyhouse.settings import PROJECT_ROOT
from tests.python.marts.house import ENGAGEMENT, House

pytestmark = pytest.mark.slow

EXAMPLES = PROJECT_ROOT / "contracts" / "examples"


def read(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def cdnow(fresh_database: Callable[..., Warehouse], shared_data: Path) -> House:
    """Purchases of 1997 and 1998 as events, as of the first day after them."""
    house = House(fresh_database("cdnow", seeded=True))
    folder = house.landing / "events" / "cdnow"
    folder.mkdir(parents=True)
    shutil.copy(shared_data / "events" / "cdnow" / "CDNOW_sample.txt", folder)
    house.load([EXAMPLES / "cdnow"])
    house.build(ENGAGEMENT, as_of="1998-07-01")
    return house


def test_cdnow_monthly_retention_in_every_cell(cdnow: House, shared_data: Path) -> None:
    folder = shared_data / "events" / "cdnow"
    expected = {
        (row["cohort"], int(row["months_since_first"])): (
            int(row["cohort_size"]),
            int(row["active_customers"]),
            Decimal(row["retention"]),
        )
        for row in read(folder / "expected_sample_monthly_cohort_retention.csv")
    }
    found = {
        (cohort, period): (size, retained, rate)
        for cohort, period, size, retained, rate in cdnow.query(
            "select to_char(cohort_start, 'YYYY-MM'), period_number, cohort_size, retained_users, "
            "round(retention_rate, 6) from engagement.metrics_cohort_retention "
            "where cohort_type = 'month' and mode = 'bounded' and retention_rate is not null"
        )
    }
    assert len(expected) == 18 + 17 + 16
    assert found == expected


def test_cdnow_d1_d7_d30(cdnow: House, shared_data: Path) -> None:
    """By calendar day, on exactly that day and on it or later, weighted by cohort size."""
    names = {"bounded": "exact_day", "unbounded": "on_or_after"}
    found = {
        f"D{period}_{names[mode]}": (int(retained), int(size), rate)
        for period, mode, retained, size, rate in cdnow.query(
            "select period_number, mode, sum(retained_users), sum(cohort_size), "
            "round(sum(retained_users) / sum(cohort_size), 6) "
            "from engagement.metrics_cohort_retention where cohort_type = 'day' "
            "and period_number in (1, 7, 30) and is_observable group by period_number, mode"
        )
    }
    expected = {
        row["metric"]: (int(row["users"]), int(row["base"]), Decimal(row["rate"]))
        for row in read(shared_data / "events" / "cdnow" / "expected_sample_dN_weekN.csv")
        if row["metric"].endswith(("_exact_day", "_on_or_after"))
    }
    assert found == expected


def test_cdnow_d1_d7_d30_as_published(cdnow: House, shared_data: Path) -> None:
    """`metrics_user_retention`: by exact calendar day, averaged over cohorts by their size."""
    days = (1, 7, 30)
    (found,) = cdnow.query(
        f"select {', '.join(f'sum(d{n}_users)::integer' for n in days)}, "
        f"{', '.join(f'round(sum(d{n}_users) / sum(cohort_size), 6)' for n in days)}, "
        "sum(cohort_size)::integer, count(*) - count(d90_rate) "
        "from engagement.metrics_user_retention"
    )
    rows = read(shared_data / "events" / "cdnow" / "expected_sample_dN_weekN.csv")
    expected = {row["metric"]: row for row in rows}
    exact = [expected[f"D{n}_exact_day"] for n in days]
    assert found == (
        *(int(row["users"]) for row in exact),
        *(Decimal(row["rate"]) for row in exact),
        int(exact[0]["base"]),
        0,
    )


def test_cdnow_keeps_equal_rows(cdnow: House, shared_data: Path) -> None:
    lines = (shared_data / "events" / "cdnow" / "CDNOW_sample.txt").read_text().splitlines()
    assert cdnow.query("select count(*), count(distinct user_id) from core.fact_events") == [
        (len(lines), 2357)
    ]


@pytest.fixture(scope="module", params=["given", "derived"])
def ecom(
    request: pytest.FixtureRequest,
    fresh_database: Callable[..., Warehouse],
    shared_data: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> House:
    """The click stream, once with its session ids and once, by a contract without them, by gaps."""
    contracts = EXAMPLES / "ecom"
    if request.param == "derived":
        contracts = tmp_path_factory.mktemp("contracts")
        given = (EXAMPLES / "ecom" / "ecom.yml").read_text()
        assert "  session_id: session_id\n" in given
        (contracts / "ecom.yml").write_text(given.replace("  session_id: session_id\n", ""))
    house = House(fresh_database(f"ecom_{request.param}", seeded=True))
    folder = house.landing / "events" / "ecom"
    folder.mkdir(parents=True)
    shutil.copy(shared_data / "events" / "retentioneering_ecom" / "ecom.csv.gz", folder)
    house.load([contracts])
    house.build(ENGAGEMENT)
    return house


def test_ecom_daily_users_and_events(ecom: House, shared_data: Path) -> None:
    folder = shared_data / "events" / "retentioneering_ecom"
    expected = {row["day"]: int(row["dau"]) for row in read(folder / "expected_dau.csv")}
    events = {row["day"]: int(row["events"]) for row in read(folder / "expected_dau.csv")}
    daily = "from engagement.metrics_daily_engagement"
    assert dict(ecom.query(f"select metric_date::text, dau {daily} where dau > 0")) == expected
    assert (
        dict(
            ecom.query(
                "select date_key::text, sum(event_count)::integer "
                "from intermediate.int_engagement__user_days group by 1"
            )
        )
        == events
    )
    gaps = f"select max(metric_date) - min(metric_date) + 1 - count(*) {daily}"
    assert ecom.query(gaps) == [(0,)], "days without anybody have a row too"


def test_ecom_weekly_and_monthly_users(ecom: House, shared_data: Path) -> None:
    folder = shared_data / "events" / "retentioneering_ecom"
    expected = {
        (row["kind"], row["period"]): int(row["active_users"])
        for row in read(folder / "expected_wau_mau.csv")
    }
    weeks = {
        ("week_mon_sun", f"{start}/{end}"): users
        for start, end, users in ecom.query(
            "select week_start, week_end, active_users from engagement.metrics_weekly_engagement"
        )
    }
    months = {
        ("month", month): users
        for month, users in ecom.query(
            "select to_char(month_start, 'YYYY-MM'), active_users "
            "from engagement.metrics_monthly_engagement"
        )
    }
    assert weeks | months == expected
    sundays = ecom.query(
        "select count(*) from engagement.metrics_daily_engagement as daily "
        "inner join engagement.metrics_weekly_engagement as weekly "
        "on daily.metric_date = weekly.week_end where daily.wau <> weekly.active_users"
    )
    assert sundays == [(0,)], "on a Sunday the trailing week is the calendar week"


def test_ecom_sessions(ecom: House, shared_data: Path) -> None:
    folder = shared_data / "events" / "retentioneering_ecom"
    expected = {row["metric"]: int(row["value"]) for row in read(folder / "expected_totals.csv")}
    assert ecom.query(
        "select count(*), sum(event_count)::integer, count(distinct user_id) from core.fact_sessions"
    ) == [(expected["labelled_sessions"], expected["events"], expected["users"])]
    assert expected["labelled_sessions"] == expected["sessions_30min_gap_strictly_greater"]


def test_ecom_d1_and_d7_by_calendar_day(ecom: House, shared_data: Path) -> None:
    """Worked out here from the file: its last day, on which `as_of` lies, is not over."""
    days: dict[str, set[date]] = {}
    with gzip.open(shared_data / "events" / "retentioneering_ecom" / "ecom.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            days.setdefault(row["user_id"], set()).add(date.fromisoformat(row["timestamp"][:10]))
    last = max(day for of_user in days.values() for day in of_user) - timedelta(days=1)
    for number in (1, 7, 30, 90):
        known = [d for d in days.values() if min(d) + timedelta(days=number) <= last]
        retained = sum(min(d) + timedelta(days=number) in d for d in known)
        assert ecom.query(
            f"select sum(d{number}_users)::integer, sum(d{number}_cohort_size)::integer "
            "from engagement.metrics_user_retention"
        ) == [(retained, len(known))]


def test_ecom_hours_add_up_to_events_and_sessions(ecom: House, shared_data: Path) -> None:
    folder = shared_data / "events" / "retentioneering_ecom"
    expected = {row["metric"]: int(row["value"]) for row in read(folder / "expected_totals.csv")}
    assert ecom.query(
        "select sum(events)::integer, sum(sessions_started)::integer "
        "from engagement.metrics_hourly_engagement"
    ) == [(expected["events"], expected["labelled_sessions"])]
