"""The receiver: Stripe and RevenueCat webhooks and product events over HTTP.

It answers 2xx only when the record is durable in the landing folder. Belongs here: routes, limits
and answers. Does not belong here: proofs (`credentials`), bodies (`bodies`), durability
(`landing_writer`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
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


@dataclass(frozen=True)
class Limits:
    """Sizes in bytes, time in seconds. Beyond `in_flight` requests at once the rest get 429."""

    body: int = 1 << 20
    batch: int = 16 << 20
    in_flight: int = 256
    tolerance_seconds: int = 300


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
        self.in_flight = 0

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
        return JSONResponse({"status": "ok", "in_flight": self.in_flight})

    async def stripe(self, request: Request) -> Response:
        """One Stripe Event, signed for this account."""
        account = request.path_params["name"]
        if account not in self.credentials.stripe:
            raise Refused(404, "unknown_account", f"No signing secret is declared for {account}.")
        body = await self._body(request, self.limits.body)
        signature = request.headers.get("stripe-signature", "")
        tolerance = self.limits.tolerance_seconds
        if not self.credentials.is_stripe_signed(account, body, signature, tolerance):
            raise Refused(400, "bad_signature", "The Stripe-Signature does not fit the body.")
        return await self._store(f"stripe/{account}", [one_object(body)])

    async def revenuecat(self, request: Request) -> Response:
        """One RevenueCat webhook body with the project's authorization header."""
        project = request.path_params["name"]
        if project not in self.credentials.revenuecat:
            raise Refused(404, "unknown_project", f"No authorization is declared for {project}.")
        header = request.headers.get("authorization", "")
        if not self.credentials.is_revenuecat_authorized(project, header):
            raise Refused(401, "bad_authorization", "The Authorization header is not right.")
        body = await self._body(request, self.limits.body)
        return await self._store(f"revenuecat/{project}", [one_object(body)])

    async def events(self, request: Request) -> Response:
        """Product events of the key's tenant: an object, an array, or one object a line."""
        product = request.path_params["name"]
        header = request.headers.get("authorization", "")
        presented = request.headers.get("x-api-key") or header.removeprefix("Bearer ")
        key = self.credentials.key_of(presented)
        if key is None or key.product != product:
            raise Refused(401, "bad_key", f"The API key is not one for {product}.")
        packed = await self._body(request, self.limits.batch)
        body = unpack(packed, request.headers.get("content-encoding", ""), self.limits.batch)
        now = datetime.now(UTC).isoformat()
        contract = self.contracts.get(product)
        lines = [stamp(record, contract, key.tenant, now) for record in many_objects(body)]
        return await self._store(f"events/{product}", lines)

    async def _body(self, request: Request, limit: int) -> bytes:
        declared = request.headers.get("content-length")
        return await read_limited(request.stream(), declared, limit)

    async def _store(self, folder: str, lines: list[bytes]) -> Response:
        await asyncio.wrap_future(self.writer.submit(folder, lines))
        return JSONResponse({"stored": len(lines)})

    def _guard(self, handler: Handler) -> Handler:
        """Turn refusals, overload and a full disk into answers; log what was refused."""

        async def guarded(request: Request) -> Response:
            if self.in_flight >= self.limits.in_flight:
                return busy()
            self.in_flight += 1
            try:
                return await handler(request)
            except Refused as refusal:
                caller = request.client.host if request.client else "unknown"
                self.audit.refused(caller, request.url.path, refusal.status, refusal.reason)
                return JSONResponse({"error": refusal.sentence}, refusal.status)
            except Overloaded:
                return busy()
            except ClientDisconnect:
                return Response(status_code=499)
            except OSError:
                return JSONResponse(
                    {"error": "The landing folder cannot be written now; send it again."},
                    503,
                    {"Retry-After": "30"},
                )
            finally:
                self.in_flight -= 1

        return guarded


def busy() -> Response:
    """The answer when there is more than can be held: come back in a second."""
    return JSONResponse({"error": "Busy; send it again."}, 429, {"Retry-After": "1"})
