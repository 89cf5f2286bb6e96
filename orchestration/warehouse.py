"""The warehouse as a Dagster resource.

Belongs here: opening settings and database inside a run, the environment that dbt needs, and the
lock that keeps a run of the command line and a run of Dagster apart. Does not belong here: what a
run does with them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

import dagster as dg

from app import run_log
from tallyhouse import dbt
from tallyhouse.database import Warehouse, open_warehouse
from tallyhouse.settings import Settings


class WarehouseResource(dg.ConfigurableResource):
    """Opens the database named by the settings; starts the embedded one when it is not running."""

    @cached_property
    def settings(self) -> Settings:
        """Settings of this process, read once a run."""
        return Settings.from_env()

    @cached_property
    def warehouse(self) -> Warehouse:
        """The opened warehouse, schema and roles prepared, dbt's environment set."""
        from app.preparation import prepare  # imports every package's schema

        warehouse = open_warehouse(self.settings)
        prepare(warehouse)
        os.environ.update(dbt.environment(warehouse))
        return warehouse

    @contextmanager
    def at_work(self, context: dg.AssetExecutionContext) -> Iterator[Warehouse]:
        """Give the warehouse for one step, while no other run works on it."""
        with run_log.only_run(self.warehouse, context.log.info):
            yield self.warehouse
