"""The page of a run: bars and lines where the figures say, and nothing asked for outside itself."""

import re
import stat
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from app import report_page, summary
from app.summary import sparkline
from tests.built_sample import BuiltSample

SUMMARY: dict[str, Any] = {
    "tests": {"passed": 3, "failed": 0}, "seconds": 1.0, "loaded": [], "problems": ["<b>late</b>"],
}  # fmt: skip
MONTH = {
    "product": "upcoach", "currency": "usd", "month": date(2026, 3, 1), "opening": 10_000,
    "new": Decimal(6_000), "expansion": 4_000, "reactivation": 0, "contraction": -2_000,
    "churn": -8_000, "fx": 0, "closing": 10_000,
}  # fmt: skip


def test_each_bar_of_a_waterfall_hangs_where_the_one_before_ends() -> None:
    """100, +60, +40, 0, -20, -80 and 100 dollars; the highest level is 200."""
    bars = report_page.waterfall(MONTH)
    assert [(bar.name, bar.top, bar.height, bar.amount) for bar in bars] == [
        ("opening", 50, 50, "100 USD"),
        ("new", 20, 30, "+60 USD"),
        ("expansion", 0, 20, "+40 USD"),
        ("reactivation", 0, 0, "+0 USD"),
        ("contraction", 0, 10, "-20 USD"),
        ("churn", 10, 40, "-80 USD"),
        ("closing", 50, 50, "100 USD"),
    ]
    assert [bar.name for bar in bars if bar.is_loss] == ["contraction", "churn"]


def test_rates_of_exchange_have_a_bar_where_they_moved_something() -> None:
    names = [bar.name for bar in report_page.waterfall({**MONTH, "fx": -100})]
    assert names[-2:] == ["fx", "closing"]


def test_a_week_that_nobody_can_know_yet_is_no_zero() -> None:
    start = date(2026, 3, 2)
    rows = [
        {"cohort_start": start, "period_number": 0, "cohort_size": 4, "rate": Decimal(1)},
        {"cohort_start": start, "period_number": 1, "cohort_size": 4, "rate": Decimal(0)},
    ]
    (cohort,) = report_page.triangle(rows)
    assert cohort["size"] == 4 and cohort["rates"][:3] == [1.0, 0.0, None]


def test_lines_rise_with_what_they_show() -> None:
    assert report_page.polyline([0, 5, 10], 10) == "0.00,40.00 50.00,20.00 100.00,0.00"
    assert sparkline([0, 1, 7]) == "▁▂█"
    assert sparkline([3, 3]) == "▄▄" and sparkline([]) == ""
    assert len(sparkline(list(range(28)))) == 14 and sparkline(list(range(28)))[-1] == "█"


def test_what_stands_in_a_figure_is_text() -> None:
    page = report_page.render(
        {name: [] for name in ("bridge", "activity", "retention", "models", "refused")}, SUMMARY
    )
    assert "&lt;b&gt;late&lt;/b&gt;" in page and "<b>late</b>" not in page
    assert "Nothing was refused." in page and "No month is whole yet." in page


def test_the_page_says_when_it_was_written_and_what_tests_warn_of() -> None:
    nothing: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("bridge", "activity", "retention", "models", "refused")
    }
    warned = {**SUMMARY, "warned": ["rates_are_known warns of 1 row."]}
    page = report_page.render(nothing, warned, datetime(2026, 3, 1, 9, 30, tzinfo=UTC))
    assert "2026-03-01 09:30 UTC." in page
    assert "rates_are_known warns of 1 row." in page


@pytest.fixture(scope="module")
def sample(sample_copy: Callable[[str], BuiltSample]) -> BuiltSample:
    return sample_copy("report_page")


@pytest.mark.slow
def test_the_page_of_the_sample(sample: BuiltSample) -> None:
    warehouse = sample.warehouse
    page = report_page.write(warehouse.settings, warehouse, SUMMARY)
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    text = page.read_text("utf-8")
    assert "default-src 'none'" in text
    assert not re.search(r"https?:|//[a-z]|<script|<link|url\(|src=", text)
    with warehouse.connect() as connection:
        (closing, currency), *_ = connection.execute(
            "select net_mrr_cents, upper(currency) from revenue.metrics_daily_mrr where policy ="
            " 'standard' and product = 'upcoach' and metric_date = (select max(cast(date_trunc("
            "'month', metric_date) as date)) - 1 from revenue.metrics_daily_mrr where is_complete)"
        ).fetchall()
        refused = connection.execute(
            "select distinct reason_code from ops.rejected_records"
        ).fetchall()
        over = connection.execute(
            "select max(metric_date)::text from (select metric_date from"
            " engagement.metrics_daily_engagement where product = 'upcoach'"
            " group by metric_date having every(is_complete)) as days"
        ).fetchone()
    assert over is not None and f"to {over[0]}" in text
    assert f"{closing / 100:,.0f} {currency}" in text
    assert refused and all(f">{code}</td>" in text for (code,) in refused)
    assert text.count("<polyline") >= 9  # three lines for each of three products


@pytest.mark.slow
def test_what_became_of_the_sample_adds_up_to_what_was_read(sample: BuiltSample) -> None:
    found = summary.collect(sample.warehouse, tests={}, seconds=1)
    by_kind = {row["source_kind"]: row for row in found["loaded"]}
    assert set(by_kind) == {"cdc", "events", "revenuecat", "stripe"}
    for row in found["loaded"]:
        assert row["records"] == sum(row[name] for name in summary.BECAME), row
    assert by_kind["events"]["withheld"] > 0 == by_kind["events"]["ignored"]
    assert by_kind["cdc"]["ignored"] > 0 == by_kind["cdc"]["withheld"]
    page = report_page.render(report_page.figures(sample.warehouse), found)
    assert f"<td>{by_kind['events']['withheld']:,}</td>" in page
