"""The commands `tallyhouse db …`: the warehouse's Postgres.

Belongs here: start, stop, and ways to look inside. Does not belong here: what they start.
"""

import os
import secrets
import sys
from dataclasses import replace

import click

from app.cli_errors import id_of, sentences
from tallyhouse.database import Warehouse
from tallyhouse.errors import TallyhouseError
from tallyhouse.settings import Settings


@click.group()
def db() -> None:
    """The warehouse's Postgres."""


@db.command()
@sentences
def start() -> None:
    """Start the embedded server (or reach the one that the settings name) and prepare it."""
    from app.dagster_home import prepare_instance
    from app.preparation import prepare
    from tallyhouse.database import open_warehouse

    settings = Settings.from_env()
    warehouse = open_warehouse(settings)
    prepare(warehouse)
    prepare_instance(settings, warehouse)
    click.echo(f"The warehouse runs at {warehouse.label}")


@db.command()
@click.argument("folder", required=False, metavar="[DIR]")
@sentences
def landing(folder: str | None) -> None:
    """Show the landing folder of this warehouse, or say that it is DIR from now on.

    A warehouse loads from one folder. Name another when the folder was moved, or when its files
    go on in a new one.
    """
    from app import landing_folder
    from app.preparation import prepare
    from ingestion.landing.listing import open_landing

    warehouse = _running()
    prepare(warehouse)
    settings = warehouse.settings.with_options(landing=folder)
    if folder is not None:
        open_landing(settings.landing)
        landing_folder.name(settings, warehouse, settings.landing)
    with warehouse.connect() as connection:
        click.echo(landing_folder.of_warehouse(connection) or "Nothing was loaded yet.")


@db.command()
@sentences
def stop() -> None:
    """Stop the embedded server."""
    from tallyhouse.database.embedded import EmbeddedServer

    settings = Settings.from_env()
    if settings.database_url:
        raise TallyhouseError(
            "TALLYHOUSE_DATABASE_URL names a server that is not ours to stop. Unset it to stop "
            "the embedded one."
        )
    stopped = EmbeddedServer(settings.home).stop()
    click.echo("Stopped." if stopped else "It was not running.")


@db.command(name="status")
@sentences
def db_status() -> None:
    """Say whether the warehouse runs, and where; exit code 3 when it does not."""
    from tallyhouse.database import find_warehouse

    settings = Settings.from_env()
    warehouse = find_warehouse(settings)
    if warehouse is None:
        click.echo(f"The embedded server of {settings.home} does not run.")
        sys.exit(3)
    with warehouse.connect() as connection:
        row = connection.execute(
            "select split_part(version(), ' ', 2),"
            " pg_size_pretty(pg_database_size(current_database()))"
        ).fetchone()
    version, size = row if row else ("", "")
    click.echo(f"Postgres {version} runs at {warehouse.label} ({size})")


@db.command()
@sentences
def url() -> None:
    """Print the address with its password, for other programs."""
    click.echo(_running().url)


@db.command(context_settings={"ignore_unknown_options": True})
@click.option(
    "--analyst", is_flag=True, help="Read only, and as an analyst of the group: what marts show."
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@sentences
def psql(analyst: bool, arguments: tuple[str, ...]) -> None:
    """Open psql on the warehouse; further ARGUMENTS are psql's own.

    Without --analyst it is the login that builds, which may read and change everything.
    """
    from tallyhouse.database import roles
    from tallyhouse.database.embedded import EmbeddedServer

    warehouse = _running()
    program = str(EmbeddedServer(warehouse.settings.home).program("psql"))
    sys.stdout.flush()
    given = warehouse.libpq_env()
    if analyst:
        as_analyst = f"-c role={roles.ANALYST} -c default_transaction_read_only=on"
        given["PGOPTIONS"] = f"{given.get('PGOPTIONS', '')} {as_analyst}".strip()
    os.execve(program, [program, *arguments], {**os.environ, **given})


@db.command()
@click.argument("name")
@click.option(
    "--tenant", metavar="UUID", help="See this tenant's rows, in all that tenants may see."
)
@click.option("--role", metavar="ROLE", help="Read as this role, e.g. tallyhouse_analyst.")
@click.option("--reader", metavar="UUID", help="See this reader's own rows of the tenant alone.")
@click.option(
    "--contributor", metavar="UUID", help="See this contributor's own rows and projects alone."
)
@click.option("--new-password", is_flag=True, help="Give an existing login another password.")
@sentences
def login(
    name: str, tenant: str | None, role: str | None, reader: str | None, contributor: str | None,
    new_password: bool,
) -> None:  # fmt: skip
    """Make the login NAME for a person or a BI tool; prints its address, password included, once.

    For one tenant (may be repeated for more), there also as one of its roles (--role), as one reader
    (--reader) or one contributor (--contributor); or for a group role of the role matrix. A login that
    exists keeps its password.
    """
    from app.preparation import prepare
    from governance import standing, statements
    from tallyhouse.database import roles

    persons = [given for given in (reader, contributor) if given is not None]
    if tenant is None and (role is None or persons):
        raise TallyhouseError(
            "Say either --tenant or --role; a --reader or --contributor is one of a --tenant."
        )
    if len(persons) + (role is not None) > 1:
        raise TallyhouseError(
            "A --reader or a --contributor has a role; say one of them and no --role."
        )
    warehouse, password = _running(), secrets.token_urlsafe(18)
    prepare(warehouse)
    with warehouse.connect() as connection:
        if tenant is None:
            is_given = roles.join_role(connection, name, role or "", password, renew=new_password)
        elif persons:
            lists = (
                "user_id; core.dim_user" if reader else "contributor_id; projects.dim_contributor"
            )
            of = id_of(tenant, "tenant_id; core.dim_tenant"), id_of(persons[0], lists)
            is_given = roles.bind_reader(
                connection, name, *of, password, renew=new_password,
                role=roles.READER if reader else roles.CONTRIBUTOR,
            )  # fmt: skip
        else:
            tenant_id = id_of(tenant, "tenant_id; core.dim_tenant")
            given = {"role": role} if role else {}
            is_given = roles.bind_login(
                connection, name, tenant_id, password, renew=new_password, **given
            )
        statements.log_logins(connection)
    standing.note(warehouse, ours=True)
    if is_given:
        click.echo(replace(warehouse, parameters=_as(warehouse, name, password)).url)
    else:
        click.echo(f"{name} exists and keeps its password; --new-password gives it another one.")


def _as(warehouse: Warehouse, name: str, password: str) -> dict[str, str]:
    return {**warehouse.parameters, "user": name, "password": password}


def _running() -> Warehouse:
    from tallyhouse.database import find_warehouse

    warehouse = find_warehouse(Settings.from_env())
    if warehouse is None:
        raise TallyhouseError("The warehouse does not run; `tallyhouse db start` starts it.")
    return warehouse
