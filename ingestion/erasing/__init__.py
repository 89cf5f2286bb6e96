"""Erasing people: from what is stored, and at the door from whatever comes again.

Belongs here: the ledger of erasures, what becomes of a record that names somebody in it, the search that proves it.
Does not belong here: building models, the lake's files (`ingestion.lake`), the order of an erasure (`app.erasing`).
"""
