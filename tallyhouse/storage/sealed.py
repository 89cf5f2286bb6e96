"""Files that lie sealed: encrypted with a key, opened when they are read.

The receiver writes bodies as they came, before anybody judged what in them is personal. Belongs here: sealing a
file's content, and a storage that opens what is sealed and gives all else as it is. Does not belong here: where the
keys lie (`tallyhouse.key_file`), who seals.
"""

import io
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, BinaryIO

from tallyhouse.key_file import fingerprint
from tallyhouse.storage.base import Found, Storage, StorageError, Writing
from tallyhouse.storage.staged import StagedFiles

_MARK = b"tallyhouse sealed file 1\n"
_NONCE = 12
Keys = Callable[[], list[bytes]]  # asked when a sealed file is met; the first one seals


def seal(body: bytes, key: bytes) -> bytes:
    """A file's content, sealed: the mark, the key's fingerprint, AES-GCM."""
    head = _MARK + fingerprint(key).encode() + b"\n"
    nonce = os.urandom(_NONCE)
    return head + nonce + _cipher(key).encrypt(nonce, body, head)


class Opening(Storage):
    """A storage of which sealed files are read as if they were not."""

    def __init__(self, storage: Storage, keys: Keys) -> None:
        self._storage, self._keys = storage, keys
        self.place, self.is_local = storage.place, storage.is_local

    def check(self) -> None:
        self._storage.check()

    def files(self, below: str = "") -> Iterator[Found]:
        return self._storage.files(below)

    def look(self, name: str) -> Found:
        return self._storage.look(name)

    def staged_files(self) -> StagedFiles | None:
        return self._storage.staged_files()

    def writing(self) -> AbstractContextManager[Writing]:
        return self._storage.writing()

    def open(self, name: str) -> BinaryIO:
        """A sealed file is in memory as a whole; the receiver's are small."""
        raw = self._storage.open(name)
        try:
            if raw.read(len(_MARK)) == _MARK:
                with raw:
                    return io.BytesIO(self._opened(raw.read()))
            raw.seek(0)
        except BaseException:
            raw.close()
            raise
        return raw

    def _opened(self, rest: bytes) -> bytes:
        from cryptography.exceptions import InvalidTag

        named, _, closed = rest.partition(b"\n")
        key = next((key for key in self._keys() if fingerprint(key).encode() == named), None)
        if key is None:
            known = named[:16].decode("ascii", "replace")
            raise StorageError(
                f"it is sealed with a landing key (fingerprint {known}) that is not here",
                "Copy landing.key from where the receiver runs to beside the key of personal data.",
            )
        try:
            return _cipher(key).decrypt(closed[:_NONCE], closed[_NONCE:], _MARK + named + b"\n")
        except (InvalidTag, ValueError) as error:
            raise StorageError("it is sealed, and damaged", "Restore it.") from error


def is_opened(raw: BinaryIO) -> bool:
    """Whether a file that was opened is the content of a sealed one, which has no place on the disk."""
    return isinstance(raw, io.BytesIO)


def _cipher(key: bytes) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return AESGCM(HKDF(SHA256(), 32, None, b"sealed landing files").derive(key))
