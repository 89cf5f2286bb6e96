"""Great Expectations over what was landed.

Belongs here: the expectations on the `raw_*` and `ops` tables, running them, and the Data Docs that
show the outcome. Does not belong here: anything about marts (dbt tests guard those) and anything of
Dagster (it only wires these functions as asset checks).
"""

from ingestion.quality.check import LandedCheck, check_landed
from ingestion.quality.progress import check_new

__all__ = ["LandedCheck", "check_landed", "check_new"]
