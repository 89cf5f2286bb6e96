"""MetricFlow, pointed at this warehouse: the launcher behind the command `mf`.

`mf query --metrics mrr --group-by metric_time__month` asks for a metric by its name; what metrics there are is said in
`models/marts/*/_*__semantics.yml`.

Belongs here: MetricFlow's environment. Does not belong here: metrics.
"""

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
    from dbt_metricflow.cli import main as metricflow

    metricflow.UpdateChecker = _NeverNewer
    metricflow.cli()


def _parse_when_changed(settings: Settings) -> None:
    """MetricFlow reads what dbt parsed, whatever has been written since."""
    parsed = Path(settings.root) / "target" / "semantic_manifest.json"
    try:
        if not parsed.exists() or parsed.stat().st_mtime < dbt.newest_change(settings.root):
            dbt.parse(settings)
    except TallyhouseError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
