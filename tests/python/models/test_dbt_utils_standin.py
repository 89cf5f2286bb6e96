"""What takes the place of dbt_utils answers as dbt_utils does."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tallyhouse.database import Warehouse
from tallyhouse.settings import PROJECT_ROOT
from tests.patience import PATIENCE
from tests.shared_data import shared

pytestmark = pytest.mark.slow

VARIANTS: dict[str, dict[str, Any]] = {
    "allowed": {"gaps": "allowed"},
    "notallowed": {"gaps": "not_allowed"},
    "required": {"gaps": "required"},
    "zero": {"zero_length_range_allowed": True},
}
# rows that fail, by dbt_utils 1.4.1
ANSWERS = {
    "t1": {"allowed": 1, "notallowed": 1, "required": 2, "zero": 1},
    "t2": {"allowed": 2, "notallowed": 2, "required": 2, "zero": 2},
}


def test_ranges_without_a_bound_fail_as_they_do_there(
    fresh_database: Callable[..., Warehouse], tmp_path: Path
) -> None:
    """odd-input 09: an open last range, and a first range that begins nowhere."""
    warehouse, case = fresh_database("standin"), shared("cases/odd-input/09-standin-differs")
    models = tmp_path / "models"
    models.mkdir()
    described = []
    for name in ANSWERS:
        (models / f"{name}.sql").write_text((case / f"{name}.sql").read_text())
        bounds = {"lower_bound_column": "starts_on", "upper_bound_column": "ends_on"}
        ranges = [
            {
                "dbt_utils.mutually_exclusive_ranges": {
                    "name": f"{name}_{variant}",
                    "arguments": {**bounds, **given},
                }
            }
            for variant, given in VARIANTS.items()
        ]
        described.append({"name": name, "data_tests": ranges})
    written = {
        "models/models.yml": {"models": described},
        "packages.yml": {"packages": [{"local": str(PROJECT_ROOT / "packages/dbt_utils")}]},
        "dbt_project.yml": {
            "name": "ranges",
            "version": "1.0",
            "profile": "tallyhouse",
            "config-version": 2,
        },
    }
    for name, content in written.items():
        (tmp_path / name).write_text(yaml.safe_dump(content))
    environment = {
        **os.environ,
        **warehouse.env(),
        "DBT_PROFILES_DIR": str(PROJECT_ROOT),
        "DO_NOT_TRACK": "1",
    }
    for command in ("deps", "build"):
        subprocess.run(
            [sys.executable, "-m", "dbt.cli.main", command],
            cwd=tmp_path,
            env=environment,
            check=False,
            capture_output=True,
            timeout=PATIENCE,
        )
    results = json.loads((tmp_path / "target/run_results.json").read_text())["results"]
    failures = {
        r["unique_id"].split(".")[2]: r["failures"]
        for r in results
        if r["unique_id"].startswith("test.")
    }
    assert failures == {
        f"{name}_{variant}": count
        for name, answers in ANSWERS.items()
        for variant, count in answers.items()
    }
