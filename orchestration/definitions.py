"""The code location: everything found under `defs/`, folder by folder."""

from pathlib import Path

import dagster as dg


@dg.definitions
def defs() -> dg.Definitions:
    """Load every definition under `orchestration/defs`."""
    return dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
