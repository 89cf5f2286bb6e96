"""Durable writes into the landing folder, many callers sharing one fsync.

A caller hands in lines and waits; the writer gathers whatever arrived meanwhile, writes one new
file (in a bucket: object) per folder, makes it durable, and only then lets the callers go on.
Belongs here: durability and back-pressure. Does not belong here: HTTP, or what the lines say.
"""

from __future__ import annotations

import logging
import os
import secrets
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tallyhouse.closed_files import make_closed_folder
from tallyhouse.storage import open_storage
from tallyhouse.storage.sealed import seal

log = logging.getLogger(__name__)
INCOMING = ".incoming"
ABANDONED_SECONDS = 3600.0


class Overloaded(Exception):
    """More is waiting to be written than the writer may hold; the caller should come back."""


@dataclass(frozen=True)
class _Waiting:
    folder: str
    lines: bytes
    done: Future[str]


class LandingWriter:
    """Writes lines under `landing` (a path or `s3://…`) and answers when they are durable.

    With a `key` what it writes is sealed. At most `max_pending_bytes` wait in memory; beyond that
    `submit` raises Overloaded. A future holds the file's path, or the OSError that kept its lines from being stored.
    """

    def __init__(
        self,
        landing: str,
        *,
        max_pending_bytes: int = 64 << 20,
        linger_seconds: float = 0.004,
        key: bytes | None = None,
    ) -> None:
        self.storage = open_storage(landing)
        self.root = landing
        self.max_pending_bytes = max_pending_bytes
        self.key = key
        self.linger_seconds = linger_seconds
        self._waiting: list[_Waiting] = []
        self._pending_bytes = 0
        self._changed = threading.Condition()
        self._closed = False
        if self.storage.is_local:
            self._remove_abandoned()
        else:
            self.storage.check()
        self._thread = threading.Thread(target=self._work, name="landing-writer", daemon=True)
        self._thread.start()

    def submit(self, folder: str, lines: Sequence[bytes]) -> Future[str]:
        """Queue lines (without line ends); the future is done when they are durable."""
        body = b"".join(line + b"\n" for line in lines)
        waiting = _Waiting(folder, body, Future())
        with self._changed:
            if self._closed or self._pending_bytes + len(body) > self.max_pending_bytes:
                raise Overloaded
            self._pending_bytes += len(body)
            self._waiting.append(waiting)
            self._changed.notify()
        return waiting.done

    def close(self) -> None:
        """Write what is waiting, then stop."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closed:
                    self._changed.wait()
                if not self._waiting:
                    return
            time.sleep(self.linger_seconds)
            with self._changed:
                batch, self._waiting = self._waiting, []
            self._write_batch(batch)
            with self._changed:
                self._pending_bytes -= sum(len(waiting.lines) for waiting in batch)

    def _write_batch(self, batch: list[_Waiting]) -> None:
        folders: dict[str, list[_Waiting]] = {}
        for waiting in batch:
            folders.setdefault(waiting.folder, []).append(waiting)
        for folder, members in folders.items():
            try:
                path = self._write(folder, b"".join(waiting.lines for waiting in members))
            except Exception as error:
                log.error("nothing could be written to %s/%s: %s", self.root, folder, error)
                for waiting in members:
                    waiting.done.set_exception(error)
            else:
                for waiting in members:
                    waiting.done.set_result(path)

    def _write(self, folder: str, body: bytes) -> str:
        now = datetime.now(UTC)
        name = f"{now:%H%M%S.%f}-{secrets.token_hex(6)}.jsonl"
        target = f"{folder}/received/{now:%Y-%m-%d}/{name}"
        if self.key is not None:
            body = seal(body, self.key)
        if not self.storage.is_local:
            with self.storage.writing() as files:
                files.put(target, body)
            return target
        draft = Path(self.root) / INCOMING / name
        final = Path(self.root) / target
        try:
            _write_synced(draft, body)
            _make_folder(final.parent, Path(self.root))
            draft.rename(final)
            _sync_folder(final.parent)
        finally:
            draft.unlink(missing_ok=True)
        return target

    def _remove_abandoned(self) -> None:
        """Drafts of a receiver that was killed were never acknowledged; they go after an hour."""
        folder = Path(self.root) / INCOMING
        make_closed_folder(folder)
        limit = time.time() - ABANDONED_SECONDS
        for draft in folder.iterdir():
            if draft.stat().st_mtime < limit:
                draft.unlink(missing_ok=True)


def _write_synced(path: Path, body: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(body)
        handle.flush()
        os.fsync(handle.fileno())


def _make_folder(folder: Path, root: Path) -> None:
    """Make `folder` and make each new name in its parents durable too."""
    missing = []
    while folder != root and not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for new in reversed(missing):
        new.mkdir(mode=0o700, exist_ok=True)
        _sync_folder(new.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
