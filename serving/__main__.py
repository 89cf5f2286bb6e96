"""`python -m serving`: run the receiver, or make a tenant's API key."""

from __future__ import annotations

import sys

import click
import uvicorn

from ingestion.contracts.model import load_contracts
from serving.receiver.app import Limits, Receiver
from serving.receiver.audit import SPOOL, AuditLog
from serving.receiver.connections import Patience, protocol_of
from serving.receiver.credentials import add_key, credentials_file, read_credentials
from serving.receiver.landing_writer import LandingWriter
from tallyhouse.errors import TallyhouseError
from tallyhouse.settings import Settings


@click.group(invoke_without_command=True)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8787, show_default=True)
@click.option("--max-in-flight", default=256, show_default=True, help="Beyond it: 429.")
@click.option("--max-waiting", default=512, show_default=True, help="Beyond it the oldest goes.")
@click.option("--header-seconds", default=10.0, show_default=True, help="A header's time.")
@click.option("--body-seconds", default=30.0, show_default=True, help="A body's time.")
@click.pass_context
def main(
    context: click.Context,
    host: str,
    port: int,
    max_in_flight: int,
    max_waiting: int,
    header_seconds: float,
    body_seconds: float,
) -> None:
    """Receive webhooks and product events; answers only when they are durable."""
    if context.invoked_subcommand:
        return
    settings = Settings.from_env()
    try:
        credentials = read_credentials(credentials_file(settings))
        contracts = load_contracts([settings.root / "contracts", *settings.contracts])
        writer = open_writer(settings)
    except TallyhouseError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    for fault in contracts.faults:
        click.echo(f"{fault.sentence} Its events are not taken until it is mended.", err=True)
    events = {
        name: contract
        for name, contract in contracts.events.items()
        if contracts.fault_of("events", contract.product) is None
    }
    audit = AuditLog(settings.home / SPOOL)
    limits = Limits(in_flight=max_in_flight)
    app = Receiver(credentials, events, writer, audit, limits).app()
    patience = Patience(header_seconds, body_seconds, waiting=max_waiting)
    uvicorn.run(
        app,
        host=host,
        port=port,
        http=protocol_of(patience),
        h11_max_incomplete_event_size=patience.header_bytes,
        log_level="error",  # a caller's broken HTTP is no news
        server_header=False,
    )


def open_writer(settings: Settings) -> LandingWriter:
    """The writer into the landing folder; raises TallyhouseError with what to do.

    It seals what it writes. The loader of a bucket may live elsewhere, so that there somebody decides first who
    has the key, by putting one.
    """
    if settings.why_no_landing:
        raise TallyhouseError(settings.why_no_landing)
    is_sealing = "://" not in settings.landing or settings.has_landing_key
    try:
        return LandingWriter(settings.landing, key=settings.landing_key() if is_sealing else None)
    except OSError as error:
        way_out = getattr(error, "way_out", "Give this account permission to write there.")
        raise TallyhouseError(
            f"The landing folder {settings.landing} cannot be written"
            f" ({error.strerror or error}). {way_out} TALLYHOUSE_LANDING names it."
        ) from error


@main.command("add-key")
@click.option("--product", required=True)
@click.option("--tenant", required=True, help="The tenant's id as the product writes it.")
def add_key_command(product: str, tenant: str) -> None:
    """Make an API key for a tenant; it is shown once, only its hash is kept."""
    settings = Settings.from_env()
    click.echo(add_key(credentials_file(settings), product, tenant))


if __name__ == "__main__":
    main()
