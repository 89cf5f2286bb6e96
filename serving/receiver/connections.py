"""Connections that keep the receiver waiting: how long they may, and how many of them.

A connection waits while its request has not come whole: no request yet, half a header, half a body.
Each has a deadline, and where too many wait at once the oldest of the address with the most of them
is closed. So whoever opens connections and says nothing, or never ends, costs the others nothing.
Belongs here: uvicorn's protocol with this added. Does not belong here: what a request means.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

TIMEOUT = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


@dataclass(frozen=True)
class Patience:
    """Times in seconds, from the first byte that could have come; sizes in bytes."""

    header_seconds: float = 10.0
    body_seconds: float = 30.0
    waiting: int = 512  # below the files that a process may open, usually 1,024
    header_bytes: int = 32 << 10


class Waiting:
    """The connections of one server that wait, the oldest first."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.members: dict[PatientProtocol, str] = {}  # with its address; dicts keep their order
        self.of_address: Counter[str] = Counter()

    def add(self, connection: PatientProtocol) -> None:
        """Let one more wait, at the cost of the address with the most waiting ones."""
        address = connection.client[0] if connection.client else ""
        self.members[connection] = address
        self.of_address[address] += 1
        if len(self.members) > self.most:
            ((crowd, _),) = self.of_address.most_common(1)
            next(member for member, place in self.members.items() if place == crowd).give_up()

    def remove(self, connection: PatientProtocol) -> None:
        """One waits no longer; nothing happens when it did not."""
        address = self.members.pop(connection, None)
        if address is not None:
            self.of_address[address] -= 1
            if not self.of_address[address]:
                del self.of_address[address]


class PatientProtocol(H11Protocol):
    """HTTP/1.1 with deadlines for headers and bodies; `protocol_of` makes a server's own."""

    patience: Patience
    waiting: Waiting

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline: asyncio.TimerHandle | None = None
        self._awaited: type | None = None  # what the peer has begun and not ended

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._follow()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._follow()

    def connection_lost(self, exc: Exception | None) -> None:
        self._await(None)
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        # an answer may come before the body's end; between two requests uvicorn's own limit holds
        self._await(h11.SEND_BODY if self.conn.their_state is h11.SEND_BODY else None)

    def give_up(self) -> None:
        """Close this connection, which did not end what it had begun."""
        self._await(None)
        if not self.transport.is_closing():
            if self.cycle is None or not self.cycle.response_started:
                self.transport.write(TIMEOUT)
            self.transport.close()

    def _follow(self) -> None:
        state = self.conn.their_state
        self._await(state if state in (h11.IDLE, h11.SEND_BODY) else None)

    def _await(self, part: type | None) -> None:
        """Begin to wait for a part of a request, or (None) wait no longer."""
        if part is self._awaited:
            return
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if part is None or self.transport.is_closing():
            self._awaited = None
            self.waiting.remove(self)
            return
        is_new, self._awaited = self._awaited is None, part
        seconds = self.patience.header_seconds
        if part is h11.SEND_BODY:
            seconds = self.patience.body_seconds
        self._deadline = self.loop.call_later(seconds, self.give_up)
        if is_new:
            self.waiting.add(self)


def protocol_of(patience: Patience) -> type[PatientProtocol]:
    """The protocol class of one server, whose connections know of one another."""
    return type(
        "ServerProtocol",
        (PatientProtocol,),
        {"patience": patience, "waiting": Waiting(patience.waiting)},
    )
