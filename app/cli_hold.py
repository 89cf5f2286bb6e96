"""The commands `tallyhouse hold …`: what stays whatever its age.

Belongs here: options, what is said, the entry in the audit log. Does not belong here: holds (`ingestion.retention`).
"""

import getpass
from datetime import UTC, date, datetime
from uuid import UUID

import click

from app.cli_errors import sentences
from tallyhouse.database import Warehouse
from tallyhouse.errors import TallyhouseError
from tallyhouse.settings import Settings


@click.group()
def hold() -> None:
    """Legal holds: records that stay whatever their age."""


@hold.command()
@click.option("--product", default="*", show_default=True, metavar="NAME", help="Whose records.")
@click.option("--tenant", metavar="ID", help="tenant_id; without it those of all tenants.")
@click.option("--dataset", default="*", show_default=True, help="raw_events, job_runs or *.")
@click.option(
    "--from", "first", metavar="DAY", help="First day held; without it from the beginning."
)
@click.option("--to", "last", metavar="DAY", help="Last day held; without it whatever comes.")
@click.option("--reason", required=True, metavar="TEXT", help="The case that it is for.")
@sentences
def place(
    product: str, tenant: str | None, dataset: str, first: str | None, last: str | None, reason: str
) -> None:
    """Hold records from now on. Nothing of them goes until the hold is lifted."""
    from ingestion.retention import holds

    if dataset not in holds.DATASETS:
        raise TallyhouseError(f"--dataset {dataset} is none of {', '.join(holds.DATASETS)}.")
    warehouse, by = _open(), getpass.getuser()
    with warehouse.connect() as conn:
        known = {
            name
            for (name,) in conn.execute("select distinct product from ops.load_touched").fetchall()
        }
        if product != holds.ANY and product not in known:
            raise TallyhouseError(
                f"Nothing of a product {product!r} was loaded, so nothing was held. Known: {', '.join(sorted(known))}."
            )
        whose = _uuid(tenant)
        is_known = conn.execute(
            "select exists (select from ops.load_touched where tenant_id = %s)", (whose,)
        ).fetchone()
        if whose and is_known != (True,):
            raise TallyhouseError(
                f"Nothing of a tenant {whose} was loaded, so nothing was held. core.dim_tenant has the ids."
            )
        made = holds.place(
            conn, product=product, tenant_id=whose, dataset=dataset, first_day=_day(first), last_day=_day(last),
            reason=reason, by=by,
        )  # fmt: skip
    _enter(warehouse, "hold", made.hold_id, by)
    click.echo(made.sentence)


@hold.command()
@click.argument("number", type=int)
@sentences
def lift(number: int) -> None:
    """End the hold NUMBER: the next clean-up lets go what is past its time."""
    from ingestion.retention import holds

    warehouse, by = _open(), getpass.getuser()
    with warehouse.connect() as conn:
        lifted = holds.lift(conn, number, by)
    _enter(warehouse, "lift hold", number, by)
    click.echo(lifted.sentence)


@hold.command(name="list")
@click.option("--all", "lifted_too", is_flag=True, help="Lifted ones too.")
@sentences
def list_holds(lifted_too: bool) -> None:
    """Show the holds that stand."""
    from ingestion.retention import holds

    with _open().connect() as conn:
        found = holds.standing(conn, lifted_too=lifted_too)
    for made in found:
        click.echo(made.sentence)
    if not found:
        click.echo("No hold stands.")


def _open() -> Warehouse:
    from app.preparation import prepare
    from tallyhouse.database import open_warehouse

    warehouse = open_warehouse(Settings.from_env())
    prepare(warehouse)
    return warehouse


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError as error:
        raise TallyhouseError(
            f"--tenant {text} is no tenant_id as core.dim_tenant has it."
        ) from error


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise TallyhouseError(f"{text} is no day; write it as 2026-03-01.") from error


def _enter(warehouse: Warehouse, action: str, number: int, by: str) -> None:
    from governance.audit_log import Act, record

    now = datetime.now(UTC)
    record(
        warehouse, [Act(f"{action} {number} {now.isoformat()}", now, by, action, f"hold {number}")]
    )
