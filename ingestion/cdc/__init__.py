"""Change data capture: Debezium's records of a product's database.

Belongs here: decoding, ordering, current state and history of the declared tables. Does not belong
here: reading files, the ledger, the storing of changes (`ingestion`).
"""

from ingestion.cdc.source import CdcSource

__all__ = ["CdcSource"]
