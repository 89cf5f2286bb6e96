"""A cheap fingerprint of the landing folder, so that a sensor knows when to ask for a load.

Belongs here: listing names and sizes. Does not belong here: reading the files; whether a file's
content is new is for the loader's ledger to say.
"""

from __future__ import annotations

import hashlib

from tallyhouse.storage import open_storage


def landing_fingerprint(landing: str) -> tuple[str, int]:
    """Return (hex digest of all names, sizes and times, number of files); ("", 0) when absent."""
    try:
        found = sorted(open_storage(landing).files())
    except FileNotFoundError:
        return "", 0
    digest = hashlib.sha256()
    for file in found:
        entry = f"{file.name}\x00{file.size_bytes}\x00{file.version}\n"
        digest.update(entry.encode("utf-8", "surrogateescape"))  # any name that a disk can hold
    return digest.hexdigest() if found else "", len(found)
