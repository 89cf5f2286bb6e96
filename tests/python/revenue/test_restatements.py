"""What metrics_mrr_restatements remembers of days that changed after they were over (rules 24 and 48).

Belongs here: when records came, and what follows. Does not belong here: what a record is worth (`test_rules`).
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest

from tests.python.marts.house import House, assert_equal
from tests.python.revenue.webhooks import (
    coupon,
    discount,
    of_customer,
    price,
    seconds,
    store,
    subscription,
)
from tests.shared_data import shared

pytestmark = pytest.mark.slow

SELECTED = ("+metrics_mrr_restatements", "+metrics_daily_mrr", "+metrics_daily_tenant_mrr")
FINAL = ("revenue.metrics_daily_mrr", "revenue.metrics_daily_tenant_mrr")
AS_OF = "2026-12-01T00:00:00Z"
Record = dict[str, Any]


def restatements(house: House, product: str = "upcoach", policy: str = "standard") -> list[Any]:
    """Stretches of days that were restated alike: first and last day, known on, cause, before, after."""
    return house.query(
        "select min(metric_date)::text, max(metric_date)::text, known_on::text, cause, mrr_before_cents,"
        " mrr_after_cents from (select *, metric_date - row_number() over (partition by known_on, cause,"
        " mrr_before_cents, mrr_after_cents order by metric_date)::int as stretch"
        f" from revenue.metrics_mrr_restatements where product = '{product}' and policy = '{policy}') as rows"
        " group by known_on, cause, mrr_before_cents, mrr_after_cents, stretch order by 3, 1"
    )


def put(house: House, records: Iterable[tuple[Record, str]], prefix: str = "") -> None:
    """Each record in a file of the day on which it came, as a nightly copy of the provider's would be."""
    files: dict[str, list[Record]] = defaultdict(list)
    for record, day in records:
        folder = "stripe/acct_upcoach" if "object" in record else "revenuecat/upcoach"
        files[f"{folder}/{prefix}{day}.jsonl"].append(record)
    for path, lines in files.items():
        house.put(path, lines)


@pytest.fixture(scope="module")
def told(new_house: Callable[[str], House]) -> House:
    """Each tenant another reason; days of arrival after the name of what happened."""
    house = new_house("restatements")
    put(
        house,
        [
            # in time, also by the next file a few minutes after midnight
            (subscription("in_time", "created", "2026-01-05T10:00:00", price(100)), "2026-01-05"),
            (subscription("night", "created", "2026-01-05T23:30:00", price(200)), "2026-01-06"),
            # an end that was told five days late
            (subscription("ends", "created", "2026-02-01", price(1000)), "2026-02-01"),
            (
                subscription(
                    "ends", "deleted", "2026-02-10T12:00:00", price(1000), status="canceled",
                    ended_at=seconds("2026-02-10T12:00:00"),
                ),
                "2026-02-15",
            ),
            # a start before it was told
            (
                subscription(
                    "backdated", "created", "2026-03-04T09:00:00", price(3000),
                    start_date=seconds("2026-03-01"),
                ),
                "2026-03-04",
            ),
            # told in time of an end two days ago
            (subscription("corrected", "created", "2026-04-01", price(5000)), "2026-04-01"),
            (
                subscription(
                    "corrected", "deleted", "2026-04-10T08:00:00", price(5000), status="canceled",
                    ended_at=seconds("2026-04-08T08:00:00"),
                ),
                "2026-04-10",
            ),
            # two reasons on one day
            (subscription("late", "created", "2026-05-01T09:00:00", price(700)), "2026-05-04"),
            (
                subscription(
                    "older", "created", "2026-05-04T09:00:00", price(900),
                    start_date=seconds("2026-05-02"),
                ),
                "2026-05-04",
            ),
            # a renewal that came four days late: until then access had run out
            (store("renews", "INITIAL_PURCHASE", "2026-06-01T10:00:00", 20.0, "2026-06-01T10:00:00",
                   "2026-07-01T10:00:00"), "2026-06-01"),
            (store("renews", "RENEWAL", "2026-07-01T10:00:00", 20.0, "2026-07-01T10:00:00",
                   "2026-08-01T10:00:00"), "2026-07-05"),
            # late and restated twice: what came second happened first
            (subscription("twice", "created", "2026-09-01T09:00:00", price(1000)), "2026-09-01"),
            (subscription("twice", "updated", "2026-09-05T09:00:00", price(3000), previous={}), "2026-09-10"),
            (subscription("twice", "updated", "2026-09-03T09:00:00", price(2000), previous={}), "2026-09-20"),
            # an update says what was before it, until the beginning itself comes and says something else
            (
                subscription(
                    "mid_life", "updated", "2026-10-05T09:00:00", price(4000), start_date=seconds("2026-10-02"),
                    previous={"items": {"data": [{"id": "si_0", "quantity": 1, "price": price(1000)}]}},
                ),
                "2026-10-05",
            ),
            (
                subscription(
                    "mid_life", "created", "2026-10-02T09:00:00", price(500), start_date=seconds("2026-10-02"),
                ),
                "2026-10-10",
            ),
            # half off a customer of 200, told three days late; what its coupon takes off is learnt later still
            (of_customer("night", "created", "2026-10-12T09:00:00",
                         discount("night", "half", "2026-10-12T09:00:00")), "2026-10-15"),
            (coupon("half", percent_off=50), "2026-10-20"),
            # half off a customer of 100 for four days, of which its end is the first that is told, in time
            (of_customer("in_time", "deleted", "2026-11-05T09:00:00",
                         discount("in_time", "half", "2026-11-01", end=seconds("2026-11-05T09:00:00"))),
             "2026-11-05"),
        ],
    )  # fmt: skip
    house.load()
    house.build(SELECTED, as_of=AS_OF)
    return house


def test_each_cause_is_told_with_what_was_and_what_is(told: House) -> None:
    """By hand; 20.00 is renews until 31 July, 30.00 and 50.00 what the customers before it pay."""
    assert restatements(told) == [
        ("2026-02-10", "2026-02-14", "2026-02-15", "late_event", 1300, 300),
        ("2026-03-01", "2026-03-03", "2026-03-04", "backdated_start", 300, 3300),
        ("2026-04-08", "2026-04-09", "2026-04-10", "correction", 8300, 3300),
        ("2026-05-01", "2026-05-01", "2026-05-04", "late_event", 3300, 4000),
        ("2026-05-02", "2026-05-03", "2026-05-04", "several", 3300, 4900),
        ("2026-07-01", "2026-07-04", "2026-07-05", "late_event", 4900, 6900),
        ("2026-09-05", "2026-09-09", "2026-09-10", "late_event", 5900, 7900),
        ("2026-09-03", "2026-09-04", "2026-09-20", "late_event", 5900, 6900),
        ("2026-10-02", "2026-10-04", "2026-10-05", "backdated_start", 7900, 8900),
        ("2026-10-02", "2026-10-04", "2026-10-10", "late_event", 8900, 8400),
        ("2026-10-12", "2026-10-14", "2026-10-15", "late_event", 11900, 11800),
        ("2026-11-01", "2026-11-04", "2026-11-05", "backdated_start", 11800, 11750),
    ]


def test_rule_24_the_case_of_a_backdated_start(new_house: Callable[[str], House]) -> None:
    """Sold for 30 on 6 January; on 1 March another for 60 that began on 1 January."""
    case = shared("cases/revenue/restate")
    house = new_house("restate")
    for path in (case / "landing").rglob("*.jsonl"):
        lines = map(json.loads, path.read_bytes().splitlines())
        house.put(str(path.relative_to(case / "landing")), lines)
    house.load()
    house.build(SELECTED)
    assert restatements(house) == [
        ("2026-01-01", "2026-01-05", "2026-03-01", "backdated_start", 0, 6000),
        ("2026-01-06", "2026-02-28", "2026-03-01", "backdated_start", 3000, 9000),
    ]


# -- a random history, told in order and late

FIRST_DAY, DAYS = date(2026, 1, 1), 240


class Told:
    """A record with what it is worth, from when until when, and the day on which it came."""

    def __init__(self, record: Record, product: str, subject: str, at: datetime, cents: int,
                 until: datetime | None = None) -> None:  # fmt: skip
        self.record, self.product, self.subject = record, product, subject
        self.at, self.cents, self.until = at, cents, until
        self.came = at.date()


def history(random: Random) -> list[Told]:
    """Subscriptions of two tenants and both providers that begin, change, end and return."""
    found: list[Told] = []
    for number in range(24):
        name, tenant = f"c{number}", f"tenant{number % 2}"
        at = datetime.combine(FIRST_DAY, datetime.min.time(), UTC)
        at += timedelta(days=random.randrange(60), hours=random.randrange(3, 20))
        kind = "created"
        for _ in range(random.randrange(2, 9)):
            text = at.strftime("%Y-%m-%dT%H:%M:%S")
            cents = 100 * random.randrange(5, 90)
            is_end = kind == "updated" and random.random() < 0.2
            more = {"status": "canceled", "ended_at": seconds(text)} if is_end else {}
            record = subscription(
                name, "deleted" if is_end else kind, text, price(cents), tenant=tenant,
                previous=None if kind == "created" else {"latest_invoice": f"in_{text}"}, **more,
            )  # fmt: skip
            found.append(Told(record, "upcoach", name, at, 0 if is_end else cents))
            if is_end:
                break
            kind = "updated"
            at += timedelta(days=random.randrange(2, 50))
        name = f"s{number}"
        at += timedelta(hours=1) - timedelta(days=random.randrange(30))
        kind = "INITIAL_PURCHASE"
        for _ in range(random.randrange(1, 6)):
            begins, ends = (
                moment.strftime("%Y-%m-%dT%H:%M:%S") for moment in (at, at + timedelta(days=30))
            )
            dollars = random.randrange(5, 50)
            record = store(name, kind, begins, float(dollars), begins, ends,
                           subscriber_attributes={"tenant_id": {"value": tenant}})  # fmt: skip
            until = at + timedelta(days=30)
            found.append(Told(record, "upcoach", name, at, 100 * dollars, until))
            kind, at = "RENEWAL", until
    for one in found:
        if random.random() < 0.05:
            one.came += timedelta(days=random.randrange(1, 91))
    return found


def worth(known: Iterable[Told], day: date) -> int:
    """What all subscriptions are worth when the day closes, by what is known of them."""
    closes = datetime.combine(day + timedelta(days=1), datetime.min.time(), UTC)
    newest: dict[str, Told] = {}
    for one in known:
        if one.at < closes and (one.subject not in newest or newest[one.subject].at < one.at):
            newest[one.subject] = one
    return sum(n.cents for n in newest.values() if n.until is None or n.until >= closes)


def expected(records: list[Told]) -> list[tuple[Any, ...]]:
    """Of each day on which something came late: the days before it that are worth another amount since."""
    rows = []
    for known_on in sorted({one.came for one in records if one.came > one.at.date()}):
        before = [one for one in records if one.came < known_on]
        after = [one for one in records if one.came <= known_on]
        for past in range((known_on - FIRST_DAY).days):
            day = FIRST_DAY + timedelta(days=past)
            was, is_now = worth(before, day), worth(after, day)
            if was != is_now:
                rows.append((day, known_on, "late_event", was, is_now))
    return rows


ROWS = "select metric_date, known_on, cause, mrr_before_cents, mrr_after_cents"
ROWS += " from revenue.metrics_mrr_restatements where policy = 'standard' order by known_on, metric_date"
ALL_ROWS = "select metric_date, product, policy, known_on, cause, mrr_before_cents, mrr_after_cents"
ALL_ROWS += " from revenue.metrics_mrr_restatements order by 1, 2, 3, 4"


@pytest.fixture(scope="module")
def records() -> list[Told]:
    return history(Random(18))


@pytest.fixture(scope="module")
def late(new_house: Callable[[str], House], records: list[Told]) -> House:
    house = new_house("restated_late")
    put(house, [(one.record, one.came.isoformat()) for one in records])
    house.load()
    house.build(SELECTED, as_of=AS_OF)
    return house


def test_a_late_history_ends_in_the_same_marts_and_each_changed_day_has_its_row(
    new_house: Callable[[str], House], late: House, records: list[Told]
) -> None:
    rows = expected(records)
    assert len({row[1] for row in rows}) > 5 and len(rows) > 100
    assert late.query(ROWS) == rows
    in_order = new_house("restated_in_order")
    put(in_order, [(one.record, one.at.date().isoformat()) for one in records])
    in_order.load()
    in_order.build(SELECTED, as_of=AS_OF)
    assert in_order.query(ROWS) == []
    assert_equal(late.tables(FINAL), in_order.tables(FINAL), "late and in order")


def test_the_last_row_of_a_day_is_what_the_day_is_worth_and_the_others_lead_to_it(
    late: House,
) -> None:
    """For each policy; a day without rows never was another."""
    assert late.query(
        "select count(*) > 0, count(distinct policy),"
        " count(*) filter (where mrr_after_cents is distinct from next_cents) from ("
        " select r.policy, r.mrr_after_cents, coalesce(lead(r.mrr_before_cents) over (partition by"
        " r.metric_date, r.product, r.policy order by r.known_on), d.net_mrr_cents, 0) as next_cents"
        " from revenue.metrics_mrr_restatements as r left join revenue.metrics_daily_mrr as d"
        " using (metric_date, product, policy)) as chain"
    ) == [(True, 4, 0)]


def test_rule_48_the_same_files_in_any_order_give_the_same_rows(
    new_house: Callable[[str], House], late: House, records: list[Told]
) -> None:
    """Loaded and built in two runs, in any order, a third delivered once more under a later date."""
    house, random = new_house("restated_shuffled"), Random(5)
    again = [
        (one.record, (one.came + timedelta(days=20)).isoformat())
        for one in records
        if random.random() < 0.3
    ]
    told = [(one.record, one.came.isoformat()) for one in records]
    random.shuffle(told)
    put(house, again, "again-")
    for begin in range(2):
        put(house, told[begin::2], f"{begin}-")
        house.load()
        house.build(SELECTED, as_of=AS_OF)
    assert house.query(ALL_ROWS) == late.query(ALL_ROWS)
