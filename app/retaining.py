"""The order of a clean-up by retention: raw events, rows of core.fact_events, what is shown of refused events, runs;
then the lake.

Each step can be repeated, and what was interrupted is completed by the next clean-up. Belongs here: what runs in
which order, and when nothing may go. Does not belong here: what goes (`ingestion.retention`).
"""

from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import psycopg

from app import run_log
from ingestion.lake.mirror import write_due
from ingestion.lake.new_days import NewDays
from ingestion.retention import events, facts, records
from ingestion.retention import log as retention_log
from ingestion.retention.holds import standing
from ingestion.retention.log import Cleanup
from ingestion.storing.ledger import LOADER_LOCK
from tallyhouse.database import Warehouse
from tallyhouse.database.standstill import take_lock, watched
from tallyhouse.errors import TallyhouseError
from tallyhouse.progress import Reporter
from tallyhouse.settings import Settings


def retain(
    settings: Settings, warehouse: Warehouse, reporter: Reporter, *, is_dry: bool = False
) -> Cleanup:
    """Let go what is past its time as of settings.as_of, or now. Raises TallyhouseError.

    Runs under the lock of runs (`run_log.only_run`), and keeps loads waiting.
    """
    now = datetime.now(UTC)
    as_of = settings.as_of or now
    if as_of > now:
        raise TallyhouseError(
            f"--as-of {as_of:%Y-%m-%d %H:%M:%S} UTC has not come yet, and nothing goes before its time."
        )
    cleanup = Cleanup(as_of, is_dry)
    with run_log.logged(
        warehouse, "retain", details={"as_of": str(as_of), "dry_run": is_dry}
    ) as entry:
        with (
            warehouse.connect(autocommit=True) as conn,
            watched(warehouse, settings.reader_patience, reporter.say),
        ):
            conn.execute("set client_min_messages = warning")
            conn.execute("set timezone = 'UTC'")
            take_lock(conn, LOADER_LOCK, reporter.say, "waiting for a load to finish")
            lost = run_log.lost_relations(conn, settings.root)
            if lost:
                raise events.Unbuilt(
                    f"{len(lost)} models have no table yet ({', '.join(lost[:3])}{', …' if len(lost) > 3 else ''}), so"
                    " nothing was let go: they would never count it. Run `tallyhouse run` first."
                )
            clean_up(settings, conn, cleanup, reporter)
        entry.details["gone"] = cleanup.sentences()
    return cleanup


def clean_up(
    settings: Settings, conn: psycopg.Connection[Any], cleanup: Cleanup, reporter: Reporter
) -> None:
    """The clean-up alone, under the locks of the caller. Raises Unbuilt, LakeError.

    Rows of core.fact_events that cannot go yet keep nothing else from going.
    """
    unbuilt: events.Unbuilt | None = None
    with reporter.step("Letting go what is past its time"):
        events.clean_up(conn, cleanup)
        try:
            facts.clean_up(conn, cleanup)
        except events.Unbuilt as caught:
            unbuilt = caught
        records.clean_up(conn, cleanup)
    if not cleanup.is_dry:
        with reporter.step("Writing the lake anew"), closing(NewDays(settings.lake)) as new_days:
            write_due(conn, settings.lake, lambda _: None, new_days)
    if unbuilt is not None:
        done = (
            "" if cleanup.is_dry else " All else that is past its time was let go, raw events too."
        )
        raise events.Unbuilt(f"{unbuilt}{done}") from unbuilt


def status(warehouse: Warehouse) -> list[str]:
    """What the last clean-up let go, and the holds that stand."""
    with warehouse.connect() as conn:
        return [*retention_log.last(conn), *(hold.sentence for hold in standing(conn))]
