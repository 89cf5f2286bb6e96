"""Which landing folder a warehouse loads from: the first that brought it anything, until a person names another.

The warehouse itself knows it (`ops.landing_folder`), so that no other folder's files ever reach it,
whoever connects; its home keeps a copy, so that later commands need no option. Belongs here:
remembering and refusing. Does not belong here: what lies in a landing folder (`ingestion.landing`).
"""

import os
from pathlib import Path
from typing import Any

import psycopg

from ingestion.storing.ledger import has_loaded
from tallyhouse.closed_files import replace_closed
from tallyhouse.database import Warehouse
from tallyhouse.errors import TallyhouseError
from tallyhouse.settings import LANDING_NOTE, Settings, make_folder


def claim(settings: Settings, warehouse: Warehouse) -> None:
    """Hold the settings' landing folder against the warehouse's; one that has loaded nothing takes it.

    Callers hold the run lock, so that of two first loads at once the second sees what the first one loaded.
    A folder that was moved is known again by its newest file. Raises TallyhouseError, with the ways
    out, where the warehouse was loaded from another folder, or nobody said what it loads from.
    """
    place = _real(settings.landing)
    with warehouse.connect() as connection:
        known = of_warehouse(connection)
        if known != place and settings.why_no_landing:
            was = f" It was loaded from {known}." if known else ""
            raise TallyhouseError(settings.why_no_landing + was)
        if known is None:
            if not (is_empty(place) and has_loaded(connection)):
                _take(connection, place)
        elif known != place and (
            not has_loaded(connection) or _was_moved(connection, known, place)
        ):
            _remember(connection, place)
        known = of_warehouse(connection)
    if known is not None and known != place:
        moved = f"; or, if the folder was moved, say so once: tallyhouse db landing {place}"
        raise TallyhouseError(
            f"This warehouse was loaded from {known}, not from {place}: their files do not mix."
            f" Leave out --landing (and TALLYHOUSE_LANDING) to load from {known}, or set"
            " TALLYHOUSE_HOME to another folder for a warehouse of its own"
            f"{'' if _is_there(known) else moved}."
        )
    _note(settings, place)


def name(settings: Settings, warehouse: Warehouse, place: str) -> None:
    """Let the warehouse load from `place` from now on."""
    place = _real(place)
    with warehouse.connect() as connection:
        _remember(connection, place)
    _note(settings, place)


def of_warehouse(connection: psycopg.Connection[Any]) -> str | None:
    """The folder that the warehouse loads from, none before its first load."""
    row = connection.execute("select place from ops.landing_folder").fetchone()
    return str(row[0]) if row else None


def takes_sample(settings: Settings) -> bool:
    """Whether sample sources may be written: into the project's own folder, for its own home, while it is empty."""
    is_own = settings.is_own_home and _real(settings.landing) == _own(settings)
    return is_own and is_empty(settings.landing)


def is_empty(place: str) -> bool:
    """True when the landing folder is local and holds no file (or is not there yet); folders are no content."""
    if "://" in place:
        return False
    try:
        return not any(files for _, _, files in os.walk(place, onerror=_complain))
    except FileNotFoundError:
        return True


def _complain(error: OSError) -> None:
    if isinstance(error, FileNotFoundError):
        raise error
    raise TallyhouseError(
        f"The landing folder {error.filename} cannot be read ({error.strerror}). Give this "
        "account read permission, or name another folder with --landing."
    ) from error


def _was_moved(connection: psycopg.Connection[Any], known: str, place: str) -> bool:
    if "://" in known or "://" in place or _is_there(known):
        return False
    newest = connection.execute(
        "select file_path, size_bytes from ops.load_manifest order by load_id desc limit 1"
    ).fetchone()
    if newest is None:
        return False
    found = Path(place, newest[0])
    return found.is_file() and found.stat().st_size == newest[1]


def _real(place: str) -> str:
    return place.rstrip("/") if "://" in place else str(Path(place).resolve())


def _is_there(place: str) -> bool:
    return "://" not in place and Path(place).exists()


def _own(settings: Settings) -> str:
    return _real(str(settings.root / "landing"))


def _take(connection: psycopg.Connection[Any], place: str) -> None:
    """Unless another took one in the meantime, whose folder it is then."""
    connection.execute(
        "insert into ops.landing_folder (place) values (%s) on conflict (is_one) do nothing",
        [place],
    )


def _remember(connection: psycopg.Connection[Any], place: str) -> None:
    connection.execute(
        "insert into ops.landing_folder (place) values (%s) on conflict (is_one)"
        " do update set place = excluded.place, since = clock_timestamp()",
        [place],
    )


def _note(settings: Settings, place: str) -> None:
    """The project's own folder needs no note in its own home, and may be moved with the project."""
    note = settings.home / LANDING_NOTE
    if settings.is_own_home and place == _own(settings):
        note.unlink(missing_ok=True)
        return
    if note.exists() and note.read_text("utf-8").strip() == place:
        return
    make_folder(settings.home)
    replace_closed(note, place + "\n")
