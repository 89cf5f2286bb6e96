"""Applies the DDL of the raw and ops schemas.

Belongs here: bringing a database to the tables the loader expects, again and again without harm.
Does not belong here: the tables themselves (`ddl/`, the contracts of
`cdc`), roles, marts.
"""

from pathlib import Path

import psycopg

from ingestion.cdc.contract import cdc_contracts
from ingestion.cdc.scd.tables import create_all
from ingestion.contracts.model import load_contracts
from tallyhouse.settings import Settings

DDL = Path(__file__).with_name("ddl")
FILES = (
    "schema.sql", "webhooks.sql", "cdc.sql", "erasure.sql", "consent.sql", "retention.sql", "indexes.sql",
    "upgrades.sql",
)  # fmt: skip

# Two processes applying DDL at the same moment would trip over each other's catalogue rows.
_LOCK = 7_215_001


def apply(conn: psycopg.Connection) -> None:
    """Create what is missing, in one transaction; committed unless the caller has one open."""
    with conn.transaction():
        conn.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
        conn.execute("set local client_min_messages = warning")
        for name in FILES:
            conn.execute((DDL / name).read_bytes())
        settings = Settings.from_env()
        contracts = load_contracts([settings.root / "contracts", *settings.contracts])
        create_all(conn, cdc_contracts(contracts).values())
