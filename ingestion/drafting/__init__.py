"""Drafts: contracts and staging models written from what a source shows, for a person to edit.

Belongs here: reading a bounded sample of a source (files, or a database's catalogue), guessing types,
keys, tenants and personal data from it, and the text of the contract, each guess said beside it; the
mechanical staging SQL and YAML that follow from a contract. Does not belong here: loading (a draft is
checked by the loader's own parsers, never by a second set of rules), options and exit codes.
"""

RECORDS = 20_000  # read of each file where nobody says otherwise
