"""The summary of a run in a terminal of 80 columns: every figure whole."""

import io
from typing import Any

from rich.console import Console

from app import summary

LARGE: dict[str, Any] = {
    "tests": {"passed": 1_763, "failed": 0, "built": 460}, "seconds": 400.0, "rejected": [], "retention": [],
    "loaded": [
        {"source_kind": kind, "files": 12_345, "records": 1_234_567_890, "stored": 1_134_567_890,
         "duplicates": 12_345_678, "rejected": 1_234_567, "withheld": 76_419_755, "ignored": 10_000_000}
        for kind in ("cdc", "events", "revenuecat", "stripe")
    ],
    "engagement": [
        {"product": "samia_tarot", "metric_date": "2026-10-27", "dau": 123_456, "wau": 234_567, "mau": 1_234_567},
    ],
    "mrr": [
        {"product": "samia_tarot", "metric_date": "2026-10-27", "net_mrr_cents": 123_456_789, "currency": "usd",
         "paying_customers": 1_234_567},
    ],
    "sparks": [{"product": "samia_tarot", "mrr_cents": list(range(28))}],
    "models": [
        {"model_type": "customer_churn", "is_active": True, "baseline_metrics": {"one_variable_rule": {}},
         "metrics": {"holdout": {"brier": 0.0555, "auc": 0.837, "rows": 1_234_567}}},
    ],
}  # fmt: skip


def printed(found: dict[str, Any]) -> str:
    out = io.StringIO()
    summary.show(found, Console(file=out, width=80, highlight=False))
    return out.getvalue()


def test_figures_are_whole_in_80_columns() -> None:
    text = printed(LARGE)
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text.split("Where to look next")[0]
    for figure in ("1,234,567,890", "1,234,567.89 USD", "▁▂▂▃▃▄▄▅▅▆▆▇▇█", "76,419,755"):
        assert figure in text, figure
