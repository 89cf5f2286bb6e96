"""Change data capture: Debezium's records of a product's database.

Belongs here: in `decode`, a record to a stored change; in `scd`, stored changes to current state and
slowly changing history of the declared tables. Does not belong here: reading files, the ledger, the
storing of changes (`landing`, `storing`).
"""
