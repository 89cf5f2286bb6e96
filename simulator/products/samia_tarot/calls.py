"""Calls with readers: some ring unheard, some drop, some are recorded."""

from __future__ import annotations

from typing import Any

from simulator.products.samia_tarot.catalogue import CALL_SERVICES, NAME
from simulator.products.samia_tarot.shop import Shop, later
from simulator.timeline import SECOND
from simulator.truth.fulfilment.happened import Call

A_DAY = 0.35  # calls for each order


class Calls:
    """The calls of one marketplace, day after day."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.chance = shop.world.chance(NAME, shop.tenant, "calls")

    def run(self) -> None:
        shop, chance = self.shop, self.chance
        size = shop.market.tenant.size * shop.world.scale * A_DAY
        for index, _ in shop.open_days():
            for _ in range(shop.many(chance, max(0.4, size) * shop.busy(index))):
                self._call(shop.moment(chance, index))

    def _call(self, at: int) -> None:
        shop, chance = self.shop, self.chance
        client, service = chance.pick(shop.clients), chance.pick(CALL_SERVICES)
        about: dict[str, Any] = {"entity_type": "call", "entity_id": shop.new_id("call")}
        started = shop.tell(
            "call_started", at, client.user_id, client.country, service_code=service,
            provider="twilio", **about,
        )  # fmt: skip
        if started is None:
            return
        call = Call(shop.tenant, service, client.country, started)
        shop.happened.calls.append(call)
        at = later(at, chance, 0.5, 1)
        if not chance.hit(0.8):
            call.has_ended = shop.tell("call_ended", at, client.user_id, **about) is not None
            return
        call.is_answered = shop.tell("call_answered", at, client.user_id, **about) is not None
        is_recorded, seconds = chance.hit(0.4), int(chance.between(40, 3600))
        is_dropped = chance.hit(0.07)
        if not is_dropped or chance.hit(0.5):
            told = about | {"duration_seconds": seconds, "is_recorded": is_recorded}
            ended = shop.tell("call_ended", at + seconds * SECOND, client.user_id, **told)
            if ended is not None:
                call.has_ended, call.is_recorded, call.seconds = True, is_recorded, seconds
        if is_dropped:
            told = about if call.has_ended else about | {"duration_seconds": seconds}
            dropped = shop.tell(
                "call_dropped", at + seconds * SECOND + 40 * SECOND, client.user_id, **told
            )
            if dropped is not None:
                call.is_dropped = True
                call.seconds = seconds
