"""An empty database becomes a warehouse: raw schemas, the log of runs, the ML tables, the roles.

Belongs here: the order of the steps and the lock around them. Does not belong here: the DDL of a
package's tables; each package keeps its own and applies it when asked.
"""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from tallyhouse.database import roles

if TYPE_CHECKING:
    from tallyhouse.database.warehouse import Warehouse

LOCK_KEY = 7_220_001  # any constant; it only keeps two preparations apart
STEPS = ("ingestion.schema", "tallyhouse.ops_schema", "ml.schema")
ROLE_MATRIX = Path("seeds/governance/role_matrix.csv")


def prepare(warehouse: "Warehouse") -> None:
    """Apply every package's tables, then the roles; one preparation at a time, all or nothing."""
    with warehouse.connect() as connection:
        connection.execute("select pg_advisory_xact_lock(%s)", [LOCK_KEY])
        for name in STEPS:
            _apply(name, connection)
        matrix = warehouse.settings.root / ROLE_MATRIX
        if matrix.exists():
            roles.apply(connection, matrix)


def _apply(name: str, connection: psycopg.Connection[Any]) -> None:
    if find_spec(name) is not None:
        import_module(name).apply(connection)
