"""The command `tallyhouse`.

Belongs here: options and exit codes. Does not belong here: work; each command calls one function of
a package.
"""

from collections.abc import Callable
from datetime import date
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import click

from app.cli_audit import audit
from app.cli_backup import back_up, restore
from app.cli_contract import contract
from app.cli_db import db
from app.cli_erase import erase
from app.cli_errors import fail, sentences
from app.cli_fx import fx
from app.cli_hold import hold
from app.cli_key import key
from app.cli_retain import retain
from app.cli_tenant import tenant
from tallyhouse.errors import TallyhouseError
from tallyhouse.progress import Reporter
from tallyhouse.settings import Settings

LANDING = click.option("--landing", metavar="DIR", help="Landing folder (a path or s3://…).")
AS_OF = click.option("--as-of", metavar="T", help="Instant up to which the marts speak.")
FULL_REFRESH = click.option("--full-refresh", is_flag=True, help="Rebuild every table in full.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tallyhouse", prog_name="tallyhouse")
def main() -> None:
    """Tallyhouse: raw events, webhooks and CDC in, numbers people can bet on out."""


@main.command()
@LANDING
@AS_OF
@FULL_REFRESH
@sentences
def run(landing: str | None, as_of: str | None, full_refresh: bool) -> None:
    """Load, build, test, train, predict; with nothing new it only looks.

    The project's own landing folder, while empty, is filled with sample sources first; no other is.
    """
    from app import pipeline, summary
    from tallyhouse.database import open_warehouse

    settings = _settings(landing, as_of)
    reporter = Reporter()
    with reporter.step("Opening the warehouse"):
        warehouse = open_warehouse(settings)
    result = pipeline.run(
        settings, warehouse, reporter, full_refresh=full_refresh, may_sample=landing is None
    )
    summary.show(result.summary, summary.console())
    if result.problems:
        fail("Not everything was read or adds up (see above); everything else is done.")


@main.command()
@LANDING
@sentences
def load(landing: str | None) -> None:
    """Load what is new in the landing folder."""
    from app import pipeline

    _load(landing, pipeline.load)


@main.command()
@LANDING
@sentences
def replay(landing: str | None) -> None:
    """Read files again that had rejected records, or that a changed contract would read otherwise."""
    from app import pipeline

    _load(landing, pipeline.replay)


@main.command()
@click.argument("what", nargs=-1, required=True, metavar="SOURCE|PRODUCT|FILE…")
@click.option("--table", "tables", multiple=True, metavar="T", help="Only files with its changes.")
@LANDING
@sentences
def reload(what: tuple[str, ...], tables: tuple[str, ...], landing: str | None) -> None:
    """Read landed files once more, by today's contracts, and replace what they brought.

    WHAT names a kind of source (cdc, events, revenuecat, stripe), a product, an account or project,
    one of a kind (cdc/upcoach), a file or a folder of the landing folder. All of it happens at
    once or not at all; files that share records with the named ones are read with them.
    """
    from app import pipeline

    _load(landing, partial(pipeline.reload, words=what, tables=tables))


def _load(landing: str | None, how: Callable[..., Any]) -> None:
    from app import landing_folder, pipeline, run_log
    from app.preparation import prepare
    from tallyhouse.database import open_warehouse

    settings, reporter = _settings(landing), Reporter()
    warehouse = open_warehouse(settings)
    prepare(warehouse)
    with run_log.only_run(warehouse, reporter.say):
        landing_folder.claim(settings, warehouse)
        with reporter.step("Loading") as step:
            report = how(settings, warehouse, step)
        amiss = pipeline.reconcile(warehouse, count_rows=False).differences
    for sentence in (*report.sentences(), *amiss):
        click.echo(sentence)
    if report.failures or amiss:
        fail("Not everything was read or adds up (see above); everything else is loaded.")


@main.command()
@AS_OF
@FULL_REFRESH
@click.option("--select", "-s", metavar="NODES", help="Only these, in dbt's selection syntax.")
@click.option("--days", metavar="A..B", help="Rebuild these days, though nothing of them changed.")
@sentences
def build(as_of: str | None, full_refresh: bool, select: str | None, days: str | None) -> None:
    """Build and test the models with dbt.

    With --days, each table that is kept by days builds those of 2026-03-01..2026-03-07 (or of one
    day) anew, and others what depends on them: the same rows, unless somebody changed them by hand.
    """
    from app import building, run_log
    from app.preparation import prepare
    from tallyhouse.database import open_warehouse

    asked = asked_days(days) if days else None
    settings, reporter = _settings(None, as_of), Reporter()
    warehouse = open_warehouse(settings)
    prepare(warehouse)
    with run_log.only_run(warehouse, reporter.say), reporter.step("Building and testing") as step:
        made = building.build(
            settings, warehouse, step, full_refresh=full_refresh, select=select, days=asked
        )
    for warning in (*made.outcome.warnings, *made.outcome.warned):
        click.echo(warning, err=True)
    click.echo(f"{len(made.built)} built, {made.outcome.tests_passed} tests passed.")


@main.command()
@AS_OF
@sentences
def train(as_of: str | None) -> None:
    """Train the models on the features that are built, predict, and build what that feeds."""
    from app import building, learning, run_log
    from app.preparation import prepare
    from tallyhouse.database import open_warehouse

    settings, reporter = _settings(None, as_of), Reporter()
    warehouse = open_warehouse(settings)
    prepare(warehouse)
    with run_log.only_run(warehouse, reporter.say):
        with reporter.step("Training and predicting") as step:
            sentences = learning.train(settings, warehouse, step)
        with reporter.step("Building what the predictions feed") as step:
            building.build(settings, warehouse, step, select=building.PREDICTIONS)
    for sentence in sentences:
        click.echo(sentence)


@main.command()
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to write to.")
@click.option("--days", default=180, show_default=True, type=click.IntRange(min=1))
@click.option("--seed", default=7, show_default=True, type=int)
@click.option(
    "--scale", default=1.0, show_default=True, type=click.FloatRange(min=0, min_open=True)
)
@sentences
def sample(out: Path, days: int, seed: int, scale: float) -> None:
    """Write sample sources to OUT/landing, and what is true of them to OUT/truth."""
    from app import pipeline

    pipeline.sample(_settings(), Reporter(), out=out, days=days, seed=seed, scale=scale)
    click.echo(f"Sample sources: {out / 'landing'}; the truth about them: {out / 'truth'}")


@main.command()
@sentences
def status() -> None:
    """Show the summary of the last run again, and what has run since."""
    from app import pipeline, retaining, run_log, summary
    from app.preparation import prepare
    from tallyhouse.database import find_warehouse

    settings = _settings()
    warehouse = find_warehouse(settings)
    if warehouse is None:
        fail("The warehouse does not run. `tallyhouse db start` starts it, `make run` fills it.")
    prepare(warehouse)
    with warehouse.connect() as connection:
        good = run_log.last(connection, "run")
        newest = run_log.last(connection, "run", status=None)
    for sentence in (
        *pipeline.open_drift(warehouse),
        *pipeline.reloads_due(settings, warehouse),
        *pipeline.protection(warehouse),
        *retaining.status(warehouse),
    ):
        click.echo(sentence)
    if newest is None:
        fail("Nothing has run on this warehouse yet. `tallyhouse run` does it.")
    if good is not None:
        click.echo(f"Last good run: {good['finished_at']:%Y-%m-%d %H:%M:%S} UTC")
        summary.show(good["details"]["summary"], summary.console())
    amiss = list(pipeline.reconcile(warehouse).differences)
    if newest["status"] != "succeeded":
        reason = newest["details"].get("reason", "it has not ended")
        begun = f"{newest['started_at']:%Y-%m-%d %H:%M:%S} UTC"
        amiss.append(f"The run of {begun} did not succeed: {reason}")
    if amiss:
        fail("\n".join(amiss))


# `-h` is the host here, as it is for `dagster dev`.
@main.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]},
    options_metavar="[-h HOST] [-p PORT]",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
@sentences
def dev(context: click.Context, arguments: tuple[str, ...]) -> None:
    """Open Dagster's UI; further ARGUMENTS are those of `dagster dev`.

    -h HOST and -p PORT say where (else 127.0.0.1 and 3000, or another port where that one is taken);
    `dagster dev --help` lists the others. What the command line built is taken over into Dagster's
    history first.
    """
    from app.dev import open_ui
    from app.preparation import prepare
    from tallyhouse.database import open_warehouse

    followed = pairwise((*arguments, "-"))
    if any(word == "-h" and after.startswith("-") for word, after in followed):
        # no host: help is meant, as of every other command
        click.echo(context.get_help())
        return
    settings = _settings()
    warehouse = open_warehouse(settings)
    prepare(warehouse)
    open_ui(settings, warehouse, Reporter(), arguments)


@main.command()
@sentences
def docs() -> None:
    """Write the catalogue of all tables and columns as one page that needs no server."""
    from tallyhouse import dbt
    from tallyhouse.database import open_warehouse

    settings = _settings()
    with Reporter().step("Writing the catalogue"):
        outcome = dbt.run(
            ["docs", "generate", "--static"], settings, warehouse=open_warehouse(settings)
        )
    if not outcome.success:
        raise TallyhouseError("The catalogue could not be written; see logs/dbt.log.")
    click.echo(f"The catalogue: {settings.root / 'target' / 'static_index.html'}")


main.add_command(audit)
main.add_command(back_up)
main.add_command(restore)
main.add_command(contract)
main.add_command(db)
main.add_command(erase)
main.add_command(fx)
main.add_command(hold)
main.add_command(key)
main.add_command(retain)
main.add_command(tenant)


def asked_days(text: str) -> tuple[date, date]:
    """First and last day of `2026-03-01..2026-03-07`, or of a single day."""
    first, _, last = text.partition("..")
    try:
        days = date.fromisoformat(first.strip()), date.fromisoformat((last or first).strip())
    except ValueError as error:
        raise TallyhouseError(
            f"--days {text} names no days; write 2026-03-01..2026-03-07, or one day alone."
        ) from error
    if days[0] > days[1]:
        raise TallyhouseError(f"--days {text} ends before it begins; write {last}..{first}.")
    return days


def _settings(landing: str | None = None, as_of: str | None = None) -> Settings:
    settings = Settings.from_env().with_options(landing=landing, as_of=as_of)
    if landing and "://" not in landing and not Path(settings.landing).is_dir():
        raise TallyhouseError(f"--landing names {settings.landing}, which is not a folder.")
    return settings
