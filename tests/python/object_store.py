"""A bucket served on loopback, and a line to it that breaks on demand.

Belongs here: moto's server, and a proxy before it. Does not belong here: what is kept in buckets.
"""

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

# How a request can fail.
CUT_UPLOAD = "the line breaks in the middle of the request's body"
CUT_DOWNLOAD = "the line breaks in the middle of the answer's body"
NO_ANSWER = "the request is carried out, the line breaks before the answer"
UNAVAILABLE = "503"

Fault = Callable[[str, str], str | None]  # of method and path; None is no fault


class ObjectStore:
    """One server with one bucket. What clients should know stands in `environment`."""

    bucket = "tally"

    def __init__(self) -> None:
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        _, self.port = self._server.get_host_and_port()
        self._client = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name="us-east-1",
            aws_access_key_id="tester",
            aws_secret_access_key="of tests",
        )
        self._client.create_bucket(Bucket=self.bucket)

    def environment(self, port: int | None = None, attempts: int = 1) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port or self.port}",
            "AWS_ACCESS_KEY_ID": "tester",
            "AWS_SECRET_ACCESS_KEY": "of tests",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_MAX_ATTEMPTS": str(attempts),
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def put(self, key: str, data: bytes) -> None:
        self._client.put_object(Bucket=self.bucket, Key=key, Body=data)

    def get(self, key: str) -> bytes:
        return bytes(self._client.get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def delete(self, key: str) -> None:
        self._client.delete_object(Bucket=self.bucket, Key=key)

    def keys(self, prefix: str = "") -> list[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=prefix
        )
        return [found["Key"] for page in pages for found in page.get("Contents", [])]

    def unfinished_uploads(self) -> int:
        return len(self._client.list_multipart_uploads(Bucket=self.bucket).get("Uploads", []))

    def clear(self) -> None:
        for key in self.keys():
            self.delete(key)

    @contextmanager
    def only_known_keys(self) -> Iterator[None]:
        """While it lasts no credentials are right: nobody has an account here."""
        self._allow("0")
        try:
            yield
        finally:
            self._allow("inf")

    def _allow(self, calls: str) -> None:
        line = http.client.HTTPConnection("127.0.0.1", self.port)
        line.request("POST", "/moto-api/reset-auth", calls)
        assert line.getresponse().status == 200
        line.close()

    def stop(self) -> None:
        self._server.stop()


class FaultyLine:
    """A proxy before the store. `fault` decides for each request; `seen` are those that came."""

    def __init__(self, store: ObjectStore) -> None:
        self.fault: Fault = lambda method, path: None
        self.seen: list[tuple[str, str]] = []
        line = self

        class Handler(_Handler):
            def serve(self) -> None:
                line.seen.append((self.command, self.path))
                self.forward(store.port, line.fault(self.command, self.path))

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def nth(self, method: str, part: str, numbers: range, how: str) -> None:
        """Let some of the requests with this method and part of a path fail, counted from 0."""
        count = iter(range(1_000_000))
        lock = threading.Lock()

        def fault(called: str, path: str) -> str | None:
            with lock:
                return how if called == method and part in path and next(count) in numbers else None

        self.fault = fault

    def heal(self) -> None:
        self.fault = lambda method, path: None

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A client that has hung up, or a store that is stopped."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def serve(self) -> None:
        raise NotImplementedError

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = lambda self: self.serve()

    def log_message(self, *_: Any) -> None:
        pass

    def forward(self, port: int, fault: str | None) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if fault == CUT_UPLOAD:
            self.rfile.read(length // 2)
            self._hang_up()
            return
        body = self.rfile.read(length)
        if fault == UNAVAILABLE:
            self.send_response(503)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        upstream = http.client.HTTPConnection("127.0.0.1", port)
        upstream.request(self.command, self.path, body, dict(self.headers))
        answer = upstream.getresponse()
        data = answer.read()
        upstream.close()
        if fault == NO_ANSWER:
            self._hang_up()
            return
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                self.send_header(name, value)
        size = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(data))
        self.send_header("Content-Length", size or "0")
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if fault == CUT_DOWNLOAD else data)
        if fault == CUT_DOWNLOAD:
            self._hang_up()

    def _hang_up(self) -> None:
        self.close_connection = True
        self.wfile.flush()
