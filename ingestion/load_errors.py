"""What a load that the database stopped says to whoever started it.

Belongs here: from an error of the database to a sentence. Does not belong here: files that cannot be
read (`load`, `blocks`), records that are refused (`source`).
"""

import psycopg

from tallyhouse.errors import TallyhouseError


class LoadError(TallyhouseError):
    """The load stopped: what was committed stays, a file at work is rolled back."""


def load_error(
    error: psycopg.Error, at_work: str | None, *, is_one_transaction: bool = False
) -> LoadError:
    """The error in words; `at_work` is the path of the file that was being loaded, if any. When the
    whole load is one transaction, nothing of it stays."""
    where = f" while loading {at_work}" if at_work else " while loading"
    undone = " and this file was rolled back" if at_work else ""
    if isinstance(error, psycopg.errors.DiskFull):
        what, way_out = "The database has no disk space left", "Free some space"
    elif isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        what, way_out = "The database went away or could not be reached", "See that it is up"
    else:
        what, way_out = "The database refused a statement", "Mend the cause"
    reason = " ".join(str(error).split())[:300]
    if is_one_transaction:
        return LoadError(
            f"{what}{where} ({reason}). Nothing was replaced: what was loaded before is there as it"
            f" was. {way_out} and run the command again."
        )
    return LoadError(
        f"{what}{where} ({reason}). What was committed before is safe{undone}."
        f" {way_out} and run again: it picks up where it stopped."
    )
