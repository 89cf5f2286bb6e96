"""Discounts and pauses of one Stripe subscription."""

from __future__ import annotations

from typing import Any

from simulator.sources.billing import Billing
from simulator.sources.stripe_objects import discount_object
from simulator.timeline import SECOND


class Terms(Billing):
    """The part of a subscription that lowers or suspends what it is worth; mixed into it."""

    paused: bool

    def _tell(self, kind: str, at: int, previous: dict[str, Any] | None = None) -> None:
        raise NotImplementedError

    def _count(self, at: int) -> None:
        raise NotImplementedError

    def grant(self, at: int, percent: int, duration: str, told: bool = True) -> None:
        """A discount begins; on a subscription that is only now created nothing else is told.

        One that counts once is of the first charge, and covers the period that this is for.
        """
        if duration == "once" and told:
            raise ValueError("a coupon that counts once is given with the start")
        token = self.account.chance.token(14)
        body = discount_object(self, f"di_1{token}", at, percent, duration)
        previous = self._discount_before(at)
        self.discount = body
        self.account.emit("customer.discount.created", at, body)
        if told:
            self._tell("customer.subscription.updated", at, previous)
            self._count(at)

    def withdraw(self, at: int) -> None:
        """The discount is taken away."""
        previous = self._discount_before(at)
        body = {**(self.discount or {}), "end": at // SECOND}
        self.discount = None
        self.account.emit("customer.discount.deleted", at, body)
        self._tell("customer.subscription.updated", at, previous)
        self._count(at)

    def pause(self, at: int) -> None:
        self.paused = True
        self._tell("customer.subscription.updated", at, {"pause_collection": None})
        self._count(at)

    def resume(self, at: int) -> None:
        self.paused = False
        previous = {"pause_collection": {"behavior": "void", "resumes_at": None}}
        self._tell("customer.subscription.updated", at, previous)
        self._count(at)

    def _discount_before(self, at: int) -> dict[str, Any]:
        if self.account.is_new(at):
            return {"discounts": [self.discount["id"]] if self.discount else []}
        return {"discount": self.discount}
