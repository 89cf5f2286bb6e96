"""Which key of personal data a warehouse was loaded with: tokens of two keys never meet.

Belongs here: the fingerprint in the database, held against the key in its file before anything is loaded.
Does not belong here: the file (`tallyhouse.key_file`), reading everything again under another key (`load`).
"""

from typing import Any

import psycopg

from ingestion.storing.ledger import has_loaded
from tallyhouse import key_file
from tallyhouse.errors import TallyhouseError
from tallyhouse.key_file import fingerprint
from tallyhouse.settings import Settings

_LOST = (
    "Put the right key back from its backup, or name its file with TALLYHOUSE_PII_KEY_FILE. If it is lost for"
    " good, `tallyhouse key rotate --lost` makes a new one and reads all landed files again under it."
)


def confirmed_key(conn: psycopg.Connection[Any], settings: Settings) -> bytes:
    """The key with which this warehouse was loaded; the first load takes whatever key there is, or makes one.

    Raises TallyhouseError where the file holds another key, or none although something was loaded.
    """
    path, known = settings.pii_key_file, known_fingerprint(conn)
    _finish_exchange(settings, known)
    try:
        key = key_file.read(path)
    except FileNotFoundError:
        if known is not None or has_loaded(conn):
            raise TallyhouseError(
                f"The key of personal data, {path}, is gone, and this warehouse was loaded with"
                f" it{f' (fingerprint {known})' if known else ''}: with another one the same people would be others."
                f" {_LOST}"
            ) from None
        key = settings.pii_key()
    if known is None:
        remember(conn, key)
    elif fingerprint(key) != known:
        raise TallyhouseError(
            f"The key of personal data in {path} (fingerprint {fingerprint(key)}) is not the one that this"
            f" warehouse was loaded with (fingerprint {known}): the same people would be others. {_LOST}"
        )
    return key


def known_fingerprint(conn: psycopg.Connection[Any]) -> str | None:
    """Of the key with which the warehouse was loaded; None before its first load."""
    row = conn.execute(
        "select key_fingerprint from ops.personal_data_keys where retired_at is null"
    ).fetchone()
    return row[0] if row else None


def remember(conn: psycopg.Connection[Any], key: bytes) -> None:
    """From now on this is the warehouse's key, and any former one is retired."""
    conn.execute(
        "update ops.personal_data_keys set retired_at = now()"
        " where retired_at is null and key_fingerprint <> %s",
        [fingerprint(key)],
    )
    conn.execute(
        "insert into ops.personal_data_keys (key_fingerprint) values (%s) on conflict do nothing",
        [fingerprint(key)],
    )


def next_key(settings: Settings) -> bytes:
    """The key that is to take the place of the present one, waiting beside it."""
    return key_file.read_or_make(key_file.next_path(settings.pii_key_file))


def _finish_exchange(settings: Settings, known: str | None) -> None:
    """What a rotation left to do that ended after its transaction and before its last step."""
    waiting = key_file.next_path(settings.pii_key_file)
    if known is not None and waiting.exists() and fingerprint(key_file.read(waiting)) == known:
        key_file.exchange(settings.pii_key_file)
