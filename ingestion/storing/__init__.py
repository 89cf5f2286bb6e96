"""Batches of rows into the raw tables, exactly once in effect; the ledger of what was loaded.

Belongs here: partitions, keys, deduplication (rule 40), the ledger. Does not belong here: how rows
came to be, the lake.
"""
