"""A Stripe account's webhook log: event objects, one a line.

What belongs here: the event envelope and the day on which the account moves to the newer API. What
does not: the objects inside (`stripe_objects`), who pays (the products), the truth (the ledger).
"""

from __future__ import annotations

from typing import Any

from simulator.chance import Chance
from simulator.files import Folder, Plant, encode
from simulator.timeline import SECOND, Window

OLD_API, NEW_API = "2020-08-27", "2025-03-31.basil"


class StripeAccount:
    """Writes the events of one account. Events before the window go to the history file."""

    def __init__(
        self, folder: Folder, window: Window, limit: int, chance: Chance, moved_at: int
    ) -> None:
        self.folder, self.window, self.limit, self.chance = folder, window, limit, chance
        self.moved_at = moved_at
        self.count: dict[str, int] = {}
        self.history: list[tuple[int, int, bytes]] = []

    def is_new(self, at: int) -> bool:
        return at >= self.moved_at

    def emit(
        self,
        kind: str,
        at: int,
        subject: dict[str, Any],
        previous: dict[str, Any] | None = None,
        place: int | None = None,
        **envelope: Any,
    ) -> bytes | None:
        """One event. `place` is where it is filed when the delivery was late; returns the line."""
        if at >= self.limit:
            return None
        data: dict[str, Any] = {"object": subject}
        if previous is not None:
            data["previous_attributes"] = previous
        event = {
            "id": f"evt_1{self.chance.token(23)}",
            "object": "event",
            "api_version": NEW_API if self.is_new(at) else OLD_API,
            "created": at // SECOND,
            "data": data,
            "livemode": True,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": kind,
            **envelope,
        }
        line = encode(event)
        self.count[kind] = self.count.get(kind, 0) + 1
        if at < self.window.start:
            self.history.append((at, len(self.history), line))
        else:
            plant = None if place is None else Plant("out_of_order", "stored", str(event["id"]))
            self.folder.add(at + 1500 if place is None else place, line, plant)
        return line

    def close(self) -> None:
        self.folder.history = [line for _, _, line in sorted(self.history, key=lambda e: e[:2])]
