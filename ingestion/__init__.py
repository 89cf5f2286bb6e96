"""Ingestion: landing files to raw tables and lake, exactly once in effect, in any order.

A pure library: it knows files, contracts and a database connection, nothing of Dagster or dbt.
`docs/contracts.md` tells how a source is added without touching code.
"""

from ingestion.arrow_start import start
from ingestion.load import load_all, replay
from ingestion.load_errors import LoadError
from ingestion.report import LoadReport

__all__ = ["LoadError", "LoadReport", "load_all", "replay"]

start()
