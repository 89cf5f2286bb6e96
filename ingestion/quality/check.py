"""Run the expectation suites against the warehouse and write the Data Docs.

Belongs here: the Great Expectations context, one query asset per landed table, the outcome as plain
data. Does not belong here: what is expected (`suites.yml`) and how the pages look offline
(`docs_site.py`).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ingestion.quality.docs_site import make_offline
from ingestion.quality.outcome import LandedCheck

SUITES_FILE = Path(__file__).with_name("suites.yml")
# an outcome, a page and a log say how many rows do not fit, never what stands in them
COUNTED = {"result_format": "SUMMARY", "exclude_unexpected_values": True}

# Columns that exist only for a check: what a rule compares, derived where the row lies.
DERIVED_COLUMNS = {
    "raw_events.events": (
        "received_at + interval '1 day' as occurred_latest, properties::text as properties_text"
    ),
    "ops.load_manifest": (
        "record_count - stored_count - duplicate_count - rejected_count - ignored_count"
        " as unaccounted_count,"
        # what was read again keeps the row of its former reading beside the one that stands
        " content_hash || case when superseded_by is null then '' else ' of load ' || load_id end as reading_hash"
    ),
}


def load_suites(path: Path = SUITES_FILE) -> dict[str, list[dict[str, dict[str, Any]]]]:
    """Read the suites: table → list of {expectation: arguments}."""
    suites = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(suites, dict):
        raise ValueError(f"{path} must map a table to its list of expectations.")
    return suites


def check_landed(
    url: str, docs_dir: Path, since_load_id: int = 0, tables: tuple[str, ...] = ()
) -> list[LandedCheck]:
    """Validate rows loaded after `since_load_id` and write Data Docs under `docs_dir`.

    `url` is a `postgresql://` address. Rows of loads that were checked before can be left out, so
    that the cost follows the batch and not the history. Returns one outcome per table; a failed
    expectation is an outcome, not an error. Raises whatever the database raises when it is away.
    """
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx
    from great_expectations.checkpoint import UpdateDataDocsAction

    shutil.rmtree(docs_dir / "validations", ignore_errors=True)  # pages of earlier checks
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
    context.add_data_docs_site("landed", _site_config(docs_dir))
    source = context.data_sources.add_postgres("warehouse", connection_string=_sqlalchemy_url(url))
    suites = {t: e for t, e in load_suites().items() if not tables or t in tables}
    validations = []
    for table, expectations in suites.items():
        asset = source.add_query_asset(table, query=_query(table, since_load_id))
        suite = context.suites.add(
            gx.ExpectationSuite(
                name=table, expectations=[_expectation(gx, entry) for entry in expectations]
            )
        )
        validations.append(
            context.validation_definitions.add(
                gx.ValidationDefinition(
                    name=table, data=asset.add_batch_definition_whole_table("new"), suite=suite
                )
            )
        )
    result = context.checkpoints.add(
        gx.Checkpoint(
            name="landed",
            validation_definitions=validations,
            actions=[UpdateDataDocsAction(name="docs", site_names=["landed"])],
            result_format=COUNTED,
        )
    ).run()
    outcomes = [_outcome(run, docs_dir) for run in result.run_results.values()]
    make_offline(docs_dir, outcomes)
    return outcomes


def _query(table: str, since_load_id: int) -> str:
    derived = DERIVED_COLUMNS.get(table)
    columns = f"*, {derived}" if derived else "*"
    return f"select {columns} from {table} where load_id > {int(since_load_id)}"


def _expectation(gx: Any, entry: Mapping[str, dict[str, Any]]) -> Any:
    ((name, arguments),) = entry.items()
    class_name = "".join(part.capitalize() for part in name.split("_"))
    return getattr(gx.expectations, class_name)(**arguments)


def _outcome(run: Any, docs_dir: Path) -> LandedCheck:
    failures = tuple(_sentence(item) for item in run.results if not item.success)
    pages = sorted((docs_dir / "validations").rglob(f"*warehouse-{run.suite_name}.html"))
    return LandedCheck(
        table=run.suite_name,
        success=bool(run.success),
        expectations=len(run.results),
        failures=failures,
        page=(pages[-1] if pages else docs_dir / "index.html"),
    )


def _sentence(item: Any) -> str:
    """What one failed expectation means, for the person who must look at the rows."""
    config = item.expectation_config
    arguments = {k: v for k, v in config.kwargs.items() if k != "batch_id"}
    if "unexpected_count" not in item.result:
        return f"{config.type} {arguments} could not be evaluated: {str(item.exception_info)[:300]}"
    count = item.result["unexpected_count"]
    return f"{config.type} {arguments}: {count} rows do not fit"


def _site_config(docs_dir: Path) -> Any:
    return {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "store_backend": {
            "class_name": "TupleFilesystemStoreBackend",
            "base_directory": str(docs_dir),
        },
    }


def _sqlalchemy_url(url: str) -> str:
    scheme, rest = url.split("://", 1)
    return f"postgresql+psycopg2://{rest}" if scheme.startswith("postgres") else url
