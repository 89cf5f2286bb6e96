"""Values and records: what they are as text, as columns, as identities, whatever the source.

Belongs here: instants, JSON, identities, a record's outcome, rows as Arrow columns and as COPY reads
them, values that many rows share. Does not belong here: any source's rules, files, tables.
"""
