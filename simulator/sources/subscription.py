"""The life of one Stripe subscription: each method is one thing that happens to it.

Every method changes the state, writes the events Stripe would send, and enters the new worth into
the ledger. Decisions (when, whether) are the products'.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from simulator.ledger import Customer, Ledger, Part
from simulator.sources.items import Items
from simulator.sources.lines import Item
from simulator.sources.stripe import StripeAccount
from simulator.sources.stripe_objects import (
    customer_object,
    subscription_object,
)
from simulator.timeline import DAY, SECOND, add_months


class StripeSubscription(Items):
    """A subscription, of one item as it begins. Instants are whole seconds, in milliseconds."""

    def __init__(
        self,
        account: StripeAccount,
        ledger: Ledger,
        customer: Customer,
        price: dict[str, Any],
        quantity: int,
        email: str,
        name: str,
        owner: dict[str, str],
    ) -> None:
        self.account, self.ledger, self.customer = account, ledger, customer
        self.customer_id, self.email, self.name = customer.customer_id, email, name
        self.metadata = owner
        token = account.chance.token(22)
        self.subscription_id = f"sub_1{token}"
        self.items = [Item(f"si_{token[:14]}", price, quantity)]
        self.pending, self.billed = [], {}
        self.status, self.reason = "active", None
        self.cancel_at_period_end = False
        self.cancel_at: int | None = None
        self.canceled_at: int | None = None
        self.ended_at: int | None = None
        self.trial_start: int | None = None
        self.trial_end: int | None = None
        self.latest_invoice: str | None = None
        self.created = self.anchor = self.period_start = self.period_end = 0
        self.touched = 0  # the last change told of; the next one comes after it
        self.invoices = 0
        self.periods = 0
        self.last_invoice: dict[str, Any] | None = None
        self.discount: dict[str, Any] | None = None
        self.covered_until = 0  # the end of the period that a coupon which counts once was for
        self.paused = False

    @property
    def counts_once(self) -> bool:
        return self.discount is not None and self.discount["coupon"]["duration"] == "once"

    @property
    def parts(self) -> list[Part]:
        """What each item costs: a discount for ever lowers it, another one for a time (rule 13).

        What was used of a metered price is told apart (rule 6), from its bill to the next one.
        """
        forever, once = (0, self.percent_off) if self.counts_once else (self.percent_off, 0)
        return [
            Part(
                str(item.price["nickname"]),
                Fraction(item.billed_usage) if item.is_metered else item.costs(forever),
                str(item.price["interval"]),
                0 if item.is_metered else once,
                self.covered_until,
                item.is_metered,
            )
            for item in self.items
        ]

    # --- beginnings -----------------------------------------------------------------------------
    def introduce(self, at: int, metadata: dict[str, str], place: int | None = None) -> None:
        body = customer_object(
            self.customer_id, at, self.email, self.name, self.price["currency"], metadata
        )
        self.account.emit("customer.created", at, body, place=place)

    def start(
        self, at: int, trial_days: int = 0, incomplete: bool = False, place: int | None = None
    ) -> None:
        self.created = self.period_start = self.anchor = at
        if trial_days:
            self.status, self.trial_start = "trialing", at
            self.trial_end = self.period_end = self.anchor = at + trial_days * DAY
        else:
            self.period_end = self.covered_until = self._next(1)
            self.status = "incomplete" if incomplete else "active"
        self._tell("customer.subscription.created", at, place=place)
        if trial_days:
            warning = self.period_end - 3 * DAY
            if warning > at:
                self._tell("customer.subscription.trial_will_end", warning)
            return
        if incomplete:
            self._pay(at + 1 * SECOND, "subscription_create")
            self.status = "active"
            self._tell("customer.subscription.updated", at + 2 * SECOND, {"status": "incomplete"})
            self._count(at + 2 * SECOND)
        else:
            self._count(at)
            self._pay(at + 1 * SECOND, "subscription_create")

    # --- periods --------------------------------------------------------------------------------
    def renew(self, fails: bool = False) -> int:
        """The period ends and the next begins; returns the instant. A failure makes it past due."""
        at, was = self.period_end, self.status
        previous: dict[str, Any] = {"latest_invoice": self.latest_invoice}
        self._period_before(previous, at)
        usage = self._bill_usage()
        if was == "trialing":
            self.periods = 0
        self.period_start = at
        self.period_end = self._next(self.periods + 1)
        if was == "trialing":
            self.covered_until = self.period_end
        elif self.counts_once:
            previous |= self._discount_before(at)
            self.discount = None
        if was == "trialing" or fails:
            previous["status"] = was
        self.status = "past_due" if fails else "active"
        self._invoice(at, "subscription_cycle")
        self._tell("customer.subscription.updated", at, previous)
        if was == "trialing" or fails or usage:
            self._count(at)
        self._settle(at + 3 * SECOND, not fails)
        return at

    def retry(self, at: int, works: bool) -> None:
        """Another attempt on the open invoice."""
        self._settle(at, works)
        if works:
            self.status = "active"
            self._tell("customer.subscription.updated", at + 1 * SECOND, {"status": "past_due"})
            self._count(at + 1 * SECOND)

    # --- changes --------------------------------------------------------------------------------
    def swap(self, at: int, price: dict[str, Any]) -> None:
        """Another price of the first item from now on; a new interval starts a new period."""
        old_interval = self.price["interval"]
        body = subscription_object(self, self.account.is_new(at))
        previous: dict[str, Any] = {"items": {"data": body["items"]["data"]}}
        if body.get("plan"):
            previous["plan"] = body["plan"]
        if price["interval"] != old_interval:
            self._period_before(previous, at)
        self.items[0].price = price
        if price["interval"] != old_interval:
            for item in self.further:
                item.follow(price["interval"])
            self.anchor = self.period_start = at
            self.periods = 0
            self.period_end = self._next(1)
        self._tell("customer.subscription.updated", at, previous)
        self._count(at)

    def resize(self, at: int, quantity: int) -> None:
        """Another quantity of the first item."""
        body = subscription_object(self, self.account.is_new(at))
        previous: dict[str, Any] = {"items": {"data": body["items"]["data"]}}
        if body.get("plan"):
            previous["quantity"] = self.quantity
        self.items[0].quantity = quantity
        self._tell("customer.subscription.updated", at, previous)
        self._count(at)

    # --- endings --------------------------------------------------------------------------------
    def cancel_later(self, at: int) -> None:
        self.cancel_at_period_end, self.cancel_at, self.canceled_at = True, self.period_end, at
        self.reason = "cancellation_requested"  # type: ignore[assignment]
        previous = {"cancel_at": None, "cancel_at_period_end": False, "canceled_at": None}
        self._tell("customer.subscription.updated", at, previous)

    def stay(self, at: int) -> None:
        previous = {
            "cancel_at": self.period_end // SECOND,
            "cancel_at_period_end": True,
            "canceled_at": (self.canceled_at or at) // SECOND,
        }
        self.cancel_at_period_end, self.cancel_at, self.canceled_at = False, None, None
        self.reason = None
        self._tell("customer.subscription.updated", at, previous)

    def end(self, at: int, reason: str) -> None:
        self.status, self.ended_at = "canceled", at
        self.canceled_at = self.canceled_at or at
        self.reason = reason  # type: ignore[assignment]
        self._tell("customer.subscription.deleted", at)
        self.ledger.worth(self.customer, self.subscription_id, at, [], self.price["currency"])
        self.ledger.ended(self.customer, self.subscription_id, at, reason)

    # --- private --------------------------------------------------------------------------------
    def _count(self, at: int) -> None:
        nothing = self.paused or self.status in ("trialing", "incomplete")
        parts = [] if nothing else self.parts
        risk = self.status == "past_due"
        self.ledger.worth(
            self.customer, self.subscription_id, at, parts, self.price["currency"], risk
        )

    def _next(self, number: int) -> int:
        self.periods = number
        if self.price["interval"] == "week":
            return self.anchor + 7 * DAY * number
        return add_months(self.anchor, number * (12 if self.price["interval"] == "year" else 1))

    def _tell(
        self, kind: str, at: int, previous: dict[str, Any] | None = None, place: int | None = None
    ) -> None:
        if kind != "customer.subscription.trial_will_end":
            self.touched = max(self.touched, at)
        body = subscription_object(self, self.account.is_new(at))
        self.account.emit(kind, at, body, previous, place=place)

    def _period_before(self, previous: dict[str, Any], at: int) -> None:
        if self.account.is_new(at):
            body = subscription_object(self, True)
            previous["items"] = {"data": body["items"]["data"]}
        else:
            previous["current_period_start"] = self.period_start // SECOND
            previous["current_period_end"] = self.period_end // SECOND

    def sleep_until(self, instant: int) -> None:
        """Renewals before `instant` happened but were not exported."""
        while self.period_end < instant and self.status == "active":
            self.period_start = self.period_end
            self.period_end = self._next(self.periods + 1)
