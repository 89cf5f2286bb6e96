"""The file with the master key of personal data: read, made, exchanged for another.

Belongs here: its form (hexadecimal digits, mode 0600), the next key that waits beside it, the former one that
is put away. Does not belong here: which key a warehouse was loaded with (`ingestion.storing.master_key`), what
is derived from it (`ingestion.privacy.tokens`).
"""

import contextlib
import hmac
import os
import secrets
from pathlib import Path

from tallyhouse.closed_files import make_closed_folder
from tallyhouse.errors import TallyhouseError

VARIABLE = "TALLYHOUSE_PII_KEY_FILE"


def read(path: Path) -> bytes:
    """The key in a file; raises FileNotFoundError, and TallyhouseError where it cannot be used."""
    try:
        mode = path.stat().st_mode & 0o777
        if mode & 0o077:
            raise TallyhouseError(
                f"The key of personal data, {path}, is open to other accounts (mode {mode:o}). Close it with "
                f"`chmod 600 {path}`; if one of them may have read it, run `tallyhouse key rotate` then."
            )
        key = bytes.fromhex(path.read_text("ascii").strip())
    except PermissionError as error:
        raise TallyhouseError(
            f"The key of personal data, {path}, cannot be read by this account. "
            f"Give the file to it (chown) or set {VARIABLE}."
        ) from error
    except (UnicodeDecodeError, ValueError) as error:
        raise TallyhouseError(
            f"{path} does not hold a key of hexadecimal digits. Restore it from "
            "a backup: tokens made with another key cannot be joined to the ones stored."
        ) from error
    if len(key) < 16:
        raise TallyhouseError(
            f"The key in {path} is shorter than 16 bytes. Restore the right one "
            f"or name another file with {VARIABLE}."
        )
    return key


def read_or_make(path: Path) -> bytes:
    """The key in a file; made (0600, 32 random bytes) where there is none."""
    try:
        return read(path)
    except FileNotFoundError:
        _make(path)
        return read(path)


def fingerprint(key: bytes) -> str:
    """16 hex digits by which a key is known, and which say nothing of it."""
    return hmac.digest(key, b"fingerprint of the key of personal data", "sha256").hex()[:16]


def next_path(path: Path) -> Path:
    """Where the key waits that is to take the place of the one at `path`."""
    return path.with_name(f"{path.name}.next")


def former(path: Path) -> list[Path]:
    """The keys that had this place before, as far as they are still there."""
    return sorted(path.parent.glob(f"{path.name}.former-*"))


def exchange(path: Path) -> Path | None:
    """Put the next key in its place; where the former one went, None where there was none."""
    put_away = None
    if path.exists():
        put_away = path.with_name(f"{path.name}.former-{secrets.token_hex(4)}")
        os.link(path, put_away)
    next_path(path).replace(path)
    return put_away


def _make(path: Path) -> None:
    """Written aside and linked into place, so that two first runs agree on one key."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        make_closed_folder(path.parent)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise TallyhouseError(
            f"The key of personal data cannot be written to {path.parent} ({error.strerror}). Make the folder "
            f"writable or name another file with {VARIABLE}."
        ) from error
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_bytes(32).hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
