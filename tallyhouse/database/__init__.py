"""The warehouse's Postgres: the embedded one, or a server named by `TALLYHOUSE_DATABASE_URL`.

Belongs here: starting, reaching, preparing and stopping it. Does not belong here: what is in it.
"""

from tallyhouse.database.warehouse import Warehouse, find_warehouse, open_warehouse

__all__ = ["Warehouse", "find_warehouse", "open_warehouse"]
