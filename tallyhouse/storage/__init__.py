"""Where bytes lie: files below one folder of a disk or one prefix of a bucket, used alike.

`open_storage` is the way in. Belongs here: opening a place, listing, reading, writing, removing.
Does not belong here: what the files hold, or which of them are due (`ingestion`, `serving`).
"""

from tallyhouse.storage.base import Found, Storage, StorageError, Writing
from tallyhouse.storage.folder import Folder
from tallyhouse.storage.staged import StagedFiles

__all__ = ["Found", "StagedFiles", "Storage", "StorageError", "Writing", "open_storage"]


def open_storage(place: str) -> Storage:
    """A path or `s3://bucket/prefix`. Raises StorageError for an address nobody can open.

    Does not look whether anything is there.
    """
    scheme, separator, rest = place.partition("://")
    if not separator:
        return Folder(place)
    if scheme != "s3" or not rest.strip("/"):
        raise StorageError("it is neither a folder nor s3://bucket/prefix", "Name one of these.")
    from tallyhouse.storage.bucket import Bucket  # only now: it takes a second to import

    return Bucket(place)
