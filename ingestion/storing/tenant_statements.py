"""What is said of tenants beside the staging models of their product: ops.tenant_statements.

Belongs here: writing down what a person, a database or a contract states. Does not belong here: whose
word counts (`int_core__stated_timezones`, `dim_tenant`), which of a database's tables says it
(`cdc.tenants`).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from uuid import UUID

import psycopg
from psycopg import sql

from ingestion.contracts.model import EventContract
from ingestion.privacy.scrub import without_values
from ingestion.values.zones import find_zone
from tallyhouse.errors import TallyhouseError

ALL_TENANTS = UUID(int=0)  # of a product


class NotAZone(TallyhouseError):
    """A time zone that nobody knows."""


def state(
    conn: psycopg.Connection, tenant_id: UUID, timezone: str | None, label: str | None
) -> str | None:
    """Write down what a person says of a tenant; what is None stays as it was said before. Gives the
    zone's IANA name; raises NotAZone."""
    zone = find_zone(timezone) if timezone is not None else None
    if timezone is not None and zone is None:
        raise NotAZone(
            f"{timezone!r} is no IANA time zone, so nothing was changed. Name one such as"
            " Europe/Amsterdam or America/New_York."
        )
    conn.execute(
        "insert into ops.tenant_statements as held (origin, product, tenant_id, timezone, tenant_label)"
        " values ('person', '', %s, %s, %s) on conflict (origin, product, tenant_id) do update set"
        " timezone = coalesce(excluded.timezone, held.timezone),"
        " tenant_label = coalesce(excluded.tenant_label, held.tenant_label), stated_at = default",
        (tenant_id, zone.key if zone is not None else None, label),
    )
    return zone.key if zone is not None else None


def publish_contract_zones(
    conn: psycopg.Connection, contracts: Iterable[EventContract]
) -> list[str]:
    """Write down the time zone that the contracts of each product's events state; sentences about
    products whose contracts state several, which say nothing of their tenants."""
    stated: dict[str, set[str]] = defaultdict(set)
    for contract in contracts:
        if "timezone" in contract.model_fields_set:
            stated[contract.product].add(contract.timezone)
    zones = {product: min(found) for product, found in stated.items() if len(found) == 1}
    _replace(conn, "contract", sql.SQL(
        "select product, cast(%(nil)s as uuid) as tenant_id, timezone"
        " from unnest(%(products)s::text[], %(zones)s::text[]) as stated (product, timezone)"
    ), {"nil": ALL_TENANTS, "products": [*zones], "zones": [*zones.values()]}, None)  # fmt: skip
    return [
        f"The contracts of {product!r} state several time zones ({', '.join(sorted(found))}), so none"
        " is taken for its tenants: say theirs with `tallyhouse tenant set`."
        for product, found in sorted(stated.items())
        if len(found) > 1
    ]


def publish_database_zones(
    conn: psycopg.Connection, product: str, table: sql.Identifier, tenant: str, zone: str
) -> None:
    """Write down the time zones of the table of tenants of a product's database."""
    _replace(conn, "database", sql.SQL(
        "select %(product)s as product, {tenant} as tenant_id, min({zone}) as timezone from {table}"
        " where {tenant} is not null and {zone} is not null group by {tenant}"
    ).format(tenant=sql.Identifier(tenant), zone=sql.Identifier(zone), table=table),
        {"product": product}, product)  # fmt: skip


def unknown_zones(conn: psycopg.Connection) -> list[str]:
    """Sentences about tenants whose database states a zone that nobody knows, and for whom no person says another."""
    stated = conn.execute(
        "select product, tenant_id, timezone from ops.tenant_statements as stated"
        " where origin = 'database' and btrim(timezone) <> '' and not exists ("
        "select from ops.tenant_statements as said where said.origin = 'person'"
        " and said.tenant_id = stated.tenant_id and said.timezone is not null)"
        " order by product, tenant_id"
    ).fetchall()
    return [
        f"The database of {product!r} states the time zone {without_values(zone)!r} of the tenant {tenant_id}, which"
        " is no IANA zone: the tenant's days are counted in UTC. Say its"
        f" zone with `tallyhouse tenant set {tenant_id} --timezone …`."
        for product, tenant_id, zone in stated
        if find_zone(zone) is None
    ]


def _replace(
    conn: psycopg.Connection, origin: str, wanted: sql.Composable, values: Mapping[str, object],
    product: str | None,
) -> None:  # fmt: skip
    """Bring an origin's statements, perhaps of one product alone, to those wanted."""
    names = {"origin": origin, "of": product, **values}
    with conn.transaction():
        conn.execute(
            sql.SQL(
                "delete from ops.tenant_statements as held where origin = %(origin)s"
                " and (%(of)s::text is null or product = %(of)s) and not exists ("
                "select from ({wanted}) as wanted where wanted.product = held.product"
                " and wanted.tenant_id = held.tenant_id)"
            ).format(wanted=wanted),
            names,
        )
        conn.execute(
            sql.SQL(
                "insert into ops.tenant_statements as held (origin, product, tenant_id, timezone)"
                " select %(origin)s, product, tenant_id, timezone from ({wanted}) as wanted"
                " on conflict (origin, product, tenant_id) do update set"
                " timezone = excluded.timezone, stated_at = default"
                " where held.timezone is distinct from excluded.timezone"
            ).format(wanted=wanted),
            names,
        )
