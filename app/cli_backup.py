"""The commands `tallyhouse backup` and `tallyhouse restore`.

Belongs here: arguments, what is said in the end. Does not belong here: what a backup is (`backup`).
"""

from pathlib import Path

import click

from app.cli_errors import sentences
from tallyhouse.progress import Reporter
from tallyhouse.settings import Settings

FOLDER = click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")


@click.command(name="backup")
@FOLDER
@sentences
def back_up(folder: Path) -> None:
    """Write all of the warehouse but its keys into the new folder DIR, and prove it by restoring it.

    Database, logins, lake and models. Landing files are not in it. Runs wait until it is done.
    """
    from app import backup, run_log
    from app.preparation import prepare
    from governance.audit_log import enter
    from ingestion.erasing import outside
    from tallyhouse.database import open_warehouse

    settings, reporter = Settings.from_env(), Reporter()
    warehouse = open_warehouse(settings)
    prepare(warehouse)
    with run_log.only_run(warehouse, reporter.say), reporter.step("Backing up") as step:
        made = backup.back_up(warehouse, folder.absolute(), step)
    enter(warehouse, "backup", str(folder.absolute()))
    click.echo(
        f"{len(made.relations)} tables with {made.rows:,} rows and {len(made.files)} files are in {folder}; it was"
        " restored beside the warehouse, and every table is the same."
    )
    ledger = settings.home / outside.NAME
    if ledger.exists():
        click.echo(
            f"So that nobody who is erased comes back with it, keep the newest {ledger}, too."
        )
    keys = [settings.pii_key_file.with_name(name) for name in backup.KEYS]
    held = [settings.pii_key_file, *(key for key in keys[1:] if key.exists())]
    click.echo(
        f"Keep copies of the keys elsewhere; they are not in it: {', '.join(map(str, held))}"
    )


@click.command()
@FOLDER
@click.option(
    "--erasures",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="erasures.sealed of the home that was lost, where this one has none.",
)
@sentences
def restore(folder: Path, erasures: Path | None) -> None:
    """Bring the backup in DIR back into an empty warehouse: all of it or nothing.

    A new TALLYHOUSE_HOME, with a copy of the keys in it, is an empty warehouse. Who was erased after the backup is
    erased from it again.
    """
    from app import backup, erasing, run_log
    from app.preparation import prepare
    from governance.audit_log import enter
    from tallyhouse.database import open_warehouse

    settings, reporter = Settings.from_env(), Reporter()
    warehouse = open_warehouse(settings)
    with reporter.step("Restoring") as step:
        made, again = backup.restore(warehouse, folder.absolute(), step, erasures)
    prepare(warehouse)
    enter(warehouse, "restore", str(folder.absolute()))
    if again:
        click.echo(f"{again} people were erased since; they are erased again.")
        with run_log.only_run(warehouse, reporter.say):
            for sentence in erasing.erase(settings, warehouse, reporter).sentences():
                click.echo(sentence)
    click.echo(
        f"The warehouse is what it was on {made.made_at}: {len(made.relations)} tables with {made.rows:,} rows, each"
        " as it was copied. `tallyhouse run` loads what has landed since."
    )
    click.echo(
        "What had gone by its retention since then goes again with the next `tallyhouse retain`. A legal hold that was"
        " placed since is to be placed again before (`tallyhouse hold list` shows those that stand)."
    )
