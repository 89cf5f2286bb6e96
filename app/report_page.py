"""The report of a run as one page: money, retention, activity, models, and what was refused.

It asks for nothing outside itself, so that it opens from a disk and may be sent. Belongs here: the
figures of the page, read from published tables, and where lines and bars lie. Does not belong here:
its looks (`report_page.html`), the summary on the terminal (`summary`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import jinja2
import psycopg
from psycopg.rows import dict_row

from app.summary import BECAME, RETENTION
from tallyhouse.closed_files import replace_closed
from tallyhouse.database import Warehouse
from tallyhouse.settings import Settings, make_folder

PAGE = "report.html"
ACTIVITY_DAYS, WEEKS = 90, 12
TEMPLATE = Path(__file__).with_name("report_page.html")

# the newest month that is over, of each product that has one
BRIDGE = """
    with months as (
        select product, currency, cast(date_trunc('month', metric_date) as date) as month,
            min(metric_date) as first_date, max(metric_date) as last_date, bool_and(is_complete) as is_whole
        from revenue.metrics_daily_mrr where policy = 'standard'
        group by product, currency, date_trunc('month', metric_date)
    ), newest as (
        select distinct on (product) * from months
        where is_whole and last_date = month + interval '1 month' - interval '1 day'
        order by product, month desc
    )
    select newest.product, newest.currency, newest.month,
        sum(days.opening_mrr_cents) filter (where days.metric_date = newest.first_date) as opening,
        sum(days.new_mrr_cents) as new, sum(days.expansion_mrr_cents) as expansion,
        sum(days.reactivation_mrr_cents) as reactivation,
        -sum(days.contraction_mrr_cents) as contraction, -sum(days.churn_mrr_cents) as churn,
        sum(days.fx_mrr_cents) as fx,
        sum(days.net_mrr_cents) filter (where days.metric_date = newest.last_date) as closing
    from newest
    inner join revenue.metrics_daily_mrr as days
        on days.product = newest.product and days.policy = 'standard'
        and days.metric_date between newest.first_date and newest.last_date
    group by newest.product, newest.currency, newest.month order by newest.product
"""
# only days that are over for every tenant: a sum without one of them would look like a fall
ACTIVITY = """
    with days as (
        select product, metric_date, sum(dau)::bigint as dau, sum(wau)::bigint as wau,
            sum(mau)::bigint as mau
        from engagement.metrics_daily_engagement
        group by product, metric_date having bool_and(is_complete)
    )
    select * from days
    where metric_date > (select max(metric_date) - %(days)s from days)
    order by product, metric_date
"""
MODELS = """
    select distinct on (model_type) model_type, is_active, verdict, trained_at,
        metrics -> 'holdout' -> 'calibration' as calibration
    from ml.predictive_models order by model_type, is_active desc, trained_at desc
"""
REFUSED = """
    select source_kind, source_name, reason_code, count(*) as records, min(reason) as example
    from ops.rejected_records
    group by source_kind, source_name, reason_code
    order by records desc, source_kind, source_name, reason_code
"""


@dataclass(frozen=True)
class Bar:
    """A bar of a waterfall: its place in percent of the height, from the top, and what it stands for."""

    name: str
    top: float
    height: float
    amount: str
    is_total: bool
    is_loss: bool


@dataclass(frozen=True)
class Line:
    """A line in a picture of 100 by 40, as the points of an SVG polyline, and its newest value."""

    name: str
    points: str
    newest: int


def write(settings: Settings, warehouse: Warehouse, summary: dict[str, Any]) -> Path:
    """Write the page into the home, closed to other accounts; where it lies."""
    page = settings.home / PAGE
    make_folder(page.parent)
    replace_closed(page, render(figures(warehouse), summary, datetime.now(UTC)))
    return page


def figures(warehouse: Warehouse) -> dict[str, list[dict[str, Any]]]:
    """What the page shows; a table that is not there yet leaves its part empty."""
    queries = {
        "bridge": BRIDGE, "activity": ACTIVITY, "retention": RETENTION, "models": MODELS,
        "refused": REFUSED,
    }  # fmt: skip
    values = {"days": ACTIVITY_DAYS, "weeks": WEEKS}
    found: dict[str, list[dict[str, Any]]] = {}
    with warehouse.connect(row_factory=dict_row) as connection:
        for name, query in queries.items():
            try:
                with connection.transaction():
                    found[name] = connection.execute(query.encode(), values).fetchall()
            except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
                found[name] = []
    return found


def render(
    found: dict[str, list[dict[str, Any]]],
    summary: dict[str, Any],
    written_at: datetime | None = None,
) -> str:
    """The page as text."""
    page = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    ).from_string(TEMPLATE.read_text("utf-8"))
    return page.render(
        summary=summary,
        written_at=written_at,
        bridges=[
            {"product": row["product"], "month": f"{row['month']:%B %Y}", "bars": waterfall(row)}
            for row in found["bridge"]
        ],
        activity=[
            {"product": product, "lines": lines, "first": days[0], "last": days[-1]}
            for product, lines, days in _activity(found["activity"])
        ],
        weeks=range(WEEKS),
        cohorts=triangle(found["retention"]),
        models=[
            {**row, "dots": [_dot(one) for one in row["calibration"] or [] if "observed" in one]}
            for row in found["models"]
        ],
        refused=found["refused"],
        became=("records", *BECAME),
    )


def waterfall(row: dict[str, Any]) -> list[Bar]:
    """From opening to closing MRR; bars hang where the one before ends. The parts add up or the
    page shows that they do not: closing is drawn from its own figure."""
    steps = ("new", "expansion", "reactivation", "contraction", "churn", "fx")
    level = float(row["opening"] or 0)
    spans = [("opening", 0.0, level, True)]
    for name in steps:
        change = float(row[name] or 0)
        if change or name != "fx":
            spans.append((name, level, level + change, False))
            level += change
    spans.append(("closing", 0.0, float(row["closing"] or 0), True))
    top = max(max(first, last) for _, first, last, _ in spans) or 1.0
    currency = str(row["currency"]).upper()
    return [
        Bar(
            name,
            round(100 - 100 * max(first, last) / top, 2),
            round(100 * abs(last - first) / top, 2),
            f"{(last - first) / 100:{'' if is_total else '+'},.0f} {currency}",
            is_total,
            last < first,
        )
        for name, first, last, is_total in spans
    ]


def triangle(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row per cohort, a share or None per week; None is a week nobody can know yet."""
    cohorts = []
    for start, group in groupby(rows, key=lambda row: row["cohort_start"]):
        cells = {int(row["period_number"]): row for row in group}
        size = max(int(row["cohort_size"]) for row in cells.values())
        rates = [float(cells[n]["rate"]) if n in cells else None for n in range(WEEKS)]
        cohorts.append({"start": start, "size": size, "rates": rates})
    return cohorts


def polyline(values: Sequence[int], highest: int) -> str:
    """Points from left to right, 100 wide and 40 high, the highest value at the top."""
    step = 100 / max(len(values) - 1, 1)
    scale = 40 / max(highest, 1)
    return " ".join(f"{n * step:.2f},{40 - value * scale:.2f}" for n, value in enumerate(values))


def _activity(
    rows: Iterable[dict[str, Any]],
) -> Iterable[tuple[str, list[Line], list[date]]]:
    for product, group in groupby(rows, key=lambda row: row["product"]):
        days = list(group)
        highest = max(int(row["mau"] or 0) for row in days)
        lines = []
        for name in ("mau", "wau", "dau"):
            values = [int(row[name] or 0) for row in days]
            lines.append(Line(name.upper(), polyline(values, highest), values[-1]))
        yield str(product), lines, [row["metric_date"] for row in days]


def _dot(one: dict[str, Any]) -> dict[str, float]:
    """A bin of predictions in a picture of 100 by 100: predicted to the right, observed upward."""
    return {
        "x": round(100 * float(one["predicted"]), 2),
        "y": round(100 - 100 * float(one["observed"]), 2),
        "low": round(100 - 100 * float(one["low"]), 2),
        "high": round(100 - 100 * float(one["high"]), 2),
        "rows": float(one["rows"]),
    }
