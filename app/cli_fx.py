"""The commands `tallyhouse fx …`: exchange rates.

Belongs here: options, what is said. Does not belong here: reading a file (`app.exchange_rates`).
"""

from pathlib import Path

import click

from app.cli_errors import sentences


@click.group()
def fx() -> None:
    """Exchange rates of the European Central Bank."""


@fx.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@sentences
def update(file: Path) -> None:
    """Put the rates of FILE into seeds/revenue/fx_rates.csv, from where revenue takes them.

    FILE is what the bank publishes, of one day or of all (CSV or XML, zipped or not). What the seed has
    and FILE does not stays.
    """
    from app.exchange_rates import refresh

    done = refresh(file)
    click.echo(
        f"{done.new:,} exchange rates are new and {done.changed:,} changed, of {done.currencies} currencies;"
        f" they go from {done.first} to {done.last} now. The next run values revenue by them."
    )
