"""MetricFlow, pointed at this warehouse: the launcher behind the command `mf`.

`mf query --metrics mrr --group-by metric_time__month` asks for a metric by its name; what metrics there are is said in
`models/marts/*/_*__semantics.yml`.

Belongs here: MetricFlow's environment. Does not belong here: metrics.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from tallyhouse import dbt
from tallyhouse.errors import TallyhouseError
from tallyhouse.settings import Settings

OFFLINE_WORDS = {"--help", "-h", "--version"}


class _NeverNewer:
    """Stands for the check of PyPI with which MetricFlow begins: the lock says which version is right."""

    def check(self, *_: Any) -> None:
        """Return what means that there is nothing newer."""


def main() -> None:
    """The command `mf`."""
    settings = Settings.from_env()
    offline = len(sys.argv) == 1 or bool(OFFLINE_WORDS.intersection(sys.argv))
    dbt.reach(settings, offline=offline)
    root = settings.root
    os.environ |= {"DBT_PROFILES_DIR": str(root), "DBT_PROJECT_DIR": str(root)}
    if not offline:
        _parse_when_changed(settings)
    read_what_dbt_parsed(settings)
    from dbt_metricflow.cli import main as metricflow

    metricflow.UpdateChecker = _NeverNewer
    metricflow.cli()


def read_what_dbt_parsed(settings: Settings) -> None:
    """Have MetricFlow read its manifest from where dbt writes, which is `target/` or what DBT_TARGET_PATH says."""
    from dbt_metricflow.cli.dbt_connectors.dbt_config_accessor import dbtArtifacts
    from metricflow_semantics.model.dbt_manifest_parser import (
        parse_manifest_from_dbt_generated_manifest,
    )

    def parsed(project_root: Path) -> Any:
        return parse_manifest_from_dbt_generated_manifest(_manifest(settings).read_text("utf-8"))

    dbtArtifacts.build_semantic_manifest_from_dbt_project_root = staticmethod(parsed)  # type: ignore[method-assign]


def _manifest(settings: Settings) -> Path:
    return dbt.target(settings) / "semantic_manifest.json"


def _parse_when_changed(settings: Settings) -> None:
    """MetricFlow reads what dbt parsed, whatever has been written since, and of whatever database."""
    parsed = _manifest(settings)
    try:
        if not _is_parsed(parsed, settings):
            dbt.parse(settings)
    except TallyhouseError as error:
        print(error, file=sys.stderr)
        sys.exit(1)


def _is_parsed(parsed: Path, settings: Settings) -> bool:
    if not dbt.is_current(parsed, settings.root):
        return False
    models = json.loads(parsed.read_text("utf-8"))["semantic_models"]
    database = os.environ.get("TALLYHOUSE_DB_NAME", "tallyhouse")
    return all(model["node_relation"]["database"] == database for model in models)
