"""The commands `tallyhouse tenant …`: what a person knows of a tenant better than its sources.

Belongs here: options, which tenant is meant. Does not belong here: writing it down
(`ingestion.storing.tenant_statements`).
"""

from uuid import UUID

import click

from app.cli_errors import sentences
from tallyhouse.errors import TallyhouseError
from tallyhouse.settings import Settings


@click.group()
def tenant() -> None:
    """What is said of a tenant by hand."""


@tenant.command(name="set")
@click.argument("named", metavar="TENANT")
@click.option("--timezone", metavar="ZONE", help="IANA time zone in which its days are counted.")
@click.option("--label", metavar="NAME", help="What it is called in lists.")
@sentences
def set_tenant(named: str, timezone: str | None, label: str | None) -> None:
    """Say the time zone or the label of TENANT; it counts before what any source says.

    TENANT is a tenant_id as in core.dim_tenant, or PRODUCT/ID with the id that the source gives it.
    The next run rebuilds the days of the tenant.
    """
    from app.preparation import prepare
    from ingestion.storing.tenant_statements import state
    from tallyhouse.database import open_warehouse

    if timezone is None and label is None:
        raise TallyhouseError("Say what is to be set: --timezone, --label, or both.")
    tenant_id = _meant(named)
    warehouse = open_warehouse(Settings.from_env())
    prepare(warehouse)
    with warehouse.connect() as connection:
        zone = state(connection, tenant_id, timezone, label)
    said = [f"the time zone {zone}"] if zone is not None else []
    said += [f"the label {label!r}"] if label is not None else []
    click.echo(f"Tenant {tenant_id} has {' and '.join(said)} from the next run on.")


def _meant(named: str) -> UUID:
    from ingestion.values.identity import entity_uuid

    product, slash, source_id = named.partition("/")
    if slash and product and source_id:
        return entity_uuid(product, "tenant", source_id)
    try:
        return UUID(named)
    except ValueError as error:
        raise TallyhouseError(
            f"{named!r} is no tenant: name a tenant_id, which core.dim_tenant lists, or PRODUCT/ID"
            " with the id that the source gives it."
        ) from error
