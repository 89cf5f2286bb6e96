"""The Parquet lake: a mirror of the stored events, a folder per day and tenant.

Belongs here: its files, their order, days made from memory while they load. Does not belong here: the
tables it mirrors (`storing`), disks and buckets (`tallyhouse.storage`).
"""
