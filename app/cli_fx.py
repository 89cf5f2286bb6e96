"""The commands `tallyhouse fx …`: exchange rates.

Belongs here: options, what is said. Does not belong here: reading a file (`app.exchange_rates`).
"""

from datetime import UTC, date, datetime
from pathlib import Path

import click

from app.cli_errors import sentences


@click.group()
def fx() -> None:
    """Exchange rates of the European Central Bank."""


@fx.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--known-on", metavar="DAY", type=click.DateTime(["%Y-%m-%d"]),
    help="From when the rates were known, e.g. 2026-03-02; else today, UTC.",
)  # fmt: skip
@sentences
def update(file: Path, known_on: datetime | None) -> None:
    """Put the rates of FILE into seeds/revenue/fx_rates.csv, from where revenue takes them.

    FILE is what the bank publishes, of one day or of all (CSV or XML, zipped or not). What the seed has
    and FILE does not stays. A rate that comes, or changes, after its day restates what was valued without it:
    seeds/revenue/fx_rate_revisions.csv remembers that.
    """
    from app.exchange_rates import refresh

    day: date = (known_on or datetime.now(UTC)).date()
    done = refresh(file, day)
    click.echo(
        f"{done.new:,} exchange rates are new and {done.changed:,} changed, of {done.currencies} currencies;"
        f" they go from {done.first} to {done.last} now. The next run values revenue by them."
    )
    if done.late:
        click.echo(
            f"{done.late:,} of them came after their day; revenue.metrics_mrr_restatements will say what that changed."
        )
