"""One record of a database's stream to one stored change.

Belongs here: envelopes, positions in the stream, types, a table's columns; in `fast`, many plain
records at once. Does not belong here: what follows from changes (`scd`).
"""
