"""An empty database becomes a warehouse: raw schemas, the log of runs, the ML tables, the roles, the audit log.

Belongs here: the order of the steps and the lock around them. Does not belong here: the DDL of a
package's tables; each package keeps its own and applies it when asked.
"""

from pathlib import Path

import ingestion.schema
import ml.schema
from governance import audit_log, standing, statements
from tallyhouse import ops_schema
from tallyhouse.database import Warehouse, roles

LOCK_KEY = 7_220_001  # any constant; it only keeps two preparations apart
ROLE_MATRIX = Path("seeds/governance/role_matrix.csv")


def prepare(warehouse: Warehouse) -> None:
    """Bring a database to the shape that loading and dbt expect: every package's tables, the roles,
    then who is audited. One preparation at a time, all or nothing; harmless to repeat. The logins of the
    server are set after it, each for itself."""
    matrix = warehouse.settings.root / ROLE_MATRIX
    with warehouse.connect(autocommit=True) as connection:
        with connection.transaction():
            connection.execute("select pg_advisory_xact_lock(%s)", [LOCK_KEY])
            ingestion.schema.apply(connection)
            ops_schema.apply(connection)
            ml.schema.apply(connection)
            if matrix.exists():
                roles.apply(connection, matrix)
                audit_log.apply(connection)
                standing.apply(connection)
                statements.apply(connection)
                roles.secure(connection, "governance", audit_log.PUBLISHED)
        if matrix.exists():
            statements.log_logins(connection)
