"""Changes to current state and slowly changing history (SCD type 2), table by table.

Belongs here: the tables, which changes are late-arriving, the versions that follow in SQL; in `fast`,
the same for changes that are all on time, in columns. Does not belong here: decoding (`decode`).
"""
