"""dbt's own events as Dagster's: materializations with rows, seconds and the origin of columns, check results.

Belongs here: the translation, for steps of Dagster and for runs of the command line. Does not belong
here: where events come from.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage
from psycopg import sql

from orchestration.column_lineage import Columns, origins
from orchestration.dbt_project import manifest, relation_name, translator
from tallyhouse import dbt
from tallyhouse.database import Warehouse

WRITTEN = re.compile(r"(?:SELECT|INSERT 0|INSERT) (\d+)")  # how Postgres says how many rows


def asset_events(
    raw: Mapping[str, Any],
    warehouse: Warehouse,
    context: dg.AssetExecutionContext | None = None,
    target: Path | None = None,
) -> Iterator[Any]:
    """Yield what an event of dbt, as a dictionary, says of assets; outside of a step without `context`.

    `target` is where that run of dbt wrote, if not where it always does. Of unit tests, and of nodes that
    this process does not know (`is_known`), there is nothing to say.
    """
    node_id = raw["data"].get("node_info", {}).get("unique_id")
    if node_id is not None and node_id not in manifest()["nodes"]:
        return
    message = DbtCoreCliEventMessage(raw_event=dict(raw), event_history_metadata={})
    written = WRITTEN.match(str(raw["data"].get("status", "")))
    for event in message.to_default_asset_events(manifest(), translator(), context):
        if isinstance(event, dg.Output | dg.AssetMaterialization):
            figures = {"rows written": int(written[1])} if written else {}
            wrote_in = target or dbt.target(warehouse.settings)
            known = _known_of(warehouse, manifest()["nodes"][node_id], wrote_in)
            yield event.with_metadata({**(event.metadata or {}), **figures, **known})
        else:
            yield event


def is_known(raw: Mapping[str, Any]) -> bool:
    """Whether an event is of a node that was there when this process began, or of none."""
    node_id = raw["data"].get("node_info", {}).get("unique_id")
    return node_id is None or any(node_id in manifest()[kind] for kind in ("nodes", "unit_tests"))


def _known_of(warehouse: Warehouse, props: Mapping[str, Any], target: Path) -> dict[str, Any]:
    """How many rows a built table has, if it is there, and of which columns its columns are made."""
    with warehouse.connect() as connection:
        known: dict[str, Any] = {}
        if props["config"]["materialized"] != "view":
            table = sql.Identifier(props["schema"], props["alias"])
            there = connection.execute("select to_regclass(%s)", [table.as_string(connection)])
            if there.fetchone() != (None,):  # else dropped or moved since
                query = sql.SQL("select count(*) from {}").format(table)
                counted = connection.execute(query).fetchone()
                known["dagster/row_count"] = int(counted[0]) if counted else 0
        if props["resource_type"] == "model":
            known |= _lineage_of(connection, props, target)
    return known


def _lineage_of(
    connection: psycopg.Connection[Any], props: Mapping[str, Any], target: Path
) -> dict[str, dg.TableColumnLineage]:
    compiled = target / "compiled" / props["package_name"] / props["original_file_path"]
    if not compiled.exists():
        return {}
    parents = _parents(props)
    found = origins(compiled.read_text("utf-8"), _columns(connection, list(parents)))
    if not found:
        return {}
    return {
        "dagster/column_lineage": dg.TableColumnLineage(
            {
                column: [
                    dg.TableColumnDep(asset_key=parents[origin[:2]], column_name=origin.column)
                    for origin in sorted(made_of)
                    if origin[:2] in parents
                ]
                for column, made_of in found.items()
            }
        )
    }


def _parents(props: Mapping[str, Any]) -> dict[tuple[str, str], dg.AssetKey]:
    """The assets that a node reads, by schema and name in the database."""
    nodes, sources = manifest()["nodes"], manifest()["sources"]
    read = [nodes.get(key) or sources[key] for key in props["depends_on"]["nodes"]]
    return {
        (node["schema"], relation_name(node)): translator().get_asset_key(node) for node in read
    }


def _columns(connection: psycopg.Connection[Any], tables: list[tuple[str, str]]) -> Columns:
    """What the tables consist of, as the database has it now."""
    columns: dict[str, dict[str, dict[str, str]]] = {}
    rows = connection.execute(
        """
        select namespaces.nspname, relations.relname, attributes.attname,
            format_type(attributes.atttypid, attributes.atttypmod)
        from unnest(%s::text[], %s::text[]) as wanted (schema_name, table_name)
        join pg_namespace as namespaces on namespaces.nspname = wanted.schema_name
        join pg_class as relations
            on relations.relnamespace = namespaces.oid and relations.relname = wanted.table_name
        join pg_attribute as attributes on attributes.attrelid = relations.oid
        where attributes.attnum > 0 and not attributes.attisdropped
        order by attributes.attnum
        """,
        ([schema for schema, _ in tables], [table for _, table in tables]),
    )
    for schema, table, column, kind in rows:
        columns.setdefault(schema, {}).setdefault(table, {})[column] = kind
    return columns
