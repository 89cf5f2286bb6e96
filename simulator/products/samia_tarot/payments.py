"""Paying for an order: attempts, other providers when one fails, answers that come late or never."""

from __future__ import annotations

from typing import Any

from simulator.chance import Chance
from simulator.products.samia_tarot.catalogue import SERVICES
from simulator.products.samia_tarot.shop import Client, Shop, later
from simulator.timeline import DAY, HOUR
from simulator.truth.fulfilment.happened import Attempt, Refund

MOST_ATTEMPTS = 4


class Payments:
    """The payments of one marketplace."""

    def __init__(self, shop: Shop, chance: Chance) -> None:
        self.shop, self.chance = shop, chance
        self.currency = shop.market.tenant.currency

    def pay(self, order: int, service: str, client: Client, at: int) -> tuple[int, Attempt] | None:
        """When the order was paid and how; None if it never was, or not within the sample."""
        chance, shop = self.chance, self.shop
        amount = SERVICES[service][1] // (100 if self.currency == "jpy" else 1)
        provider, payment = shop.market.providers[0], shop.new_id("payment")
        failed: set[str] = set()
        for _ in range(MOST_ATTEMPTS):
            at = later(at, chance, 0.6, 4)
            about = self._about(order, payment, provider) | {"amount_cents": amount}
            event = shop.tell("payment_attempted", at, client.user_id, client.country, **about)
            if event is None:
                return None
            is_fallback = bool(failed - {provider})
            attempt = Attempt(
                shop.tenant, provider, client.country, self.currency, amount, event, is_fallback
            )
            shop.happened.attempts.append(attempt)
            if chance.hit(0.012):
                return None  # nobody ever answers, and the client gives up
            has_succeeded = chance.hit(0.84)
            is_late = chance.hit(0.006)
            at = (
                at + DAY + int(chance.between(1, 9) * HOUR)
                if is_late
                else later(at, chance, 0.6, 2)
            )
            name = "payment_succeeded" if has_succeeded else "payment_failed"
            extra = (
                {} if has_succeeded else {"error_code": chance.pick(("declined", 51, "timeout"))}
            )
            attempt.answer = shop.tell(name, at, client.user_id, client.country, **about, **extra)
            if attempt.answer is None:
                return None
            attempt.has_succeeded = has_succeeded
            if has_succeeded:
                return at, attempt
            if not is_late:
                failed.add(provider)
            if not chance.hit(0.75):
                return None
            if chance.hit(0.65):
                others = [p for p in shop.market.providers if p != provider]
                provider, payment = chance.pick(others), shop.new_id("payment")
        return None

    def give_back(self, order: int, client: Client, paid: Attempt, at: int) -> None:
        chance = self.chance
        amount = paid.amount if chance.hit(0.8) else paid.amount // 2
        about = self._about(order, 0, paid.provider) | {"amount_cents": amount}
        event = self.shop.tell("refund_issued", at, client.user_id, client.country, **about)
        if event is not None:
            self.shop.happened.refunds.append(
                Refund(
                    self.shop.tenant, paid.provider, client.country, self.currency, amount, event
                )
            )

    def _about(self, order: int, payment: int, provider: str) -> dict[str, Any]:
        about: dict[str, Any] = {"provider": provider, "currency": self.currency.upper()}
        if self.shop.market.has_payment_ids and payment:
            return about | {"entity_type": "payment", "entity_id": payment, "order_id": order}
        return about | {"entity_type": "order", "entity_id": order}
