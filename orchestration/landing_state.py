"""A cheap fingerprint of the landing folder, so that a sensor knows when to ask for a load.

Belongs here: listing names and sizes. Does not belong here: reading the files; whether a file's
content is new is for the loader's ledger to say.
"""

from __future__ import annotations

import hashlib

import fsspec


def landing_fingerprint(landing: str) -> tuple[str, int]:
    """Return (hex digest of all names, sizes and times, number of files); ("", 0) when absent."""
    filesystem, root = fsspec.core.url_to_fs(landing)
    if not filesystem.exists(root):
        return "", 0
    found = filesystem.find(root, detail=True)
    digest = hashlib.sha256()
    for name in sorted(found):
        info = found[name]
        stamp = info.get("mtime") or info.get("LastModified") or ""
        digest.update(f"{name}\x00{info.get('size')}\x00{stamp}\n".encode())
    return digest.hexdigest(), len(found)
