"""The command `tallyhouse retain`: what is past its time goes.

Belongs here: options, what is said. Does not belong here: the clean-up (`retaining`).
"""

import click

from app.cli_errors import sentences
from tallyhouse.progress import Reporter
from tallyhouse.settings import Settings


@click.command()
@click.option(
    "--as-of", metavar="T", help="Instant from whose day is counted back, in place of now."
)
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@sentences
def retain(as_of: str | None, dry_run: bool) -> None:
    """Let go what is past its time: raw events, rows of core.fact_events, refused records, notes of runs.

    The seed retention_rules says how long; each event by its tenant's own day. What is under a legal hold stays. Marts
    keep their history. Dagster does it every night.
    """
    from app import retaining, run_log
    from app.preparation import prepare
    from tallyhouse.database import open_warehouse

    settings, reporter = Settings.from_env().with_options(as_of=as_of), Reporter()
    warehouse = open_warehouse(settings)
    prepare(warehouse)
    with run_log.only_run(warehouse, reporter.say):
        cleanup = retaining.retain(settings, warehouse, reporter, is_dry=dry_run)
    for sentence in cleanup.sentences():
        click.echo(sentence)
