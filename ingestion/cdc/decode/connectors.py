"""Debezium's connectors: which of them are read, and what is said of those that are not.

Belongs here: telling a record's connector. Does not belong here: the position each of them states
(`position`), the schema a bare table name stands for (`table_names`).
"""

import re
from collections.abc import Mapping
from typing import Any

from ingestion.values.outcomes import Rejected

# Each with a field of `source` that no other has, for records that do not name their connector.
READ: Mapping[str, str] = {
    "postgresql": "lsn",
    "mysql": "file",
    "mariadb": "",
    "sqlserver": "event_serial_no",
    "oracle": "scn",
    "db2": "",
    "vitess": "vgtid",
}
WITHOUT_SCHEMAS = frozenset(
    {"mysql", "mariadb", "mongodb", "vitess"}
)  # tables lie right in a database
_MARKS = {mark: connector for connector, mark in READ.items() if mark} | {"ord": "mongodb"}
_SHOWN = re.compile(r"[a-z][a-z0-9_-]{0,39}\Z")


def connector_of(source: Mapping[str, Any]) -> str | None:
    """The connector that a `source` block names, or whose fields it has."""
    named = source.get("connector")
    if isinstance(named, str) and named:
        return named.lower()
    return next((connector for mark, connector in _MARKS.items() if mark in source), None)


def refusal(connector: str | None) -> Rejected | None:
    """Why records in the envelope of a connector are not read; None where they are."""
    if connector is None or connector in READ:
        return None
    if connector == "mongodb":
        return Rejected(
            "mongodb_document",
            "This is a change of a MongoDB document, which travels as a text and, updated, in parts."
            " Send rows: put the transformation ExtractNewDocumentState into the connector (with"
            " capture.mode=change_streams_update_full), see docs/cdc.md.",
        )
    shown = f"the connector {connector!r}" if _SHOWN.match(connector) else "a connector"
    return Rejected(
        "unknown_connector",
        f"The record comes from {shown}, whose envelope is not read: those of {', '.join(READ)}"
        " are. Send flattened rows (ExtractNewRecordState), see docs/cdc.md.",
    )
