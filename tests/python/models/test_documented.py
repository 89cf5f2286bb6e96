"""Every table that models read or make says what a row of it is, and what a row is known by.

Belongs here: rules of the project as a whole, asked of dbt's manifest. Does not belong here: what single models
promise (their YAML), names and layers (`app.checks`).
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pytest

from orchestration.dbt_project import manifest

# Models whose rows have no key that a test could ask for, and why.
WITHOUT_A_KEY = {
    "stg_events__events": "the loader's own index keeps the table's key, over all partitions",
    "stg_ops__changes": "a log of arrivals; a row may change twice in one transaction",
    "stg_ops__rejections": "a log; a record may be refused for two reasons",
    "int_projects__amounts": "amounts to be added up; two of a day may be the same",
    "int_projects__operational_values": "measures to be averaged; two of a month may be the same",
}
# Sources that macros name in conditions of their own, as the loader's notes.
READ_BY_MACROS = {
    "load_touched", "source_watermarks", "source_reconciliation", "event_schema_versions",
}  # fmt: skip


@pytest.fixture(scope="module")
def parsed() -> Mapping[str, Any]:
    return manifest()


def test_every_table_of_a_source_says_what_a_row_is(parsed: Mapping[str, Any]) -> None:
    silent = [
        f"{one['source_name']}.{one['name']}"
        for one in parsed["sources"].values()
        if not one["description"].strip()
    ]
    assert silent == []


def test_every_table_of_a_source_is_read(parsed: Mapping[str, Any]) -> None:
    read = {
        parent
        for node in (*parsed["nodes"].values(), *parsed["exposures"].values())
        for parent in node.get("depends_on", {}).get("nodes", [])
    }
    unread = {one["name"] for key, one in parsed["sources"].items() if key not in read}
    assert unread == READ_BY_MACROS


def test_every_model_has_a_key_that_is_asked_for(parsed: Mapping[str, Any]) -> None:
    """A primary key, a unique combination of columns, or a column that is unique and never null."""
    nodes = parsed["nodes"].values()
    asked: defaultdict[str, set[tuple[str, str | None]]] = defaultdict(set)
    for node in nodes:
        if node["resource_type"] == "test" and node.get("test_metadata"):
            asked[node["attached_node"]].add((node["test_metadata"]["name"], node["column_name"]))
    keyless = set()
    for node in nodes:
        if node["resource_type"] not in ("model", "snapshot"):
            continue
        tests = asked[node["unique_id"]]
        kinds = {kind for kind, _ in tests} | {one["type"] for one in node.get("constraints", [])}
        unique = {column for kind, column in tests if kind == "unique"}
        known = {column for kind, column in tests if kind == "not_null"}
        if not (kinds & {"primary_key", "unique_combination_of_columns"} or unique & known):
            keyless.add(node["name"])
    assert keyless == set(WITHOUT_A_KEY)
