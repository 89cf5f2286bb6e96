"""The DDL of the ``ml`` schema, applied idempotently. Nothing but that."""

from __future__ import annotations

from pathlib import Path

import psycopg

DDL = Path(__file__).with_name("schema.sql")


def apply(connection: psycopg.Connection) -> None:
    """Create what is missing in ``ml``; changes nothing that is there. The caller commits."""
    connection.execute(DDL.read_bytes())
