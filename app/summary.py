"""What came out of a run, in a screenful: collected as plain data, shown now or by `status`.

Belongs here: the few queries on published tables and their layout. Does not belong here: metrics of
its own; every figure is read from a table that an analyst can open too.
"""

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from rich import box
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from app.building import told
from tallyhouse.database import Warehouse

WEEKS = 6
BLOCKS = "▁▂▃▄▅▆▇█"
BECAME = ("stored", "duplicates", "rejected", "withheld", "ignored")  # of the records read
LOADED = """
    select source_kind, count(*) filter (where superseded_by is null) as files,
        sum(record_count) as records,
        sum(stored_count) as stored, sum(duplicate_count) as duplicates,
        sum(rejected_count) as rejected, sum(coalesce(withheld.records, 0)) as withheld,
        -- what the contract leaves out; the ledger counts what is withheld among it
        sum(ignored_count - coalesce(withheld.records, 0)) as ignored
    from ops.load_manifest as loads
    left join (
        select load_id, sum(record_count) as records from ops.withheld_records group by load_id
    ) as withheld using (load_id)
    -- a file that was read again is one; of its first reading stands what was not withdrawn since
    where superseded_by is null or stored_count > withdrawn_count
    group by source_kind order by source_kind
"""
REJECTED = """
    select reason_code, count(*) as records, min(reason) as example
    from ops.rejected_records group by reason_code order by records desc, reason_code
"""
MRR = """
    select metric_date, product, net_mrr_cents, currency, paying_customers
    from revenue.metrics_daily_mrr
    where policy = 'standard' and net_mrr_cents > 0 and metric_date = (
        select max(metric_date) from revenue.metrics_daily_mrr
        where metric_date <= coalesce(cast(%(day)s as date), 'infinity')
    )
    order by product
"""
ENGAGEMENT = """
    select metric_date, product, sum(dau)::bigint as dau, sum(wau)::bigint as wau,
        sum(mau)::bigint as mau
    from engagement.metrics_daily_engagement
    where metric_date = (
        select max(metric_date) from (
            select metric_date from engagement.metrics_daily_engagement
            group by metric_date having bool_and(is_complete)
        ) as over_for_everybody
    )
    group by metric_date, product order by product
"""
RETENTION = """
    select cohort_start, period_number, sum(cohort_size)::bigint as cohort_size,
        sum(retained_users)::numeric / nullif(sum(cohort_size), 0) as rate
    from engagement.metrics_cohort_retention
    where cohort_type = 'week' and mode = 'bounded' and retained_users is not null
        and period_number < %(weeks)s and cohort_start >= (
            select max(cohort_start) - 7 * %(weeks)s from engagement.metrics_cohort_retention
            where cohort_type = 'week' and mode = 'bounded' and retained_users is not null
        )
    group by cohort_start, period_number order by cohort_start, period_number
"""
SPARKS = """
    select product, array_agg(net_mrr_cents order by metric_date) as mrr_cents
    from revenue.metrics_daily_mrr
    where policy = 'standard' and is_complete and metric_date > (
        select max(metric_date) - 28 from revenue.metrics_daily_mrr where is_complete
    )
    group by product
"""
MODELS = """
    select distinct on (model_type) model_type, is_active, metrics, baseline_metrics, trained_at
    from ml.predictive_models order by model_type, is_active desc, trained_at desc
"""
UNKNOWN_ZONES = """
    select tenants.tenant_label, tenants.tenant_id::text, stated.stated_timezone as timezone
    from core.dim_tenant as tenants
    inner join intermediate.int_core__stated_timezones as stated
        on tenants.tenant_id = stated.tenant_id
    where not tenants.is_timezone_known
    order by tenants.tenant_label
"""
QUERIES = {
    "unknown_zones": UNKNOWN_ZONES,
    "loaded": LOADED,
    "rejected": REJECTED,
    "engagement": ENGAGEMENT,
    "mrr": MRR,
    "sparks": SPARKS,
    "retention": RETENTION,
    "models": MODELS,
}


def collect(warehouse: Warehouse, *, tests: dict[str, int], seconds: float) -> dict[str, Any]:
    """Read the figures; a table that is not there (yet) leaves its part empty."""
    found: dict[str, Any] = {"tests": tests, "seconds": seconds, "where": warehouse.label}
    with warehouse.connect(row_factory=dict_row) as connection:
        for name, query in QUERIES.items():
            # money and use are told of the same day: the last that is complete everywhere
            day = next((row["metric_date"] for row in found.get("engagement", [])), None)
            found[name] = _rows(connection, query, {"weeks": WEEKS, "day": day})
    return found


def console() -> Console:
    """Standard output; wide enough for the tables when it is no terminal."""
    here = Console(highlight=False)
    return here if here.is_terminal else Console(highlight=False, width=110)


def show(found: dict[str, Any], console: Console) -> None:
    """Print a summary; it comes from `collect` or, after JSON, from the log of runs."""
    console.print(_loaded(found))
    reasons = ", ".join(f"{row['records']:,} {row['reason_code']}" for row in found["rejected"])
    console.print(f"Rejected because: {reasons or 'nothing was rejected'}.", markup=False)
    for problem in found.get("problems", []):
        console.print(f"Not as it should be: {problem}", markup=False)
    for row in found.get("unknown_zones", []):
        console.print(
            f"Not as it should be: the source of {row['tenant_label']} ({row['tenant_id']}) says the "
            f"time zone '{row['timezone']}', which is none; the tenant's days are counted in UTC. Say "
            f"its zone with `tallyhouse tenant set {row['tenant_id']} --timezone …`.",
            markup=False,
        )
    if found["mrr"] or found["engagement"]:
        console.print(_products(found))
    if found["retention"]:
        console.print(_retention(found["retention"]))
    if found["models"]:
        console.print(_models(found["models"]))
    for sentence in found.get("learned", []):
        console.print(sentence, markup=False)
    tests = found["tests"]
    console.print(told(tests.get("built", 0), len(found.get("left_out", []))))
    console.print(
        f"{tests.get('passed', 0)} tests passed, {tests.get('failed', 0)} failed. "
        f"Time taken: {found['seconds']:.1f} s."
    )
    for sentence in found.get("warned", []):
        console.print(f"Test {sentence}", markup=False)
    pages = f"landed tables, checked: {found['data_docs']}\n" if found.get("data_docs") else ""
    pages += f"all of it as a page:    {found['report']}\n" if found.get("report") else ""
    console.print(
        Panel(
            "tallyhouse db psql --analyst: look inside with SQL, read only, for example\n"
            "                        select * from revenue.metrics_daily_mrr_standard\n"
            "tallyhouse db login     a login for a tenant, an analyst, a BI tool\n"
            "make dev                Dagster's UI: assets, lineage, checks, schedules\n"
            "make docs               every table and column described\n"
            f"{pages}"
            "tallyhouse status       this summary again",
            title="Where to look next",
            title_align="left",
            expand=False,
        ),
        markup=False,
    )


def _rows(
    connection: psycopg.Connection[Any], query: str, values: dict[str, Any]
) -> list[dict[str, Any]]:
    try:
        with connection.transaction():
            return connection.execute(sql.SQL(query), values).fetchall()
    except (
        psycopg.errors.UndefinedTable,
        psycopg.errors.UndefinedColumn,
        psycopg.errors.InvalidSchemaName,
    ):
        return []


def _table(title: str) -> Table:
    """A table that shows its figures whole in 80 columns."""
    return Table(
        title=f"\n{title}",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=0,
    )


def _add_figures(table: Table, *names: str) -> None:
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)


def _loaded(found: dict[str, Any]) -> Table:
    """What became of every record, a source a column: stored to ignored add up to the records."""
    table = _table("Loaded so far")
    table.add_column("")
    _add_figures(table, *(row["source_kind"] for row in found["loaded"]))
    for name in ("files", "records", *BECAME):
        table.add_row(name, *(f"{int(row.get(name) or 0):,}" for row in found["loaded"]))
    return table


def _products(found: dict[str, Any]) -> Table:
    rows: dict[str, dict[str, Any]] = {}
    for row in (*found["engagement"], *found["mrr"]):
        rows.setdefault(row["product"], {}).update(row)
    days = sorted({str(row["metric_date"]) for row in (*found["engagement"], *found["mrr"])})
    table = _table(f"Products on {' and '.join(days)}")
    table.add_column("product", no_wrap=True)
    table.add_column("MRR, 28 days", no_wrap=True)
    _add_figures(table, "closing MRR", "customers", "DAU", "WAU", "MAU")
    sparks = {row["product"]: sparkline(row["mrr_cents"]) for row in found.get("sparks", [])}
    for product, row in sorted(rows.items()):
        money = ""
        if "net_mrr_cents" in row:
            money = f"{float(row['net_mrr_cents']) / 100:,.2f} {row['currency'].upper()}"
        counts = [_count(row, name) for name in ("paying_customers", "dau", "wau", "mau")]
        table.add_row(product, sparks.get(product, ""), money, *counts)
    return table


def sparkline(values: Sequence[float], width: int = 14) -> str:
    """A line of blocks, the lowest value the lowest block; every other day where there are many."""
    shown = list(values)[:: -max(1, len(values) // width)][::-1]
    low, high = min(shown, default=0), max(shown, default=0)
    if low == high:
        return BLOCKS[3] * len(shown)
    return "".join(BLOCKS[round((value - low) / (high - low) * 7)] for value in shown)


def _count(row: dict[str, Any], name: str) -> str:
    return f"{int(row[name]):,}" if row.get(name) is not None else ""


def _retention(rows: list[dict[str, Any]]) -> Table:
    table = _table("Weekly retention, all products")
    table.add_column("first week")
    cohorts: dict[str, dict[int, dict[str, Any]]] = {}
    for row in rows:
        cohorts.setdefault(str(row["cohort_start"]), {})[int(row["period_number"])] = row
    _add_figures(table, "users", *(f"w{number}" for number in range(WEEKS)))
    for start, periods in cohorts.items():
        rates = [
            f"{100 * float(periods[n]['rate']):.0f} %" if n in periods else "" for n in range(WEEKS)
        ]
        size = max(int(row["cohort_size"]) for row in periods.values())
        table.add_row(start, f"{size:,}", *rates)
    return table


def _models(rows: list[dict[str, Any]]) -> Table:
    """Brier score (lower is better) and AUC (higher is better) on the held-out window."""
    table = _table("Models against their baselines, held-out window")
    table.add_column("model")
    _add_figures(table, "Brier score", "AUC", "rows")
    table.add_column("in use")
    for row in rows:
        scores = row["metrics"].get("holdout", row["metrics"])
        use = "yes" if row["is_active"] else "no"
        table.add_row(str(row["model_type"]), *_scores(scores), use)
        for name, baseline in row["baseline_metrics"].items():
            if isinstance(baseline, dict):
                table.add_row(f"  {name.replace('_', ' ')}", *_scores(baseline), "")
    return table


def _scores(scores: dict[str, Any]) -> tuple[str, str, str]:
    def figure(name: str, form: str) -> str:
        value = scores.get(name)
        return format(value, form) if isinstance(value, (int, float)) else ""

    return figure("brier", ".3f"), figure("auc", ".3f"), figure("rows", ",.0f")
