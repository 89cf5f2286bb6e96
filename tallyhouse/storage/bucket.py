"""Objects below a prefix of a bucket, behind S3's interface.

Endpoint, region, credentials and retries come from the standard AWS_* variables and files. Belongs
here: what only S3 needs. Does not belong here: disks.
"""

import asyncio
import contextlib
import io
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import partial
from http.client import HTTPException
from typing import Any, BinaryIO, TypeVar, cast

import aiohttp
import botocore.exceptions as boto
from fsspec.asyn import sync
from s3fs import S3FileSystem
from s3fs.utils import FileExpired

from tallyhouse.storage.base import Found, Storage, StorageError, Writing

READ_AT_ONCE = 8 << 20
_PART = 32 << 20  # objects of two parts and more go up in parts
_GATHERED = 32 << 20  # bytes that wait for an upload together
_AT_ONCE = 16  # uploads, or removals
_CUT = (aiohttp.ClientError, HTTPException, boto.ResponseStreamingError, boto.IncompleteReadError)
_FAILURES = (boto.BotoCoreError, aiohttp.ClientError, HTTPException, OSError, ValueError)
_KEYS = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or AWS_PROFILE)"
T = TypeVar("T")


class Bucket(Storage):
    is_local = False

    def __init__(self, place: str) -> None:
        self.place = place
        self._fs = S3FileSystem(use_listings_cache=False, skip_instance_cache=True)
        self._fs.retries = 1  # botocore tries again; twice the patience would be minutes
        self._root = place.partition("://")[2].strip("/")

    def check(self) -> None:
        bucket, _, prefix = self._root.partition("/")
        self.call(self._fs.call_s3, "list_objects_v2", Bucket=bucket, Prefix=prefix, MaxKeys=1)

    def files(self, below: str = "") -> Iterator[Found]:
        prefix = f"{self._root}/"
        listing = self.call(self._fs.find, self._root, detail=True, prefix=below and f"{below}/")
        for path, info in listing.items():
            is_folder = info["type"] != "file" or path.endswith("/")  # as consoles make them
            if path.startswith(prefix) and not is_folder:
                yield _found(path.removeprefix(prefix), info)

    def open(self, name: str) -> BinaryIO:
        raw = self.call(self._fs.open, self.path(name), "rb", block_size=READ_AT_ONCE)
        return cast(BinaryIO, _Object(self, raw))

    def look(self, name: str) -> Found:
        return _found(name, self.call(self._fs.info, self.path(name)))

    @contextlib.contextmanager
    def writing(self) -> Iterator[Writing]:
        writing = _BucketWriting(self)
        yield writing
        writing.flush()

    def path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def put_all(self, objects: dict[str, bytes]) -> None:
        self._each(
            partial(self._fs._pipe_file, self.path(name), data, chunksize=_PART)
            for name, data in objects.items()
        )

    def remove_all(self, names: Iterable[str]) -> None:
        self._each(partial(self._fs._rm_file, self.path(name)) for name in names)

    def _each(self, requests: Iterable[Callable[[], Awaitable[object]]]) -> None:
        """Make many requests, some at once; none is begun after one that failed."""
        self.call(sync, self._fs.loop, _each, requests)

    @property
    def attempts(self) -> int:
        """How often botocore tries a request, as AWS_MAX_ATTEMPTS or the profile says."""
        retries = self._fs.s3.meta.config.retries or {}
        return int(retries.get("total_max_attempts") or retries.get("max_attempts", 4) + 1)

    def call(self, action: Callable[..., T], *args: Any, **options: Any) -> T:
        """Do it; a failure becomes a StorageError that says the way out."""
        try:
            return action(*args, **options)
        except StorageError:
            raise
        except _FAILURES as error:
            raise self._explain(error) from error

    def _explain(self, error: Exception) -> StorageError:
        code = _code(error)
        said = getattr(error, "strerror", None) or str(error) or type(error).__name__
        text = " ".join(said.split()).rstrip(".")
        for is_it, reason, way_out in _SENTENCES:
            if is_it(error, code):
                bucket = self._root.split("/")[0]
                return StorageError(
                    reason.format(bucket=bucket, server=self._endpoint(), text=text), way_out
                )
        return StorageError(text, "See what docs/settings.md says on buckets.")

    def _endpoint(self) -> str:
        try:
            return str(self._fs.s3.meta.endpoint_url)
        except _FAILURES:
            return "S3"


async def _each(requests: Iterable[Callable[[], Awaitable[object]]]) -> None:
    limit = asyncio.Semaphore(_AT_ONCE)
    failures: list[Exception] = []

    async def make(request: Callable[[], Awaitable[object]]) -> None:
        async with limit:
            if not failures:
                try:
                    await request()
                except Exception as error:
                    failures.append(error)

    await asyncio.gather(*map(make, requests))
    if failures:
        raise failures[0]


def _found(name: str, info: dict[str, Any]) -> Found:
    return Found(name, int(info["size"]), str(info.get("ETag", "")))


def _code(error: Exception) -> str:
    """S3's own name of a failure, from the answer that caused it."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, boto.ClientError):
            return str(cause.response.get("Error", {}).get("Code", ""))
        cause = cause.__cause__
    return ""


def _is(*kinds: type[Exception]) -> Callable[[Exception, str], bool]:
    return lambda error, code: isinstance(error, kinds)


def _says(*codes: str) -> Callable[[Exception, str], bool]:
    return lambda error, code: code in codes


_SENTENCES: list[tuple[Callable[[Exception, str], bool], str, str]] = [
    (_says("NoSuchBucket"), "the bucket {bucket} does not exist", "Make it, or name another one."),
    (
        _is(FileExpired),
        "the object was replaced while it was read",
        "The next load reads it anew.",
    ),
    (_is(FileNotFoundError), "the object is not there any more", "Restore it."),
    (
        _is(boto.NoCredentialsError, boto.PartialCredentialsError),
        "no credentials were found",
        f"Set {_KEYS}.",
    ),
    (
        _is(boto.ConnectionError, boto.HTTPClientError, aiohttp.ClientError, HTTPException),
        "the line to {server} failed: {text}",
        "See that the server is up and that AWS_ENDPOINT_URL names it.",
    ),
    (
        _says("AccessDenied"),
        "access is denied to these credentials: {text}",
        "Let them list, read, write and delete there, or set others.",
    ),
    (
        _says("SlowDown", "ServiceUnavailable", "InternalError", "500", "503"),
        "{server} answers: {text}",
        "It cannot serve now and should later.",
    ),
    (_is(PermissionError), "the credentials are refused: {text}", f"Correct {_KEYS}."),
]


class _Object(io.RawIOBase):
    """An object read piece by piece; s3fs asks for one and the same version throughout.

    botocore repeats requests, but not a body that was cut off half-way: that is done here, as
    often as it would.
    """

    def __init__(self, bucket: Bucket, raw: Any) -> None:
        self._bucket, self._raw = bucket, raw
        self.size = int(raw.size)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return int(self._raw.seek(offset, whence))

    def tell(self) -> int:
        return int(self._raw.tell())

    def readinto(self, buffer: Any) -> int:
        data = self._bucket.call(self._read, len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _read(self, length: int) -> bytes:
        for _ in range(self._bucket.attempts - 1):
            with contextlib.suppress(*_CUT):
                return bytes(self._raw.read(length))
        return bytes(self._raw.read(length))

    def close(self) -> None:
        self._raw.close()
        super().close()


class _BucketWriting(Writing):
    """Gathers objects and uploads many at once: one after the other would wait for the line."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._lock = threading.Lock()
        self._gathered: dict[str, bytes] = {}
        self._size = 0
        self._removed: list[str] = []

    def put(self, name: str, data: bytes) -> None:
        with self._lock:
            self._gathered[name] = data
            self._size += len(data)
            if self._size < _GATHERED:
                return
            due, self._gathered, self._size = self._gathered, {}, 0
        self._bucket.put_all(due)

    def remove(self, name: str) -> None:
        with self._lock:
            self._removed.append(name)

    def flush(self) -> None:
        if self._gathered:
            self._bucket.put_all(self._gathered)
        if self._removed:
            self._bucket.remove_all(self._removed)
