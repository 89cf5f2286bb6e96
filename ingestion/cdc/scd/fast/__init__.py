"""The fast path of history: on-time changes become versions in columns and are copied where they go.

Belongs here: speed. Does not belong here: late-arriving changes, changes without a position, changes
that leave values out; the SQL in `scd` knows them all.
"""
