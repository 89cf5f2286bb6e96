"""The receiver: Stripe and RevenueCat webhooks and product events over HTTP.

It answers 2xx only when the record is durable in the landing folder. Belongs here: routes, what one
caller may take of the whole, answers. Does not belong here: proofs (`credentials`), bodies
(`bodies`), slow connections (`connections`), durability (`landing_writer`).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ingestion.contracts.model import EventContract
from serving.receiver.audit import AuditLog
from serving.receiver.bodies import Refused, many_objects, one_object, read_limited, stamp, unpack
from serving.receiver.credentials import Credentials
from serving.receiver.landing_writer import LandingWriter, Overloaded

Handler = Callable[[Request], Awaitable[Response]]
LinesOf = Callable[[bytes], list[bytes]]


@dataclass(frozen=True)
class Limits:
    """What is refused. Sizes in bytes, time in seconds.

    One caller is a key, a project, or, where only the body proves who calls, an address. It gets
    429 for what would be more than half of `in_flight`, or more than `held` of bodies in memory.
    """

    body: int = 1 << 20
    batch: int = 16 << 20
    in_flight: int = 256
    held: int = 64 << 20
    tolerance_seconds: int = 300


DECODED_AT_ONCE = 64 << 10  # bytes; a longer body is decoded beside the other calls, one at a time


class Busy(Exception):
    """More than there is room for; the caller should come back."""


class Receiver:
    """One receiver with its credentials, landing writer and audit log."""

    def __init__(
        self,
        credentials: Credentials,
        contracts: Mapping[str, EventContract],
        writer: LandingWriter,
        audit: AuditLog,
        limits: Limits = Limits(),
    ) -> None:
        self.credentials, self.contracts = credentials, contracts
        self.writer, self.audit, self.limits = writer, audit, limits
        self.at_work: Counter[str] = Counter()  # calls whose body has come, of each caller
        self.held: Counter[str] = Counter()  # bytes of bodies, of each caller
        self.decoding = asyncio.Semaphore(1)

    def app(self) -> Starlette:
        """The ASGI application."""

        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncIterator[None]:
            yield
            self.writer.close()
            self.audit.close()

        post = ["POST"]
        return Starlette(
            lifespan=lifespan,
            routes=[
                Route("/webhooks/stripe/{name}", self._guard(self.stripe), methods=post),
                Route("/webhooks/revenuecat/{name}", self._guard(self.revenuecat), methods=post),
                Route("/events/{name}", self._guard(self.events), methods=post),
                Route("/health", self.health),
            ],
        )

    async def health(self, _: Request) -> Response:
        """Alive, and how much is being worked on."""
        return JSONResponse({"status": "ok", "in_flight": self.at_work.total()})

    async def stripe(self, request: Request) -> Response:
        """One Stripe Event, signed for this account."""
        account = request.path_params["name"]
        if account not in self.credentials.stripe:
            raise Refused(404, "unknown_account", f"No signing secret is declared for {account}.")
        signature = request.headers.get("stripe-signature", "")

        def proven(body: bytes) -> list[bytes]:
            tolerance = self.limits.tolerance_seconds
            if not self.credentials.is_stripe_signed(account, body, signature, tolerance):
                raise Refused(400, "bad_signature", "The Stripe-Signature does not fit the body.")
            return [one_object(body)]

        caller = address_of(request)
        return await self._store(request, f"stripe/{account}", caller, self.limits.body, proven)

    async def revenuecat(self, request: Request) -> Response:
        """One RevenueCat webhook body with the project's authorization header."""
        project = request.path_params["name"]
        if project not in self.credentials.revenuecat:
            raise Refused(404, "unknown_project", f"No authorization is declared for {project}.")
        header = request.headers.get("authorization", "")
        if not self.credentials.is_revenuecat_authorized(project, header):
            raise Refused(401, "bad_authorization", "The Authorization header is not right.")
        folder = f"revenuecat/{project}"
        return await self._store(
            request, folder, folder, self.limits.body, lambda body: [one_object(body)]
        )

    async def events(self, request: Request) -> Response:
        """Product events of the key's tenant: an object, an array, or one object a line."""
        product = request.path_params["name"]
        header = request.headers.get("authorization", "")
        presented = request.headers.get("x-api-key") or header.removeprefix("Bearer ")
        key = self.credentials.key_of(presented)
        if key is None or key.product != product:
            raise Refused(401, "bad_key", f"The API key is not one for {product}.")
        encoding = request.headers.get("content-encoding", "")
        contract, now = self.contracts.get(product), datetime.now(UTC).isoformat()

        def stamped(packed: bytes) -> list[bytes]:
            body = unpack(packed, encoding, self.limits.batch)
            return [stamp(event, contract, key.tenant, now) for event in many_objects(body)]

        return await self._store(
            request, f"events/{product}", key.sha256, self.limits.batch, stamped
        )

    async def _store(
        self, request: Request, folder: str, caller: str, limit: int, lines_of: LinesOf
    ) -> Response:
        """Read the body, turn it into lines, and answer when they are durable."""
        with self._holding(caller) as hold:
            declared = request.headers.get("content-length")
            body = await read_limited(request.stream(), declared, limit, hold)
            with self._working(caller):
                if len(body) <= DECODED_AT_ONCE and "content-encoding" not in request.headers:
                    lines = lines_of(body)
                else:
                    async with self.decoding:
                        lines = await asyncio.to_thread(lines_of, body)
                await asyncio.wrap_future(self.writer.submit(folder, lines))
        return JSONResponse({"stored": len(lines)})

    @contextmanager
    def _holding(self, caller: str) -> Iterator[Callable[[int], None]]:
        """Counts the bytes that a call holds, and raises Busy where its caller holds too many."""
        mine = 0

        def hold(size: int) -> None:
            nonlocal mine
            if self.held[caller] + size > self.limits.held:
                raise Busy
            mine += size
            self.held[caller] += size

        try:
            yield hold
        finally:
            self.held[caller] -= mine
            if not self.held[caller]:
                del self.held[caller]

    @contextmanager
    def _working(self, caller: str) -> Iterator[None]:
        """Counts the calls at work, and raises Busy where there are too many."""
        most = self.limits.in_flight
        if self.at_work.total() >= most or self.at_work[caller] >= max(1, most // 2):
            raise Busy
        self.at_work[caller] += 1
        try:
            yield
        finally:
            self.at_work[caller] -= 1
            if not self.at_work[caller]:
                del self.at_work[caller]

    def _guard(self, handler: Handler) -> Handler:
        """Turn refusals, overload and a full disk into answers; log what was refused."""

        async def guarded(request: Request) -> Response:
            try:
                return await handler(request)
            except Refused as refusal:
                caller = address_of(request)
                self.audit.refused(caller, request.url.path, refusal.status, refusal.reason)
                return JSONResponse({"error": refusal.sentence}, refusal.status)
            except (Busy, Overloaded):
                error = {"error": "Busy; send it again."}
                return JSONResponse(error, 429, {"Retry-After": "1"})
            except ClientDisconnect:
                return Response(status_code=499)
            except OSError:
                return JSONResponse(
                    {"error": "The landing folder cannot be written now; send it again."},
                    503,
                    {"Retry-After": "30"},
                )

        return guarded


def address_of(request: Request) -> str:
    """The address that calls; behind a proxy on this machine, the one that the proxy names."""
    return request.client.host if request.client else "unknown"
