"""Ingestion: landing files to raw tables and lake, exactly once in effect, in any order.

A pure library: it knows files, contracts and a database connection, nothing of Dagster or dbt. The
way in is `ingestion.load`, which is not imported here: processes that only parse need no database.
`docs/contracts.md` tells how a source is added without touching code.
"""

from ingestion.arrow_start import start

start()
