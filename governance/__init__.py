"""Proof of what was done with the data: who asked, who was let in, what was taken away.

Belongs here: the audit log and what is entered in it. Does not belong here: who may see which rows
(`tallyhouse.database.roles`), what is personal in a record (`ingestion.privacy`).
"""
