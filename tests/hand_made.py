"""A warehouse whose raw rows are written by hand, and dbt on it.

Belongs here: raw rows and building selected models. Does not belong here: expectations.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import md5
from typing import Any
from uuid import UUID

from tallyhouse.database import Warehouse
from tallyhouse.errors import TallyhouseError
from tests.building import run_dbt

# the core models; what of other domains they read is an empty table here (HandMade.stand_in)
CORE = (
    "-s",
    "path:models/staging/events",
    "path:models/staging/upcoach",
    "path:models/staging/rentguy",
    "path:models/staging/rostracore",
    "stg_ops__tenant_statements",
    "path:models/staging/samia_tarot",
    "stg_projectflo__organizations",
    "path:models/intermediate/core",
    "dim_tenant",
    "dim_user",
    "fact_events",
)


def uuid_of(text: str) -> UUID:
    """A UUID that is the same in every run."""
    return UUID(md5(text.encode(), usedforsecurity=False).hexdigest())


@dataclass
class HandMade:
    """A warehouse whose raw rows are written by hand, one load after the other."""

    warehouse: Warehouse
    load_id: int = 0
    partitions: set[str] = field(default_factory=set)

    def stand_in(self) -> None:
        """The seed and the table of another domain that the core models read, without rows."""
        with self.warehouse.connect() as connection:
            connection.execute("create schema if not exists reference")
            connection.execute(
                "create table reference.products (product text, product_title text, business text)"
            )
            connection.execute("create schema if not exists intermediate")
            connection.execute(
                "create table intermediate.int_revenue__tenants "
                "(product text, tenant_id uuid, first_seen_at timestamptz)"
            )

    def load(self, *events: dict[str, Any], gone: Iterable[dict[str, Any]] = ()) -> None:
        """One load that stores the events and takes back those that are gone."""
        self.load_id += 1
        with self.warehouse.connect() as connection:
            connection.execute(
                "insert into ops.load_manifest (load_id, source_kind, source_name, file_path, "
                "content_hash, size_bytes) values (%s, 'events', 'upcoach', %s, %s, 0)",
                [self.load_id, f"events/{self.load_id}", str(self.load_id)],
            )
            for event in events:
                self._store(connection, event)
            for event in gone:
                connection.execute(
                    "delete from raw_events.events where event_id = %s", [uuid_of(event["id"])]
                )
                self._touch(connection, event)

    def _store(self, connection: Any, event: dict[str, Any]) -> None:
        occurred_at = datetime.fromisoformat(event["at"])
        day = occurred_at.date().isoformat()
        if day not in self.partitions:
            name = f"raw_events.events_{day.replace('-', '')}"
            connection.execute(
                f"create table if not exists {name} partition of raw_events.events "
                f"for values from ('{day}') to ('{day}'::date + 1)"
            )
            self.partitions.add(day)
        user = event.get("user")
        connection.execute(
            "insert into raw_events.events (event_date, product, source, source_event_id, "
            "event_id, tenant_id, tenant_source_id, user_id, user_source_id, anonymous_id, "
            "session_id, event_name, occurred_at, is_time_corrected, received_at, schema_version, "
            "properties, content_hash, load_id) values (%s, 'upcoach', 'test', %s, %s, %s, %s, %s, "
            "%s, %s, %s, %s, %s, false, %s, 1, '{}', '', %s)",
            [
                day,
                event["id"],
                uuid_of(event["id"]),
                uuid_of(event["tenant"]),
                event["tenant"],
                uuid_of(user) if user else None,
                user,
                event.get("visitor"),
                event.get("session"),
                event.get("name", "app_opened"),
                occurred_at,
                occurred_at,
                self.load_id,
            ],
        )
        self._touch(connection, event)

    def _touch(self, connection: Any, event: dict[str, Any]) -> None:
        connection.execute(
            "insert into ops.load_touched (load_id, source_kind, product, entity_type, tenant_id, "
            "touched_on) values (%s, 'events', 'upcoach', 'tenant_day', %s, %s)",
            [self.load_id, uuid_of(event["tenant"]), event["at"][:10]],
        )

    def organization(self, tenant: str, timezone: str) -> None:
        """The current state of a tenant in its product's own database."""
        with self.warehouse.connect() as connection:
            connection.execute(
                "insert into raw_cdc.upcoach__organizations (id, timezone, currency, created_at, "
                "_key, _tenant_id, _valid_from, _committed_at, _received_at, _load_id) "
                "values (%(id)s, %(zone)s, 'ZAR', %(at)s, %(id)s, %(id)s, %(at)s, %(at)s, %(at)s, "
                "0)",
                {"id": uuid_of(tenant), "zone": timezone, "at": "2026-01-01T00:00+00:00"},
            )

    def build(self, *args: str) -> None:
        """Run dbt on what the arguments select."""
        outcome = run_dbt(self.warehouse, "run", *args)
        if not outcome.success:
            raise TallyhouseError("; ".join(outcome.failures))

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """The rows of a query, as the builder sees them."""
        with self.warehouse.connect() as connection:
            return connection.execute(query, parameters).fetchall()

    def contents(self, *tables: str) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of the tables, in an order of their own."""
        return {
            table: self.rows(f"select t::text from {table} as t order by 1") for table in tables
        }
