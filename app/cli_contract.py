"""The commands `tallyhouse contract …`: a new source's contract, and the staging that follows from it.

Belongs here: options, where the text goes, what is said. Does not belong here: guessing
(`ingestion.drafting`).
"""

from pathlib import Path

import click

from app.cli_errors import sentences
from app.whole_files import write_whole
from ingestion.drafting import RECORDS
from tallyhouse.errors import TallyhouseError
from tallyhouse.settings import Settings


@click.group()
def contract() -> None:
    """Contracts of sources: drafted from a sample, and staged."""


@contract.command(name="draft")
@click.argument("source", nargs=-1, required=True)
@click.option("--product", metavar="NAME", help="The product; else told from the source.")
@click.option(
    "--kind",
    type=click.Choice(["cdc", "events"]),
    help="What the records are; else told from them.",
)
@click.option(
    "--records", default=RECORDS, show_default=True, type=click.IntRange(min=1),
    help="Read so many records of each file at most.",
)  # fmt: skip
@click.option("--event-name", metavar="NAME", help="The name of events that carry none.")
@click.option("--schema", "schemas", multiple=True, metavar="S", help="Of a database: only these.")
@click.option("--table", "tables", multiple=True, metavar="T", help="Of a database: only these.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file.")
@click.option("--force", is_flag=True, help="Overwrite the file of --out.")
@sentences
def draft_contract(
    source: tuple[str, ...], product: str | None, kind: str | None, records: int,
    event_name: str | None, schemas: tuple[str, ...], tables: tuple[str, ...], out: Path | None,
    force: bool,
) -> None:  # fmt: skip
    """Write a contract from a sample of SOURCE, to be read and corrected by a person.

    SOURCE is files or folders of Debezium records, JSON lines of events or CSV (plain or gz), or the
    postgresql:// address of a database, of which nothing but the catalogue is read. Without --out
    the contract goes to stdout and what is to be said of it to stderr.
    """
    from ingestion.drafting.draft import Request, draft

    _refuse_overwriting(out, force)
    settings = Settings.from_env()
    made = draft(
        Request(
            source,
            product=product,
            kind="cdc" if kind == "cdc" else "events" if kind else None,
            records=records,
            event_name=event_name,
            schemas=schemas,
            tables=tables,
            trackers=settings.root / "contracts" / "examples" / "trackers",
        )
    )
    if out is None:
        click.echo(made.text, nl=False)
    else:
        write_whole(out, made.text)
        click.echo(f"The draft: {out}")
    for sentence in made.sentences:
        click.echo(sentence, err=out is None)


@contract.command()
@click.argument("product")
@click.option("--table", "tables", multiple=True, metavar="T", help="Only these tables.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False),
    help="Folder to write to; else models/staging/<product>.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Write files anew that are there already.")
@sentences
def staging(product: str, tables: tuple[str, ...], out: Path | None, force: bool) -> None:
    """Write the staging models of PRODUCT's database, and their YAML, from its CDC contract.

    Files that are there stay as they are; entries that are missing in the YAML are added. Models of
    this project need a contract in its contracts/: every warehouse that is built from it has them.
    """
    from ingestion.cdc.contract import cdc_contracts, cdc_faults
    from ingestion.contracts.model import ContractError, load_contracts
    from ingestion.drafting.staging import registers, write_staging

    settings = Settings.from_env()
    contracts = load_contracts([settings.root / "contracts", *settings.contracts])
    for fault in cdc_faults(contracts):
        if fault.product == product:
            raise ContractError(fault.sentence)
    declared = cdc_contracts(contracts)
    if product not in declared:
        raise TallyhouseError(
            f"No contract declares the database of {product!r} (there are {', '.join(declared)})."
            f" `tallyhouse contract draft` writes contracts/cdc/{product}.yml from a sample."
        )
    folder = out or settings.root / "models" / "staging" / product
    written = write_staging(declared[product], folder, tables, force=force)
    for path in written.new:
        click.echo(f"Written: {path}")
    for path in written.extended:
        click.echo(f"Added to: {path}")
    for sentence in registers(declared[product], tables):
        click.echo(sentence)
    (*_, held) = (d.path for d in contracts.of_kind("cdc") if d.product == product)
    if _would_stop_others(held, folder, settings.root):
        click.echo(
            f"The contract {held} lies outside {settings.root / 'contracts'}: a warehouse whose"
            " TALLYHOUSE_CONTRACTS does not name it has no such tables, and its build stops at these"
            f" models. Move it: mv {held} {settings.root / 'contracts' / 'cdc' / held.name}"
        )
    if written.kept:
        names = ", ".join(path.name for path in written.kept)
        click.echo(f"Left as they are (--force writes them anew): {names}")


def _would_stop_others(held: Path, folder: Path, root: Path) -> bool:
    """Whether models are in the project, and their contract is not."""
    is_built = folder.resolve().is_relative_to((root / "models").resolve())
    return is_built and not held.resolve().is_relative_to((root / "contracts").resolve())


def _refuse_overwriting(out: Path | None, force: bool) -> None:
    if out is not None and out.exists() and not force:
        raise TallyhouseError(
            f"{out} is there already. Name another file, or overwrite it with --force."
        )
