"""The commands `tallyhouse audit …`: the log of who asked, who was let in and what was refused.

Belongs here: options, what is said. Does not belong here: the log (`governance.audit_log`) and what is entered in
it.
"""

import click

from app.cli_errors import fail, sentences
from tallyhouse.settings import Settings


@click.group()
def audit() -> None:
    """The log of who read what, who was let in, and what was refused."""


@audit.command()
@sentences
def verify() -> None:
    """Enter what is new, then prove that no entry was changed, dropped or inserted; exit code 1 if one was."""
    from app import pipeline
    from app.preparation import prepare
    from governance import audit_log
    from tallyhouse.database import open_warehouse

    settings = Settings.from_env()
    warehouse = open_warehouse(settings)
    prepare(warehouse)
    for note in pipeline.fill_audit_log(settings, warehouse):
        click.echo(note)
    found = audit_log.verify(warehouse)
    if found.faults:
        fail("\n".join(["The audit log does not hold.", *found.faults]))
    click.echo(f"{found.entries} entries, each as it was entered and in its place.")
