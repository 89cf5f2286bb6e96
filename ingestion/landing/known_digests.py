"""Which content each landed file has: the hash by which the ledger knows it.

The version of a bucket's object (S3's ETag) changes with its content, so no object is fetched a
second time only to be hashed. A local file may change behind its size and time, and hashing it
costs little. Belongs here: hashing a file or remembering its hash. Does not belong here: whether
that content was loaded (`ledger`).
"""

import psycopg

from ingestion.landing.digest import Digest, digest
from ingestion.landing.listing import Landing, LandingFile


class KnownDigests:
    """The hashes of a landing folder's files, with those remembered from earlier loads."""

    def __init__(self, conn: psycopg.Connection, landing: Landing) -> None:
        self._conn = conn
        self._storage = landing.storage
        self._new: dict[str, Digest] = {}
        self._known: dict[str, Digest] = {}
        if not self._storage.is_local:
            self._known = {
                path: Digest(content_hash, size, None, version)
                for path, version, content_hash, size in conn.execute(
                    "select object_path, object_version, content_hash, size_bytes"
                    " from ops.landing_objects where landing = %s",
                    (self._storage.place,),
                )
            }

    def digest(self, file: LandingFile) -> Digest | str:
        """A listed file's hash, or a sentence why it cannot be read. From several threads."""
        known = self._known.get(file.path)
        if known is not None and file.version and known.version == file.version:
            return known
        try:
            found = digest(self._storage, file.path)
        except OSError as error:
            way_out = "Give this account permission to read it, or restore it."
            return f"{error.strerror or error}. {getattr(error, 'way_out', way_out)}"
        if not self._storage.is_local and found.version and found.problem is None:
            self._new[file.path] = found
        return found

    def save(self) -> None:
        """Remember what was hashed."""
        self._conn.cursor().executemany(
            "insert into ops.landing_objects values (%s, %s, %s, %s, %s)"
            " on conflict (landing, object_path) do update set"
            " object_version = excluded.object_version, content_hash = excluded.content_hash,"
            " size_bytes = excluded.size_bytes",
            [
                (self._storage.place, path, found.version, found.content_hash, found.size_bytes)
                for path, found in self._new.items()
            ],
        )
