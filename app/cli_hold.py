"""The commands `tallyhouse hold …`: what stays whatever its age.

Belongs here: options, what is said, the entry in the audit log. Does not belong here: holds (`ingestion.retention`).
"""

import getpass
from datetime import date

import click

from app.cli_errors import id_of, sentences
from tallyhouse.database import Warehouse
from tallyhouse.errors import TallyhouseError
from tallyhouse.settings import Settings


@click.group()
def hold() -> None:
    """Legal holds: records that stay whatever their age."""


@hold.command()
@click.option("--product", default="*", show_default=True, metavar="NAME", help="Whose records.")
@click.option("--tenant", metavar="ID", help="tenant_id; without it those of all tenants.")
@click.option(
    "--dataset", default="*", show_default=True, help="raw_events, event_facts, job_runs or *."
)
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
    from governance.audit_log import enter
    from ingestion.retention import holds

    if dataset not in holds.DATASETS:
        raise TallyhouseError(f"--dataset {dataset} is none of {', '.join(holds.DATASETS)}.")
    warehouse = _open()
    with warehouse.connect() as conn:
        known = {
            name
            for (name,) in conn.execute("select distinct product from ops.load_touched").fetchall()
        }
        if product != holds.ANY and product not in known:
            raise TallyhouseError(
                f"Nothing of a product {product!r} was loaded, so nothing was held. Known: {', '.join(sorted(known))}."
            )
        whose = id_of(tenant, "tenant_id; core.dim_tenant") if tenant else None
        is_known = conn.execute(
            "select exists (select from ops.load_touched where tenant_id = %s)", (whose,)
        ).fetchone()
        if whose and is_known != (True,):
            raise TallyhouseError(
                f"Nothing of a tenant {whose} was loaded, so nothing was held. core.dim_tenant has the ids."
            )
        made = holds.place(
            conn, product=product, tenant_id=whose, dataset=dataset, first_day=_day(first), last_day=_day(last),
            reason=reason, by=getpass.getuser(),
        )  # fmt: skip
    enter(warehouse, "hold", f"hold {made.hold_id}")
    click.echo(made.sentence)


@hold.command()
@click.argument("number", type=int)
@sentences
def lift(number: int) -> None:
    """End the hold NUMBER: the next clean-up lets go what is past its time."""
    from governance.audit_log import enter
    from ingestion.retention import holds

    warehouse = _open()
    with warehouse.connect() as conn:
        lifted = holds.lift(conn, number, getpass.getuser())
    enter(warehouse, "lift hold", f"hold {number}")
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


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise TallyhouseError(f"{text} is no day; write it as 2026-03-01.") from error
