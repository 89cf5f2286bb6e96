"""Contracts: what each source promises, read from YAML and checked.

Belongs here: the documents and the paths they name. Does not belong here: applying them to records
(`events`, `cdc`, `webhooks`), the YAML itself (the folder `contracts/` of the project).
"""
