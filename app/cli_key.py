"""The commands `tallyhouse key …`: the master key of personal data.

Belongs here: options, what is said of the key. Does not belong here: its file (`tallyhouse.key_file`), reading
everything again under a new one (`ingestion.load`).
"""

import sys

import click

from app.cli_errors import fail, sentences
from tallyhouse import key_file
from tallyhouse.progress import Reporter
from tallyhouse.settings import Settings


@click.group()
def key() -> None:
    """The master key of personal data."""


@key.command(name="status")
@sentences
def key_status() -> None:
    """Say where the key lies, and whether it is the one the warehouse was loaded with; exit code 3 if not."""
    from app.preparation import prepare
    from ingestion.storing.master_key import known_fingerprint
    from tallyhouse.database import find_warehouse

    settings = Settings.from_env()
    try:
        held = key_file.fingerprint(key_file.read(settings.pii_key_file))
        click.echo(f"{settings.pii_key_file} holds a key with the fingerprint {held}.")
    except FileNotFoundError:
        held = None
        click.echo(f"There is no key at {settings.pii_key_file}.")
    warehouse = find_warehouse(settings)
    if warehouse is None:
        fail("The warehouse does not run, so that nobody knows which key it was loaded with.")
    prepare(warehouse)
    with warehouse.connect() as connection:
        known = known_fingerprint(connection)
    if known is None:
        click.echo(
            "The warehouse has not been loaded yet; its first load takes the key that is there."
        )
        return
    click.echo(f"The warehouse was loaded with the key whose fingerprint is {known}.")
    if held != known:
        sys.exit(3)


@key.command()
@click.option("--lost", is_flag=True, help="The former key is lost or changed; do without it.")
@click.option(
    "--leave-gone", is_flag=True, help="Leave what cannot be read again under the former key."
)
@click.option(
    "--forget-erased", is_flag=True, help="Erased people are gone from the landed files too."
)
@sentences
def rotate(lost: bool, leave_gone: bool, forget_erased: bool) -> None:
    """Make a new key and read all landed files again under it.

    One transaction: whatever ends it early leaves the former key with the former tokens. The next build
    brings the marts up to the new ones. The former key stays beside the new one, for backups.
    """
    from app import landing_folder, pipeline, run_log
    from app.preparation import prepare
    from tallyhouse.database import open_warehouse

    settings, reporter = Settings.from_env(), Reporter()
    warehouse = open_warehouse(settings)
    prepare(warehouse)
    with run_log.only_run(warehouse, reporter.say):
        landing_folder.claim(settings, warehouse)
        with reporter.step("Reading again under a new key") as step:
            report = pipeline.rotate_key(
                settings,
                warehouse,
                step,
                is_lost=lost,
                leaves_gone=leave_gone,
                forgets_erased=forget_erased,
            )
    for sentence in report.sentences():
        click.echo(sentence)
    if report.failures:
        fail("The key is a new one; not everything was read under it (see above).")
