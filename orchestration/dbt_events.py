"""dbt's own events as Dagster's: materializations with rows and seconds, check results.

Belongs here: the translation, for steps of Dagster and for runs of the command line. Does not belong
here: where events come from.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage
from psycopg import sql

from orchestration.dbt_project import manifest, translator
from tallyhouse.database import Warehouse

WRITTEN = re.compile(r"(?:SELECT|INSERT 0|INSERT) (\d+)")  # how Postgres says how many rows


def asset_events(
    raw: Mapping[str, Any], warehouse: Warehouse, context: dg.AssetExecutionContext | None = None
) -> Iterator[Any]:
    """Yield what an event of dbt, as a dictionary, says of assets; outside of a step without `context`.

    A node that is younger than this process is built, but shows only when Dagster starts again.
    """
    node_id = raw["data"].get("node_info", {}).get("unique_id")
    if node_id is not None and node_id not in manifest()["nodes"]:
        return
    message = DbtCoreCliEventMessage(raw_event=dict(raw), event_history_metadata={})
    written = WRITTEN.match(str(raw["data"].get("status", "")))
    for event in message.to_default_asset_events(manifest(), translator(), context):
        if isinstance(event, dg.Output | dg.AssetMaterialization):
            figures = {"rows written": int(written[1])} if written else {}
            props = manifest()["nodes"][node_id]
            if props["config"]["materialized"] != "view":
                figures["dagster/row_count"] = _row_count(warehouse, props)
            yield event.with_metadata({**(event.metadata or {}), **figures})
        else:
            yield event


def _row_count(warehouse: Warehouse, props: Mapping[str, Any]) -> int:
    table = sql.Identifier(props["schema"], props["alias"])
    with warehouse.connect() as connection:
        counted = connection.execute(sql.SQL("select count(*) from {}").format(table)).fetchone()
    return int(counted[0]) if counted else 0
