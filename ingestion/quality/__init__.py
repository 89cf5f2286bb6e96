"""What was landed, checked: Great Expectations, and the ledger held against the tables.

Belongs here: the expectations on the `raw_*` and `ops` tables, running them, the Data Docs that
show the outcome, reconciliation, and open drift. Does not belong here: anything about marts (dbt tests
guard those) and anything of Dagster (it only wires these functions as asset checks).
"""

from ingestion.quality.check import check_landed
from ingestion.quality.drift import drift, told
from ingestion.quality.outcome import LandedCheck
from ingestion.quality.progress import awaits_check, broken, check_new
from ingestion.quality.reconciliation import Reconciliation, reconcile

__all__ = [
    "LandedCheck",
    "Reconciliation",
    "awaits_check",
    "broken",
    "check_landed",
    "check_new",
    "drift",
    "reconcile",
    "told",
]
